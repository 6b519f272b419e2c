"""The numbers of a tidy house (ARCHITECTURE.md), counted from the source itself."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "armillary"
MODULES = sorted(SOURCE.rglob("*.py"))
FORBIDDEN = {"util", "utils", "helper", "helpers", "misc", "common", "manager", "managers", "base", "core"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Lines of code without the docstring."""
    body = function.body
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    rest = body[1:] if documented else body
    return (rest[-1].end_lineno or 0) - rest[0].lineno + 1 if rest else 0


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {module: ast.parse(module.read_text("utf-8")) for module in MODULES}


def test_functions_are_short(trees: dict[Path, ast.Module]) -> None:
    lengths = sorted(body_lines(function) for tree in trees.values() for function in functions(tree))
    assert len(lengths) > 100
    assert statistics.median(lengths) <= 8
    assert lengths[int(len(lengths) * 0.9)] <= 30
    assert sum(length > 50 for length in lengths) / len(lengths) < 0.03


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_module_is_short_and_named_for_what_it_holds(module: Path) -> None:
    assert len(module.read_text("utf-8").splitlines()) <= 500
    assert not FORBIDDEN & set(module.relative_to(SOURCE).with_suffix("").parts)


def test_classes_are_small(trees: dict[Path, ast.Module]) -> None:
    sizes = {
        f"{path.name}:{node.name}": sum(isinstance(item, Function) for item in node.body)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    assert {name: size for name, size in sizes.items() if size > 15} == {}


def test_every_function_says_what_it_returns(trees: dict[Path, ast.Module]) -> None:
    silent = [f"{path.name}:{f.name}" for path, tree in trees.items() for f in functions(tree) if f.returns is None]
    assert silent == []


def test_every_public_name_is_documented(trees: dict[Path, ast.Module]) -> None:
    bare = [
        f"{path.relative_to(SOURCE)}:{node.name}"
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert bare == []


def test_no_module_changes_a_global(trees: dict[Path, ast.Module]) -> None:
    changed = [
        path.name for path, tree in trees.items() if any(isinstance(node, ast.Global) for node in ast.walk(tree))
    ]
    assert changed == []


def test_async_lives_only_in_the_web(trees: dict[Path, ast.Module]) -> None:
    web = SOURCE / "services" / "web"
    found = {
        str(path.relative_to(SOURCE))
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef) and web not in path.parents
    }
    assert found == set()

"""A text that changes when what a recipe does changes: its declaration, its code, the modules that it computes with.

The modules are read as text, not imported: those of `armillary.science`, and of the package that the recipe's own
module lies in, that can be reached by imports, inside functions too. A new comment there makes results be computed
anew, which costs time; a changed formula that nobody notices would cost trust.
"""

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, Final

from armillary.model import Recipe

_IMPORT: Final = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(\([^)]*\)|[^\n]*)|import\s+([\w.]+))", re.MULTILINE)
_SCIENCE: Final = "armillary.science"


@lru_cache(maxsize=4096)
def version_of(recipe: Recipe) -> str:
    """Give a text that changes when the recipe's declaration or code changes, or a module that it computes with."""
    inputs = sorted((name, repr(one)) for name, one in recipe.inputs.items())
    declared = (
        recipe.output, inputs, recipe.kind, recipe.units, repr(recipe.parameters), recipe.block, recipe.pad,
        recipe.optional, recipe.shape, recipe.cadence,
    )  # fmt: skip
    digest = hashlib.sha256(repr(declared).encode())
    digest.update(_function(recipe.function))
    return digest.hexdigest()[:16]


def _function(function: Callable[..., Any]) -> bytes:
    plain = getattr(function, "__wrapped__", function)
    code = getattr(plain, "__code__", None)
    parts = list(_code(code)) if code else [repr(type(plain)).encode()]
    return b"\0".join([*parts, _reached(str(getattr(plain, "__module__", "")))])


def _code(code: CodeType) -> Iterator[bytes]:
    """Give what a function does, without the line numbers; a set's order is not the same in every process."""
    yield code.co_code
    yield " ".join(code.co_names).encode()
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _code(value)
        else:
            yield repr(sorted(map(repr, value)) if isinstance(value, frozenset) else value).encode()


@lru_cache(maxsize=256)
def _reached(module: str) -> bytes:
    """Give one digest of a module and all that it reaches."""
    own = module.rpartition(".")[0] or module
    waiting, seen = [module], {module}
    digests = []
    while waiting:
        name = waiting.pop()
        found = _text(name)
        digests.append(f"{name} {found[0]}")
        fresh = {one for one in found[1] if _follows(one, own)} - seen
        seen |= fresh
        waiting += sorted(fresh)
    return hashlib.sha256("\n".join(sorted(digests)).encode()).digest()


def _follows(name: str, own: str) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in (_SCIENCE, own))


@lru_cache(maxsize=1024)
def _text(module: str) -> tuple[str, tuple[str, ...]]:
    """Give the digest of a module's text and the modules it names; nothing of what is no module."""
    file = _file(module)
    if file is None:
        return "", ()
    text = file.read_text("utf-8", "replace")
    names: list[str] = []
    for place, members, plain in _IMPORT.findall(text):
        names += [plain] if plain else [place, *(f"{place}.{one}" for one in re.findall(r"\w+", members))]
    return hashlib.sha256(text.encode()).hexdigest(), tuple(dict.fromkeys(names))


def _file(module: str) -> Path | None:
    """Find a module's file inside its top package, without importing anything."""
    top, *rest = module.split(".")
    origin = getattr(sys.modules.get(top), "__file__", None)
    if origin is None:
        return None
    place = Path(origin).parent.joinpath(*rest) if Path(origin).stem == "__init__" else Path(origin).with_suffix("")
    found = (place.with_suffix(".py"), place / "__init__.py")
    return next((one for one in found if one.is_file()), None)

"""``armillary tree``: browse and search the data tree."""

import json
from typing import Annotated, Any, Final

import typer

from armillary.errors import SourceFailed
from armillary.model import Product
from armillary.services.cli.session import desk_of
from armillary.services.desk import Desk

#: A place with at most so many leaves below it is shown whole.
_FEW: Final = 60


def tree(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="A place in the tree; all of it if left out.")] = "",
    search: Annotated[str, typer.Option(help="Words that must all occur, at any place.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many leaves, 0 for all.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of leaves.")] = False,
) -> None:
    """Browse and search all products of all archives."""
    desk = desk_of(context)
    if as_json:
        found = desk.search(search, path, limit)
        _check_found(desk, path, search, found)
        records = [as_record(product) for product in found]
        if len(found) == 1 and found[0].path == path.strip("/"):
            records[0] |= {"columns": desk.columns(path)}
        typer.echo(json.dumps(records, indent=1))
    elif search:
        found = desk.search(search, path, limit or 200)
        _check_found(desk, path, search, found)
        _print_leaves(found)
        if not limit and len(found) == 200:
            typer.echo("... the first 200; use --limit 0 --json for all, or more words", err=True)
    else:
        _print_place(desk, path)


def as_record(product: Product) -> dict[str, Any]:
    """Give what machines read of a leaf; path, title, kind, units, start, stop and source come first."""
    first = ("path", "title", "kind", "units", "start", "stop", "source")
    rest = ("recipe", "inputs", "cadence", "rows", "description", "citation", "licence")
    record = {name: getattr(product, name) for name in (*first, *rest)}
    knobs = [{name: getattr(one, name) for name in ("name", "type", "default", "choices", "low", "high", "units",
             "description")} for one in product.parameters]  # fmt: skip
    return record | {"parameters": knobs}


def _check_found(desk: Desk, path: str, search: str, found: list[Product]) -> None:
    if not found and path.strip("/") and not desk.inventory.leaves(path):
        desk.product(path)  # says what is near
    if not found and search:
        typer.echo(f"armillary: no leaf holds all of: {search}", err=True)


def _print_leaves(products: list[Product]) -> None:
    if not products:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("path", "title", "kind", "units", "from", "to", box=None, header_style="bold")
    for one in products:
        when = [(text or "")[:16].replace("T", " ") for text in (one.start, one.stop)]
        table.add_row(one.path, _plain(one.title), one.kind, _plain(one.units), *when)
    Console(width=None if _is_terminal() else 240).print(table)


def _print_place(desk: Desk, path: str) -> None:
    """Print the children of a place; of a leaf, all that is known."""
    children = desk.inventory.children(path)
    leaf = desk.inventory.find(path.strip("/")) if path.strip("/") else None
    if path.strip("/") and (not children or leaf):
        _print_details(desk.product(path))
        _print_columns(desk, path)
    made = [branch.leaf for branch in children if leaf and branch.leaf and leaf.path in branch.leaf.inputs]
    if made:
        typer.echo("\nWhat can be made of it:")
        _print_leaves(made)
        children = [branch for branch in children if branch.leaf not in made]
    below = desk.search("", path, _FEW + 1) if path.strip("/") else []
    if any(branch.deeper for branch in children) and 0 < len(below) <= _FEW:
        _print_leaves(below)  # few enough to show without walking further down
        return
    for branch in children:
        if branch.deeper:
            typer.echo(f"{branch.path}/")
    leaves = [branch.leaf for branch in children if branch.leaf]
    if leaves:
        _print_leaves(leaves)


def _print_details(product: Product) -> None:
    for name, value in as_record(product).items():
        if value and name != "parameters":
            typer.echo(f"{name:12} {', '.join(value) if isinstance(value, tuple) else value}")
    for one in product.parameters:
        text = f"{one.name} = {one.default} {one.units} {one.description}".rstrip()
        typer.echo(f"{'parameter':12} {text} ({one.allowed()})")


def _print_columns(desk: Desk, path: str) -> None:
    """Print the columns of a table of an archive; an archive that does not answer leaves them out."""
    try:
        columns = desk.columns(path)
    except SourceFailed as down:
        typer.echo(f"armillary: warning: its columns cannot be told: {down}", err=True)
        return
    if not columns:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns[0], box=None, header_style="bold")
    for one in columns:
        table.add_row(*map(_plain, one.values()))
    typer.echo("")
    Console(width=None if _is_terminal() else 240).print(table)


def _is_terminal() -> bool:
    import sys

    return sys.stdout.isatty()


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(" ".join(text.split()))

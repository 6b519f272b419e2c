"""``armillary label``: a model proposes, a person accepts, mends or rejects."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from armillary.errors import BadRequest
from armillary.services.cli.apply import Columns, Model, RunFolder, Start, Stop, Things
from armillary.services.cli.catalogue import Json, Name, Where, read_attribute_text, read_field, split_pair, store
from armillary.services.cli.session import desk_of, progress_bar
from armillary.services.cli.sheets import print_json, print_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from armillary.catalogues import Entry

app = typer.Typer(no_args_is_help=True, help="Let a model propose labels; accept, mend or reject them.")

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Ids of proposals, see list.")]


@app.command()
def propose(
    context: typer.Context,
    run: RunFolder,
    things: Things = None,
    to: Annotated[str, typer.Option(help="Catalogue that the labels are for.")] = "",
    start: Start = None,
    stop: Stop = None,
    column: Columns = None,
    model: Model = "",
    count: Annotated[int, typer.Option("-n", "--count", help="How many at most.", min=1)] = 20,
    by: Annotated[
        str, typer.Option(help="uncertain: unsure and unlike each other; probable: the surest.")
    ] = "uncertain",
    class_: Annotated[list[str] | None, typer.Option("--class", help="Only this class; may be repeated.")] = None,
    least: Annotated[float, typer.Option(help="Only rows of at least this probability.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Put what a person should look at next into CATALOGUE.proposals."""
    from armillary.learn.trained import load_run
    from armillary.services import applying
    from armillary.services.labelling import propose_rows

    if not to:
        raise BadRequest("nothing says what the labels are for", "give --to CATALOGUE")
    loaded = load_run(run, model)
    columns = dict(map(split_pair, column or []))
    target = applying.Target(things=tuple(things or ()), columns=columns, start=start, stop=stop)
    desk = desk_of(context)
    with progress_bar("propose") as progress:
        applied = applying.apply_run(desk, loaded, target, points=True, progress=progress)
        wanted = applying.Wanted(tuple(class_ or ()), least)
        rows = propose_rows(desk.catalogues, to, applied, count, by, wanted)
    applying.forget(applied)
    _show(rows, as_json=as_json)


@app.command("list")
def list_(name: Name, where: Where = None, as_json: Json = False) -> None:
    """List the proposals that nobody has decided on, the first to look at first."""
    from armillary.catalogues.proposals import open_proposals

    _show(open_proposals(store(), name, where), as_json=as_json)


@app.command()
def accept(name: Name, ids: Ids = None, where: Where = None) -> None:
    """Copy proposals into their catalogue, with you as author."""
    from armillary.catalogues import proposals

    made = proposals.accept(store(), name, _asked(name, ids, where))
    typer.echo(f"accepted {len(made)} proposals into {name}; `armillary catalogue undo` takes it back")


@app.command()
def reject(name: Name, ids: Ids = None, where: Where = None) -> None:
    """Say that proposals are wrong; they are not proposed again."""
    from armillary.catalogues import proposals

    asked = _asked(name, ids, where)
    proposals.reject(store(), name, asked)
    typer.echo(f"rejected {len(asked)} proposals for {name}; `armillary catalogue undo` takes it back")


@app.command()
def edit(
    name: Name,
    row: Annotated[str, typer.Argument(metavar="ID", help="Id of the proposal, see list.")],
    changes: Annotated[list[str], typer.Argument(help="name=value: start, stop, class or an attribute.")],
) -> None:
    """Mend the edges or the class of a proposal, and accept it."""
    from armillary.catalogues import proposals

    fields: dict[str, Any] = {}
    for key, text in map(split_pair, changes):
        if key in {"start", "stop", "class"}:
            fields["class_" if key == "class" else key] = read_field(key, text)
        else:
            fields.setdefault("attributes", {})[key] = read_attribute_text(text)
    made = proposals.accept(store(), name, [row], fields)
    typer.echo(f"mended and accepted {made[0]} into {name}")


def _asked(name: str, ids: list[str] | None, where: str | None) -> list[str]:
    """Give ids as typed, or of the open proposals that a predicate finds."""
    from armillary.catalogues.proposals import open_proposals

    if bool(ids) == bool(where):
        raise BadRequest("name the proposals by their ids, or by --where", f"see `armillary label list {name}`")
    found = list(ids or ()) or [one.id for one in open_proposals(store(), name, where)]
    if not found:
        raise BadRequest(f"no open proposal for {name!r} fits {where!r}", f"see `armillary label list {name}`")
    return found


def _show(rows: "Sequence[Entry]", *, as_json: bool) -> None:
    from armillary.catalogues.formats.native import row_record

    if as_json:
        print_json([row_record(one) for one in rows])
    else:
        print_rows(None, list(rows), 500)

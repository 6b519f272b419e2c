"""``armillary subset``: labels of a catalogue for the sources of a table, as a table that a study reads."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from armillary.errors import BadParameter, BadRequest
from armillary.services.cli.session import desk_of, progress_bar

_UNITS = {"": 1.0, "arcsec": 1.0, '"': 1.0, "mas": 1e-3, "arcmin": 60.0, "deg": 3600.0}


def subset(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="A leaf of the tree, a file, or a folder of Parquet files.")],
    labels: Annotated[str, typer.Option(help="A catalogue, a file or a leaf.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write, such as train.parquet.")] = None,
    by: Annotated[str, typer.Option(help="Match by this: source_id.")] = "",
    cone: Annotated[str, typer.Option(help="Match by position, within 1arcsec, 500mas, 0.1arcmin.")] = "",
    epoch: Annotated[
        float | None, typer.Option(help="Year of the labels' positions; proper motions bring sources there.")
    ] = None,
    class_column: Annotated[str, typer.Option(help="Column of the labels that has the class.")] = "class",
    class_: Annotated[list[str] | None, typer.Option("--class", help="Only this class; may be repeated.")] = None,
    where: Annotated[str | None, typer.Option(help="Predicate on columns of the table.")] = None,
    rules: Annotated[str, typer.Option(help="Rules of quality: all, none, or names separated by commas.")] = "all",
    most: Annotated[int, typer.Option(help="At most so many of each class; 0 for all.", min=0)] = 0,
    least: Annotated[int, typer.Option(help="Leave classes of fewer out.", min=0)] = 0,
    complete: Annotated[str, typer.Option(help="Bands that a source must have: 'J H Ks W1 W2'.")] = "",
    equalise: Annotated[
        str,
        typer.Option(
            help="full: blank bands until the pattern of missing ones tells no class; drawn: down to the mix."
        ),
    ] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Sources with labels of two classes are an error.")] = False,
    level: Annotated[int, typer.Option(help="HEALPix level of the look for leaks.", min=0, max=12)] = 5,
    seed: Annotated[int, typer.Option(help="Of what is drawn at random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Choose a training subset: match, cut, balance, and tell what was done at every step."""
    from armillary.learn.subsets import Choice
    from armillary.services.subsets import make_subset
    from armillary.sources import check_path, write

    if not labels or output is None:
        raise BadRequest(
            "a subset needs labels and a file to write", "give --labels CATALOGUE_OR_TABLE -o train.parquet"
        )
    if by not in ("", "source_id") or (by and cone):
        raise BadRequest(f"sources cannot be matched by {by!r}" if not cone else "--by and --cone are two ways",
                         "give --by source_id, or --cone 1arcsec")  # fmt: skip
    check_path(output)
    needed = tuple(complete.replace(",", " ").split())
    choice = Choice(
        radius=_arcsec(cone), epoch=epoch, column=class_column, classes=tuple(class_ or ()), rules=_rules(rules),
        most=most,
        least=least, complete=needed, equalise=equalise, strict=strict, level=level, seed=seed,
    )  # fmt: skip
    desk = desk_of(context)
    with progress_bar("subset") as bar:
        made, selection = make_subset(desk, table, labels, choice, where, bar)
        write(made, output)
    report = output.with_suffix(".report.json")
    _write(report, selection.to_record())
    typer.echo(json.dumps(selection.to_record(), indent=1) if as_json else selection.text())
    typer.echo(f"{output}, {report}", err=True)


def _arcsec(text: str) -> float:
    if not text:
        return 0.0
    found = re.fullmatch(r"\s*([0-9.]+(?:e-?\d+)?)\s*([a-z\"]*)\s*", text.lower())
    if not found or found[2] not in _UNITS or not float(found[1]) > 0:
        raise BadParameter(f"{text!r} is no radius", "write --cone 1arcsec, 500mas or 0.1arcmin")
    return float(found[1]) * _UNITS[found[2]]


def _rules(text: str) -> tuple[str, ...] | None:
    if text in ("all", "none"):
        return None if text == "all" else ()
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _write(path: Path, record: object) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(record, indent=1), "utf-8")
    part.replace(path)

"""``armillary score``: events of one catalogue judged by those of another, beside events that need no skill."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
import typer

from armillary.catalogues import Entry
from armillary.errors import BadRequest, NoData, UnknownCatalogue
from armillary.learn.events import RULES, by_rule, controls
from armillary.learn.events import score as score_events
from armillary.learn.study import seconds_of
from armillary.model import format_time, parse_time
from armillary.services.cli.catalogue import Json, Where, split_pair, store
from armillary.services.cli.sheets import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, np.dtype[Any]]

#: Fields of a row that may say of which group it is; any other name is an attribute.
_FIELDS: Final = {"class": "class_", "author": "author", "model": "model", "source_id": "source_id"}
#: Columns of the table: name and where its number stands.
_COLUMNS: Final = {
    "F1, IoU .1": "event_f1_iou10", "F1, IoU .25": "event_f1_iou25", "F1, IoU .5": "event_f1_iou50",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _List:
    """The events of one side: rows start, stop, group, and how many instants were left out."""

    name: str
    events: Array
    instants: int


def score(
    predicted: Annotated[str, typer.Argument(metavar="PREDICTED", help="Catalogue or file of the events to judge.")],
    truth: Annotated[str, typer.Argument(metavar="TRUTH", help="Catalogue or file of the true events.")],
    rule: Annotated[str, typer.Option(help=f"One of {', '.join(RULES)}.")] = "iou",
    start: Annotated[str | None, typer.Option(help="Judge from here on; the first event if not given.")] = None,
    stop: Annotated[str | None, typer.Option(help="Judge until here; the last event if not given.")] = None,
    group: Annotated[str, typer.Option(help="Column of what must agree, e.g. the spacecraft or channel.")] = "",
    where: Where = None,
    column: Annotated[list[str] | None, typer.Option(help="Of the file PREDICTED: field=column, start=t0.")] = None,
    truth_column: Annotated[list[str] | None, typer.Option(help="The same of the file TRUTH.")] = None,
    widen: Annotated[str, typer.Option(help="Make all events longer at both ends, e.g. 10min, for instants.")] = "0s",
    seed: Annotated[int, typer.Option(help="Of the random controls.")] = 0,
    as_json: Json = False,
) -> None:
    """Score predicted events by true ones, beside events that need no skill."""
    rows = [_read(predicted, where, column or []), _read(truth, where, truth_column or [])]
    names = tuple(sorted({_group(row, group) for one in rows for row in one}))
    wider = round(seconds_of(widen) * 1e9)
    sides = [_listed(name, one, names, group, wider) for name, one in zip((predicted, truth), rows, strict=True)]
    span = _span([one.events for one in sides], start, stop, len(names))
    record = _record(sides, rule, span, seed)
    if as_json:
        print_json(record)
        return
    _show(record)


def _read(name: str, where: str | None, columns: "Sequence[str]") -> "Sequence[Entry]":
    """Give the rows of a catalogue, or of a file where no catalogue has that name."""
    here = store()
    if name in {one.name for one in here.catalogues()}:
        return here.rows(name, where=where)
    if not Path(name).is_file():
        problem = f"there is no catalogue and no file {name!r}"
        raise UnknownCatalogue(problem, "see `armillary catalogue list`, or give the path of a file")
    if where:
        raise BadRequest("--where asks a catalogue, not a file", f"see `armillary catalogue import NAME {name}`")
    from armillary.catalogues.formats import read_document

    return read_document(Path(name), dict(map(split_pair, columns))).rows


def _group(row: Entry, name: str) -> str:
    if not name:
        return ""
    found = getattr(row, _FIELDS[name]) if name in _FIELDS else row.attributes.get(name)
    return "" if found is None else str(found)


def _listed(name: str, rows: "Sequence[Entry]", names: tuple[str, ...], group: str, wider: int) -> _List:
    number = {one: at for at, one in enumerate(names)}
    told = [
        (row.start - wider, row.stop + wider, number[_group(row, group)])
        for row in rows if row.start is not None and row.stop is not None
    ]  # fmt: skip
    if not told:
        raise NoData(f"there is no event in {name!r}", "give a list with a start and a stop in each row")
    events = np.array(told, np.int64)
    lasting = events[:, 0] < events[:, 1]
    if not lasting.any():
        problem = f"the events of {name!r} are instants, which cannot overlap"
        raise BadRequest(problem, "make them longer, for example --widen 10min")
    return _List(name, events[lasting], int((~lasting).sum()))


def _span(events: list[Array], start: str | None, stop: str | None, groups: int) -> Array:
    first = parse_time(start) if start else min(int(one[:, 0].min()) for one in events)
    last = parse_time(stop) if stop else max(int(one[:, 1].max()) for one in events)
    if first >= last:
        raise BadRequest(
            f"nothing lies between {format_time(first)} and {format_time(last)}", "give --start before --stop"
        )
    return np.array([(first, last, group) for group in range(groups)], np.int64)


def _record(sides: list[_List], rule: str, span: Array, seed: int) -> dict[str, Any]:
    """Judge the predicted events and the controls."""
    predicted, truth = sides
    made = {"predicted": predicted.events} | controls(truth.events, span, seed)
    results = {}
    for name, events in made.items():
        verdict = by_rule(rule, events, truth.events, span)
        results[name] = {"rule": verdict._asdict(), **score_events(events, truth.events, span)}
    if not results["predicted"]["truth"]:
        raise NoData(f"no event of {truth.name!r} has its middle in the time judged", "give another --start or --stop")
    return {
        "rule": rule, "start": format_time(int(span[0, 0])), "stop": format_time(int(span[0, 1])),
        "truth": truth.name, "predicted": predicted.name,
        "instants_left_out": {one.name: one.instants for one in sides}, "results": results,
    }  # fmt: skip


def _show(record: dict[str, Any]) -> None:
    results = record["results"]
    for name, count in record["instants_left_out"].items():
        if count:
            typer.echo(f"armillary: warning: {count} instants of {name} are left out; see --widen", err=True)
    mine = results["predicted"]
    typer.echo(f"{mine['predicted']} events of {record['predicted']} judged by {mine['truth']} of {record['truth']}")
    typer.echo(f"from {record['start']} to {record['stop']}, rule {record['rule']}")
    rows = [_row(record["predicted"] if name == "predicted" else name, one) for name, one in results.items()]
    print_table(("", "events", "precision", "recall", "F1", *_COLUMNS), rows)
    for edge in ("onset", "offset"):
        if mine[edge]["bias"] is not None:
            bias, off = _duration(mine[edge]["bias"]), _duration(mine[edge]["mae"])
            typer.echo(f"{edge}: {bias} late in the median, {off} off in the mean, where IoU is .1 or more")
    equal = [name for name, one in results.items() if name != "predicted" and one["rule"]["f1"] >= mine["rule"]["f1"]]
    if equal:
        told = f"by rule {record['rule']} no skill is needed for this F1: {', '.join(equal)} reach it too"
        typer.echo(f"armillary: warning: {told}", err=True)


def _duration(seconds: float) -> str:
    """Write a duration in a unit that suits it."""
    size = abs(seconds)
    return f"{seconds:.3g} s" if size < 120 else f"{seconds / 60:.3g} min" if size < 7200 else f"{seconds / 3600:.3g} h"


def _row(name: str, one: dict[str, Any]) -> list[str]:
    shares = [*one["rule"].values(), *(one[key] for key in _COLUMNS.values())]
    return [name, str(one["predicted"]), *(f"{share:.3f}" for share in shares)]

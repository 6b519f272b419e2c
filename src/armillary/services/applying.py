"""A model of a run folder applied to products or files: its answers become rows of a catalogue, or a file."""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.catalogues import Entry, Store
from armillary.errors import BadRequest, CannotWrite, UnknownProduct
from armillary.model import Interval, Progress, format_time, parse_time, share, silent
from armillary.services import samples as sampling
from armillary.services.desk import Desk, ask
from armillary.services.kept_answers import identity_of, stamps_of, tidy
from armillary.services.rasters import of_maps

if TYPE_CHECKING:
    import pyarrow as pa

    from armillary.learn.applying import Answers, Applied, Block
    from armillary.learn.marking import Mark
    from armillary.learn.trained import Run

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: Columns of samples that are the place of an object.
_OBJECT: Final = ("ra", "dec", "source_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a model is applied to, as a user names it.

    Parameters
    ----------
    things : tuple of str
        Paths of products, or one file or folder in the layout of the study; nothing for the products of the study.
    columns : mapping of str to str
        Column and product, where the last part of its path is another name.
    start, stop : str, optional
        Interval of the products; all that they cover if not given.
    parts : mapping of str to str
        Of a table: ``where``, ``bbox``, ``cone``, ``rows``, as for `Desk.get`.
    params : mapping
        Of a table: values for the product's parameters.
    """

    things: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    start: str | None = None
    stop: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers become rows.

    Parameters
    ----------
    classes : tuple of str
        All if empty.
    least : float
        Smallest probability.
    """

    classes: tuple[str, ...] = ()
    least: float = 0.0

    def __call__(self, class_: str, probability: float) -> bool:
        """Say whether an answer is wanted."""
        return (not self.classes or class_ in self.classes) and not probability < self.least


def apply_run(
    desk: Desk, run: "Run", target: Target, *, prior: Mapping[str, float] | None = None, points: bool = False,
    dask: str = "", progress: Progress = silent,
) -> "Applied":  # fmt: skip
    """Apply a model; a call that was interrupted goes on where it stopped when it is repeated.

    With the address of a Dask scheduler its workers answer the blocks, see :mod:`armillary.services.clusters`.

    The answers lie in a folder of this home until `forget` removes them.

    Raises
    ------
    ArmillaryError
    """
    from armillary.learn.applying import BLOCK_ROWS, apply

    if of_maps(run):
        raise BadRequest("this model answers with maps, not with rows", "use `armillary apply`, -o FILE.tif or --to")
    blocks, total, about = _question(desk, run, target, progress)
    about |= {"run": identity_of(run), "model": run.name, "prior": dict(prior or {}), "points": points}
    about["rows"] = BLOCK_ROWS
    name = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:20]
    folder = desk.home / "applied" / name
    tidy(folder.parent)
    if dask:
        from armillary.services.clusters import answer_on

        told = share(progress, 0.0, 0.9)
        answer_on(dask, run, blocks, folder, prior=prior, points=points, total=total, progress=told)
        blocks, progress = _question(desk, run, target, silent)[0], share(progress, 0.9, 1.0)
    return apply(run, blocks, folder, prior=prior, points=points, total=total, progress=share(progress, 0.0, 0.95))


def forget(applied: "Applied") -> None:
    """Remove the answers, once they are where they should be."""
    shutil.rmtree(applied.parts[0].parent, ignore_errors=True)


def to_catalogue(store: Store, name: str, applied: "Applied", wanted: Wanted | None = None) -> tuple[int, int]:
    """Write the events or objects that a model found into a catalogue, all of them or none.

    Returns
    -------
    tuple of int
        How many rows were added, and how many were there already because this was done before.

    Raises
    ------
    BadRequest
        If the answers are neither events nor objects.
    """
    kind = kind_of(applied)
    rows = list(entries_of(applied, name, wanted or Wanted()))
    there = {one.name for one in store.catalogues()}
    if name not in there:
        store.new(name, kind, description=f"Found by {applied.run.name}")
    elif store.get(name).kind != kind:
        raise BadRequest(f"{name!r} holds {store.get(name).kind}, the model finds {kind}", "name another catalogue")
    known = {one.id for one in store.rows(name)}
    fresh = [one for one in rows if one.id not in known]
    store.add(name, fresh)
    return len(fresh), len(rows) - len(fresh)


def kind_of(applied: "Applied") -> str:
    """Say whether answers become ``events`` or ``objects``.

    Raises
    ------
    BadRequest
        If they are neither.
    """
    run, first = applied.run, next(applied.answers())
    if "time" in first.places and (run.decoder or run.classes) and cadence_of(applied) is not None:
        return "events"
    if "source_id" in first.places or {"ra", "dec"} <= first.places.keys():
        return "objects"
    hint = "write the rows to a file, with -o FILE.parquet"
    raise BadRequest("these answers are neither events along time nor objects with ra, dec or source_id", hint)


def entries_of(applied: "Applied", name: str, wanted: Wanted) -> Iterator[Entry]:
    """Give the rows that answers become; the same answers have the same ids in the same catalogue."""
    if kind_of(applied) == "objects":
        places: Counter[tuple[float | None, float | None]] = Counter()
        for answers in applied.answers():
            yield from _objects(applied.run, answers, name, wanted, places)
        return
    for mark in found_marks(applied):
        if wanted(mark.class_, mark.probability):
            yield event_of(applied.run, mark, name)


def found_marks(applied: "Applied", *, likely: bool = False) -> Iterator["Mark"]:
    """Give the intervals that a model found; `likely` ones are those that it may have missed too."""
    from armillary.learn import marking

    decoder = marking.likely(applied.run.decoder) if likely and applied.run.decoder else None
    return marking.marks(applied.run, applied.answers(), cadence_of(applied) or 1.0, decoder)


def cadence_of(applied: "Applied") -> float | None:
    """Give the seconds from one sample to the next; of what the run does not know, the usual step."""
    if applied.run.recipe["cadence"]:
        return float(applied.run.recipe["cadence"])
    places = next(applied.answers()).places
    steps = np.diff(np.unique(places["time"])) if "time" in places and applied.run.decoder else np.empty(0)
    return float(np.median(steps)) / 1e9 if len(steps) else None


def event_of(run: "Run", mark: "Mark", name: str = "") -> Entry:
    """Make a row of an interval; with the name of a catalogue its id tells what was found where."""
    attributes: Record = {"probability": mark.probability, "trust": mark.trust or None}
    attributes |= {"set": "|".join(mark.classes), "group": mark.group or None}
    kept: Record = {key: value for key, value in attributes.items() if value is not None}
    return Entry(
        id=_id(run, name, mark.start, mark.stop, mark.group, mark.class_) if name else "",
        start=mark.start, stop=mark.stop, class_=mark.class_, attributes=kept, model=run.name,
        model_version=run.key,
    )  # fmt: skip


def object_of(
    run: "Run",
    row: Mapping[str, Any],
    name: str = "",
    places: "Counter[tuple[float | None, float | None]] | None" = None,
) -> Entry:
    """Make a row of a catalogue of objects of one row of :func:`table_of`.

    Parameters
    ----------
    places : Counter, optional
        How many objects without a name were made at each place: two at one place are two objects.
    """
    ra, dec = (_known(row.get(one)) for one in ("ra", "dec"))
    source = "" if _known(row.get("source_id")) is None else str(row["source_id"])
    class_ = str(row.get("class") or "")
    found = {one: row.get(one) for one in ("probability", "trust", "set", "value")}
    attributes: Record = {one: value for one, value in found.items() if value not in {None, ""}}
    what: list[Any] = [ra, dec, source]
    if places is not None and not source:
        what += [places[ra, dec]] if places[ra, dec] else []
        places[ra, dec] += 1
    return Entry(
        id=_id(run, name, *what) if name else "", ra=ra, dec=dec, source_id=source, class_=class_,
        attributes=attributes, model=run.name, model_version=run.key,
    )  # fmt: skip


def table_of(run: "Run", answers: "Answers") -> dict[str, Array]:
    """Give answers as columns: places, class, probability, set, trust, and the probability of each class."""
    from armillary.learn.conformal import in_words
    from armillary.learn.drift import STATES

    columns = {name: one.astype("M8[ns]") if name == "time" else one for name, one in answers.places.items()}
    trust = np.array([*STATES, ""])[answers.states]
    if answers.answer.ndim == 1:
        return columns | {"value": answers.answer, "trust": trust}
    known = np.isfinite(answers.answer).sum(axis=1) == answers.answer.shape[1]
    best = run.said(answers.answer)
    sets = in_words(answers.sets, run.classes) if answers.sets.shape[1] else [""] * len(answers)
    each = {f"P({name})": answers.answer[:, at] for at, name in enumerate(run.classes)}
    class_ = np.array([*run.classes, ""])[best]
    sure = np.take_along_axis(answers.answer, best[:, None], axis=1)[:, 0]
    said = {"class": class_, "probability": np.where(known, sure, np.nan)}
    return {**columns, **said, "set": np.array(sets), "trust": trust, **each}


def write_rows(applied: "Applied", path: Path) -> int:
    """Write one row a sample as Parquet, part by part, whole or not at all; give the number of rows.

    Raises
    ------
    BadRequest, CannotWrite
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix != ".parquet":
        raise BadRequest(f"rows are written as Parquet, not as {path.suffix or path.name!r}", "give -o FILE.parquet")
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    writer = None
    try:
        schema = pa.unify_schemas(
            [arrow_of(applied.run, one.some(slice(1))).schema for one in applied.answers()],
            promote_options="permissive",
        )
        for answers in applied.answers():
            writer = writer or pq.ParquetWriter(aside, schema)
            writer.write_table(arrow_of(applied.run, answers).cast(schema))
        if writer is not None:
            writer.close()
        aside.replace(path)
    except OSError as failed:
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "choose a folder you may write to") from None
    finally:
        aside.unlink(missing_ok=True)
    return applied.rows


def arrow_of(run: "Run", answers: "Answers") -> "pa.Table":
    """Give the same columns as :func:`table_of` as an Arrow table."""
    import pyarrow as pa

    return pa.table({name: pa.array(one) for name, one in table_of(run, answers).items()})


def count_classes(applied: "Applied") -> dict[str, int]:
    """Count samples by the class that is said; those without any answer have none, ""."""
    found: Counter[str] = Counter()
    for answers in applied.answers():
        if answers.answer.ndim == 2:
            found.update(str(one) for one in table_of(applied.run, answers)["class"].tolist())
    return dict(found.most_common())


def _question(
    desk: Desk, run: "Run", target: Target, progress: Progress
) -> tuple[Iterable[Callable[[], "Block"]], int, Record]:
    """Find what is asked about: blocks, their number if that is known, and what tells this question from others."""
    things = target.things
    given = {"--start": target.start, "--stop": target.stop, "--column": target.columns}
    selected = {"a part of a table": target.parts, "--param": target.params}
    if len(things) == 1 and Path(things[0]).exists() and not _is_product(desk, things[0]):
        _refuse({**given, **selected}, "a file")
        made = sampling.blocks_of_file(run, Path(things[0]))
        return made, len(made) if isinstance(made, list) else 0, {"file": stamps_of(Path(things[0]))}
    if len(things) == 1 and sampling.is_table(desk.product(things[0])):
        _refuse({"--column": target.columns}, "a table")
        request = ask(desk.product(things[0]).path, target.start, target.stop, params=target.params, **target.parts)
        about = {"table": desk.product(things[0]).to_record(), "request": request.to_record()}
        made = sampling.blocks_of_table(desk, run, request, progress)
        return made, len(made), about
    _refuse(selected, "series")
    products = sampling.products_for(desk, run, things, target.columns)
    interval = _interval(desk, target, list(products.values()))
    blocks = sampling.blocks_of_products(desk, run, products, interval)
    stamps = {name: [path, desk.product(path).version] for name, path in products.items()}
    return blocks, len(blocks), {"products": stamps, "interval": str(interval)}


def _refuse(given: Mapping[str, Any], what: str) -> None:
    wrong = next((name for name, value in given.items() if value), "")
    if wrong:
        raise BadRequest(f"{wrong} cannot be asked of {what}", "leave it out")


def _is_product(desk: Desk, path: str) -> bool:
    try:
        desk.product(path)
    except UnknownProduct:
        return False
    return True


def _interval(desk: Desk, target: Target, products: Sequence[str]) -> Interval:
    if target.start and target.stop:
        return Interval(parse_time(target.start), parse_time(target.stop))
    covered = sampling.span_of(desk, products)
    start = parse_time(target.start) if target.start else covered.start
    stop = parse_time(target.stop) if target.stop else covered.stop
    if start >= stop:
        hint = f"the products cover {format_time(covered.start)} to {format_time(covered.stop)}"
        raise BadRequest("--start and --stop hold nothing of the products", hint)
    return Interval(start, stop)


def _known(value: Any) -> Any:
    """Give a value, None for NaN."""
    return None if value is None or value != value else value  # noqa: PLR0124 - NaN is not itself


def _id(run: "Run", name: str, *what: Any) -> str:
    text = json.dumps([name, identity_of(run), run.name, *what])
    return hashlib.sha256(text.encode()).hexdigest()[:26]


def _objects(
    run: "Run", answers: "Answers", name: str, wanted: Wanted, places: "Counter[tuple[float | None, float | None]]"
) -> Iterator[Entry]:
    columns = table_of(run, answers)
    taken = [one for one in (*_OBJECT, "class", "probability", "trust", "set", "value") if one in columns]
    for cells in zip(*(columns[one].tolist() for one in taken), strict=True):
        row = dict(zip(taken, cells, strict=True))
        if row.get("class") != "" and wanted(str(row.get("class", "")), float(row.get("probability", np.nan))):
            yield object_of(run, row, name, places)

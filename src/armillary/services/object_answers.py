"""What a model of a run says of the sources of a table: all of them for a page, or rows that are told one by one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import ArmillaryError, BadData, BadRequest
from armillary.model import Progress, silent
from armillary.services.object_sources import checks_of
from armillary.services.object_tables import ObjectTable, pack

if TYPE_CHECKING:
    import pyarrow as pa

    from armillary.learn.trained import Run
    from armillary.services.desk import Desk

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: Rows that a model is asked about at a time.
PART: Final = 20_000
_ABOUT: Final = {
    "class": "class that the model says",
    "probability": "calibrated probability of that class",
    "set": "classes that cannot be excluded",
    "trust": "how near the samples that the model has learnt from are",
}


@dataclass(frozen=True, slots=True, eq=False)
class ObjectAnswers:
    """What a model says of n sources.

    Parameters
    ----------
    classes : tuple of str
    title : str
        Of the run and its model.
    said : array of int, (n,)
        Place of the class that is said; -1 where nothing is.
    probabilities : array of float32, (n, K)
        NaN where there is no answer.
    sets : array of bool, (n, K)
        Conformal sets; nothing where the run has none.
    trust : array of str, (n,)
        One of `armillary.learn.drift.STATES`, or empty.
    version : str
        Key of the study.
    """

    classes: tuple[str, ...]
    title: str
    said: Array
    probabilities: Array
    sets: Array
    trust: Array
    version: str = ""


def load_classifier(folder: Path, model: str = "") -> "Run":
    """Load a run whose model tells classes of rows.

    Raises
    ------
    BadRequest
        If it answers with numbers, maps or intervals, or looks at neighbouring rows.
    """
    from armillary.learn.applying import reach_of
    from armillary.learn.trained import load_run

    run = load_run(folder, model)
    if not run.classes or run.decoder or run.study.data.layout != "table":
        raise BadRequest(f"the run {folder.name!r} does not classify rows of tables", "choose one of a study of tables")
    if reach_of(run.study):
        raise BadRequest(f"the features of the run {folder.name!r} look at neighbouring rows", "choose another run")
    return run


def runs_for(folder: Path, columns: Sequence[str]) -> list[Record]:
    """Give the runs that can be asked about a table with these columns: name, title, classes.

    Nothing is loaded but what the runs say of themselves.
    """
    found = []
    for one in sorted(folder.glob("*/recipe.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            recipe = json.loads(one.read_text("utf-8"))
            about = json.loads((one.parent / "run.json").read_text("utf-8"))["study"]
        except (OSError, ValueError, KeyError):
            continue  # another page tells what is damaged
        fits = recipe["classes"] and about["data"]["layout"] == "table" and {*recipe["columns"]} <= {*columns}
        if fits:
            title = about.get("title") or about["name"]
            found.append(
                {"name": one.parent.name, "title": f"{one.parent.name}: {title}"[:80], "classes": recipe["classes"]}
            )
    return found


def answers_of(
    run: "Run", data: "pa.Table", *, prior: Mapping[str, float] | None = None, progress: Progress = silent
) -> ObjectAnswers:
    """Ask a model about all rows of a table.

    Raises
    ------
    BadData, BadParameter
        If a column that the model needs is missing.
    """
    from armillary.learn.drift import STATES

    rows, wide = data.num_rows, len(run.classes)
    probabilities = np.full((rows, wide), np.nan, np.float32)
    sets, said = np.zeros((rows, wide), bool), np.full(rows, -1)
    trust = np.zeros(rows, dtype="<U24")
    for start in range(0, rows, PART):
        progress(start / rows, f"{start:,} of {rows:,} sources")
        part = slice(start, min(start + PART, rows))
        answers = _asked(run, data.slice(part.start, part.stop - part.start), prior)
        probabilities[part] = answers.answer
        said[part] = run.said(answers.answer)
        if answers.sets.shape[1]:
            sets[part] = answers.sets
        trust[part] = np.array([*STATES, ""])[answers.states]
    return ObjectAnswers(run.classes, run.name, said, probabilities, sets, trust, run.key)


def check_sources(data: "pa.Table") -> None:
    """Refuse positions that are not on the sky, and errors of parallaxes that are not above zero; null may be.

    Raises
    ------
    BadData
    """
    from armillary.science.photometry.columns import find_columns

    error = find_columns(data).names.get("parallax_error", "")
    for name, low, high in (("ra", 0.0, 360.0), ("dec", -90.0, 90.0), (error, np.nextafter(0, 1), np.inf)):
        values = data[name].to_numpy() if name in data.column_names else np.empty(0)
        numbers = values.dtype.kind in "fiu"
        wrong = np.flatnonzero((values < low) | (values > high)) if numbers else np.empty(0, int)
        if len(wrong):
            what = "above zero" if name == error else f"from {low:g} to {high:g}"
            told = f"{len(wrong)} values of {name!r} are not {what}"
            problem = f"{told}, the first, {values[wrong[0]]:g}, in row {wrong[0]}"
            raise BadData(problem, "correct them, or set what is not known to null")


def answers_message(told: ObjectAnswers) -> bytes:
    """Write answers for a page: codes of what is said (0 for nothing), probabilities, sets, trust."""
    states = sorted({*told.trust.tolist()} - {""})
    codes = np.zeros(len(told.trust), np.uint8)
    for place, name in enumerate(states):
        codes[told.trust == name] = place + 1
    return pack({
        "version": 1, "title": told.title, "classes": list(told.classes), "states": states,
        "known": int((told.said >= 0).sum()), "said": (told.said + 1).astype(np.uint8),
        "probabilities": told.probabilities, "sets": told.sets.astype(np.uint8), "trust": codes,
    })  # fmt: skip


def told_rows(table: ObjectTable, told: ObjectAnswers) -> Iterator[Record]:
    """Give answers and checks as JSON values, row by row.

    ``id class probability probabilities set trust`` and ``alpha alpha_error lada check``. All that can go wrong goes
    wrong before the first row is given.
    """
    parts = [np.arange(start, min(start + PART, len(table))) for start in range(0, len(table), PART)]
    checks = [checks_of(table, part) for part in parts]
    return _rows(table, told, list(zip(parts, checks, strict=True)))


def answer_columns(told: ObjectAnswers) -> dict[str, Array]:
    """Give answers as the columns of a table: class, probability, set, trust, and P(class) of each."""
    from armillary.learn.conformal import in_words

    names = np.array([*told.classes, ""])
    best = np.where(told.said >= 0, told.said, 0)
    sure = np.where(told.said >= 0, np.take_along_axis(told.probabilities, best[:, None], 1)[:, 0], np.nan)
    each = {f"P({name})": told.probabilities[:, at] for at, name in enumerate(told.classes)}
    words = np.array(in_words(told.sets, told.classes))
    return {"class": names[told.said], "probability": sure, "set": words, "trust": told.trust, **each}


def with_answers(
    desk: "Desk", table: ObjectTable, told: ObjectAnswers | None, rows: Array | None, link: str = ""
) -> "pa.Table":
    """Give some or all rows of a table with what was said of them, and where all of it comes from."""
    import pyarrow as pa

    from armillary.model.kinds import column, with_table_attrs

    data, attrs = table.data, origin_of(desk, table, link)
    for name, values in (answer_columns(told) if told else {}).items():
        made = pa.array(values)
        free = name if name not in data.column_names else f"{name}_model"
        about = f"probability of {name[2:-1]}" if name.startswith("P(") else _ABOUT[name]
        data = data.append_column(column(free, made.type, "", about), made)
    if told:
        attrs |= {"model": told.title, "model_version": told.version}
    data = data if rows is None else data.take(rows)
    return with_table_attrs(data.combine_chunks(), attrs)


def origin_of(desk: "Desk", table: ObjectTable, link: str = "") -> Record:
    """Say what was asked of which archive: attributes for a table made of it."""
    from armillary.model.kinds import table_attrs

    product = desk.product(table.request.product)
    about = {"title": product.title, "source": product.source, "citation": product.citation, "licence": product.licence}
    told = {**table_attrs(table.data), **about, "armillary_request": table.request.to_json(), "references": link}
    return {key: value for key, value in told.items() if value}


def _asked(run: "Run", part: "pa.Table", prior: Mapping[str, float] | None) -> Any:
    from armillary.learn.applying import answer_block, stated_prior
    from armillary.learn.units import frame_of
    from armillary.services.streams import Rows

    try:
        made = Rows(run, partial(frame_of, part))()
        answers, _ = answer_block(run, made, stated_prior(run, prior or run.study.prior))
    except ArmillaryError:
        raise
    except KeyError as lost:
        raise BadData(f"the table has no column {lost}", "give a table as the run learnt from") from None
    if len(answers) != part.num_rows:
        raise BadData("the model left rows out", "leave the column 'role' out of the table")
    return answers


def _rows(table: ObjectTable, told: ObjectAnswers, parts: Sequence[tuple[Array, dict[str, Array]]]) -> Iterator[Record]:
    for part, checks in parts:
        lists, ids = {name: one.tolist() for name, one in checks.items()}, table.ids(part)
        for at, row in enumerate(part):
            yield {"id": ids[at], **_one(told, int(row)), **{name: _number(one[at]) for name, one in lists.items()}}


def _one(told: ObjectAnswers, at: int) -> Record:
    code = int(told.said[at])
    chances = [_number(float(one)) for one in told.probabilities[at]]
    return {
        "class": told.classes[code] if code >= 0 else None,
        "probability": chances[code] if code >= 0 else None,
        "probabilities": dict(zip(told.classes, chances, strict=True)),
        "set": [name for name, one in zip(told.classes, told.sets[at], strict=True) if one],
        "trust": str(told.trust[at]) or None,
    }


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value

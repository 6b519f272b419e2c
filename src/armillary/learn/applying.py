"""Applying a trained model to any amount of data: block by block, resumable, each answer with how far it is trusted."""

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, CannotWrite, NoData
from armillary.learn.answers import EACH_GROUP, ask, fit, gives_probability
from armillary.learn.checks import checks
from armillary.learn.drift import BINS, STATES, UNKNOWN, Tally, drift, tally
from armillary.learn.features import Features, build, reach_of_steps
from armillary.learn.features.along import usual_steps
from armillary.learn.inputs import like
from armillary.learn.preparing import Prepared
from armillary.learn.priors import fill_prior, prior_shift, purity_interval, purity_of
from armillary.learn.samples import column, rows_to_judge
from armillary.learn.scores import confusion
from armillary.learn.splits import instants_of
from armillary.learn.study import Study
from armillary.learn.trained import Run
from armillary.learn.typical import LEVEL
from armillary.learn.units import check_units
from armillary.model import Progress, silent

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: What says where a sample lies, beside what the split names.
PLACES: Final = ("time", "group", "ra", "dec", "source_id", "id", "name", "x", "y", "_healpix_29")
#: In every usual name of right ascension and declination: ra, RAJ2000, RA_ICRS; dec, DEJ2000, DEdeg.
_RA: Final = "ra"
_DEC: Final = "de"
#: Rows of a block that is cut out of samples in memory.
BLOCK_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Samples that are answered together.

    Parameters
    ----------
    samples : xarray.Dataset
    kept : array of bool, (n,)
        Whose answers count; the others are there for the windows of features only.
    """

    samples: "xr.Dataset"
    kept: Array


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model says of consecutive samples.

    Parameters
    ----------
    places : mapping of str to array, (n,)
        ``time`` (int64 nanoseconds), ``group``, coordinates: what there is of them; and what is said beside answers,
        see :mod:`armillary.learn.checks`, and ``typical``, see :mod:`armillary.learn.typical`.
    answer : array of float, (n, K) or (n,)
        Probabilities under the stated prior, or numbers; NaN where there was no answer.
    sets : array of bool, (n, K)
        Conformal sets; (n, 0) where there are none. A sample without any value has the empty set.
    states : array of int8, (n,)
        Index into :data:`armillary.learn.drift.STATES`; -1 where it is not known, as of samples without any value.
    points : array of float32, (n, d)
        Scaled features, by which samples are near or far; (n, 0) if not asked for.
    """

    places: Mapping[str, Array]
    answer: Array
    sets: Array
    states: Array
    points: Array

    def __len__(self) -> int:
        """Give the number of samples."""
        return len(self.answer)

    def some(self, rows: Any) -> "Answers":
        """Give some of the samples."""
        places = {name: one[rows] for name, one in self.places.items()}
        return Answers(places, self.answer[rows], self.sets[rows], self.states[rows], self.points[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """A model applied: its answers lie in parts on disk and are read one by one.

    Parameters
    ----------
    run : Run
    parts : tuple of Path
    rows : int
    prior : array of float, (K,), optional
        The stated one.
    drift : dict, optional
        See :func:`armillary.learn.drift.drift`; None if the run keeps no reference.
    purity : dict
        ``completeness`` and ``purity`` by class with their intervals, on held-out samples under the prior; empty for
        numbers.
    """

    run: Run
    parts: tuple[Path, ...]
    rows: int
    prior: Array | None
    drift: Record | None
    purity: Record

    def answers(self) -> Iterator[Answers]:
        """Give the answers, part by part; parts without a sample are left out."""
        return (one for one in (read_part(part)[0] for part in self.parts) if len(one))


def apply(
    run: Run, blocks: Iterable[Callable[[], Block]], folder: Path, *, prior: Mapping[str, float] | None = None,
    points: bool = False, total: int = 0, progress: Progress = silent,
) -> Applied:  # fmt: skip
    """Ask a model about blocks of samples.

    Parameters
    ----------
    run : Run
        See :func:`armillary.learn.trained.load_run`.
    blocks : iterable of callables
        Each gives a `Block`; one whose part is in the folder already is not called.
    folder : Path
        Where the parts lie; the same one for the same question lets an interrupted run go on.
    prior : mapping of str to float, optional
        Share of some classes where the model is used; the others share the rest as in training.
    points : bool
        Whether scaled features are kept, to choose samples by.
    total : int
        Number of blocks, for the progress; 0 if not known.

    Raises
    ------
    BadData, BadParameter, NoData, CannotWrite
    """
    shares = stated_prior(run, prior or run.study.prior)
    parts, counted, rows = [], None, 0
    for number, block in enumerate(blocks):
        progress(number / total if total else 0.0, f"block {number + 1}{f' of {total}' if total else ''}")
        path = part_path(folder, number)
        if not is_whole(path):
            write_part(path, *answer_block(run, block(), shares, points=points))
        answers, seen = read_part(path)
        parts.append(path)
        rows += len(answers)
        counted = seen if counted is None else counted + seen
    if counted is None or not rows:
        raise NoData("there is not a single sample to apply the model to", "look at the interval, or at the file")
    told = drift(run.reference.profile, counted) if run.reference else None
    return Applied(run, tuple(parts), rows, shares, told, purity_under(run, shares))


def answer_block(run: Run, block: Block, prior: Array | None = None, *, points: bool = False) -> tuple[Answers, Tally]:
    """Ask a model about one block, and count what it looked like for the drift report.

    Of a sample without any value nothing is known: it has no answer, no set and no state.
    """
    kept = np.flatnonzero(block.kept & rows_to_judge(block.samples))
    if not len(kept):
        return _nothing(run)
    check_units(run, block.samples)
    features = features_of(run, block.samples)
    answer = _asked(run, block.samples, features)[kept]
    matrix = _seen(run, block.samples, features)[kept]
    sets = run.conformal.sets(answer, _coverage(run)) if run.conformal else np.zeros((len(kept), 0), bool)
    shifted = prior_shift(answer, run.recipe["priors"], prior) if prior is not None and answer.ndim == 2 else answer
    empty = _empty(run, matrix, features.matrix[kept])
    shifted, sets = np.where(_rows(empty, shifted), np.nan, shifted), sets & ~_rows(empty, sets)
    typical = _typical(run, features, kept, answer, empty)
    states, counted = _states(run, matrix, empty, typical)
    where = run.reference.place(matrix) if points and run.reference else np.zeros((len(kept), 0), np.float32)
    beside = _places(run.study, block.samples, kept) | _checked(run, block.samples, kept, shifted)
    beside |= {} if typical is None else {"typical": typical}
    return Answers(beside, shifted, sets, states, where), counted


def features_of(run: Run, samples: "xr.Dataset") -> Features:
    """Make the features of new samples, and see that they are those that the model has learnt from.

    Raises
    ------
    BadData
    """
    features = build(samples, run.study.features)
    wanted = tuple(run.recipe["names"])
    if features.names != wanted:
        odd = sorted(set(features.names) ^ set(wanted)) or [features.names[0]]
        word = "lack" if odd[0] in wanted else "have also"
        raise BadData(f"the new samples {word} the feature {odd[0]!r}", f"the model has learnt from {len(wanted)}")
    return features


def reach_of(study: Study, cadence: float | None = None) -> float:
    """Give how many seconds features reach to other samples on either side: blocks must overlap by that.

    Infinite if a step looks at a whole series, as one that is not known here may: then each group is one block.

    Parameters
    ----------
    study : Study
    cadence : float, optional
        Seconds from one sample to the next. Steps that count samples reach through the whole series without it.

    Examples
    --------
    >>> from armillary.learn.study import Step, study_of
    >>> study = study_of({
    ...     "name": "it", "task": "events", "data": {"layout": "timeline"}, "models": [{"use": "forest"}],
    ...     "split": {"time_on": "time", "block": "27d"},
    ...     "features": [{"use": "rolling", "options": {"windows": ["6h", "2d"]}}],
    ... })
    >>> reach_of(study)
    172800.0
    """
    reach = reach_of_steps(study.features, cadence or 1.0)
    counts = not cadence and reach != reach_of_steps(study.features, 2.0)
    return float("inf") if counts else reach


def cut(run: Run, samples: "xr.Dataset", rows: int = BLOCK_ROWS) -> list[Callable[[], Block]]:
    """Cut samples in memory into blocks, in the order of group and time, that overlap as far as features reach.

    Where a step looks at whole series, or a model learns each group anew, a block is one group or several whole ones.
    """
    count = samples.sizes["sample"]
    if "time" not in samples.variables and not by_groups(run):
        return [
            _cut_out(samples, np.arange(count), (at, min(at + rows, count)), (0, 0)) for at in range(0, count, rows)
        ]
    times = instants_of(column(samples, "time")) if "time" in samples.variables else np.arange(count)
    groups = column(samples, "group").astype(str) if "group" in samples else np.zeros(count, "U1")
    order = np.lexsort((times, groups))
    times, groups = times[order], groups[order]
    if "time" in samples.variables:
        samples = samples.assign_attrs(steps=usual_steps(groups, times))
    if by_groups(run):
        return [_cut_out(samples, order, part, (0, 0)) for part in _whole_groups(run, groups, rows)]
    cadence = samples.attrs.get("cadence") or run.recipe["cadence"] or float(np.diff(times).max(initial=0)) / 1e9
    around = round(1e9 * reach_of(run.study, cadence))
    made = []
    for first in range(0, count, rows):
        last = min(first + rows, count)
        begin, end = np.searchsorted(groups, groups[first], "left"), np.searchsorted(groups, groups[last - 1], "right")
        low = int(begin) + int(np.searchsorted(times[begin:first], times[first] - around))
        high = last + int(np.searchsorted(times[last:end], times[last - 1] + around, "right"))
        made.append(_cut_out(samples, order, (first, last), (first - low, high - last)))
    return made


def by_groups(run: Run) -> bool:
    """Say whether a block must be whole groups: a step looks at whole series, or models learn from each group anew."""
    return bool(run.fitted.part.options.get(EACH_GROUP)) or bool(np.isinf(reach_of(run.study, 1.0)))


def _whole_groups(run: Run, groups: Array, rows: int) -> Iterator[tuple[int, int]]:
    """Give first and last row of blocks of whole groups, as many as there are about `rows` in."""
    edges = np.concatenate([[0], np.flatnonzero(groups[1:] != groups[:-1]) + 1, [len(groups)]])
    if any(step.options.get("group", "group") != "group" for step in run.study.features):
        edges = edges[[0, -1]]
    first = 0
    for at, edge in enumerate(edges[1:-1].tolist(), 1):
        if int(edges[at + 1]) - first > rows:
            yield first, edge
            first = edge
    yield first, len(groups)


def stated_prior(run: Run, prior: Mapping[str, float]) -> Array | None:
    """Give the share of each class where the model is used; classes that are not named share the rest as in training.

    Raises
    ------
    BadParameter
    """
    if not prior:
        return None
    if not run.classes:
        raise BadParameter("a prior needs classes, and this model answers with numbers", "leave --prior out")
    return fill_prior(prior, run.classes, np.array(run.recipe["priors"]))


def purity_under(run: Run, prior: Array | None) -> Record:
    """Give completeness and purity of each class on held-out samples, with 95 % intervals, as under a prior."""
    if not gives_probability(run.study, run.fitted.part):
        return {}
    import pyarrow.parquet as pq

    title = run.fitted.part.title
    names = [f"{title}: {one}" for one in run.classes]
    table = pq.read_table(run.folder / "predictions.parquet", columns=["label", *names])
    codes = np.array([run.classes.index(one) if one in run.classes else -1 for one in table["label"].to_pylist()])
    answer = np.column_stack([table[name].to_numpy() for name in names])
    known = (codes >= 0) & np.isfinite(answer).all(axis=1)
    shares = prior if prior is not None else np.array(run.recipe["priors"])
    shifted = prior_shift(answer[known], run.recipe["priors"], shares)
    counts = confusion(codes[known], run.said(shifted), len(names))
    values = {"prior": shares, **dict(zip(("completeness", "purity"), purity_of(counts, shares), strict=True))}
    ranges = dict(zip(("completeness_interval", "purity_interval"), purity_interval(counts, shares), strict=True))
    told = {what: dict(zip(run.classes, map(float, one), strict=True)) for what, one in values.items()}
    return told | {what: dict(zip(run.classes, one.T.tolist(), strict=True)) for what, one in ranges.items()}


def read_part(path: Path) -> tuple[Answers, Tally]:
    """Read one part and its counts; nothing in it is unpickled."""
    with np.load(path, allow_pickle=False) as found:
        places = {name[6:]: found[name] for name in found.files if name.startswith("place_")}
        arrays = {one.name: found[one.name] for one in fields(Answers) if one.name != "places"}
        return Answers(places, **arrays), Tally(found["counts"], found["tallied"])


def part_path(folder: Path, number: int) -> Path:
    """Give where the answers to one block lie."""
    return folder / f"{number:06d}.npz"


def is_whole(path: Path) -> bool:
    """Say whether a part is there and can be read; the power may have gone while it was written."""
    try:
        # opened here: numpy leaves a damaged file open
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as found:
            return "tallied" in found.files
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return False


def write_part(path: Path, answers: Answers, counted: Tally) -> None:
    """Write one part whole or not at all.

    Raises
    ------
    CannotWrite
    """
    arrays = {one.name: getattr(answers, one.name) for one in fields(Answers) if one.name != "places"}
    arrays |= {f"place_{name}": one for name, one in answers.places.items()}
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as out:
            np.savez(out, counts=counted.counts, tallied=counted.states, **arrays)
        aside.replace(path)
    except OSError as failed:
        aside.unlink(missing_ok=True)
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "make room on the disk") from None


def _asked(run: Run, samples: "xr.Dataset", features: Features) -> Array:
    groups = column(samples, "group").astype(str) if "group" in samples else None
    fitted = run.fitted
    if isinstance(fitted.model, dict) and not rows_to_judge(samples).all():
        # new groups bring rows of the role "fit" of their own
        bare = np.full(len(features.matrix), -1)
        prepared = Prepared(samples, features, bare, run.classes, rows_to_judge(samples), np.zeros_like(bare))
        fitted = fit(run.study, fitted.part, prepared, np.arange(len(bare)), run.study.seed)
    classes = len(run.classes) if gives_probability(run.study, fitted.part) else 0
    answer = ask(fitted, features.matrix, classes, groups)
    return run.calibration.apply(answer) if run.calibration else answer


def _nothing(run: Run) -> tuple[Answers, Tally]:
    """Give the answers to no sample at all: all rows of a block may have been left out by the layout."""
    classes = len(run.classes) if gives_probability(run.study, run.fitted.part) else 0
    columns = 0 if run.reference is None else len(run.reference.profile.names)
    counts = np.zeros((columns, BINS + 3 if columns else 0), np.int64)
    answer, none = np.zeros((0, classes) if classes else 0), np.zeros((0, 0), bool)
    answers = Answers({}, answer, none, np.zeros(0, np.int8), np.zeros((0, 0), np.float32))
    return answers, Tally(counts, np.zeros(len(STATES) + 1, np.int64))


def _seen(run: Run, samples: "xr.Dataset", features: Features) -> Array:
    """Give features and inputs, as the reference has them."""
    if run.reference is None:
        return features.matrix
    names = tuple(run.reference.profile.names.tolist())
    return like(features, samples, tuple(run.recipe.get("inputs", ())), names)


def _empty(run: Run, seen: Array, features: Array) -> Array:
    """Say which samples have no value: none of the inputs where features look at one sample only, else no feature."""
    inputs = seen if run.reference is None else seen[:, run.reference.inputs]
    alone = not reach_of(run.study, 1.0)
    return np.asarray(~np.isfinite(inputs if alone else features).any(axis=1))


def _rows(mask: Array, like_this: Array) -> Array:
    return mask if like_this.ndim == 1 else mask[:, None]


def _typical(run: Run, features: Features, kept: Array, answer: Array, empty: Array) -> Array | None:
    """Give how typical each row is of any class; None if the study does not ask for it."""
    if run.typical is None:
        return None
    at = [features.names.index(one) for one in run.typical.names.tolist()]
    found = run.typical.with_answer(features.matrix[kept][:, at], answer, run.fitted.part.title)
    return np.where(empty, np.nan, found)


def _states(run: Run, matrix: Array, empty: Array, typical: Array | None = None) -> tuple[Array, Tally]:
    """Say which rows are strange; so are those that are typical of no class."""
    if run.reference is None:
        none = Tally(np.zeros((0, 0), np.int64), np.zeros(len(STATES) + 1, np.int64))
        return np.full(len(matrix), -1, np.int8), none
    states = run.reference.trust(matrix)
    if typical is not None:
        states[typical < LEVEL] = STATES[2]
    states[empty] = UNKNOWN
    codes = np.full(len(states), -1, np.int8)
    for code, name in enumerate(STATES):
        codes[states == name] = code
    return codes, tally(run.reference.profile, matrix, states)


def _coverage(run: Run) -> float:
    levels = [float(one) for one in run.conformal.levels] if run.conformal else [0.9]
    return 0.9 if 0.9 in levels else levels[0]


def _checked(run: Run, samples: "xr.Dataset", kept: Array, answer: Array) -> dict[str, Array]:
    """Give what physics says beside each answer, if the study asks for it."""
    if not run.study.checks or answer.ndim == 1:
        return {}
    said = np.array([*run.classes, ""])[run.said(answer)]
    return checks(samples.isel(sample=kept), said, run.study.checks)


def _places(study: Study, samples: "xr.Dataset", kept: Array) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for name in dict.fromkeys((*PLACES, *study.split.space_on, *study.split.sky_on)):
        if name in samples.variables and samples[name].dims == ("sample",):
            values = samples[name].values[kept]
            timed = name == "time"
            found[name] = instants_of(values) if timed else values.astype(str) if values.dtype.kind in "OU" else values
    return found | {name: found[own] for name, own in _sky_names(study).items() if own in found and name not in found}


def _sky_names(study: Study) -> dict[str, str]:
    """Give what the study calls right ascension and declination, or the Gaia source, by the names of catalogues."""
    names = study.split.sky_on
    if len(names) == 1:
        return {"source_id": names[0]}
    # galactic and ecliptic coordinates are on the sky too
    equatorial = len(names) == 2 and _RA in names[0].lower() and _DEC in names[1].lower()
    return {"ra": names[0], "dec": names[1]} if equatorial else {}


def _cut_out(samples: "xr.Dataset", order: Array, rows: tuple[int, int], more: tuple[int, int]) -> Callable[[], Block]:
    def block() -> Block:
        low, high = rows[0] - more[0], rows[1] + more[1]
        kept = np.zeros(high - low, bool)
        kept[more[0] : more[0] + rows[1] - rows[0]] = True
        return Block(samples.isel(sample=order[low:high]), kept)

    return block

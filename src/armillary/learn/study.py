"""A study is one frozen question: which data, which labels, which split, which models, judged how.

It is written as TOML; :func:`read_study` checks every key, so that a typing error is told before anything is trained.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any, Final, TypeVar, cast, get_type_hints

from armillary.errors import BadParameter
from armillary.learn.folder import file_name
from armillary.learn.keys import check_keys, check_shares

Part = TypeVar("Part")

#: What is asked: intervals of a series, classes of samples, numbers, or an order of strangeness.
TASKS: Final = ("events", "classes", "regression", "novelty")
_CLASS_SCORES: Final = (
    "macro_f1", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "ap", "roc_auc", "log_loss", "brier",
    "calibration_error",
)  # fmt: skip
_SCORES: Final[dict[str, tuple[str, ...]]] = {
    "classes": _CLASS_SCORES,
    "events": _CLASS_SCORES,
    "regression": ("rmse", "mae", "r2"),
    "novelty": ("roc_auc", "ap"),
}
#: What is added where a study lacks it.
_EXAMPLES: Final = {
    "task": f"add task = one of {', '.join(TASKS)}",
    "data": 'add [data] and below it layout = "table" and path = "FILE"',
    "split": 'add [split] and below it for example time_on = "time" and block = "27d", or group_on = "COLUMN"',
    "models": 'add [[models]] and below it for example use = "extra_trees"',
    "layout": 'add layout = "table", or another one',
    "use": 'add for example use = "extra_trees" for a model, use = "columns" for a feature',
}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)")
#: Letters of a name that becomes part of file names.
_LONGEST: Final = 80
#: Fewer have no 2.5 % and 97.5 %.
_LEAST_RESAMPLES: Final = 20
#: Seconds that nanoseconds of 64 bits can count.
_LONGEST_TIME: Final = 2.0**63 / 1e9
_SECONDS: Final = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPart:
    """Where the samples come from: files in a layout, or products and a catalogue of labels.

    Parameters
    ----------
    layout : str
        How the files are read: a name of :data:`armillary.learn.layouts.LAYOUTS`.
    path : str
        File or folder, absolute or below the folder of data (``ARMILLARY_DATA``).
    options : mapping
        What the layout takes.
    test_options : mapping
        Those that test data have otherwise, such as ``classes`` of a file that numbers them otherwise.
    """

    layout: str
    path: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    test_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPart:
    """What is done with the labels before anything is learnt.

    Parameters
    ----------
    merge : mapping of str to list of str
        New class and the classes that it joins.
    drop : tuple of str
        Classes whose rows are left out.
    least : int
        Classes with fewer rows than this are left out; the report says which.
    positive : str
        The class that ``precision``, ``recall`` and ``ap`` are about, and that events or novelty are. If empty the one
        of the layout; else the last of two classes, but events and novelty then need it.
    equal_masks : str
        ``full`` or ``drawn``: every training row is learnt from a second time with bands taken away until what is
        missing tells no class, or less, see :mod:`armillary.learn.masks`; and such rows are judged too.
    """

    merge: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    least: int = 1
    positive: str = ""
    equal_masks: str = ""

    def __post_init__(self) -> None:
        """Check the way.

        Raises
        ------
        BadParameter
        """
        if self.equal_masks not in {"", "full", "drawn"}:
            problem = f"[labels] equal_masks = {self.equal_masks!r} is no way to take bands away"
            raise BadParameter(problem, "give full or drawn, or leave it out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How training and held-out samples are kept apart. Nothing is random unless `random` asks for it.

    Parameters
    ----------
    time_on : str
        Name of the time; blocks of `block` seconds, whole blocks are held out, and training samples nearer than
        `embargo` seconds to a held-out one are left out.
    block, embargo : float
        Seconds; in a file also "27d", "48h".
    space_on : tuple of str
        Names of two coordinates; blocks are squares of side `size` in their units.
    size : float
    sky_on : tuple of str
        Right ascension and declination in degrees, or one Gaia ``source_id``; blocks are HEALPix cells of `level`.
    level : int
    group_on : str
        Name of what must stay together: a spacecraft, a channel, a field.
    stratify_on : str
        Name of what should be alike in all folds; ``label`` usually. Blocks stay whole.
    random : bool
        Shuffle single samples. The card says so in its first line.
    folds : int
    """

    time_on: str = ""
    block: float = 0.0
    embargo: float = 0.0
    space_on: tuple[str, ...] = ()
    size: float = 0.0
    sky_on: tuple[str, ...] = ()
    level: int = 5
    group_on: str = ""
    stratify_on: str = ""
    random: bool = False
    folds: int = 5

    def __post_init__(self) -> None:
        """Check that it says one thing.

        Raises
        ------
        BadParameter
        """
        ways = [bool(self.time_on), bool(self.space_on), bool(self.sky_on), self.random]
        if sum(ways) > 1 or not (any(ways) or self.group_on):
            hint = "give one of time_on, space_on, sky_on, group_on, or random = true"
            raise BadParameter("[split] must say in one way how held-out samples are kept apart", hint)
        if self.folds < 2:
            raise BadParameter(f"[split] folds = {self.folds} holds nothing out", "give 2 or more")
        if not 0 <= self.embargo < inf:
            raise BadParameter(f"[split] embargo = {self.embargo:g} s is no length of time", "give 0 or more")
        if self.time_on and not 0 < self.block < inf:
            raise BadParameter("[split] time_on needs the length of a block", 'add for example block = "27d"')
        if max(self.block, self.embargo) > _LONGEST_TIME:
            problem = f"[split] {max(self.block, self.embargo):g} s is longer than clocks can count"
            raise BadParameter(problem, "give less than 106000d, about 290 years")
        if self.space_on and (len(self.space_on) != 2 or not 0 < self.size < inf):
            hint = 'add for example space_on = ["x", "y"] and size = 400'
            raise BadParameter("[split] space_on needs two coordinates and the size of a block", hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step that makes features: a name of :data:`armillary.learn.features.STEPS` and what it takes."""

    use: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPart:
    """One model of a study.

    Parameters
    ----------
    use : str
        A name of :data:`armillary.learn.models.MODELS`, or ``package.module:Class`` of anything that has `fit` and
        `predict`.
    name : str
        What the report calls it; `use` if empty.
    features : tuple of str
        Names of feature groups it sees; all if empty.
    options : mapping
        What the model takes.
    optional : bool
        Left out, and told of in the notes, where its library is not installed.
    """

    use: str
    name: str = ""
    features: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    optional: bool = False

    @property
    def title(self) -> str:
        """What the report calls it."""
        return self.name or self.use


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPart:
    """How probabilities along a series become intervals; ranges are searched on held-out predictions only.

    Parameters
    ----------
    iou : tuple of float
        Overlaps (intersection over union) at which events count as found; those of `aim` are added.
    aim : float or tuple of float
        The overlap whose F1 is made best when thresholds are chosen; of several their mean, and models are chosen by
        the first.
    decoder : mapping
        Options of :class:`armillary.learn.events.Decoder` to search over: name and list of values.
    """

    iou: tuple[float, ...] = (0.1, 0.25, 0.5)
    aim: float | tuple[float, ...] = 0.25
    decoder: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the overlaps, and score at what is aimed at too.

        Raises
        ------
        BadParameter
        """
        aims = self.aim if isinstance(self.aim, tuple) else (self.aim,)
        wrong = [one for one in (*self.iou, *aims) if not 0 < one <= 1]
        if wrong or not aims:
            problem = f"[events] {wrong[0]:g} is no overlap" if wrong else "[events] aim holds no overlap"
            raise BadParameter(problem, "give numbers above 0 and up to 1, such as aim = 0.25")
        object.__setattr__(self, "iou", tuple(sorted({*self.iou, *aims})))


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One question to learning; running it gives a run folder.

    Parameters
    ----------
    name, title : str
    task : str
        One of `TASKS`.
    data, labels, split : DataPart, LabelPart, Split
    features : tuple of Step
        Done one after the other, their columns side by side; all numbers of the samples if empty.
    models : tuple of ModelPart
    events : EventPart
    prior : mapping of str to float
        Share of each class where the model will be used; as in training if empty.
    calibrate : str
        ``auto`` chooses by cross-validated log loss; ``none``, ``temperature``, ``isotonic``.
    choose_threshold : str
        ``f1`` (of the positive class) or ``macro_f1``: which class is said is chosen so that this is best on held-out
        predictions; if empty the most probable class is said. For the task ``classes``.
    choose_by : str
        Score by which the best model is chosen on held-out predictions; a fitting one if empty.
    seed, seeds : int
        First seed, and how many: the spread over seeds stands in the report.
    resamples : int
        Of the block bootstrap.
    judged_by : mapping of str to tuple of float
        Numbers, and the edges of bins of each, in which completeness and purity of classes are told as well:
        ``{phot_g_mean_mag = [10, 15, 18, 21], abs_b = [0, 10, 30, 90]}``.
    checks : mapping
        Of classes of sources: what physics says beside each answer, see :mod:`armillary.learn.checks`.
    typical : tuple of str
        Of classes: names of some features that do not repeat each other, by which rows of a class that nobody taught
        are told, see :mod:`armillary.learn.typical`.
    """

    name: str
    task: str
    data: DataPart
    split: Split
    models: tuple[ModelPart, ...]
    title: str = ""
    labels: LabelPart = field(default_factory=LabelPart)
    features: tuple[Step, ...] = ()
    events: EventPart = field(default_factory=EventPart)
    prior: Mapping[str, float] = field(default_factory=dict)
    calibrate: str = "auto"
    choose_threshold: str = ""
    choose_by: str = ""
    seed: int = 0
    seeds: int = 5
    resamples: int = 200
    judged_by: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    checks: Mapping[str, Any] = field(default_factory=dict)
    typical: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what can be checked without data.

        Raises
        ------
        BadParameter
        """
        if self.task not in TASKS:
            raise BadParameter(f"study {self.name!r} has the unknown task {self.task!r}", f"give one of {TASKS}")
        _check_titles(self.name, [one.title for one in self.models])
        _check_numbers(self)
        _check_rule(self)
        known = scores_of(self.task, self.events.iou)
        if self.choose_by and self.choose_by not in known:
            problem = f"study {self.name!r}: choose_by = {self.choose_by!r} is no score of {self.task}"
            raise BadParameter(problem, f"give one of {', '.join(known)}")

    def to_record(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        record: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return record

    @property
    def key(self) -> str:
        """A hash of all it says."""
        return hashlib.sha256(json.dumps(self.to_record(), sort_keys=True).encode()).hexdigest()[:16]


def read_study(path: Path) -> Study:
    """Read a study from a TOML file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    BadParameter
        If the file is missing or no TOML, or a key is unknown, missing or of the wrong type.
    """
    try:
        record = tomllib.loads(path.read_text("utf-8"))
    except OSError as failed:
        raise BadParameter(
            f"cannot read the study {path}: {failed.strerror}", "give the path of a .toml file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failed:
        raise BadParameter(f"{path} is no TOML: {failed}", "mend that line") from None
    return study_of({"name": path.stem} | record)


def study_of(record: Mapping[str, Any]) -> Study:
    """Make a study of plain values, as :meth:`Study.to_record` gives them.

    Examples
    --------
    >>> study = study_of({
    ...     "name": "it", "task": "classes", "data": {"layout": "table", "path": "it.csv"},
    ...     "split": {"time_on": "time", "block": "27d"}, "models": [{"use": "extra_trees"}],
    ... })
    >>> study.split.block
    2332800.0
    """
    parts = dict(record)
    single: dict[str, type[Any]] = {"data": DataPart, "labels": LabelPart, "events": EventPart}
    many: dict[str, type[Any]] = {"features": Step, "models": ModelPart}
    for name in single.keys() & parts.keys():
        parts[name] = _part(single[name], name, parts[name])
    if "split" in parts:
        parts["split"] = _split(parts["split"])
    for name, part in many.items():
        rows = parts.get(name, ())
        if not isinstance(rows, list | tuple):
            raise BadParameter(f"[{name}] must be a list", f"write [[{name}]] with two brackets")
        parts[name] = tuple(_part(part, name, one) for one in rows)
    return _part(Study, "study", parts)


def scores_of(task: str, iou: Sequence[float] = ()) -> tuple[str, ...]:
    """Give the names of the scores by which the models of a task can be chosen.

    Examples
    --------
    >>> scores_of("events", [0.25])[-3:]
    ('event_f1_iou25', 'event_precision_iou25', 'event_recall_iou25')
    """
    ends = [f"iou{round(100 * one):02d}" for one in iou] if task == "events" else []
    return _SCORES[task] + tuple(f"event_{kind}_{end}" for end in ends for kind in ("f1", "precision", "recall"))


def seconds_of(value: Any) -> float:
    """Read a duration: a number of seconds, or a text such as "90s", "48h", "27d".

    Raises
    ------
    BadParameter

    Examples
    --------
    >>> seconds_of("48h")
    172800.0
    """
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found:
        return float(found[1]) * _SECONDS[found[2]]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise BadParameter(f"{value!r} is no duration", 'write a number and ms, s, min, h or d, such as "48h"')


def _check_numbers(study: Study) -> None:
    if len(study.name) > _LONGEST:
        raise BadParameter(f"the name {study.name[:20]!r}... of a study is too long", f"give up to {_LONGEST} letters")
    for name, value, least in (("seeds", study.seeds, 1), ("seed", study.seed, 0), ("resamples", study.resamples, 0)):
        if not least <= value < 2**31:
            raise BadParameter(f"study {study.name!r}: {name} = {value}", f"give {least} or more, below 2^31")
    if 0 < study.resamples < _LEAST_RESAMPLES:
        problem = f"study {study.name!r}: {study.resamples} resamples give no interval"
        raise BadParameter(problem, f"ask for 200, or at least {_LEAST_RESAMPLES}; 0 asks for no interval")
    for name, edges in study.judged_by.items():
        if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)):
            raise BadParameter(f"judged_by: {name} = {list(edges)} are no bins", "give two edges or more, ascending")
    check_shares(study.prior)


def _check_rule(study: Study) -> None:
    if study.choose_threshold not in {"", "f1", "macro_f1"}:
        problem = f"study {study.name!r}: choose_threshold = {study.choose_threshold!r} is no score that a rule is for"
        raise BadParameter(problem, "give f1 or macro_f1, or leave it out")
    if study.choose_threshold and study.task != "classes":
        problem = f"study {study.name!r}: choose_threshold is for classes, not for {study.task}"
        raise BadParameter(problem, "leave it out; events have a decoder of their own")


def _check_titles(study: str, titles: Sequence[str]) -> None:
    """Check that the files of models, on any system, have names of their own."""
    hint = "give each [[models]] a name of its own"
    if not titles:
        raise BadParameter(f"study {study!r}: no model is given", _EXAMPLES["models"])
    files: dict[str, str] = {}
    for title in titles:
        if len(title) > _LONGEST:
            raise BadParameter(
                f"study {study!r}: the name {title[:20]!r}... is too long", f"give up to {_LONGEST} letters"
            )
        other = files.setdefault(file_name(title).casefold(), title)
        if titles.count(title) > 1:
            raise BadParameter(f"study {study!r}: two models are named {title!r}", hint)
        if other != title:
            problem = f"study {study!r}: the names {other!r} and {title!r} would give one file"
            raise BadParameter(problem, "let them differ in letters or digits")


def _split(record: Any) -> Split:
    if not isinstance(record, Mapping):
        raise BadParameter("[split] must be a table", 'write [split] and below it time_on = "time"')
    durations = {name: seconds_of(record[name]) for name in ("block", "embargo") if name in record}
    lists = {name: _texts(record[name]) for name in ("space_on", "sky_on") if name in record}
    return _part(Split, "split", {**record, **durations, **lists})


def _texts(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _part(part: type[Part], name: str, record: Any) -> Part:
    """Make one part of a table, and name the key that is wrong."""
    if not isinstance(record, Mapping):
        raise BadParameter(f"[{name}] must be a table, not {record!r}", f"write [{name}] and its keys below")
    kinds = get_type_hints(part)
    check_keys(f"[{name}]", record, kinds)
    frozen = {key: tuple(one) if isinstance(one, list) else one for key, one in record.items()}
    try:
        return part(**frozen)
    except TypeError:
        lost = [one.name for one in fields(cast("Any", part)) if one.name not in frozen and _is_needed(one)]
        raise BadParameter(
            f"{'the study' if part is Study else f'[{name}]'} lacks {' and '.join(lost)}", _hint(lost)
        ) from None


def _is_needed(field_: "Field[Any]") -> bool:
    return field_.default is MISSING and field_.default_factory is MISSING


def _hint(lost: Sequence[str]) -> str:
    return "; ".join(_EXAMPLES.get(one, f'add {one} = "..."') for one in lost)

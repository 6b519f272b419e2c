"""Training subsets: labels of a catalogue for the sources of a table, with all that was done to get there.

What a model learns is decided here: which sources have a label, which are left out for their quality, how many of each
class stay, and whether the pattern of missing bands tells the class. Each step is counted in a report.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from armillary.errors import BadData, BadParameter, MissingExtra, NoData, Unknown
from armillary.learn.masks import Equalise, equalised, mask_auc
from armillary.science.crossmatch import Places, match_cone, match_ids
from armillary.science.photometry.columns import Columns, check_once, find_columns, light_of
from armillary.science.photometry.cuts import blanked, judged
from armillary.science.photometry.quality import RULES

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, np.dtype[Any]]
#: The column of labels of the result; the default of studies.
LABEL: Final = "label"
#: Columns that tell which survey saw a source; left out where masks are made alike.
_SURVEY: Final = (
    "tmass_ph_qual", "allwise_ph_qual", "cc_flags", "ext_flag", "tmass_angular_distance", "allwise_angular_distance",
    "tmass_number_of_mates", "allwise_number_of_mates", "w3snr", "w3rchi2", "w4snr", "w4rchi2",
)  # fmt: skip
#: A label is looked for this many radii away to see how often something is found by chance.
_AWAY: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is wanted.

    Parameters
    ----------
    radius : float
        Arcseconds around the position of a label; 0 matches by ``source_id``.
    epoch : float, optional
        Julian year of the labels' positions: the table's proper motions bring its sources there.
    column : str
        The column of the labels' table that has the class.
    classes : tuple of str
        Only these; all if empty.
    rules : tuple of str, optional
        Rules of quality; None for all that the table has the columns for.
    most, least : int
        At most so many of a class, chosen at random; classes of fewer are left out. 0 for no bound.
    complete : tuple of str
        Bands that a source must have, measured and of good quality.
    equalise : str
        How the pattern of missing bands is kept from telling classes, see :func:`armillary.learn.masks.equalised`:
        ``full`` or ``drawn``; empty for not at all.
    strict : bool
        Whether sources with labels of two classes are an error; else they are left out, and told.
    level : int
        HEALPix level of the sky's blocks for the look at leaks.
    seed : int
    """

    radius: float = 0.0
    epoch: float | None = None
    column: str = "class"
    classes: tuple[str, ...] = ()
    rules: tuple[str, ...] | None = None
    most: int = 0
    least: int = 0
    complete: tuple[str, ...] = ()
    equalise: str = ""
    strict: bool = False
    level: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers and the rules."""
        unknown = [one for one in self.rules or () if one not in RULES]
        if unknown:
            raise Unknown(f"no rule is called {unknown[0]!r}", f"use {', '.join(RULES)}")
        if self.equalise not in ("", "full", "drawn"):
            raise BadParameter(f"masks cannot be made alike by {self.equalise!r}", "use full or drawn")
        if self.radius < 0 or self.most < 0 or self.least < 0:
            raise BadParameter("a radius or a number of sources is below zero", "give 0 or more")


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels by identifier or position.

    Parameters
    ----------
    names : array of str, (m,)
        Classes.
    ids : array of int or str, (m,), optional
    ra, dec : array, (m,), optional
        Degrees.
    left_out : int
        Rows without a class, an identifier or a position.
    """

    names: Array
    ids: Array | None = None
    ra: Array | None = None
    dec: Array | None = None
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.names)


@dataclass(slots=True)
class Selection:
    """What was done, step by step.

    Parameters
    ----------
    steps : list
        Of each step its name, the rows that were left after it, and what it says.
    by_class : mapping
        Rows of each class after each step that has them.
    numbers : mapping
        What else was counted or measured.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    by_class: dict[str, dict[str, int]] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)

    def tell(self, step: str, rows: int, said: str = "", names: Array | None = None) -> None:
        """Add a step; classes of which none is left are told."""
        if names is not None:
            classes, counts = np.unique(names, return_counts=True)
            before = next(reversed(self.by_class.values()), {})
            gone = [one for one in before if one not in classes.tolist()]
            said += f"{'; ' if said else ''}none is left of {', '.join(gone)}" if gone else ""
            self.by_class[step] = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        self.steps.append({"step": step, "rows": int(rows), "said": said})

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {"steps": self.steps, "by_class": self.by_class, **self.numbers}

    def text(self) -> str:
        """Tell it, a line a step."""
        lines = [f"{one['step']:12} {one['rows']:>9,}  {one['said']}".rstrip() for one in self.steps]
        last = next(reversed(self.by_class.values()), {})
        lines += [f"  {name:24} {count:>7,}" for name, count in last.items()]
        for one in self.numbers.get("leaks", []):
            lines.append(f"leak: {one['message']}")
        return "\n".join(lines)


def read_labels(table: "pa.Table", choice: Choice, like: str = "i") -> Labels:
    """Take labels from a table.

    Parameters
    ----------
    like : str
        Kind of the identifiers of the sources, ``i`` or ``U``: labels' identifiers are turned into it; of a text such
        as ``Gaia DR3 4295806720`` the last word counts.

    Raises
    ------
    BadParameter
        If a column is missing.
    """
    name = _named(table, choice.column)
    names = np.array(["" if one is None else str(one) for one in table.column(name).to_pylist()])
    good = names != ""
    if choice.classes:
        good &= np.isin(names, choice.classes)
    if not choice.radius:
        ids, known = _identifiers(table, like)
        good &= known
        return Labels(names[good], ids[good], left_out=int((~good).sum()))
    places = [_position(table, one) for one in ("ra", "dec")]
    good &= np.isfinite(places[0]) & np.isfinite(places[1])
    return Labels(names[good], None, places[0][good], places[1][good], int((~good).sum()))


def candidates(block: "pa.Table", labels: Labels, choice: Choice) -> "pa.Table":
    """Give the rows of a block that may have a label: with a label's identifier, or within the radius of one.

    Blocks of a large table are reduced by this one after another; what is left goes to :func:`choose`.
    """
    import pyarrow as pa

    if labels.ids is not None:
        rows = np.flatnonzero(np.isin(ids_of(block), labels.ids))
    else:
        rows = np.unique(
            match_cone(_places(block), _label_places(labels), choice.radius, epoch=choice.epoch, keep="all").first
        )
    return block.take(pa.array(rows))


def choose(table: "pa.Table", labels: Labels, choice: Choice, selection: Selection) -> "pa.Table":
    """Label, cut, make alike and balance.

    Returns
    -------
    pyarrow.Table
        The table's columns and ``label``; shuffled by nothing: in the order of the table.

    Raises
    ------
    BadData
        If a source stands twice in the table, or has two classes and the choice is strict.
    NoData
        If nothing is left.
    """
    if LABEL in table.column_names:
        raise BadParameter(f"the table has a column {LABEL!r} already", "rename it, or leave it out of the table")
    if "source_id" in table.column_names:
        check_once(ids_of(table))
    rows, names = _matched(table, labels, choice, selection)
    table, names = _of_quality(table.take(rows), names, choice, selection)
    if choice.complete:
        table, names = _complete(table, names, choice, selection)
    table, names = _balanced(table, names, choice, selection)
    if choice.equalise:
        table = _alike(table, find_columns(table), names, choice, selection)
    found = find_columns(table)
    selection.numbers["classes"] = _profiles(table, found, names)
    selection.numbers["leaks"] = _leaks(table, found, names, choice)
    import pyarrow as pa

    return table.append_column(pa.field(LABEL, pa.string()), pa.array(names))


def ids_of(table: "pa.Table") -> Array:
    """Give the identifiers of a table's sources.

    Raises
    ------
    BadParameter
        If it has none.
    """
    if "source_id" not in table.column_names:
        raise BadParameter("the table has no source_id", "match by position: --cone 1")
    column = table.column("source_id")
    if column.null_count:
        raise BadData(f"{column.null_count} rows have no source_id", "leave them out: --where 'source_id is not null'")
    values: Array = column.to_numpy()
    return values if values.dtype.kind in "iu" else values.astype(str)


def _matched(table: "pa.Table", labels: Labels, choice: Choice, selection: Selection) -> tuple[Array, Array]:
    """Give the rows with one label, and their classes; tell of labels that are nowhere, double or at odds."""
    label, row = _pairs(table, labels, choice, selection)
    codes = np.unique(labels.names, return_inverse=True)[1].reshape(-1)
    order = np.lexsort((label, row))
    label, row = label[order], row[order]
    first = np.flatnonzero(np.diff(row, prepend=-1))
    low, high = (ends.reduceat(codes[label], first) if row.size else row for ends in (np.minimum, np.maximum))
    agreed = low == high
    conflicts, double = int((~agreed).sum()), int(len(row) - len(first))
    if conflicts and choice.strict:
        at = label[first[~agreed]][0]
        raise BadData(
            f"{conflicts} sources have labels of two classes, one of them {labels.names[at]}", "mend the labels"
        )
    rows, kept = row[first[agreed]], labels.names[label[first[agreed]]]
    said = [f"{len(labels) - len(label)} labels found no source"]
    said += [f"{double} labels were of a source that had one"] if double else []
    said += [f"{conflicts} sources with labels of two classes are left out"] if conflicts else []
    selection.tell("matched", len(rows), "; ".join(said), kept)
    selection.numbers["conflicts"], selection.numbers["double"] = conflicts, double
    if not len(rows):
        raise NoData("no label matches a source of the table", "look at identifiers, radius and epoch")
    return rows, kept


def _pairs(table: "pa.Table", labels: Labels, choice: Choice, selection: Selection) -> tuple[Array, Array]:
    """Give which label goes to which row."""
    if labels.ids is not None:
        pairs = match_ids(labels.ids, ids_of(table))
        return pairs.first, pairs.second
    here, there = _label_places(labels), _places(table)
    # By one table's sources at their places at the labels' epoch, so that labels need no motion.
    moved = Places(*_degrees(there.vectors(choice.epoch)))
    pairs = match_cone(here, moved, choice.radius, keep="nearest")
    every = match_cone(here, moved, choice.radius, keep="all")
    crowded = len(every) - len(np.unique(every.first))
    shifted = Places(here.ra, here.dec + np.where(here.dec > 0, -1, 1) * _AWAY * choice.radius / 3600)
    chance = len(match_cone(shifted, moved, choice.radius, keep="nearest")) / max(len(labels), 1)
    low, middle, high = np.quantile(pairs.separation, [0.05, 0.5, 0.95]).round(3).tolist() if len(pairs) else [None] * 3
    selection.numbers["separation_arcsec"] = {"q05": low, "q50": middle, "q95": high}
    selection.numbers["other_sources_in_radius"], selection.numbers["found_by_chance"] = int(crowded), round(chance, 4)
    return pairs.first, pairs.second


def _of_quality(table: "pa.Table", names: Array, choice: Choice, selection: Selection) -> "tuple[pa.Table, Array]":
    """Leave out sources that do not pass, and blank bands that do not."""
    import pyarrow as pa

    rules = tuple(RULES) if choice.rules is None else choice.rules
    found = find_columns(table)
    report = judged(table, found, rules)
    lacking = [name for name in choice.rules or () if name in report.left_out]
    if lacking:
        raise BadParameter(f"rule {lacking[0]}: {report.left_out[lacking[0]]} in the table", "leave the rule out")
    counts = report.counts()
    said = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    kept, good = blanked(table, found, report), report.sources
    selection.numbers["quality"] = {"counts": counts, "left_out": report.left_out}
    selection.numbers["quality"]["share_kept"] = {
        str(one): round(float(good[names == one].mean()), 4) for one in np.unique(names)
    }
    selection.tell("quality", int(good.sum()), said or "nothing to say", names[good])
    return kept.filter(pa.array(good)), names[good]


def _complete(table: "pa.Table", names: Array, choice: Choice, selection: Selection) -> "tuple[pa.Table, Array]":
    """Leave out sources that were not measured in all the bands asked for."""
    import pyarrow as pa

    found = find_columns(table)
    missing = [one for one in choice.complete if not found.has(one)]
    if missing:
        raise BadParameter(f"the table has no band {missing[0]}", f"it has {' '.join(one.name for one in found.bands)}")
    values, _, limits = light_of(table, found)
    places = [at for at, band in enumerate(found.bands) if band.name in choice.complete]
    good = (np.isfinite(values) & ~limits)[:, places].all(axis=1)
    selection.tell("complete", int(good.sum()), f"measured in {' '.join(choice.complete)}", names[good])
    return table.filter(pa.array(good)), names[good]


def _balanced(table: "pa.Table", names: Array, choice: Choice, selection: Selection) -> "tuple[pa.Table, Array]":
    import pyarrow as pa

    classes, counts = np.unique(names, return_counts=True)
    rare = classes[counts < max(choice.least, 1)]
    rng, kept = np.random.default_rng(choice.seed), []
    for one in classes[counts >= max(choice.least, 1)]:
        rows = np.flatnonzero(names == one)
        some = choice.most and len(rows) > choice.most
        kept.append(rng.choice(rows, choice.most, replace=False) if some else rows)
    if not kept:
        raise NoData("no class has enough sources", "lower --least, or look at the steps with --json")
    rows = np.sort(np.concatenate(kept))
    said = f"classes with fewer than {choice.least} are left out: {', '.join(rare)}" if rare.size else ""
    said = said or (f"at most {choice.most} of a class" if choice.most else "")
    if choice.most or rare.size:
        selection.tell("balance", len(rows), said, names[rows])
    return table.take(pa.array(rows)), names[rows]


def _alike(table: "pa.Table", found: Columns, names: Array, choice: Choice, selection: Selection) -> "pa.Table":
    """Blank bands until masks tell no class; limits count as missing, and columns of the surveys are left out."""
    values, _, limits = light_of(table, found)
    masks, codes = np.isfinite(values) & ~limits, np.unique(names, return_inverse=True)[1].reshape(-1)
    kept = equalised(masks, codes, cast("Equalise", choice.equalise), choice.seed)
    table = _without_bands(table, found, ~kept)
    dropped = [name for role in _SURVEY if (name := found.names.get(role))]
    before, after = (_rounded(mask_auc(one, codes, choice.seed)) for one in (masks, kept))
    shares = {
        band.name: [round(float(one[:, at].mean()), 4) for one in (masks, kept)] for at, band in enumerate(found.bands)
    }
    selection.numbers["masks"] = {
        "auc_before": before,
        "auc_after": after,
        "bands": shares,
        "columns_left_out": dropped,
    }
    said = f"the missing bands alone told classes with ROC area {before}, now {after}"
    selection.tell("masks", len(names), f"{said}; {int((masks & ~kept).sum())} values were taken away", names)
    return table.drop_columns(dropped) if dropped else table


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _without_bands(table: "pa.Table", found: Columns, gone: Array) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import compute

    for place, band in enumerate(found.bands):
        for role in (band.name, f"{band.name}_error", f"{band.name}_snr"):
            name = found.names.get(role)
            if name and gone[:, place].any():
                kind = table.schema.field(name)
                values = compute.if_else(pa.array(~gone[:, place]), table.column(name), pa.scalar(None, kind.type))
                table = table.set_column(table.column_names.index(name), kind, values)
    return table


def _profiles(table: "pa.Table", found: Columns, names: Array) -> dict[str, Any]:
    """Say of each class how bright its sources are, where they lie and which bands they have."""
    values, _, _ = light_of(table, found)
    sky = np.abs(_column(table, "b")) if "b" in table.column_names else None
    profiles = {}
    for one in np.unique(names):
        rows = names == one
        bright = {band.name: _quantiles(values[rows, at]) for at, band in enumerate(found.bands)}
        share = {
            band.name: round(float(np.isfinite(values[rows, at]).mean()), 4) for at, band in enumerate(found.bands)
        }
        profiles[str(one)] = {"rows": int(rows.sum()), "magnitudes": bright, "share_measured": share}
        if sky is not None:
            profiles[str(one)]["abs_b"] = _quantiles(sky[rows])
    return profiles


def _leaks(table: "pa.Table", found: Columns, names: Array, choice: Choice) -> list[dict[str, Any]]:
    """Look for leaks across blocks of the sky, as a study would."""
    import xarray as xr

    from armillary.learn.features import Features
    from armillary.learn.leaks import advise
    from armillary.learn.splits import blocks_of, folds_of
    from armillary.learn.study import Split

    on = ("ra", "dec") if {"ra", "dec"} <= set(table.column_names) else ("source_id",)
    samples = xr.Dataset({one: ("sample", table.column(one).to_numpy()) for one in on if one in table.column_names})
    if len(samples) < len(on) or len(np.unique(names)) < 2:
        return []
    codes = np.unique(names, return_inverse=True)[1].reshape(-1)
    values, _, _ = light_of(table, found)
    titles = tuple(band.name for band in found.bands)
    split = Split(sky_on=on, level=choice.level)
    try:
        folds, blocks = folds_of(samples, split, codes, choice.seed), blocks_of(samples, split)
        findings = advise(samples, Features(values, titles, titles), codes, folds, blocks, "classes", choice.seed, on)
    except (BadParameter, BadData, MissingExtra) as reason:
        return [
            {"kind": "not looked at", "serious": False, "message": f"not looked at: {reason.problem}", "numbers": {}}
        ]
    return [one.to_record() for one in findings]


def _quantiles(values: Array) -> list[float | None]:
    known = values[np.isfinite(values)]
    return np.quantile(known, [0.05, 0.5, 0.95]).round(3).tolist() if known.size else [None, None, None]


def _named(table: "pa.Table", name: str) -> str:
    if name in table.column_names:
        return name
    raise BadParameter(
        f"the labels have no column {name!r}", f"give --class-column, one of {', '.join(table.column_names[:12])}"
    )


def _identifiers(table: "pa.Table", like: str) -> tuple[Array, Array]:
    """Give identifiers as the sources have them, and which there are."""
    name = find_columns(table).names.get("source_id", "")
    if not name:
        raise BadParameter("the labels have no source_id", "match by position: --cone 1")
    cells = table.column(name).to_pylist()
    if like != "i":
        texts = np.array(["" if one is None else str(one) for one in cells])
        return texts, texts != ""
    words = [(str(one).split() or [""])[-1] if one is not None else "" for one in cells]
    known = np.array([word.isdigit() and len(word) < 20 for word in words], bool)
    numbers = [int(word) if good else 0 for word, good in zip(words, known, strict=True)]
    return np.array(numbers, np.int64), known


def _column(table: "pa.Table", name: str) -> Array:
    return np.asarray(table.column(name).to_numpy(), float)


def _position(table: "pa.Table", name: str) -> Array:
    if name not in table.column_names:
        raise BadParameter(f"the labels have no {name}", "match by identifier, or name the columns ra and dec")
    return _column(table, name)


def _label_places(labels: Labels) -> Places:
    if labels.ra is None or labels.dec is None:
        raise BadParameter("the labels have no positions", "match by identifier")
    return Places(labels.ra, labels.dec)


def _places(table: "pa.Table") -> Places:
    missing = [one for one in ("ra", "dec") if one not in table.column_names]
    if missing:
        raise BadParameter(f"the table has no {missing[0]}", "match by identifier: leave --cone out")
    motion = [_column(table, one) if one in table.column_names else None for one in ("pmra", "pmdec")]
    epoch = _column(table, "ref_epoch") if "ref_epoch" in table.column_names else 2016.0
    return Places(_column(table, "ra"), _column(table, "dec"), motion[0], motion[1], epoch)


def _degrees(vectors: Array) -> tuple[Array, Array]:
    x, y, z = vectors.T
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))

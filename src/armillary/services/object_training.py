"""From labels to a study: the labelled sources of a table are written down, and a study of them is made."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.catalogues import Entry, Store
from armillary.errors import BadData, Conflict
from armillary.services.object_tables import ObjectTable
from armillary.services.remote_studies import Asked, check_name

if TYPE_CHECKING:
    from armillary.science.photometry.columns import Columns
    from armillary.services.desk import Desk

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: Fewer sources of a class cannot be learnt and judged.
LEAST: Final = 10
#: Sources that one label takes.
MOST_LABELS: Final = 50_000
#: Blocks of the sky that are wanted, so that held-out ones are apart from the others.
_BLOCKS: Final = 25
_LEVELS: Final = range(2, 12)
_LABEL: Final = "class"
_G: Final = (-5.0, 12.0, 15.0, 17.0, 19.0, 30.0)
_B: Final = (0.0, 10.0, 20.0, 45.0, 90.0)
_MODELS: Final = (
    {"use": "boosting", "options": {"max_iter": 100, "dropout": 0.1, "class_weight": "sqrt"}},
    {"use": "forest", "options": {"n_estimators": 100, "class_weight": "balanced"}},
)
#: Roles of columns that are no measurement of the source.
_NOT_LEARNT: Final = ("source_id", "tmass_ph_qual", "allwise_ph_qual", "cc_flags", "ext_flag")
#: Options of a study of a table that are about its own file.
_OF_FILE: Final = ("label", "keep", "once", "classes", "group", "relabel", "designation", "names")


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of a catalogue for the sources of a table: their rows, and the class of each."""

    rows: Array
    classes: tuple[str, ...]

    def codes(self) -> tuple[list[str], list[int]]:
        """Give the different classes, and the place of each label among them."""
        names = sorted({*self.classes})
        return names, [names.index(one) for one in self.classes]


def labels_of(store: Store, name: str, table: ObjectTable) -> Labels:
    """Find the labels that a catalogue of objects has for sources of a table, by their names.

    Raises
    ------
    UnknownCatalogue
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    known = {one.source_id: one.class_ for one in store.rows(name) if one.source_id and one.class_}
    if not table.identity or not known:
        return Labels(np.empty(0, np.int64), ())
    column = pc.cast(table.data.column(table.identity), pa.string())
    there = pc.is_in(column, value_set=pa.array(list(known), pa.string()))
    rows = np.flatnonzero(there.to_numpy())
    return Labels(rows, tuple(known[one] for one in table.ids(rows)))


def entries_of(table: ObjectTable, rows: Array) -> list[Entry]:
    """Make rows of a catalogue of objects of rows of a table."""
    ra, dec = table.places()
    placed = np.isfinite(ra) & np.isfinite(dec)
    return [
        Entry(
            source_id=name,
            ra=float(ra[row]) % 360 if placed[row] else None,
            dec=float(dec[row]) if placed[row] else None,
        )
        for name, row in zip(table.ids(rows), rows, strict=True)
    ]


def write_training(desk: "Desk", table: ObjectTable, labels: Labels, name: str) -> Path:
    """Write the labelled sources with their class as ``training/NAME.parquet`` of the home, whole or not at all.

    Raises
    ------
    BadData
        If there are fewer than two classes, or too few sources of one.
    Conflict
        If there is such a file of other content in use by a run.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    _check_counts(labels)
    place = desk.home / "training" / f"{check_name(name)}.parquet"
    if (desk.home / "runs" / name / "run.json").exists():
        raise Conflict(f"there is a run {name!r} already", "give another name")
    place.parent.mkdir(parents=True, exist_ok=True)
    data = table.data.take(labels.rows)
    if _LABEL in data.column_names:
        data = data.drop_columns([_LABEL])
    data = data.append_column(_LABEL, pa.array(labels.classes))
    aside = place.with_name(f".{place.name}.{os.getpid()}.part")
    pq.write_table(data, aside)
    aside.replace(place)
    return place


def study_for(desk: "Desk", table: ObjectTable, labels: Labels, name: str, base: Mapping[str, Any] | None) -> Asked:
    """Make a study of the labelled sources: as the study `base` (its record) if there is one, else boosting and forest.

    Blocks of the sky are held out where the table has positions.
    """
    from armillary.learn.study import study_of

    path = write_training(desk, table, labels, name)
    own = _options(table.columns)
    made: Record = {
        "name": name, "title": f"Labels of {table.request.product}", "task": "classes", "calibrate": "auto",
        "choose_by": "macro_f1", "seeds": 1, "resamples": 50,
        "features": [{"use": "photometry", "options": {"tell": _told(table.columns)}}], "models": list(_MODELS),
    }  # fmt: skip
    if base:
        kept = {
            key: base[key] for key in ("task", "calibrate", "choose_by", "features", "models", "prior") if key in base
        }
        given = base["data"]["options"]
        own = {**own, **{key: value for key, value in given.items() if key not in _OF_FILE}}
        made |= kept
    made["data"] = {"layout": "table", "path": path.name, "options": {**own, "label": _LABEL}}
    made["split"] = _split(table, labels)
    made["judged_by"] = _bins(table)
    return Asked(study_of(made), path)


def _check_counts(labels: Labels) -> None:
    counts = Counter(labels.classes)
    if len(counts) < 2:
        raise BadData(f"the labels are of {len(counts)} class", "label sources of two classes or more")
    rare, count = min(counts.items(), key=lambda one: one[1])
    if count < LEAST:
        raise BadData(f"class {rare!r} has {count} labelled sources", f"label at least {LEAST} of each class")


def _options(columns: "Columns") -> Record:
    wanted = [name for role, name in columns.names.items() if role not in _NOT_LEARNT]
    return {"columns": wanted}


def _told(columns: "Columns") -> list[str]:
    """Say what is told of the bands that there are."""
    told = ["colours", "slope"] if any(columns.has(one) for one in ("W2", "W3", "W4")) else ["colours"]
    told += (
        ["excess"] if columns.has("J", "H", "Ks") and any(columns.has(one) for one in ("W1", "W2", "W3", "W4")) else []
    )
    return [*told, "luminosity"] if columns.has("G", "parallax", "parallax_error") else told


def _split(table: ObjectTable, labels: Labels) -> Record:
    """Hold out blocks of the sky, as large as leaves enough of them; at random where nobody knows the places."""
    from armillary.science.healpix import cell_of_sky

    ra, dec = (one[labels.rows] for one in table.places())
    if not (np.isfinite(ra) & np.isfinite(dec)).all():
        return {"random": True, "folds": 5, "stratify_on": "label"}
    level = next((one for one in _LEVELS if _cells(cell_of_sky(ra, dec, one), labels.classes) >= _BLOCKS), _LEVELS[-1])
    return {"sky_on": ["ra", "dec"], "level": level, "folds": 5, "stratify_on": "label"}


def _bins(table: ObjectTable) -> dict[str, list[float]]:
    """Say in which bins completeness and purity are told: of G, and of the distance from the plane of the Milky Way."""
    bins = {table.columns.names["G"]: list(_G)} if table.columns.has("G") else {}
    return bins | ({"abs_b": list(_B)} if {"ra", "dec"} <= {*table.data.column_names} else {})


def _cells(cells: Array, classes: Sequence[str]) -> int:
    """Count the cells that the class of fewest cells has."""
    names = np.array(classes)
    return min(len(np.unique(cells[names == one])) for one in {*classes})

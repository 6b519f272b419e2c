"""Units of the columns of tables: carried from files to samples, and compared with what a run has learnt from."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadData
from armillary.model.kinds import column_unit

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import xarray as xr

    from armillary.learn.study import Study
    from armillary.learn.trained import Run

#: Where a frame keeps the units of its columns, in its ``attrs``.
UNITS: Final = "units"
_MAGNITUDES: Final = frozenset({"mag", "mag(Vega)"})


def frame_of(table: "pa.Table") -> "pd.DataFrame":
    """Give an Arrow table as a frame that knows the units of its columns."""
    return with_units(table.to_pandas(ignore_metadata=True), units_of_schema(table.schema))


def with_units(frame: "pd.DataFrame", units: Mapping[str, str]) -> "pd.DataFrame":
    """Note the units of columns in a frame."""
    frame.attrs[UNITS] = {name: unit for name, unit in units.items() if unit}
    return frame


def units_of_frame(frame: "pd.DataFrame") -> dict[str, str]:
    """Give the units that a frame knows."""
    noted = frame.attrs.get(UNITS, {})
    return {str(name): str(unit) for name, unit in noted.items()} if isinstance(noted, Mapping) else {}


def units_of_schema(schema: "pa.Schema") -> dict[str, str]:
    """Give the units in the fields of an Arrow schema, and those of a frame that was written with them."""
    fields = {field.name: column_unit(field).strip() for field in schema}
    try:
        kept = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("attributes", {}).get(UNITS, {})
    except (ValueError, AttributeError):
        kept = {}
    known = {name: str(unit) for name, unit in kept.items()} if isinstance(kept, dict) else {}
    return known | {name: unit for name, unit in fields.items() if unit}


def units_of_astropy(table: Any) -> dict[str, str]:
    """Give the units of the columns of an astropy table."""
    return {str(name): str(table[name].unit or "") for name in table.colnames}


def units_of_samples(samples: "xr.Dataset") -> dict[str, str]:
    """Give the units of the columns of samples, of those that have one."""
    told = {str(name): str(one.attrs.get("units", "")).strip() for name, one in samples.data_vars.items()}
    return {name: unit for name, unit in told.items() if unit}


def check_units(run: "Run", samples: "xr.Dataset") -> None:
    """Refuse columns in another unit than those that a run has learnt from.

    A column whose unit one of both does not tell is taken as it is, but for a band of a study with the feature
    ``photometry``: without a unit it was a magnitude.

    Raises
    ------
    BadData
        Naming the column and both units.
    """
    units = units_of_samples(samples) if run.study.data.layout == "table" else {}
    if not units:
        return
    learnt: Mapping[str, str] = run.recipe.get("units") or {}
    expected = dict.fromkeys(_bands(run.study, samples), "mag") | dict(learnt)
    for name, unit in units.items():
        if name in expected and not alike(unit, expected[name]):
            problem = f"column {name!r} is in {unit}, and the run has learnt from {expected[name]}"
            raise BadData(problem, f"convert {name!r} to {expected[name]}, or take its unit out if it is wrong")


def alike(one: str, other: str) -> bool:
    """Say whether two units are the same, however they are written.

    Examples
    --------
    >>> alike("mas/yr", "mas.yr**-1"), alike("mag(Vega)", "mag"), alike("mJy", "mag"), alike("mJy", "Jy")
    (True, True, False, False)
    """
    if one == other or {one, other} <= _MAGNITUDES:
        return True
    from astropy import units

    read = [units.Unit(text.replace("**", "^"), parse_strict="silent") for text in (one, other)]
    return not any(isinstance(unit, units.UnrecognizedUnit) for unit in read) and bool(read[0] == read[1])


def _bands(study: "Study", samples: "xr.Dataset") -> list[str]:
    """Give the columns of magnitudes that the photometry of a study finds."""
    from armillary.science.photometry.columns import find_columns

    found: list[str] = []
    for step in study.features:
        if step.use == "photometry":
            columns = find_columns(samples, dict(step.options.get("columns") or {}))
            found += [columns.names[band.name] for band in columns.bands]
    return found

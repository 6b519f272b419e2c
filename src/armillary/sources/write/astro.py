"""Saving as FITS tables for astronomers; blocks are joined first."""

import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import CannotWrite
from armillary.model.kinds import table_attrs
from armillary.sources.write.blocks import Blocks, joined
from armillary.sources.write.rows import layout, rows
from armillary.sources.write.variables import Array, Variable, ascii_text, fill_value, json_text, program, variables

if TYPE_CHECKING:
    import pyarrow as pa
    from astropy.io import fits

#: Where the attributes of data go in a FITS header; the others stand together as JSON in ARMATTRS.
_CARDS: Final = {
    "title": "TITLE",
    "citation": "REFERENC",
    "licence": "LICENCE",
    "source": "ORIGIN",
    "armillary_request": "ARMREQ",
    "armillary_lineage": "ARMLINE",
}
_FITS_TYPES: Final = {"i1": "I", "i2": "I", "i4": "J", "i8": "K", "u1": "B", "u2": "J", "u4": "K", "f4": "E", "f8": "D"}
#: FITS has neither signed bytes nor these unsigned integers: the next wider type holds them.
_FITS_WIDER: Final = {"i1": "i2", "b1": "i2", "u2": "i4", "u4": "i8"}
_TIME_LENGTH: Final = len("2000-01-01T00:00:00.000000000")


def save_fits(blocks: Blocks, aside: Path) -> None:
    """Save data as one FITS file with a BINTABLE.

    Times are ISO 8601 texts with nanoseconds in UTC (``TIMESYS``), as the FITS standard writes them: without ``Z``.
    Missing integers are TNULL. Texts are ASCII; other signs are written as escapes. Attributes are header cards, those
    without a card of their own as JSON under ``ARMATTRS``.

    Parameters
    ----------
    blocks : Blocks
        Tables, series or spectrograms; they are joined in memory.
    aside : Path
        File to make.

    Raises
    ------
    CannotWrite
        For distributions and images.
    """
    from astropy.io import fits

    table = _one_table(blocks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        columns = _columns(table)
        unit = fits.BinTableHDU.from_columns([_fits_column(one) for one in columns])
        _fits_header(unit.header, table, columns)
        fits.HDUList([fits.PrimaryHDU(), unit]).writeto(aside, checksum=True)


def _one_table(blocks: Blocks) -> "pa.Table":
    import pyarrow as pa
    import xarray as xr

    data = joined(blocks)
    if isinstance(data, xr.Dataset) and len(layout(data).dims) > 1:
        shapes = ", ".join(f"{name}{one.dims}" for name, one in list(data.data_vars.items())[:3])
        raise CannotWrite(f"a FITS table cannot hold such data: {shapes}", "save them as .nc, .zarr, .cdf or .parquet")
    return pa.concat_tables(list(rows(data)))


def _columns(table: "pa.Table") -> list[Variable]:
    """Give the columns in the table's own order."""
    found = {one.name: one for one in variables(table)}
    return [found[name] for name in table.column_names]


def _iso(values: Array) -> Array:
    """Write times as FITS and VOTable want them; NaT as nothing."""
    texts = np.datetime_as_string(values, unit="ns")
    return np.where(np.isnat(values), "", texts)


def _unit(text: str, form: str) -> str | None:
    """Write a unit as the standard of the format wants; one that is not understood stays as it is."""
    from astropy import units

    if not text:
        return None
    try:
        return str(units.Unit(text).to_string(form))
    except (ValueError, TypeError):
        return text


def _code(values: Array) -> str:
    return f"{values.dtype.kind}{values.dtype.itemsize}"


def _fits_column(one: Variable) -> "fits.Column":
    from astropy.io import fits

    unit = ascii_text(_unit(str(one.attrs.get("units", "")), "fits") or "") or None
    values, kind, missing = one.values, one.values.dtype.kind, one.missing
    if kind == "M":
        return fits.Column(one.name, f"{_TIME_LENGTH}A", array=_iso(values).astype(f"S{_TIME_LENGTH}"))
    if kind == "O":
        texts = np.array([ascii_text(text).encode() for text in values], np.bytes_)
        return fits.Column(one.name, f"{max(texts.dtype.itemsize, 1)}A", unit, array=texts)
    if kind == "b" and missing is None:
        return fits.Column(one.name, "L", unit, array=values)
    if values.dtype == np.uint64:
        return fits.Column(one.name, "K", unit, bzero=2**63, array=values)
    values = values.astype(_FITS_WIDER.get(_code(values), values.dtype))
    null = None
    if missing is not None and missing.any():
        null = fill_value(values.dtype)
        values = np.where(missing, values.dtype.type(null), values)
    return fits.Column(one.name, _FITS_TYPES[_code(values)], unit, null, array=values)


def _fits_header(header: "fits.Header", table: "pa.Table", columns: list[Variable]) -> None:
    attrs = table_attrs(table)
    header["EXTNAME"] = "DATA"
    for number, one in enumerate(columns, 1):
        _describe(header, number, one)
    if any(one.values.dtype.kind == "M" for one in columns):
        header["TIMESYS"] = ("UTC", "time scale of the columns with ISO 8601 times")
    for name, card in _CARDS.items():
        if attrs.get(name):
            text = attrs[name] if isinstance(attrs[name], str) else json_text(attrs[name])
            header[card] = ascii_text(text)
    rest = {name: value for name, value in attrs.items() if name not in _CARDS}
    if rest:
        header["ARMATTRS"] = json_text(rest)
    header["CREATOR"] = program()
    header["DATE"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    header["HISTORY"] = f"saved by {program()}"


def _describe(header: "fits.Header", number: int, one: Variable) -> None:
    """Write what FITS has no own word for: description and UCD, as many archives do."""
    for key, text in (("TCOMM", one.attrs.get("long_name")), ("TUCD", one.attrs.get("ucd"))):
        if text:
            header[f"{key}{number}"] = ascii_text(str(text))

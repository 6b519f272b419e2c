"""Saving as tables for astronomers: VOTable 1.4 and FITS; blocks are joined first."""

import re
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
    from astropy.io.votable.tree import Field, TableElement, VOTableFile

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
_VO_TYPES: Final = {
    "b1": "boolean",
    "i1": "short",
    "i2": "short",
    "i4": "int",
    "i8": "long",
    "u1": "unsignedByte",
    "u2": "int",
    "u4": "long",
    "u8": "double",
    "f4": "float",
    "f8": "double",
}
_VERSION: Final = {f"version_1_{number}_or_later": True for number in range(1, 5)} | {"verify": "ignore"}
_TIME_LENGTH: Final = len("2000-01-01T00:00:00.000000000")


def save_votable(blocks: Blocks, aside: Path) -> None:
    """Save data as one VOTable 1.4, its values in BINARY2: exact, with missing values.

    Fields carry unit, UCD and description; attributes are INFO elements. Times are ISO 8601 texts with nanoseconds and
    ``xtype="timestamp"``, and refer to a TIMESYS that says UTC.

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
    table = _one_table(blocks, "VOTable")
    with warnings.catch_warnings():
        # Units and UCDs of archives need not be those of the standard; they are kept as they are.
        warnings.simplefilter("ignore")
        _votable(table).to_xml(str(aside), tabledata_format="binary2")


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

    table = _one_table(blocks, "FITS table")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        columns = _columns(table)
        unit = fits.BinTableHDU.from_columns([_fits_column(one) for one in columns])
        _fits_header(unit.header, table, columns)
        fits.HDUList([fits.PrimaryHDU(), unit]).writeto(aside, checksum=True)


def _one_table(blocks: Blocks, what: str) -> "pa.Table":
    import pyarrow as pa
    import xarray as xr

    data = joined(blocks)
    if isinstance(data, xr.Dataset) and len(layout(data).dims) > 1:
        shapes = ", ".join(f"{name}{one.dims}" for name, one in list(data.data_vars.items())[:3])
        raise CannotWrite(f"a {what} cannot hold such data: {shapes}", "save them as .nc, .zarr, .cdf or .parquet")
    return pa.concat_tables(list(rows(data)))


def _columns(table: "pa.Table") -> list[Variable]:
    """Give the columns in the table's own order."""
    found = {one.name: one for one in variables(table)}
    return [found[name] for name in table.column_names]


def _iso(values: Array) -> Array:
    """Write times as FITS and VOTable want them; NaT as nothing."""
    texts = np.datetime_as_string(values, unit="ns")
    return np.where(np.isnat(values), "", texts)


def _votable(table: "pa.Table") -> "VOTableFile":
    from astropy.io.votable import tree

    votable = tree.VOTableFile(version="1.4", config={"verify": "ignore"})
    resource = tree.Resource(type="results")
    votable.resources.append(resource)
    attrs = table_attrs(table)
    resource.description = str(attrs.get("title") or "Data saved by Armillary")
    for name, value in {**attrs, "saved_by": program()}.items():
        text = value if isinstance(value, str) else json_text(value)
        resource.infos.append(tree.Info(ID=f"info_{len(resource.infos)}", name=name, value=text))
    resource.time_systems.append(
        tree.TimeSys(ID="scale_utc", timescale="UTC", refposition="UNKNOWN", config=dict(_VERSION))
    )
    made = tree.TableElement(votable, ID="table_1", name="data", config=dict(_VERSION))
    resource.tables.append(made)
    _fill_votable(votable, made, table)
    return votable


def _fill_votable(votable: "VOTableFile", made: "TableElement", table: "pa.Table") -> None:
    columns = _columns(table)
    taken = {"table_1", "scale_utc"}
    for one in columns:
        made.fields.append(_field(votable, one, _identifier(one.name, taken)))
    made.create_arrays(table.num_rows)
    for field, one in zip(made.fields, columns, strict=True):
        made.array[field.ID] = _iso(one.values) if one.values.dtype.kind == "M" else one.values
        if one.missing is not None:
            made.array.mask[field.ID] = one.missing


def _identifier(name: str, taken: set[str]) -> str:
    """Make an XML identifier close to the name; `taken` gets it."""
    stem = re.sub(r"\W", "_", name, flags=re.ASCII)
    stem = stem if stem[:1].isalpha() else f"_{stem}"
    found = next(word for word in (stem, *(f"{stem}_{n}" for n in range(2, len(taken) + 3))) if word not in taken)
    taken.add(found)
    return found


def _unit(text: str, form: str) -> str | None:
    """Write a unit as the standard of the format wants; one that is not understood stays as it is."""
    from astropy import units

    if not text:
        return None
    try:
        return str(units.Unit(text).to_string(form))
    except (ValueError, TypeError):
        return text


def _field(votable: "VOTableFile", one: Variable, identifier: str) -> "Field":
    from astropy.io.votable.tree import Field

    kind = one.values.dtype.kind
    attrs = {"ucd": one.attrs.get("ucd") or None, "unit": _unit(str(one.attrs.get("units", "")), "vounit")}
    if kind == "M":
        attrs |= {"datatype": "char", "arraysize": "*", "xtype": "timestamp", "ref": "scale_utc", "unit": None}
    elif kind == "O":
        attrs |= {"datatype": "unicodeChar", "arraysize": "*"}
    else:
        attrs |= {"datatype": _VO_TYPES[_code(one.values)]}
    field = Field(votable, ID=identifier, name=one.name, config=dict(_VERSION), **attrs)
    field.description = str(one.attrs.get("long_name") or "") or None
    return field


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

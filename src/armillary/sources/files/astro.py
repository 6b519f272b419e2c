"""FITS tables and images, VOTables and ECSV, by astropy."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, DamagedFile
from armillary.model import Data, Extent, Progress
from armillary.model.kinds import column
from armillary.science.trim import trim
from armillary.sources.files import rows
from armillary.sources.files.damage import named
from armillary.sources.files.instants import decode
from armillary.sources.files.summary import Summary, Variable

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

_SELECTS: Final = {"sources": ("box", "cone", "where"), "events": ("time", "where")}
_IMAGE: Final = "image:"


def describe(path: Path) -> Summary:
    """Say which tables and images a file holds.

    Raises
    ------
    DamagedFile
        If it cannot be parsed, or is cut short.
    BadData
        If it holds neither a table nor an image of two or three dimensions.
    """
    with named(path):
        tables = _tables(path)
        found = [_describe_table(path, name, table, len(tables)) for name, table in tables.items()]
        images = _images(path)
    if not found and not images:
        raise BadData(f"{path.name} holds neither a table nor an image", "leave it: there is nothing to show")
    variables = tuple(one for summary in found for one in summary.variables)
    spans = [summary.coverage for summary in found]
    alone = found[0] if len(found) == 1 and not images else None
    return Summary(
        format="FITS" if _is_fits(path) else "ECSV" if path.suffix.lower() == ".ecsv" else "VOTable",
        variables=variables + tuple(images),
        title=alone.title if alone else "",
        coverage=alone.coverage if alone else None if None in spans else (spans[0] if len(spans) == 1 else None),
        selects=alone.selects if alone else ("time",) if not images else (),
    )


def read(path: Path, variable: str, extent: Extent, progress: Progress) -> Data:
    """Read a table, a column of a table with times, or an image.

    Notes
    -----
    O(size of the table), which is in memory as a whole: astropy reads VOTables so.
    """
    progress(0.1, path.name)
    with named(path):
        if variable.startswith(_IMAGE):
            return _image(path, int(variable.removeprefix(_IMAGE)))
        tables = _tables(path)
    name, _, inner = variable.partition("/") if len(tables) > 1 else (next(iter(tables), ""), "", variable)
    if name not in tables:
        raise DamagedFile(f"{path.name} has no table {name!r} any more", "index its folder again")
    progress(0.6, path.name)
    plan = rows.layout(tables[name])
    table = rows.tidy(tables[name], plan)
    return rows.series(trim(table, extent.only("time")), inner) if inner else trim(table, extent)


def _describe_table(path: Path, name: str, table: "pa.Table", count: int) -> Summary:
    plan = rows.layout(table)
    tidy = rows.tidy(table, plan)
    tally = rows.tally(tidy, plan)
    prefix = name if count > 1 else ""
    title = str((table.schema.metadata or {}).get(b"title", b"").decode()) or name or path.name
    variables = tuple(
        replace(one, name="/".join(part for part in (prefix, one.name) if part))
        for one in rows.variables(tidy, title, tally, plan)
    )
    selects = _SELECTS.get(plan.kind, ("time", "where") if plan.timed else ("where",))
    return Summary(format="", variables=variables, title=title, coverage=tally.coverage, selects=selects)


def _tables(path: Path) -> "dict[str, pa.Table]":
    """Give every table with rows and columns, by name."""
    if _is_fits(path):
        pairs = list(_fits_tables(path))
    elif path.suffix.lower() == ".ecsv":
        pairs = [("", _ecsv(path))]
    else:
        pairs = list(_votables(path))
    found: dict[str, pa.Table] = {}
    for name, table in pairs:
        clean = re.sub(r"[/\\]", "-", name).strip() or "table"
        found[clean if clean not in found else f"{clean}~{len(found) + 1}"] = table
    return {name: table for name, table in found.items() if table.num_columns}


def _fits_tables(path: Path) -> "Iterator[tuple[str, pa.Table]]":
    from astropy.io import fits
    from astropy.table import Table

    with fits.open(path, memmap=not path.name.endswith(".gz"), lazy_load_hdus=False) as units:
        for number, unit in enumerate(units):
            if isinstance(unit, fits.BinTableHDU | fits.TableHDU) and not isinstance(unit, fits.CompImageHDU):
                table = Table.read(unit, unit_parse_strict="silent")
                descriptions = {name: _comment(unit.header, name, unit.columns.names) for name in table.colnames}
                yield unit.name or f"table{number}", _to_arrow(table, descriptions, unit.header)


def _comment(header: Any, name: str, names: list[str]) -> str:
    text = str(header.comments[f"TTYPE{names.index(name) + 1}"])
    return "" if re.match(r"(label|name|data format) ", text, re.IGNORECASE) else text


def _ecsv(path: Path) -> "pa.Table":
    from astropy.table import Table

    return _to_arrow(Table.read(path, format="ascii.ecsv"), {}, {})


def _votables(path: Path) -> "Iterator[tuple[str, pa.Table]]":
    from astropy.io.votable import parse

    document = parse(str(path), verify="ignore", invalid="mask", unit_format="vounit")
    for number, one in enumerate(document.iter_tables()):
        if not one.is_empty():
            title = _first_line(one.description or one.name or document.description)
            yield (
                one.name or one.ID or f"table{number}",
                _to_arrow(one.to_table(use_names_over_ids=True), {}, {}, title),
            )


def _to_arrow(table: Any, descriptions: dict[str, str], header: Any, title: str = "") -> "pa.Table":
    import pyarrow as pa

    fields, values = [], []
    for name in table.colnames:
        one = table[name]
        array = _array(one, _reference(header, name))
        unit = "" if getattr(one, "unit", None) is None else str(one.unit)
        told = descriptions.get(name) or getattr(one.info, "description", None) or ""
        field = column(name, array.type, unit, _first_line(told))
        ucd = (one.info.meta or {}).get("ucd")
        fields.append(field.with_metadata({**field.metadata, b"ucd": str(ucd)}) if ucd else field)
        values.append(array)
    return pa.Table.from_arrays(values, schema=pa.schema(fields, {"title": title}))


def _array(one: Any, reference: float | None) -> "pa.Array":
    """Turn an astropy column into Arrow: native octets, missing as null, vectors as lists, texts as UTF-8."""
    import pyarrow as pa

    if hasattr(one, "isot"):  # a Time column
        return pa.array(np.asarray(one.utc.datetime64, "datetime64[ns]"))
    mask = np.ma.getmaskarray(one) if np.ma.isMaskedArray(one) else None
    data = np.asarray(np.ma.getdata(one) if mask is not None else getattr(one, "value", one))
    if data.ndim > 1:
        return pa.array([None if np.all(row) else list(cell) for row, cell in _vectors(data, mask)])
    if data.dtype.kind in "SUO":
        gone = mask if mask is not None else np.zeros(data.shape, bool)
        if any(isinstance(value, np.ndarray) for value in data[:100]):
            return _ragged(data, gone)
        return pa.array([None if off else _plain(value) for value, off in zip(data.tolist(), gone, strict=True)])
    if reference is not None and data.dtype.kind == "f":
        times = decode(data.astype(float) + reference, "mjd", "mjd")
        if times is not None:
            return pa.array(times)
    data = np.ascontiguousarray(data.astype(data.dtype.newbyteorder("=")))
    return pa.array(data, mask=mask if mask is not None and mask.any() else None)


def _vectors(data: "np.ndarray[Any, Any]", mask: "np.ndarray[Any, Any] | None") -> Iterator[tuple[Any, Any]]:
    flat = data.reshape(data.shape[0], -1)
    flat = flat.astype(flat.dtype.newbyteorder("="))
    gone = mask.reshape(flat.shape) if mask is not None else np.zeros((flat.shape[0], 1), bool)
    return zip(gone, flat, strict=True)


def _ragged(data: "np.ndarray[Any, Any]", gone: "np.ndarray[Any, Any]") -> "pa.Array":
    """Turn vectors of unequal length into lists, their masked elements into nulls."""
    import pyarrow as pa

    rows = [
        None if np.all(off) else np.ma.asarray(value).ravel().tolist() for value, off in zip(data, gone, strict=True)
    ]
    return pa.array(rows)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").rstrip()
    return value if value is None else str(value).rstrip()


def _reference(header: Any, name: str) -> float | None:
    """Give the MJD that a FITS column TIME counts days from, if the header says so (FITS standard 4.0, section 9)."""
    if name.upper() != "TIME" or ("MJDREFI" not in header and "MJDREF" not in header):
        return None
    if str(header.get("TIMEUNIT", "s")).strip() not in {"d", "day", "days"}:
        return None
    return float(header.get("MJDREF", header.get("MJDREFI", 0.0) + header.get("MJDREFF", 0.0)))


def _images(path: Path) -> list[Variable]:
    if not _is_fits(path):
        return []
    from astropy.io import fits

    with fits.open(path, lazy_load_hdus=False) as units:
        return [
            Variable(
                name=f"{_IMAGE}{number}",
                title=unit.name or f"image {number}",
                kind="raster",
                units=str(unit.header.get("BUNIT", "")),
                rows=unit.shape[-2],
                row_bytes=abs(unit.header["BITPIX"]) // 8 * int(np.prod(unit.shape)) // max(1, unit.shape[-2]),
            )
            for number, unit in enumerate(units)
            if unit.is_image and len(unit.shape) in {2, 3} and 0 not in unit.shape
        ]


def _image(path: Path, number: int) -> "xr.Dataset":
    """Read an image; its coordinates are pixels (from 0), its sky coordinates stay in ``wcs`` as FITS cards."""
    import xarray as xr
    from astropy.io import fits

    with fits.open(path) as units:
        if number >= len(units) or units[number].data is None:
            raise DamagedFile(f"{path.name} has no image {number} any more", "index its folder again")
        unit = units[number]
        data = np.ascontiguousarray(unit.data.astype(unit.data.dtype.newbyteorder("=")))
        cards = "\n".join(
            str(card).strip()
            for card in unit.header.cards
            if re.match(r"C(TYPE|RPIX|RVAL|DELT|UNIT|D\d)", card.keyword)
        )
        attrs = {"units": str(unit.header.get("BUNIT", "")), "long_name": unit.name or f"image {number}"}
    dims = ("band", "y", "x")[-data.ndim :]
    axes = {dim: np.arange(size, dtype=float) for dim, size in zip(dims, data.shape, strict=True)}
    note = "pixel numbers from 0; the sky coordinates are in wcs"
    return xr.Dataset({"image": (dims, data, attrs)}, axes, {"crs": "", "wcs": cards, "coordinates_note": note})


def _is_fits(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(9)
    return head == b"SIMPLE  =" or (head.startswith(b"\x1f\x8b") and ".fits" in path.name.lower())


def _first_line(text: Any) -> str:
    lines = [line.strip() for line in str(text or "").splitlines() if line.strip()]
    return lines[0][:200] if lines else ""

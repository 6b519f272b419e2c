"""Saving as netCDF-4, by the CF conventions 1.11; block after block."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.sources.write.blocks import Blocks
from armillary.sources.write.variables import (
    Array,
    Variable,
    attributes,
    cf_encoded,
    fill_value,
    program,
    simple,
    variables,
)

if TYPE_CHECKING:
    from types import TracebackType

    import h5netcdf

    from armillary.model import Data

#: Names that the format itself uses; a source's own would break the file.
RESERVED: Final = frozenset(
    {
        *("_FillValue", "missing_value", "scale_factor", "add_offset", "dtype", "coordinates", "grid_mapping"),
        *("_NCProperties", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_nc3_strict"),
        *("CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST"),
    }
)
#: Bytes of one chunk, before compression.
CHUNK_BYTES: Final = 1 << 20
_LEAST_ROWS: Final = 1024


def save(blocks: Blocks, aside: Path) -> None:
    """Save blocks as one netCDF-4 file; only one block is in memory at a time.

    Parameters
    ----------
    blocks : Blocks
        Datasets or tables; the dimension they grow along is unlimited in the file.
    aside : Path
        File to make.

    Raises
    ------
    BadData
        If a later block has another shape, or another value of what does not grow.
    """
    import h5netcdf

    with _Steady(aside) as disk, h5netcdf.File(disk, "w") as file:
        file.attrs.update(global_attributes(blocks.first))
        size = 0
        gaps: set[str] = set()
        for block in blocks:
            found = [cf_encoded(one) for one in with_grid_mapping(block)]
            if not size and not file.variables:
                _create(file, found, blocks.along)
            size = _append(file, found, blocks.along, size)
            disk.check()
            gaps |= {one.name for one in found if one.missing is not None and one.missing.any()}
        _finish(file, gaps)


class _Steady(io.FileIO):
    """A file that never fails towards HDF5: the library may end the process if a disk is full.

    The first error is kept and raised by `check`, and at the end; from then on writing does nothing.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.broken: OSError | None = None

    def write(self, data: Any) -> int:
        wanted = memoryview(data).cast("B")
        try:
            done = 0
            while self.broken is None and done < len(wanted):
                done += super().write(wanted[done:]) or 0
        except OSError as broken:
            self.broken = broken
        return len(wanted)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size) if self.broken is None else 0
        except OSError as broken:
            self.broken = broken
            return 0

    def check(self) -> None:
        """Raise the error that was kept."""
        if self.broken is not None:
            raise self.broken

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        super().__exit__(kind, error, trace)
        self.check()


def global_attributes(data: "Data") -> dict[str, Any]:
    """Give the attributes of the whole file, with CF's ``Conventions`` and one line of history."""
    attrs = {name: value for name, value in simple(attributes(data)).items() if name not in RESERVED}
    line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} saved by {program()}"
    before = attrs.get("history")
    return attrs | {"Conventions": "CF-1.11", "history": f"{before}\n{line}" if before else line}


def with_grid_mapping(data: "Data") -> list[Variable]:
    """Give the variables with CF's attributes between them: ``coordinates`` and, for maps, ``grid_mapping``."""
    found = variables(data)
    names = {one.name for one in found}
    crs = attributes(data).get("crs")
    mapped = bool(crs) and "spatial_ref" not in names
    extra = [_grid_mapping(str(crs))] if mapped else []
    return [Variable(**_parts(one, found, mapped=mapped)) for one in found] + extra


def variable_attributes(one: Variable) -> dict[str, Any]:
    """Give a variable's attributes without those that the format itself uses."""
    names = ["coordinates", "grid_mapping"] + ["dtype"] * (one.attrs.get("dtype") == "bool")
    ours = {name: one.attrs[name] for name in names if name in one.attrs}
    return {name: value for name, value in simple(one.attrs).items() if name not in RESERVED} | ours


def chunk_shape(one: Variable, along: str) -> tuple[int, ...]:
    """Give chunks of about one megabyte: whole in every dimension but the one that grows."""
    sizes = [max(size, 1) for size in one.values.shape]
    if along not in one.dims:
        return tuple(sizes)
    axis = one.dims.index(along)
    row = max(int(np.prod(sizes)) // sizes[axis] * max(one.values.dtype.itemsize, 1), 1)
    sizes[axis] = max(min(CHUNK_BYTES // row, max(sizes[axis], _LEAST_ROWS)), 1)
    return tuple(sizes)


def check_same(before: Array, one: Variable) -> None:
    """Refuse a block in which something differs that does not grow.

    Raises
    ------
    BadData
    """
    if not np.array_equal(before, one.values, equal_nan=one.values.dtype.kind == "f"):
        hint = "save the blocks to several files, or choose .cdf or .fits, which join them first"
        raise BadData(f"the blocks differ in {one.name!r}, which does not change along them", hint)


def check_shape(name: str, before: tuple[int, ...], values: Array, axis: int) -> None:
    """Refuse a block whose variable does not fit behind the others.

    Raises
    ------
    BadData
    """
    if len(before) != values.ndim or any(before[n] != values.shape[n] for n in range(values.ndim) if n != axis):
        raise BadData(f"the blocks differ in the shape of {name!r}: {before} and {values.shape}", "ask for less time")


def _parts(one: Variable, found: list[Variable], *, mapped: bool) -> dict[str, Any]:
    attrs = dict(one.attrs)
    attrs.pop("coordinates", None)
    others = [
        other.name
        for other in found
        if other.coordinate and (other.name,) != other.dims and set(other.dims) <= set(one.dims)
    ]
    if others and not one.coordinate:
        attrs["coordinates"] = " ".join(others)
    if mapped and {"y", "x"} <= set(one.dims):
        attrs["grid_mapping"] = "spatial_ref"
    return {name: getattr(one, name) for name in ("name", "dims", "values", "missing", "coordinate")} | {"attrs": attrs}


def _grid_mapping(crs: str) -> Variable:
    from pyproj import CRS

    return Variable("spatial_ref", (), np.zeros((), np.int32), {"units": "", **CRS.from_user_input(crs).to_cf()})


def _create(file: "h5netcdf.File", found: list[Variable], along: str) -> None:
    sizes = {dim: size for one in found for dim, size in zip(one.dims, one.values.shape, strict=True)}
    file.dimensions = {legal(dim): None if dim == along or not size else size for dim, size in sizes.items()}
    for one in found:
        _create_variable(file, one, along)


def _create_variable(file: "h5netcdf.File", one: Variable, along: str) -> None:
    import h5py

    text = one.values.dtype.kind == "O"
    options: dict[str, Any] = {} if text or not one.dims else {"compression": "gzip", "compression_opts": 1}
    if one.dims:
        options |= {"chunks": chunk_shape(one, along)}
    if one.values.dtype.kind == "f":
        options["fillvalue"] = one.values.dtype.type(np.nan)
    dtype = h5py.string_dtype() if text else one.values.dtype
    dims = tuple(legal(dim) for dim in one.dims)
    made = file.create_variable(legal(one.name), dims, dtype, **options)
    made.attrs.update(variable_attributes(one))
    if along not in one.dims:
        made[...] = one.values


def _append(file: "h5netcdf.File", found: list[Variable], along: str, size: int) -> int:
    """Write one block behind the others and give the new size."""
    grown = next((one.values.shape[one.dims.index(along)] for one in found if along in one.dims), 0)
    if grown:
        file.resize_dimension(legal(along), size + grown)
    for one in found:
        made = file.variables[legal(one.name)]
        if along not in one.dims:
            _compare(made, one)
        elif grown:
            axis = one.dims.index(along)
            check_shape(one.name, made.shape, one.values, axis)
            where = [slice(None)] * one.values.ndim
            where[axis] = slice(size, size + grown)
            made[tuple(where)] = one.values
    return size + grown


def _compare(made: "h5netcdf.Variable", one: Variable) -> None:
    if one.values.dtype.kind != "O":
        check_same(made[...], one)


def _finish(file: "h5netcdf.File", gaps: set[str]) -> None:
    """Name the value of missing integers only where some are missing: readers turn such variables into floats."""
    for name in gaps:
        made = file.variables[legal(name)]
        if "dtype" in made.attrs:
            del made.attrs["dtype"]
        made.attrs["_FillValue"] = made.dtype.type(fill_value(made.dtype))


def legal(name: str) -> str:
    """Give a name that netCDF and Zarr allow: a slash would make a group."""
    return name.replace("/", "_")

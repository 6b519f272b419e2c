"""Saving as a Zarr store, format 3, block after block."""

import warnings
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.sources.write.blocks import Blocks
from armillary.sources.write.netcdf import (
    check_same,
    check_shape,
    chunk_shape,
    global_attributes,
    legal,
    variable_attributes,
    with_grid_mapping,
)
from armillary.sources.write.variables import Variable, cf_encoded, fill_value

if TYPE_CHECKING:
    import zarr


def save(blocks: Blocks, aside: Path) -> None:
    """Save blocks as one Zarr store, with consolidated metadata; only one block is in memory at a time.

    Values and attributes are those of our netCDF files, so that `xarray.open_zarr` gives the same dataset.

    Parameters
    ----------
    blocks : Blocks
        Datasets or tables.
    aside : Path
        Folder to make.

    Raises
    ------
    BadData
        If a later block has another shape, or another value of what does not grow.
    """
    import zarr

    with warnings.catch_warnings():
        # Texts and consolidated metadata are extensions of the format that every reader of today knows.
        warnings.simplefilter("ignore")
        group = zarr.create_group(aside, zarr_format=3, attributes=global_attributes(blocks.first))
        size = 0
        for number, block in enumerate(blocks):
            found = [cf_encoded(one) for one in with_grid_mapping(block)]
            if not number:
                for one in found:
                    _create(group, one, blocks.along)
            size = _append(group, found, blocks.along, size)
        zarr.consolidate_metadata(group.store)


def _create(group: "zarr.Group", one: Variable, along: str) -> None:
    shape = tuple(0 if dim == along else size for dim, size in zip(one.dims, one.values.shape, strict=True))
    kind = one.values.dtype.kind
    made = group.create_array(
        legal(one.name),
        shape=shape,
        chunks=chunk_shape(one, along),
        dtype="string" if kind == "O" else one.values.dtype,
        fill_value=np.nan if kind == "f" else None,
        dimension_names=[legal(dim) for dim in one.dims],
        attributes=variable_attributes(one),
    )
    if along not in one.dims:
        made[...] = one.values


def _append(group: "zarr.Group", found: list[Variable], along: str, size: int) -> int:
    """Write one block behind the others and give the new size."""
    grown = next((one.values.shape[one.dims.index(along)] for one in found if along in one.dims), 0)
    for one in found:
        made: Any = group[legal(one.name)]
        if along in one.dims:
            _extend(made, one, one.dims.index(along), size)
        elif one.values.dtype.kind != "O":
            check_same(np.asarray(made[...]), one)
        if one.missing is not None and one.missing.any():
            _name_gaps(made)
    return size + grown


def _name_gaps(made: "zarr.Array[Any]") -> None:
    """Name the value of missing integers only where some are missing: readers turn such variables into floats."""
    attrs = {name: value for name, value in made.attrs.asdict().items() if name != "dtype"}
    made.attrs.put(attrs | {"_FillValue": fill_value(made.dtype)})


def _extend(made: "zarr.Array[Any]", one: Variable, axis: int, size: int) -> None:
    """Write values behind the others, chunk after chunk: of many at once, some would go on after one has failed."""
    check_shape(one.name, made.shape, one.values, axis)
    grown, rows = one.values.shape[axis], made.chunks[axis]
    made.resize((*made.shape[:axis], size + grown, *made.shape[axis + 1 :]))
    # Zarr gives up at the first error but leaves its other writers running: they would fill a folder just removed.
    edges = dict.fromkeys((size, *range((size // rows + 1) * rows, size + grown, rows), size + grown))
    for start, stop in pairwise(edges):
        there, here = (_along(axis, one.values.ndim, start - gone, stop - gone) for gone in (0, size))
        made[there] = one.values[here]


def _along(axis: int, ndim: int, start: int, stop: int) -> tuple[slice, ...]:
    return tuple(slice(start, stop) if one == axis else slice(None) for one in range(ndim))

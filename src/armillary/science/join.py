"""Pieces of one product into one: consecutive in time for datasets, row after row for tables."""

from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.errors import BadData
from armillary.model.kinds import table_attrs, with_table_attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    import xarray as xr

    from armillary.model import Data

_HINT = "ask for the pieces one by one, over shorter intervals"


def join(pieces: "Sequence[Data]") -> "Data":
    """Join pieces of the same product, in time order and without doubling a sample.

    Parameters
    ----------
    pieces : sequence of Dataset, or of Table
        At least one. Coordinates without ``time`` that differ between pieces become time-varying; a dimension that
        differs in length is filled up with NaN; a variable that a piece lacks is NaN there. Attributes that differ (the
        name of the file, say) are left out; of tables those of the first stay, and what is in ``counts`` is added up.

    Returns
    -------
    Dataset or Table
        Samples of a later piece at times that an earlier piece already has are dropped. Equal times within one piece
        are kept: packets may share a clock tick.

    Raises
    ------
    BadData
        If the pieces cannot be joined: mixed values, or unequal structures without a missing value.

    Notes
    -----
    O(n log n) at worst, O(n) for pieces in order. Memory: the result, once more.
    """
    import xarray as xr

    if not pieces:
        raise BadData("there is nothing to join", "give at least one piece")
    if all(isinstance(piece, xr.Dataset) for piece in pieces):
        return _join_datasets([piece for piece in pieces if isinstance(piece, xr.Dataset)])
    if any(isinstance(piece, xr.Dataset) for piece in pieces):
        raise BadData("datasets and tables cannot be joined", _HINT)
    return _join_tables(pieces)


def stack_lines(pieces: "Sequence[xr.Dataset]") -> "xr.Dataset":
    """Put strips of an image under each other, in the order given."""
    import xarray as xr

    if len(pieces) == 1:
        return pieces[0]
    return xr.concat(pieces, "y", data_vars="minimal", coords="minimal", compat="override", join="exact")


def _join_tables(pieces: "Sequence[Data]") -> "pa.Table":
    import pyarrow as pa

    try:
        joined = pa.concat_tables(pieces, promote_options="default")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as broken:
        raise BadData(f"the tables differ: {broken}", _HINT) from None
    joined = joined.replace_schema_metadata(pieces[0].schema.metadata)
    counts = [table_attrs(piece).get("counts") for piece in pieces]
    if not all(isinstance(one, dict) for one in counts):
        return joined
    return with_table_attrs(joined, {**table_attrs(joined), "counts": _summed(counts)})


def _summed(counts: "list[Any]") -> dict[str, Any]:
    """Add up what each piece counted among its rows."""
    names = dict.fromkeys(name for one in counts for name in one)
    return {name: sum(one.get(name, 0) for one in counts) for name in names}


def _join_datasets(pieces: "list[xr.Dataset]") -> "xr.Dataset":
    if "time" not in pieces[0].dims:
        return _alike_without_time(pieces)
    full = [_time_first(piece) for piece in pieces if piece.sizes["time"]] or pieces[:1]
    if len(full) == 1:
        return full[0]
    full = _without_repeats(full)
    names = dict.fromkeys(name for piece in full for name in piece.variables if name != "time")
    lengths = _lengths(full)
    joined = {name: _join_variable(name, full, lengths) for name in names}
    return _assemble(full, joined)


def _time_first(piece: "xr.Dataset") -> "xr.Dataset":
    turned = any("time" in one.dims[1:] for one in piece.variables.values())
    return piece.transpose("time", ...) if turned else piece


def _alike_without_time(pieces: "list[xr.Dataset]") -> "xr.Dataset":
    if any(not piece.equals(pieces[0]) for piece in pieces[1:]):
        raise BadData("datasets without time differ", _HINT)
    return pieces[0]


def _without_repeats(pieces: "list[xr.Dataset]") -> "list[xr.Dataset]":
    """Order the pieces by first time and drop the samples that an earlier piece of the given order has."""
    kept: list[xr.Dataset] = []
    latest = None
    for piece in pieces:
        times = piece["time"].to_numpy()
        # Pieces mostly come in order; only one that reaches back is compared with the others.
        repeated = np.zeros(times.size, bool) if latest is None or times[0] > latest else _seen(times, kept)
        if not repeated.all():
            kept.append(piece.isel(time=~repeated) if repeated.any() else piece)
            latest = times[-1] if latest is None else max(latest, times[-1])
    return sorted(kept, key=lambda piece: piece["time"].to_numpy()[0])


def _seen(times: "np.ndarray[Any, Any]", kept: "list[xr.Dataset]") -> "np.ndarray[Any, np.dtype[np.bool_]]":
    found = np.zeros(times.size, bool)
    for piece in kept:
        others = piece["time"].to_numpy()
        if others[0] <= times[-1] and times[0] <= others[-1]:
            found |= np.isin(times, others)
    return found


def _lengths(pieces: "list[xr.Dataset]") -> dict[Any, int]:
    lengths: dict[Any, int] = {}
    for piece in pieces:
        for dim, size in piece.sizes.items():
            lengths[dim] = max(size, lengths.get(dim, 0))
    return lengths


def _join_variable(name: Any, pieces: "list[xr.Dataset]", lengths: dict[Any, int]) -> "xr.Variable":
    """Join one variable; one without time stays so if it is the same everywhere."""
    import xarray as xr

    first = next(piece.variables[name] for piece in pieces if name in piece.variables)
    found = [piece.variables.get(name) for piece in pieces]
    if "time" not in first.dims and all(one is not None and _same(one, first) for one in found):
        return first.copy(deep=False)
    dims = first.dims if "time" in first.dims else ("time", *first.dims)
    shape = tuple(lengths[dim] for dim in dims[1:])
    parts = [_stretch(one, piece.sizes["time"], dims, shape, first) for one, piece in zip(found, pieces, strict=True)]
    return xr.Variable(dims, np.concatenate(parts), first.attrs, first.encoding)


def _same(a: "xr.Variable", b: "xr.Variable") -> bool:
    return a.dims == b.dims and a.dtype == b.dtype and np.array_equal(a.values, b.values, equal_nan=a.dtype.kind == "f")


def _stretch(
    one: "xr.Variable | None", rows: int, dims: tuple[Any, ...], shape: tuple[int, ...], first: "xr.Variable"
) -> "np.ndarray[Any, Any]":
    """Give one piece's part of a variable with the joined shape, NaN where it has nothing."""
    if one is None:
        return np.full((rows, *shape), np.nan) if first.dtype.kind in "iuf" else _no_missing(first)
    values = one.values
    if "time" not in one.dims:
        values = np.broadcast_to(values, (rows, *values.shape))
    if values.ndim != len(dims):
        raise BadData(f"pieces differ in shape: {one.dims} and {dims}", _HINT)
    if values.shape[1:] == shape:
        return values
    wide = np.full((rows, *shape), np.nan) if values.dtype.kind in "iuf" else _no_missing(one)
    wide[tuple(slice(0, size) for size in values.shape)] = values
    return wide


def _no_missing(one: "xr.Variable") -> "np.ndarray[Any, Any]":
    raise BadData(f"pieces differ and type {one.dtype} has no missing value", _HINT)


def _assemble(pieces: "list[xr.Dataset]", joined: "dict[Any, xr.Variable]") -> "xr.Dataset":
    """Build the dataset and sort it in time if the pieces were interleaved."""
    import xarray as xr

    times = np.concatenate([piece["time"].to_numpy() for piece in pieces])
    coords = {name for piece in pieces for name in piece.coords}
    # A dimension's own coordinate that came to vary in time cannot stay an index: it gets the name of its axis.
    renamed = {name: f"{name}_values" for name, one in joined.items() if name in one.dims and one.ndim > 1}
    variables = {renamed.get(name, name): one for name, one in joined.items()}
    for one in variables.values():
        for key in [key for key, value in one.attrs.items() if key.startswith("DEPEND_") and value in renamed]:
            one.attrs = one.attrs | {key: renamed[one.attrs[key]]}
    for name, new in renamed.items():
        _point_at(variables, name, new)
    result = xr.Dataset(
        {name: one for name, one in variables.items() if name not in coords | set(renamed.values())},
        {name: one for name, one in variables.items() if name in coords | set(renamed.values())}
        | {"time": ("time", times, pieces[0]["time"].attrs)},
        _common_attrs(pieces),
    )
    ordered = bool((times[:-1] <= times[1:]).all())
    return result if ordered else result.isel(time=np.argsort(times, kind="stable"))


def _common_attrs(pieces: "list[xr.Dataset]") -> dict[Any, Any]:
    """Keep what all pieces say: the name of one file is not true of the whole."""
    first = pieces[0].attrs
    return {name: value for name, value in first.items() if all(_equal(value, one.attrs.get(name)) for one in pieces)}


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b)


def _point_at(variables: "dict[Any, xr.Variable]", dim: Any, new: str) -> None:
    """Let the variables on `dim` that relied on its own coordinate name the new one as their ``DEPEND_n``."""
    for one in variables.values():
        if dim in one.dims[1:]:
            one.attrs = {f"DEPEND_{one.dims.index(dim)}": new} | one.attrs

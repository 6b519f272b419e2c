"""Small questions for the leaves of an archive, and how answers are compared."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from armillary.model import Data, Extent, Interval, Product, Request, Rows
from armillary.model.kinds import TIME_KINDS
from armillary.science.join import join, stack_lines
from armillary.science.trim import trim

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

_SAMPLES: Final = 200
_ROWS: Final = 64
#: A small answer, bytes; what is no larger is asked for as a whole.
_SMALL: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """A leaf and a small question to it."""

    product: Product
    request: Request


def choose(products: Iterable[Product], given: Sequence[Request], per_kind: int) -> list[Case]:
    """Choose leaves: those of the given requests, and the first, last and some between of every other kind."""
    known = {one.path: one for one in products}
    cases = [Case(known[one.product], one) for one in given]
    groups: dict[tuple[str, tuple[str, ...]], list[Product]] = {}
    for one in known.values():
        groups.setdefault((one.kind, one.selects), []).append(one)
    asked = {one.product for one in given}
    for group in groups.values():
        places = np.unique(np.linspace(0, len(group) - 1, per_kind).round().astype(int))
        cases += [Case(group[at], small_request(group[at])) for at in places if group[at].path not in asked]
    return cases


def small_request(product: Product) -> Request:
    """Ask for a part that is quickly had: some samples in the middle, the first rows, or all of what is small."""
    return Request(product.path, Extent(time=_small_span(product), rows=_first_rows(product)))


def is_timed(case: Case) -> bool:
    """Say whether the question is cut in time alone."""
    return case.product.kind in TIME_KINDS and case.request.extent.time is not None


def with_time(case: Case, start: int, stop: int) -> Request:
    """Ask the same for another interval."""
    return replace(case.request, extent=replace(case.request.extent, time=Interval(start, stop)))


def with_rows(case: Case, start: int, stop: int) -> Request:
    """Ask the same for other rows."""
    return replace(case.request, extent=replace(case.request.extent, rows=Rows(start, stop)))


def inside(data: Data, request: Request) -> Data:
    """Cut an answer, which may hold more, to the time that was asked for."""
    return trim(data, request.extent.only("time")) if request.extent.time else data


def put_together(product: Product, pieces: Sequence[Data]) -> Data:
    """Join consecutive pieces of one product."""
    if product.kind in {"raster", "cube"}:
        return cast("Data", stack_lines(cast("list[xr.Dataset]", list(pieces))))
    return join(pieces)


def size_of(data: Data) -> int:
    """Count samples, rows or pixels."""
    if not hasattr(data, "isel"):
        return int(data.num_rows)
    lengths = [size for dim, size in data.sizes.items() if dim in {"time", "y", "x"}]
    return int(np.prod(lengths)) if lengths else 1


def times_of(data: Data) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Give the times of a dataset, nanoseconds since 1970."""
    return np.asarray(cast("xr.Dataset", data)["time"].to_numpy()).astype(np.int64)


def differs(one: Data, other: Data, tolerance: float = 0.0) -> str:
    """Say how two answers differ in names, types, shapes and values, or nothing if they are the same.

    Parameters
    ----------
    tolerance : float
        Relative, for floats; missing values are equal to missing values.
    """
    first, second = _columns(one), _columns(other)
    if set(first) != set(second):
        return f"one has {sorted(first)}, the other {sorted(second)}"
    for name, values in first.items():
        found = _differ(values, second[name], tolerance)
        if found:
            return f"{name!r} differs: {found}"
    return ""


def digest(data: Data) -> str:
    """Give a hash of names, types, shapes and values, equal in every process."""
    found = hashlib.sha256()
    for name, values in sorted(_columns(data).items()):
        raw = repr(values.tolist()).encode() if values.dtype == object else np.ascontiguousarray(values).tobytes()
        found.update(f"{name} {values.dtype} {values.shape}\n".encode() + raw)
    return found.hexdigest()


def _small_span(product: Product) -> Interval | None:
    cover = product.coverage
    if cover is None or ("time" not in product.selects and product.kind not in TIME_KINDS):
        return None
    if product.rows is not None and product.rows * product.row_bytes <= _SMALL:
        return cover
    if product.cadence is None or product.kind not in TIME_KINDS:
        return _middle(cover, 0.05)
    samples = max(8, min(_SAMPLES, _SMALL // max(1, product.row_bytes)))
    return _middle(cover, min(1.0, samples * product.cadence / cover.seconds))


def _middle(cover: Interval, share: float) -> Interval:
    length = max(1, int((cover.stop - cover.start) * share))
    start = cover.start + (cover.stop - cover.start - length) // 2
    return Interval(start, start + length)


def _first_rows(product: Product) -> Rows | None:
    if "rows" not in product.selects or not product.rows or product.kind in TIME_KINDS:
        return None
    return Rows(0, min(product.rows, _ROWS))


def _columns(data: Data) -> dict[str, Any]:
    if hasattr(data, "isel"):
        dataset = cast("xr.Dataset", data)
        return {str(name): one.to_numpy() for name, one in dataset.variables.items()}
    table = cast("pa.Table", data)
    return {name: _cells(table.column(name)) for name in table.column_names}


def _cells(column: Any) -> "np.ndarray[Any, Any]":
    """Give a column as numpy; one with gaps keeps them apart from NaN."""
    if column.null_count == 0:
        return np.asarray(column.to_numpy())
    return np.array([*column.to_pylist(), None], object)[:-1]


def _differ(one: Any, other: Any, tolerance: float) -> str:
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{one.dtype} {one.shape} and {other.dtype} {other.shape}"
    if one.dtype.kind in "fc":
        same = np.allclose(one, other, rtol=tolerance, atol=0.0, equal_nan=True)
        return "" if same else f"{np.sum(~np.isclose(one, other, rtol=tolerance, atol=0.0, equal_nan=True))} values"
    if one.dtype == object:
        return "" if _alike(one.tolist(), other.tolist(), tolerance) else "values"
    return "" if np.array_equal(one, other) else f"{np.sum(one != other)} values"


def _alike(one: list[Any], other: list[Any], tolerance: float) -> bool:
    """Compare cells some of which are missing; numbers within the tolerance."""
    if repr(one) == repr(other):
        return True
    gaps = [cell is None for cell in one]
    if gaps != [cell is None for cell in other] or not all(isinstance(cell, float | None) for cell in (*one, *other)):
        return False
    first, second = (np.array([cell for cell in cells if cell is not None]) for cells in (one, other))
    return bool(np.allclose(first, second, rtol=tolerance, atol=0.0, equal_nan=True))

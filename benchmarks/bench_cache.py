"""What a cache hit and a put cost, beside Parquet and zarr: ``python benchmarks/bench_cache.py``."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from armillary.cache import Cache
from armillary.model import Extent, Interval, Product, Request

ROWS = 2_000_000
WINDOW = 100_000
PRODUCT = Product(path="bench/b", title="b", kind="series", units="nT")


def samples() -> xr.Dataset:
    times = np.arange(ROWS) * 10_000_000
    noise = np.random.default_rng(0).normal(0, 0.3, ROWS)
    values = (5 * np.sin(np.arange(ROWS) / 1e4) + noise).astype(np.float32)
    return xr.Dataset({"b": ("time", values, {"units": "nT"})}, {"time": times.astype("datetime64[ns]")})


def timed(action: Callable[[], Any], repeat: int) -> float:
    """Median milliseconds."""
    taken = []
    for _ in range(repeat):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e3


def request(first: int, stop: int) -> Request:
    return Request(PRODUCT.path, Extent(time=Interval(first * 10_000_000, stop * 10_000_000)))


def main() -> None:
    data = samples()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = Cache(folder / "cache")
        window = slice(700_000, 700_000 + WINDOW)
        hit = request(window.start, window.stop)
        table = pa.table({"time": data["time"].to_numpy(), "b": data["b"].to_numpy()})
        span = (pa.scalar(data["time"].to_numpy()[edge], pa.timestamp("ns")) for edge in (window.start, window.stop))
        low, high = span
        rows = [
            ("put 2 M samples: cache", timed(lambda: cache.serve(PRODUCT, request(0, ROWS), lambda *_: data), 1)),
            (
                "put 2 M samples: parquet (zstd)",
                timed(lambda: pq.write_table(table, folder / "p", compression="zstd"), 1),
            ),
            ("put 2 M samples: zarr", timed(lambda: write_zarr(data, folder), 1)),
            ("hit of 100 k samples: cache.serve", timed(lambda: cache.serve(PRODUCT, hit, lambda *_: data), 100)),
            (
                "hit of 1 k samples: cache.serve",
                timed(lambda: cache.serve(PRODUCT, request(7, 1007), lambda *_: data), 100),
            ),
            ("100 k samples: parquet, filtered", timed(lambda: read_parquet(folder / "p", low, high), 20)),
            ("100 k samples: xarray.open_zarr", timed(lambda: read_zarr(folder, window), 20)),
        ]
        size = cache.totals()["bytes"] / 1e6
    for label, milliseconds in rows:
        print(f"{label:40s} {milliseconds:9.2f} ms")
    print(f"{'size of 24 MB in the cache':40s} {size:9.2f} MB")


def read_parquet(path: Path, low: Any, high: Any) -> Any:
    return pq.read_table(path, filters=[("time", ">=", low), ("time", "<", high)])


def write_zarr(data: xr.Dataset, folder: Path) -> None:
    data.to_zarr(folder / "z", encoding={name: {"chunks": (65_536,)} for name in data.variables}, consolidated=False)


def read_zarr(folder: Path, window: slice) -> Any:
    return xr.open_zarr(folder / "z", chunks=None, consolidated=False).isel(time=window).load()


if __name__ == "__main__":
    main()

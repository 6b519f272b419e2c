"""A model on a map of any size: pixels a second, and the memory above that of the libraries.

    python benchmarks/bench_map.py [LINES [COLUMNS [bare]]]

A map of 4 bands that is made line by line; the model is logistic, so that trust is most of the work; with ``bare``
nothing is asked about trust, so that a large map can be measured in minutes.
"""

import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from armillary.learn.mapping import datasets, map_scene
from armillary.learn.publishing import publish
from armillary.learn.rasters.pixels import pixel_samples
from armillary.learn.rasters.scene import Scene
from armillary.learn.rasters.truth import Truth
from armillary.learn.study import study_of
from armillary.learn.trained import load_run
from armillary.services.rasters import Wanted, entries_of
from armillary.sources.write import write

Array = np.ndarray[Any, np.dtype[Any]]
_FIELD = 50


def main(lines: int = 128, columns: int = 10_000, *, bare: bool = False) -> None:
    """Train on a corner, apply to all, and print what it took."""
    scene = _scene(lines, columns)
    study = study_of({
        "name": "map", "task": "classes", "seeds": 1, "resamples": 20, "data": {"layout": "raster"},
        "split": {"space_on": ["x", "y"], "size": 1000}, "models": [{"use": "logistic"}],
    })  # fmt: skip
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        corner = _scene(300, 300)
        truth = Truth(lambda first, last: (_kind(first, last, 300).astype(float), None), lambda code: f"class {code:g}")
        publish(study, folder / "run", data=pixel_samples(corner, truth, most=500))
        run, base = load_run(folder / "run"), _peak()
        run = replace(run, reference=None, conformal=None) if bare else run
        print(f"base {base:.0f} MB; {lines} x {columns} pixels in strips of {scene.strip_lines} lines")
        start = time.perf_counter()
        mapped = map_scene(run, scene, folder / "parts")
        spent = time.perf_counter() - start
        print(f"mapped: {mapped.pixels / spent:,.0f} pixels/s, peak {_peak() - base:.0f} MB above the base")
        for ending in ("tif", "nc", "zarr"):
            start = time.perf_counter()
            write(datasets(mapped), folder / f"map.{ending}")
            print(f".{ending}: {time.perf_counter() - start:.1f} s, peak {_peak() - base:.0f} MB above the base")
        start = time.perf_counter()
        rows = sum(1 for _ in entries_of(mapped, "it", Wanted(area=10_000.0)))
        print(f"areas: {rows} in {time.perf_counter() - start:.1f} s, peak {_peak() - base:.0f} MB above the base")


def _scene(lines: int, columns: int) -> Scene:
    def read(first: int, last: int) -> Array:
        rng = np.random.default_rng(first)
        kind = _kind(first, last, columns)
        noise = rng.normal(size=(4, last - first, columns)).astype(np.float32)
        return np.stack([kind == 0, kind == 1, kind == 2, kind]).astype(np.float32) + np.float32(0.3) * noise

    y, x = 5e6 - 10.0 * np.arange(lines), 4e5 + 10.0 * np.arange(columns)
    return Scene("simulated", ("a", "b", "c", "d"), y, x, "EPSG:32631", read)


def _kind(first: int, last: int, columns: int) -> Array:
    """Give classes in square fields."""
    row, at = np.arange(first, last)[:, None] // _FIELD, np.arange(columns) // _FIELD
    return (row * 7919 + at * 104_729) % 1009 % 3


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), bare="bare" in sys.argv)

"""What the simulated observatory costs, warm and in seconds: ``python benchmarks/bench_simulated.py``."""

import time
from pathlib import Path

from armillary.missions.simulated import MISSION
from armillary.missions.simulated.source import Observatory
from armillary.model import Extent, Interval, Request, silent

#: Product, start, stop, parameters, and the most seconds that its maker promised.
CASES = (
    ("wind/b_gse", "2022-01-01", "2022-01-02", {}, 0.05),
    ("sentry/ion_density", "2024-05-01", "2024-05-02", {}, 1.0),
    ("sentry/b_gse", "2024-05-02", "2024-05-02T01:00", {}, 1.0),
    ("sentry/ion_omni", "2024-05-02", "2024-05-03", {}, 1.0),
    ("sentry/ion_skymap", "2024-05-02", "2024-05-02T00:10", {}, 1.0),
    ("stars/photometry", None, None, {"n": 100_000}, 1.0),
    ("tile/optical", "2021-05-06", "2021-05-11", {}, 1.0),
    ("tile/sar", "2021-05-01", "2021-05-07", {}, 1.0),
    ("instrument/packets", "2024-03-09", "2024-03-10", {}, 1.0),
    ("sentry/truth/crossings", None, None, {}, 10.0),
)


def main() -> None:
    source = Observatory(MISSION.archives[0], Path())
    products = {product.address: product for product in source.inventory()}
    source.fetch(products["wind/b_gse"], Request("warm", Extent(time=Interval.of("2020-02-01", "2020-02-02"))), silent)
    print(f"{'product':30} {'seconds':>8} {'promise':>8}")
    for address, start, stop, params, promise in CASES:
        extent = Extent(time=Interval.of(start, stop) if start and stop else None)
        begun = time.perf_counter()
        source.fetch(products[address], Request(address, extent, params), silent)
        print(f"{address:30} {time.perf_counter() - begun:8.3f} {promise:8.2f}")


if __name__ == "__main__":
    main()

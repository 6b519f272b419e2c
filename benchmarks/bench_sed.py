"""What energy distributions of 100,000 sources in ten bands cost: ``python benchmarks/bench_sed.py``.

Beside it astropy's units source by source, and pyphot where it is installed (``pip install pyphot`` in an
environment of its own: it is no dependency). One core: set OMP_NUM_THREADS=1.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from armillary.science.photometry import alpha, extinction, luminosity, photospheres, seds
from armillary.science.photometry.bands import BANDS

SOURCES = 100_000
FEW = 200


def made() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    magnitudes = random.uniform(6, 12, (SOURCES, 1)) - np.linspace(0, 3, 10) + random.normal(0, 0.1, (SOURCES, 10))
    errors = random.uniform(0.01, 0.2, magnitudes.shape)
    gone = random.random(magnitudes.shape) < 0.1
    magnitudes[gone], errors[gone] = np.nan, np.nan
    return magnitudes, errors


def timed(action: Callable[[], Any], repeat: int = 15) -> tuple[float, float]:
    """Least and median milliseconds."""
    taken = []
    for _ in range(repeat):
        begun = time.perf_counter()
        action()
        taken.append((time.perf_counter() - begun) * 1e3)
    return min(taken), statistics.median(taken)


def by_source(magnitudes: np.ndarray, errors: np.ndarray) -> list[Any]:
    """F_nu, F_lambda and lambda F_lambda with errors, by astropy's units, a source at a time."""
    from astropy import units as u

    zero = np.array([band.zero_point for band in BANDS]) * u.Jy
    pivot = np.array([band.pivot for band in BANDS]) * u.um
    found = []
    for row, error in zip(magnitudes, errors, strict=True):
        f_nu = zero * 10 ** (-0.4 * row)
        sigma = f_nu * error * np.log(10) / 2.5
        pair = [one.to(u.W / u.m**2 / u.um, u.spectral_density(pivot)) for one in (f_nu, sigma)]
        found.append((f_nu, sigma, *pair, *((one * pivot).to(u.W / u.m**2) for one in pair)))
    return found


def by_pyphot(magnitudes: np.ndarray) -> float | None:
    """Milliseconds of pyphot for F_lambda of all sources without errors, from a few; None where it is not installed."""
    try:
        import pyphot
    except ImportError:
        return None
    library = pyphot.get_library()
    names = ["Gaia_G", "Gaia_BP", "Gaia_RP", "2MASS_J", "2MASS_H", "2MASS_Ks", "WISE_RSR_W1", "WISE_RSR_W2",
             "WISE_RSR_W3", "WISE_RSR_W4"]  # fmt: skip
    have = set(library.get_library_content())
    # Once a filter: pyphot integrates Vega anew at every look.
    zeros = [library[name].Vega_zero_flux for name in names if name in have]

    def convert() -> None:
        for row in magnitudes[:FEW]:
            for zero, magnitude in zip(zeros, row, strict=False):
                _ = zero * 10 ** (-0.4 * magnitude)

    return timed(convert, 1)[0] * SOURCES / FEW * 10 / max(len(zeros), 1)


def main() -> None:
    magnitudes, errors = made()
    plain = timed(lambda: seds.build(magnitudes, errors))
    built = seds.build(magnitudes, errors)
    few = timed(lambda: by_source(magnitudes[:FEW], errors[:FEW]), 3)[0] * SOURCES / FEW
    temperatures = photospheres.black_bodies(np.geomspace(2000, 12_000, 100))
    rows = [
        ("kernel: F_nu, F_lambda, lambda F_lambda, errors", plain),
        ("  with calibration floors", timed(lambda: seds.build(magnitudes, errors, floors=True))),
        ("  with WISE colour correction", timed(lambda: seds.build(magnitudes, errors, colour_correction="table"))),
        ("index Ks-W4 and class", timed(lambda: alpha.classes(alpha.index_between(built).alpha))),
        ("index by fit of five bands", timed(lambda: alpha.index_fit(built))),
        ("dereddening", timed(lambda: extinction.deredden(built, 1.0))),
        ("luminosity", timed(lambda: luminosity.luminosity(built, 100.0), 3)),
        ("photosphere, 100 templates", timed(lambda: photospheres.fit_photosphere(built, step=100), 3)),
        ("100 templates x 20 A_V", timed(lambda: fit_dust(built, temperatures), 1)),
    ]
    print(f"{SOURCES} sources x {len(BANDS)} bands, milliseconds{'':20s} least   median")
    for label, (least, median) in rows:
        print(f"{label:56s} {least:8.1f} {median:8.1f}")
    print(f"{'astropy units, source by source (from ' + str(FEW) + ')':56s} {few:8.0f}")
    print(f"{'  times our kernel':56s} {few / plain[0]:8.0f}")
    pyphot = by_pyphot(magnitudes)
    print("pyphot is not installed" if pyphot is None else f"{'pyphot, F_lambda only, band by band':56s} {pyphot:8.0f}")
    if pyphot is not None:
        print(f"{'  times our kernel':56s} {pyphot / plain[0]:8.0f}")


def fit_dust(built: seds.Seds, grid: photospheres.Grid) -> Any:
    return photospheres.fit_templates(built, grid.flux, grid.bands, a_v=np.linspace(0, 10, 20))


if __name__ == "__main__":
    main()

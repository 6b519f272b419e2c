"""Waves against pyspedas and scipy, side by side in one run.

    python benchmarks/bench_waves.py [--rounds 3]

Polarisation: 28,014 samples of the search coil of THEMIS-C (2007-05-08), by ours and by ``wavpol`` of pyspedas, and how
far both are from what IDL SPEDAS wrote of the same samples. Wavelet transform: 4,096 of these samples, by ours and by
pyspedas. Short-time Fourier transform: all of them, by ours and by scipy. The file is found as in the tests:
ARMILLARY_DATA, or ../shared/data. All on one core; the best of the rounds counts. Exits with 1 if a target is missed.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import ONE_CORE, PYSPEDAS, peer_python, run_peer, version_of

os.environ.update({name: value for name, value in ONE_CORE.items() if name not in os.environ})

NAMES = ("power", "degree", "wave normal", "ellipticity", "helicity")
#: Seconds for 28,014 samples, and the largest difference to IDL.
GOAL_SECONDS = 0.1
GOAL_DIFFERENCE = 1e-6

WAVPOL = """
import logging
logging.disable(logging.CRITICAL)
import warnings
warnings.simplefilter("ignore")
try:
    from pyspedas.analysis.twavpol import wavpol
except ImportError:
    from pyspedas.tplot_tools.tplot_math.twavpol import wavpol
field = given["field"]
found, seconds["polarisation"] = best(
    lambda: wavpol(given["time"], field[:, 0], field[:, 1], field[:, 2]), int(given["rounds"]))
answer["polarisation"] = np.stack(found[2:7])
"""
WAVELET = """
import logging
logging.disable(logging.CRITICAL)
try:
    from pyspedas.analysis.wavelet98 import wavelet98
except ImportError:
    from pyspedas.tplot_tools.tplot_math.wavelet98 import wavelet98
x = given["x"]
found, seconds["wavelet"] = best(
    lambda: wavelet98(x - x.mean(), float(given["step"]), pad=1, dj=0.125, s0=float(given["shortest"]), j_scales=64), 3)
answer["wave"], answer["period"] = found[0][:len(x)].T, found[2]
"""


def saved() -> dict[str, np.ndarray]:
    from scipy.io import readsav

    root = Path(os.environ.get("ARMILLARY_DATA", Path(__file__).parents[2] / "shared" / "data"))
    read = readsav(root / "plasma" / "idl_spedas" / "thc_twavpol_validate.tplot")["dq"]
    found = {one["NAME"].decode().removeprefix("thc_scf_fac").lstrip("_"): one["DH"][0] for one in read}
    idl = [np.asarray(found[name]["Y"], float).T for name in ("powspec", "degpol", "waveangle", "elliptict", "helict")]
    return {
        "time": np.asarray(found[""]["X"], float),
        "field": np.ascontiguousarray(np.asarray(found[""]["Y"], float).T),
        "idl": np.stack(idl),
    }


def best(function: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    least = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        result = function()
        least = min(least, time.perf_counter() - began)
    return result, least


def line(theirs: float, ours: float) -> str:
    return f"  seconds                          {theirs:12.4f}{ours:12.4f}   {theirs / ours:,.1f} x"


def polarisations(data: dict[str, np.ndarray], python: Path, rounds: int) -> bool:
    from armillary.science.fields.polarisation import idl_windows, polarisation, svd_polarisation

    # IDL's last window runs over the end into the beginning.
    field = np.concatenate([data["field"], data["field"][:256]])
    ours, seconds = best(lambda: polarisation(idl_windows(field)[:218], 8.0), 10 * rounds)
    _, svd = best(lambda: svd_polarisation(idl_windows(field)[:218], 8.0), rounds)
    told, took = run_peer(python, WAVPOL, {"time": data["time"], "field": data["field"], "rounds": 1})
    parts = np.stack([ours.power, ours.degree, ours.wave_normal, ours.ellipticity, ours.helicity])
    differences = [
        np.abs(one[:, :218, 1:127] - data["idl"][:, :218, 1:127]) for one in (told["polarisation"], parts[:, :218])
    ]
    theirs, own = (one.max((1, 2)) for one in differences)
    print(f"\nPolarisation of {len(data['field']):,} samples        pyspedas        ours")
    print(line(took["polarisation"], seconds))
    print(f"  seconds by singular values                   {svd:12.4f}")
    for name, one, other in zip(NAMES, theirs, own, strict=True):
        print(f"  largest difference to IDL: {name:12}{one:10.1e}{other:12.1e}")
    return bool(seconds <= GOAL_SECONDS and own.max() <= GOAL_DIFFERENCE)


def wavelets(data: dict[str, np.ndarray], python: Path) -> bool:
    from armillary.science.fields.wavelets import FOURIER_FACTOR, morlet

    x, step = data["field"][2000:6096, 0], 0.125
    scale = 4 * step * 2 ** (0.125 * np.arange(65))
    told, took = run_peer(python, WAVELET, {"x": x, "step": step, "shortest": 4 * step})
    ours, seconds = best(lambda: morlet(x, step, scale), 5)
    # Near the ends both feel their own padding.
    inside = ours.cone > 4 * ours.period[:, None]
    far = np.abs(ours.coefficients - told["wave"])[inside].max() / np.abs(told["wave"]).max()
    near = np.abs(told["period"] / (scale * FOURIER_FACTOR) - 1).max()
    print("\nMorlet wavelet, 4,096 samples, 65 scales    pyspedas        ours")
    print(line(took["wavelet"], seconds))
    print(f"  largest difference {far:.1e} of the largest coefficient, of periods {near:.1e}")
    return bool(far < 1e-5)


def transforms(data: dict[str, np.ndarray], rounds: int) -> bool:
    from scipy import signal

    from armillary.science.fields.spectra import spectrogram

    field = data["field"]
    when = np.round(np.arange(len(field)) * 1.25e8).astype("datetime64[ns]")
    theirs, took = best(lambda: signal.spectrogram(field, 8.0, "hann", 256, 192, axis=0), 10 * rounds)
    ours, seconds = best(lambda: spectrogram(when, field, 32.0, 0.75), 10 * rounds)
    good = np.isfinite(ours.density).all((1, 2))
    want = np.moveaxis(theirs[2], -1, 0)
    far = np.abs(ours.density[good] - want).max() / want.max()
    print(f"\nShort-time Fourier transform, {len(field):,} x 3     scipy        ours")
    print(line(took, seconds))
    print(f"  largest difference {far:.1e} of the largest density")
    return bool(far < 1e-9)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    python, data = peer_python(*PYSPEDAS), saved()
    print(f"pyspedas {version_of(python, 'pyspedas')}, numpy {np.__version__}, one core")
    kept = [polarisations(data, python, rounds), wavelets(data, python), transforms(data, rounds)]
    print("\ntargets: " + ("kept" if all(kept) else "MISSED"))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())

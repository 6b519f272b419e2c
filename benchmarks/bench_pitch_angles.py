"""Pitch-angle distributions of FPI sky maps against pyrfu and pyspedas, side by side in one run.

    python benchmarks/bench_pitch_angles.py [--steps 200] [--rounds 3]

Sky maps of 32 x 16 x 32 cells hold ``f = 1 + cos(alpha)^2`` of a magnetic field that points elsewhere at each time, so
that the mean of each of 16 bins is known exactly. pyrfu's ``get_pitch_angle_dist`` sorts cells by their centres;
pyspedas' steps of ``mms_part_products`` turn the cells into field-aligned axes, put them on a new 32 x 16 grid and add
up that grid; it is given few steps, as it takes long. Peers run in throw-away environments and processes of their own
(benchmarks/peers.py), all on one core and on the same arrays; the best of the rounds counts. Then the other spectra,
and pitch angles with holes in the data, of a list of directions and in the frame of the plasma, without a peer. Ends
with 1 if the target of 0.5 ms a step is missed or an answer is wrong.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from peers import ONE_CORE, PYRFU, PYSPEDAS, peer_python, run_peer

from armillary.science.particles import spectra
from armillary.science.particles.angles import solid_angles
from armillary.science.particles.bases import basis_matrix
from armillary.science.particles.gyrophase import gyro_phase_distribution
from armillary.science.particles.moving import seen_from
from armillary.science.particles.pitch import pitch_angle_distribution, pitch_edges
from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap

TARGET_MS = 0.5
BINS = 16
#: Largest error of a bin, where cells are 11.25 degrees wide and constant.
TOLERANCE = 0.01

RFU = """
import logging
logging.disable(logging.CRITICAL)
import xarray as xr
from pyrfu import mms, pyrf
moment = np.datetime64("2020-01-01", "ns") + np.arange(len(given["psd"])) * np.timedelta64(150, "ms")
look_phi, look_theta = (given["azimuth"] + 180) % 360, 180 - given["polar"]
phi = np.tile(look_phi, (len(moment), 1))
energy = np.tile(given["energy"], (len(moment), 1))
vdf = xr.Dataset({
    "data": (["time", "idx0", "idx1", "idx2"], given["psd"].transpose(0, 3, 1, 2).copy(), {"UNITS": "s^3/cm^6"}),
    "phi": (["time", "idx1"], phi), "theta": (["idx2"], look_theta), "energy": (["time", "idx0"], energy),
}, {"time": moment, "idx0": np.arange(32), "idx1": np.arange(32), "idx2": np.arange(16)})
vdf.attrs = {"energy0": given["energy"], "energy1": given["energy"]}
b = pyrf.ts_vec_xyz(moment, given["field"])
pad, seconds["pad"] = best(lambda: mms.get_pitch_angle_dist(vdf, b, verbose=False, angles=BINS), ROUNDS)
answer["pad"] = pad.data.data[:, 8, :]
"""

SPEDAS = """
import logging
logging.disable(logging.CRITICAL)
from pyspedas.projects.mms.particles import mms_part_products as products
azimuth, polar = (one.ravel() for one in np.meshgrid(given["azimuth"], given["polar"], indexing="ij"))
spread = lambda values: np.tile(values, (32, 1)).astype(float)
energy = np.repeat(given["energy"][:, None], 512, 1)
def one(step):
    cells = {
        "data": given["psd"][step].reshape(512, 32).T.copy(), "bins": np.ones((32, 512)), "energy": energy,
        "denergy": np.gradient(energy, axis=0), "theta": spread(90 - polar), "phi": spread(azimuth),
        "dtheta": np.full((32, 512), 11.25), "dphi": np.full((32, 512), 11.25),
        "charge": 1, "mass": 1.0, "orig_energy": given["energy"],
    }
    turned = products.spd_pgs_do_fac(cells, given["basis"][step])
    turned = products.spd_pgs_regrid(turned, [32, 16])
    turned["theta"] = 90.0 - turned["theta"]
    return products.mms_pgs_make_theta_spec(turned, colatitude=True, resolution=BINS)[1]
answer["pad"], seconds["pad"] = best(lambda: np.array([one(n) for n in range(len(given["psd"]))]), 1)
"""


def main() -> int:
    """Run all sides and print the tables."""
    if not ONE_CORE.items() <= os.environ.items():  # libraries read it when they are loaded: begin anew
        environment = {**os.environ, **ONE_CORE}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - itself
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--steps", type=int, default=200)
    asked.add_argument("--rounds", type=int, default=3)
    options = asked.parse_args()
    cells, field, exact = made(options.steps)
    edges = pitch_edges(BINS)
    found, took = best(lambda: pitch_angle_distribution(cells, field, edges), options.rounds)
    rows = [("armillary", 1e3 * took / options.steps, found.mean[:, :, 8], options.steps)]
    for who, needs, script, steps in (
        ("pyrfu", PYRFU, RFU, min(options.steps, 60)),
        ("pyspedas", PYSPEDAS, SPEDAS, 3),
    ):
        answer, seconds = run_peer(
            peer_python(*needs), f"BINS, ROUNDS = {BINS}, {options.rounds}\n{script}", given(cells, field, steps)
        )
        rows.append((who, 1e3 * seconds["pad"] / steps, answer["pad"], steps))
    return tell(rows, exact) | others(cells, field, options.rounds)


def made(steps: int) -> tuple[Skymap, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Give sky maps, the field at each time and the exact mean of each bin."""
    azimuth, polar, energy = np.arange(5.625, 360, 11.25), np.arange(5.625, 180, 11.25), np.geomspace(10, 3e4, 32)
    field = np.random.default_rng(1).normal(size=(steps, 3))
    unit = field / np.linalg.norm(field, axis=1)[:, None]
    cosine = np.einsum("apx,tx->tap", unit_vectors(azimuth[:, None], polar), unit)
    psd = np.repeat((1 + cosine**2)[..., None], 32, -1)
    ends = np.cos(np.deg2rad(pitch_edges(BINS)))
    exact = 1 + (ends[:-1] ** 3 - ends[1:] ** 3) / 3 / (ends[:-1] - ends[1:])
    return Skymap(psd=psd, azimuth=azimuth, polar=polar, energy=energy), field, exact


def given(cells: Skymap, field: np.ndarray[Any, Any], steps: int) -> dict[str, Any]:
    """Give the first steps as what a peer gets."""
    return {
        "psd": cells.psd[:steps], "azimuth": cells.azimuth, "polar": cells.polar, "energy": cells.energy,
        "field": field[:steps], "basis": basis_matrix("perp1_perp2", steps=steps, b=field[:steps]),
    }  # fmt: skip


def tell(rows: list[tuple[str, float, Any, int]], exact: np.ndarray[Any, Any]) -> int:
    """Print the table of pitch-angle distributions; give 1 if a target is missed."""
    print(f"pitch-angle distribution, 32 x 16 x 32 cells, {BINS} bins, a new field at each step, one core\n")
    titles = f"{'empty bins':>12s}{'worst error':>13s}{'median':>9s}"
    print(f"{'who':12s}{'steps':>6s}{'ms/step':>10s}{'times ours':>12s}{titles}")
    for who, each, pad, steps in rows:
        error = np.abs(pad / exact - 1)
        empty = 100 * np.isnan(pad).mean()
        print(
            f"{who:12s}{steps:6d}{each:10.3f}{each / rows[0][1]:12.1f}{empty:11.1f}%"
            f"{100 * np.nanmax(error):12.2f}%{100 * np.nanmedian(error):8.2f}%"
        )
    ours = rows[0]
    wrong = not np.abs(ours[2] / exact - 1).max() < TOLERANCE
    slow = ours[1] > TARGET_MS
    print(f"\ntarget {TARGET_MS} ms/step: {'MISSED' if slow else 'reached'}; {'WRONG' if wrong else 'right'}")
    return int(slow or wrong)


def others(cells: Skymap, field: np.ndarray[Any, Any], rounds: int) -> int:
    """Print what the rest of this room takes."""
    rng, edges = np.random.default_rng(2), pitch_edges(BINS)
    holes = replace(cells, psd=np.where(rng.random(cells.psd.shape) < 0.05, np.nan, cells.psd))
    azimuth, polar = (one.ravel() for one in np.meshgrid(cells.azimuth, cells.polar, indexing="ij"))
    solid = np.broadcast_to(solid_angles(cells)[0, 0, :, 0], (32, 16)).ravel()
    at = np.arange(0, 512, 6)
    flat = Skymap(
        psd=cells.psd.reshape(cells.steps, 512, 32)[:, at], azimuth=azimuth[at], polar=polar[at], energy=cells.energy,
        solid_angle=solid[at] * 6,
    )  # fmt: skip
    basis = basis_matrix("perp1_perp2", steps=cells.steps, b=field)
    few = cells.between(0, min(20, cells.steps))
    drift = np.full((few.steps, 3), 100.0)
    tasks: dict[str, tuple[int, Callable[[], Any]]] = {
        "pitch angles, 5 % of cells missing": (cells.steps, lambda: pitch_angle_distribution(holes, field, edges)),
        "pitch angles, 86 directions": (cells.steps, lambda: pitch_angle_distribution(flat, field, edges)),
        "pitch angles, plasma frame": (
            few.steps, lambda: pitch_angle_distribution(seen_from(few, drift), field[: few.steps], edges)),
        "gyro-phases": (cells.steps, lambda: gyro_phase_distribution(cells, basis, BINS)),
        "energy spectrogram": (cells.steps, lambda: spectra.energy_spectrogram(cells)),
        "six directions": (cells.steps, lambda: spectra.direction_spectrograms(cells)),
        "azimuth spectrogram": (cells.steps, lambda: spectra.azimuth_spectrogram(cells)),
    }  # fmt: skip
    print("\nalso")
    for name, (steps, task) in tasks.items():
        print(f"{name:36s}{1e3 * best(task, rounds)[1] / steps:8.3f} ms/step")
    half = cells.between(0, cells.steps // 2)
    whole, part = (best(lambda one=one: pitch_angle_distribution(one, field[: one.steps], edges), rounds)[1]
                   for one in (cells, half))  # fmt: skip
    print(f"{'cost of twice as many steps':36s}{whole / part:8.2f} times")
    return 0


def best(function: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    """Call a function some times; give its answer and its shortest time."""
    least = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        answer = function()
        least = min(least, time.perf_counter() - began)
    return answer, least


if __name__ == "__main__":
    sys.exit(main())

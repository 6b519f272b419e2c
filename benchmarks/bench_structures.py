"""Variance analysis, four-spacecraft gradients and moving frames against pyspedas and pyrfu, side by side in one run.

    python benchmarks/bench_structures.py [--data FOLDER] [--rounds 3]

Peers run in throw-away environments and processes of their own (benchmarks/peers.py), all on one core and on the same
arrays; the best of the rounds counts. The sliding variance analysis is that of IDL SPEDAS on an hour of MMS1 FGM
(``plasma/idl_spedas/mva_python_validate.tplot``), and the answers are compared with IDL's; without the file a made
record of the same length takes its place. The rest is a field that is linear in space and time, with known answers.
Ends with 1 if an answer is wrong or nothing was gained.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import ONE_CORE, PYRFU, PYSPEDAS, peer_python, run_peer

from armillary.science.fields import moving_frames, multipoint, variance

SECOND = 1_000_000_000
CORNERS = 10 * np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
SLOPES = np.array([[0.01, -0.02, 0.05], [0.03, 0.02, -0.04], [0.02, 0.01, -0.03]])
#: Times for all that is not the sliding analysis, 128 samples a second.
COUNT = 20_000

SPEDAS = """
import logging
logging.disable(logging.CRITICAL)
import pyspedas
from pyspedas import store_data, get_data
from pyspedas.cotrans_tools.minvar_matrix_make import minvar_matrix_make
from pyspedas.projects.mms.fgm_tools.mms_curl import mms_curl
store_data("b", data={"x": given["mva_time"], "y": given["mva_field"]})
pyspedas.set_coords("b", "gsm")
_, seconds["mva"] = best(lambda: minvar_matrix_make("b", twindow=16, tslide=4, newname="m", evname="v"), ROUNDS)
answer["mva_values"], answer["mva_axes"] = get_data("v").y, get_data("m").y
for n in range(4):
    store_data(f"b{n}", data={"x": given["time"], "y": given["field"][:, n]})
    store_data(f"r{n}", data={"x": given["time"], "y": given["place"][:, n]})
bs, rs = [f"b{n}" for n in range(4)], [f"r{n}" for n in range(4)]
names, seconds["curlometer"] = best(lambda: mms_curl(fields=bs, positions=rs), ROUNDS)
answer["current"] = get_data("jtotal").y[:, :3] * 1e9
"""

RFU = """
import xarray as xr
from pyrfu import pyrf
moment = np.datetime64("2020-01-01", "ns") + (given["time"] * 1e9).astype("timedelta64[ns]")
series = lambda v: pyrf.ts_vec_xyz(moment, v)
rs = [series(given["place"][:, n]) for n in range(4)]
bs = [series(given["field"][:, n]) for n in range(4)]
found, seconds["curlometer"] = best(lambda: pyrf.c_4_j(rs, bs), ROUNDS)
answer["current"] = found[0].data * 1e9
found, seconds["frame"] = best(lambda: pyrf.vht(series(given["electric"]), series(given["turning"])), ROUNDS)
answer["frame"] = found[0]
start = given["mva_time"][0]
clock = given["mva_time"] - start
b = pyrf.ts_vec_xyz(np.datetime64("2015-12-14", "ns") + (clock * 1e9).astype("timedelta64[ns]"), given["mva_field"])
def slide():
    kept = []
    for begin in given["mva_starts"] - start:
        inside = (clock >= begin) & (clock <= begin + 16)
        kept.append(pyrf.mva(b[inside])[1])
    return np.array(kept)
answer["mva_values"], seconds["mva"] = best(slide, ROUNDS)
"""


def main() -> int:
    """Run both sides and print the table."""
    if not ONE_CORE.items() <= os.environ.items():  # libraries read it when they are loaded: begin anew
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_CORE})  # noqa: S606
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(__file__).parents[2] / "shared" / "data"
    asked.add_argument("--data", type=Path, default=Path(os.environ.get("ARMILLARY_DATA", shared)))
    asked.add_argument("--rounds", type=int, default=3)
    options = asked.parse_args()
    given, idl = arrays(options.data / "plasma" / "idl_spedas" / "mva_python_validate.tplot")
    ours, took = run_ours(given, options.rounds)
    script = f"ROUNDS = {options.rounds}\n"
    spedas = run_peer(peer_python(*PYSPEDAS), script + SPEDAS, given)
    rfu = run_peer(peer_python(*PYRFU), script + RFU, given)
    return table(given, idl, (ours, took), {"pyspedas": spedas, "pyrfu": rfu})


def arrays(file: Path) -> tuple[dict[str, Any], Any]:
    """Give what all sides get, and IDL's eigenvalues if the file is there."""
    time = np.arange(COUNT) / 128
    flight = 6e4 + 2 * time[:, None, None] * np.array([1.0, 0, 0])
    place = flight + CORNERS
    field = (place - 6e4) @ SLOPES + [3.0, 2.0, 40.0]
    angle = np.linspace(0.1, 2.9, COUNT)
    turning = np.stack([0 * angle + 4, 20 * np.sin(angle), 20 * np.cos(angle)], 1)
    electric = moving_frames.convection_field(np.array([-120.0, 40, 15]), turning)
    given = {"time": time, "place": place, "field": field, "turning": turning, "electric": electric}
    if file.is_file():
        measured, answers = idl_answers(file)
        return given | measured, answers
    print(f"no file {file}: a made record takes its place")
    made = np.random.default_rng(0).normal(size=(28_799, 3)).cumsum(0)
    clock = 1.45e9 + np.arange(28_799) / 8
    return given | {"mva_time": clock, "mva_field": made, "mva_starts": clock[0] + 4.0 * np.arange(896)}, None


def idl_answers(file: Path) -> tuple[dict[str, Any], Any]:
    """Read MMS1 FGM and IDL's eigenvalues of its windows."""
    from scipy.io import readsav

    saved = {one["NAME"].decode(): one["DH"][0] for one in readsav(file)["dq"]}
    source, values = saved["mms1_fgm_b_gsm_srvy_l2_bvec_hp4minvar"], saved["mva_vals2"]
    field, clock = np.asarray(source["Y"], float).T, np.asarray(source["X"], float)
    starts = np.asarray(values["X"], float) - 8
    given = {"mva_time": clock, "mva_field": field, "mva_starts": starts}
    return given, np.asarray(values["Y"], float).T


def best(function: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    """Call a function some times; give its answer and its shortest time."""
    least = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        answer = function()
        least = min(least, time.perf_counter() - began)
    return answer, least


def run_ours(given: dict[str, Any], rounds: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Do the same tasks with Armillary."""
    origin = given["mva_time"][0]
    ns, starts = (np.round((one - origin) * 1e9).astype(np.int64) for one in (given["mva_time"], given["mva_starts"]))
    tasks: dict[str, Callable[[], Any]] = {
        "mva": lambda: variance.sliding_variance(ns, given["mva_field"], starts, 16 * SECOND),
        "curlometer": lambda: multipoint.curlometer(given["place"], given["field"]),
        "frame": lambda: moving_frames.de_hoffmann_teller(given["electric"], given["turning"]),
    }
    answer, seconds = {}, {}
    for name, task in tasks.items():
        answer[name], seconds[name] = best(task, rounds)
    found = {"mva_values": answer["mva"].eigenvalues, "current": answer["curlometer"].current}
    return found | {"frame": answer["frame"].velocity}, seconds


def table(given: dict[str, Any], idl: Any, ours: tuple[Any, Any], peers: dict[str, tuple[Any, Any]]) -> int:
    """Print times and errors; give the exit status."""
    curl = np.array([SLOPES[1, 2] - SLOPES[2, 1], SLOPES[2, 0] - SLOPES[0, 2], SLOPES[0, 1] - SLOPES[1, 0]])
    truth = {
        "mva_values": idl if idl is not None else ours[0]["mva_values"],
        "current": np.tile(curl * 1e-3 / (4e-7 * np.pi), (COUNT, 1)),
        "frame": np.array([-120.0, 40, 15]),
    }
    titles = {
        "mva": ("mva_values", f"sliding MVA, {len(given['mva_starts'])} windows of {len(given['mva_time'])}"),
        "curlometer": ("current", f"curlometer, {COUNT} times"),
        "frame": ("frame", f"de Hoffmann-Teller, {COUNT}"),
    }
    print(f"{'task':44s}{'who':11s}{'ms':>10s}{'times ours':>12s}{'worst error':>13s}")
    bad = []
    for task, (name, title) in titles.items():
        scale = np.abs(truth[name]).max(-1, keepdims=True)
        for who, (answer, seconds) in {"armillary": ours, **peers}.items():
            if task not in seconds:
                continue
            error = float((np.abs(answer[name] - truth[name]) / scale).max())
            ratio = seconds[task] / ours[1][task]
            print(f"{title:44s}{who:11s}{seconds[task] * 1e3:10.2f}{ratio:12.1f}{error:13.1e}")
            bad += [f"{task} is wrong"] if who == "armillary" and error > 1e-6 else []
            bad += [f"{task} is slower than {who}"] if who != "armillary" and ratio < 1 else []
    print("\n".join(bad) or "all within the targets")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())

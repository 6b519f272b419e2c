"""Frames, field models and field-line tracing against pyspedas, pyrfu, ppigrf and geopack, side by side in one run.

    python benchmarks/bench_coordinates.py [--vectors 100000] [--rounds 5]

Each peer is installed into an environment of its own under the temporary folder and gets the same arrays; all run on
one core, the best of the rounds counts. The angles to IDL SPEDAS are those of its validation file
(``plasma/idl_spedas/thm_gei2gse_validate.cdf`` under ARMILLARY_DATA or ../shared/data); without the file they are not
checked, and the table says so. Ends with 1 if a goal is missed.
"""

import argparse
import os
import subprocess
import sys
import time as clock
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import ONE_CORE, PYRFU, PYSPEDAS, peer_python, run_peer, version_of

from armillary.science.coordinates import igrf, tracing
from armillary.science.coordinates.frames import transform
from armillary.science.coordinates.geomagnetic import field_at
from armillary.science.coordinates.t89 import t89

GOAL_SECONDS, GOAL_DEGREES = 0.5e-6, 1.3e-5
TURNS = (("GEI", "GSE"), ("GSE", "GSM"), ("GSM", "SM"), ("GEI", "GEO"), ("J2000", "GEI"))
DATA = Path(os.environ.get("ARMILLARY_DATA", Path(__file__).parents[2] / "shared" / "data"))
IDL = DATA / "plasma" / "idl_spedas" / "thm_gei2gse_validate.cdf"

SPEDAS = """
import logging
logging.disable(logging.CRITICAL)
from pyspedas.cotrans_tools.cotrans_lib import subcotrans
seconds_since_1970 = given["ns"] / 1e9
for source, target in given["turns"]:
    name = f"{source} to {target}"
    answer[name], seconds[name] = best(
        lambda: np.array(subcotrans(seconds_since_1970, given["vectors"], source.lower(), target.lower())),
        int(given["rounds"]))
if "idl_ns" in given:
    answer["idl"] = np.array([subcotrans(given["idl_ns"] / 1e9, one, "gei", "gse") for one in given["idl_given"]])
"""
RFU = """
from pyrfu import pyrf
vectors = pyrf.ts_vec_xyz(given["ns"].astype("datetime64[ns]"), given["vectors"])
for source, target in given["turns"]:
    if "J2000" in (source, target):
        continue
    name = f"{source} to {target}"
    turn = f"{source.lower()}>{target.lower()}"
    result, seconds[name] = best(lambda: pyrf.cotrans(vectors, turn), int(given["rounds"]))
    answer[name] = result.data
if "idl_ns" in given:
    answer["idl"] = np.array([
        pyrf.cotrans(pyrf.ts_vec_xyz(given["idl_ns"].astype("datetime64[ns]"), one), "gei>gse").data
        for one in given["idl_given"]
    ])
"""
GEOPACK = """
import contextlib, io
from geopack import geopack, t89
answer["tilt"] = geopack.recalc(float(given["start"]))
place, tilt = given["place"], float(given["tilt"])
result, seconds["T89"] = best(lambda: np.array([t89.t89(3, tilt, *one) for one in place]), 1)
answer["T89"] = result
def feet():
    with contextlib.redirect_stdout(io.StringIO()):
        return np.array([geopack.trace(*one, -1, rlim=60, r0=1.1, parmod=3, exname="t89", inname="igrf")[:3]
                         for one in given["lines"]])
answer["trace"], seconds["trace"] = best(feet, 1)
"""
PPIGRF = """
import ppigrf, datetime
moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=float(given["start"]))
r, theta, phi = given["sphere"]
result, seconds["IGRF"] = best(lambda: ppigrf.igrf_gc(r, theta, phi, moment), 3)
answer["IGRF"] = np.array([one.ravel() for one in result]).T
"""


def best(function: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    least, result = float("inf"), None
    for _ in range(rounds):
        began = clock.perf_counter()
        result = function()
        least = min(least, clock.perf_counter() - began)
    return result, least


def angle(a: Any, b: Any) -> float:
    """Largest angle between vectors of the same length, degrees."""
    return float(np.degrees(2 * np.arcsin(np.linalg.norm(a - b, axis=-1) / np.linalg.norm(b, axis=-1) / 2)).max())


def of_idl() -> dict[str, Any]:
    if not IDL.exists():
        return {}
    import cdflib

    file = cdflib.CDF(str(IDL))
    ns = np.round((file.varget("Epoch") - 62167219200000.0) * 1e6).astype(np.int64)
    return {
        "idl_ns": ns,
        "idl_given": np.array([file.varget(f"basis_{one}") for one in "xyz"]),
        "idl": np.array([file.varget(f"basis_{one}_gei2gse") for one in "xyz"]),
    }


def frames(count: int, rounds: int) -> bool:
    rng = np.random.default_rng(1)
    start = np.datetime64("2015-10-01", "ns").astype(np.int64)
    given = {"ns": start + np.arange(count) * 10**9, "vectors": rng.normal(size=(count, 3)), "rounds": rounds}
    given |= {"turns": np.array(TURNS), **of_idl()}
    pyspedas, pyrfu = peer_python(*PYSPEDAS), peer_python(*PYRFU)
    told, theirs = run_peer(pyspedas, SPEDAS, {**given, "rounds": 2})
    told_rfu, theirs_rfu = run_peer(pyrfu, RFU, {**given, "rounds": 2})
    print(f"{count:,} vectors, a second apart; us/vector")
    versions = f"pyspedas {version_of(pyspedas, 'pyspedas')}", f"pyrfu {version_of(pyrfu, 'pyrfu')}"
    print(
        f"{'':14} {'ours':>8} {versions[0]:>16} {'ratio':>7} {'angle, deg':>11} {versions[1]:>14} {'ratio':>7}"
        f" {'angle, deg':>11}"
    )
    good = True
    for source, target in TURNS:
        name = f"{source} to {target}"
        ours, took = best(lambda s=source, t=target: transform(given["vectors"], given["ns"], s, t), rounds)
        line = f"{name:14} {took / count * 1e6:8.3f} {theirs[name] / count * 1e6:16.2f} {theirs[name] / took:7.0f}"
        line += f" {angle(ours, told[name]):11.1e}"
        if name in told_rfu:
            other = theirs_rfu[name]
            line += f" {other / count * 1e6:14.2f} {other / took:7.0f} {angle(ours, told_rfu[name]):11.1e}"
        print(line)
        good &= name != "GEI to GSE" or took / count <= GOAL_SECONDS
    return against_idl(given, told, told_rfu) and good


def against_idl(given: dict[str, Any], told: dict[str, Any], told_rfu: dict[str, Any]) -> bool:
    if "idl" not in given:
        print(f"angle to IDL SPEDAS: NOT CHECKED, there is no {IDL.name}")
        return True
    ours = np.array([transform(one, given["idl_ns"], "GEI", "GSE") for one in given["idl_given"]])
    found = [angle(one, given["idl"]) for one in (ours, told["idl"], told_rfu["idl"])]
    print("GEI to GSE, largest angle to IDL SPEDAS, deg: ours {:.2e}, pyspedas {:.2e}, pyrfu {:.2e}".format(*found))
    return found[0] <= GOAL_DEGREES


def models() -> None:
    rng = np.random.default_rng(2)
    start = np.array(["2001-01-01T02:03:04"], "datetime64[ns]")
    place = rng.normal(size=(20_000, 3)) * 4
    place = place[np.linalg.norm(place, axis=1) > 1]
    lines = place[np.linalg.norm(place, axis=1) < 6][:200]
    field = field_at(np.repeat(start, len(lines)), "igrf+t89", 2.0)
    tilt = float(field.tilt[0])
    given = {"start": start.astype(np.int64)[0] / 1e9, "place": place[:2000], "lines": lines, "tilt": tilt}
    told, theirs = run_peer(peer_python(*PYRFU), GEOPACK, given)
    radius = np.linalg.norm(place, axis=1)
    sphere = np.array([radius * 6371.2, np.degrees(np.arccos(place[:, 2] / radius)),
                       np.degrees(np.arctan2(place[:, 1], place[:, 0]))])  # fmt: skip
    told_igrf, theirs_igrf = run_peer(peer_python("ppigrf==2.1.0"), PPIGRF, {**given, "sphere": sphere})
    print(f"\n{'':26} {'ours':>9} {'peer':>9} {'ratio':>7}  difference")
    ours, took = best(lambda: igrf.field(place, start), 5)
    size = np.abs(np.linalg.norm(ours, axis=1) - np.linalg.norm(told_igrf["IGRF"], axis=1)).max()
    row("IGRF, us/point (ppigrf)", took / len(place), theirs_igrf["IGRF"] / len(place), 1e6, f"{size:.1e} nT in |B|")
    ours, took = best(lambda: t89(place[:2000], tilt, 2.0), 5)
    row("T89, us/point (geopack)", took / 2000, theirs["T89"] / 2000, 1e6, f"{np.abs(ours - told['T89']).max():.1e} nT")
    ends, took = best(lambda: tracing.trace(field, lines, along=True, inner=1.1), 3)
    foot = ends.state == tracing.FOOT
    missed = [np.abs(np.linalg.norm(one, axis=1) - 1.1)[foot].max() for one in (ends.position, told["trace"])]
    said = "ends off the sphere by {:.0e} and {:.0e} Re".format(*missed)
    row("trace, ms/line (geopack)", took / len(lines), theirs["trace"] / len(lines), 1e3, said)


def row(name: str, ours: float, theirs: float, scale: float, difference: str) -> None:
    print(f"{name:26} {ours * scale:9.3f} {theirs * scale:9.3f} {theirs / ours:7.0f}  {difference}")


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--vectors", type=int, default=100_000)
    words.add_argument("--rounds", type=int, default=5)
    asked = words.parse_args()
    if not ONE_CORE.items() <= os.environ.items():
        # Libraries read how many threads they may have when they are loaded.
        return subprocess.run([sys.executable, *sys.argv], env={**os.environ, **ONE_CORE}, check=False).returncode
    good = frames(asked.vectors, asked.rounds)
    models()
    goals = f"GEI to GSE <= {GOAL_SECONDS * 1e6} us/vector and <= {GOAL_DEGREES} deg from IDL"
    print(f"\ngoals: {goals}: {'met' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

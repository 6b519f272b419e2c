"""Other people's packages to measure against, each in a throw-away environment and a process of its own.

    python = peer_python("pyrfu==2.4.21")
    answer, seconds = run_peer(python, SCRIPT, {"x": x})

`SCRIPT` is the text of a Python program that finds its arrays in ``given["x"]``, puts arrays into ``answer`` and
seconds into ``seconds``; ``best(function, rounds)`` calls a function some times and gives its result and its shortest
time.
Nothing of a peer is imported here or kept.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import numpy as np

#: What the benchmarks of plasma are measured against.
PYRFU = ("pyrfu==2.4.21", "matplotlib<3.11", "geopack<1.0.11")  # later ones of these two keep it from being imported
PYSPEDAS = ("pyspedas==2.2.1",)

#: Libraries that share work among threads are held to one core: the table compares algorithms.
ONE_CORE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR", "VECLIB")}

_BEFORE = """
import sys, time
import numpy as np
given, answer, seconds = dict(np.load(sys.argv[1])), {}, {}
def best(function, rounds=3, time=time):
    least = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        result = function()
        least = min(least, time.perf_counter() - began)
    return result, least
"""
_AFTER = """
np.savez(sys.argv[2], **{"answer " + k: np.asarray(v) for k, v in answer.items()},
         **{"seconds " + k: np.float64(v) for k, v in seconds.items()})
"""


def peer_python(*requirements: str) -> Path:
    """Make an environment with these requirements, once, in the temporary folder, and give its interpreter."""
    key = hashlib.sha256("\n".join([*sorted(requirements), sys.version]).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"armillary-peers-{os.getuid()}" / key
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two benchmarks may be started at the same moment
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder, python, requirements)
            (folder / "ready").write_text("\n".join(requirements))
    return python


def run_peer(
    python: Path, script: str, arrays: dict[str, Any], *, timeout: float = 3600
) -> tuple[dict[str, Any], dict[str, float]]:
    """Run a program on arrays, on one core, and give its arrays and its seconds; its last words if it fails."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        np.savez(place / "given.npz", **arrays)
        (place / "program.py").write_text(_BEFORE + script + _AFTER)
        command = [python, "-W", "ignore", "program.py", "given.npz", "told.npz"]
        environment = {**os.environ, **ONE_CORE, "HOME": name, "MPLBACKEND": "agg"}
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the peer failed:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
        told = dict(np.load(place / "told.npz"))
    answer = {key.removeprefix("answer "): one for key, one in told.items() if key.startswith("answer ")}
    return answer, {key.removeprefix("seconds "): float(one) for key, one in told.items() if key not in _keys(answer)}


def version_of(python: Path, package: str) -> str:
    """Give the version of a package that an environment has."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _keys(answer: dict[str, Any]) -> set[str]:
    return {f"answer {key}" for key in answer}


def _install(folder: Path, python: Path, requirements: tuple[str, ...]) -> None:
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if Path(uv).exists():
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True)
        done = subprocess.run([uv, "pip", "install", "-q", "--python", python, *requirements], check=False)
        if done.returncode == 0:
            return
        shutil.rmtree(folder)
    venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", *requirements], check=True)

"""What another process sees: a source made anew from its archive, a mission imported for the first time."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from armillary.model import Archive, Request, silent
from armillary.testing.cases import digest

#: What a mission may not load when it is imported: the tree is drawn before any of them is needed.
HEAVY: Final = (
    "astropy", "cdflib", "dask", "fastapi", "h5netcdf", "h5py", "httpx", "matplotlib", "pandas", "pyarrow", "pyproj",
    "rasterio", "requests", "scipy", "sklearn", "starlette", "torch", "xarray", "zarr",
)  # fmt: skip
_LIMIT: Final = 300.0


def seen_elsewhere(archive: Archive, state: Path, requests: Sequence[Request]) -> dict[str, str]:
    """Make the source of an archive in a new process, and give a hash of each answer by the request's key."""
    asked = {
        "archive": archive.to_record(),
        "state": str(state),
        "requests": [one.to_record() for one in requests],
    }
    code = "from armillary.testing.travel import answer_all; answer_all()"
    return dict(_run(code, json.dumps(asked)))


def loaded_by(module: str) -> list[str]:
    """Import a module in a new process and give the heavy libraries that came with it."""
    code = f"import sys, json, {module}; print(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    return list(_run(code, ""))


def answer_all() -> None:
    """Read archive and requests from standard input, write the hashes: the other side of `seen_elsewhere`."""
    from armillary.sources.connect import connect

    asked = json.load(sys.stdin)
    source = connect(Archive.from_record(asked["archive"]), Path(asked["state"]))
    leaves = {one.path: one for one in source.inventory(silent)}
    requests = [Request.from_record(one) for one in asked["requests"]]
    found = {one.key: digest(source.fetch(leaves[one.product], one, silent)) for one in requests}
    sys.stdout.write(json.dumps(found))


def _run(code: str, text: str) -> Any:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        input=text, capture_output=True, text=True, timeout=_LIMIT, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, f"another process failed: {done.stderr.strip()[-2000:]}"
    return json.loads(done.stdout)

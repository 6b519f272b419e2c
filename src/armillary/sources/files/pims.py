"""Spectra of electrostatic analysers in the onboard format "EOS_PIMS" of JPL's libeos.

Big-endian: the mark with its padding and a version byte (12 bytes); file number, modes, bins, observations (uint32);
the energy of each bin in each mode (float32, infinite where a mode has fewer bins); then for each observation its
number, seconds, bins and mode (uint32) and the counts (uint32, padded with zeros). From when the seconds count only the
text file of the same name with the ending ``.meta`` says, as ``TIMESTAMP_START``: days since 0001-01-01 plus one.

The format is told by its authors' converter (https://github.com/JPLMLIA/libeos, folder pims).
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, DamagedFile, UnknownProduct
from armillary.model import Extent, Interval, Progress
from armillary.sources.files.summary import Summary, Variable

if TYPE_CHECKING:
    import xarray as xr

MARK: Final = b"EOS_PIMS\xff\xff\xff"
_VERSION: Final = 1
_BEGIN: Final = len(MARK) + 1 + 16
_LEAF: Final = "counts"
_DAY: Final = 86_400 * 10**9
_1970: Final = date(1970, 1, 1).toordinal()
_MEND: Final = "fetch it again, or make it again with libeos"


@dataclass(frozen=True, slots=True)
class _File:
    """The observations of one file, not yet read, and what is known of all of them."""

    records: Any
    energies: Any
    ns: Any
    said: dict[str, str]


def describe(path: Path) -> Summary:
    """Say what a file holds.

    Raises
    ------
    DamagedFile
        If it is cut short or another version.
    BadData
        If nobody says from when its seconds count.
    """
    file = _opened(path)
    span = Interval(int(file.ns.min()), int(file.ns.max()) + 1) if file.ns.size else None
    steps = np.diff(np.sort(file.ns))
    return Summary(
        format="EOS_PIMS",
        dataset=_dataset(file.said),
        title="Spectra in JPL's onboard format",
        coverage=span,
        variables=(
            Variable(
                name=_LEAF, title="Counts of each energy", kind="spectrogram", units="counts", rows=len(file.ns),
                row_bytes=4 * file.energies.shape[1] + 8, cadence=float(np.median(steps)) / 1e9 if steps.size else None,
                description="Counts, their energies change with the mode of the instrument.",
            ),
        ),
    )  # fmt: skip


def read(path: Path, variable: str, extent: Extent, progress: Progress) -> "xr.Dataset":
    """Read the spectra inside an extent; only these are read.

    Returns
    -------
    Dataset
        ``counts (time, bin)`` with the coordinate ``energy (time, bin)``, NaN where the mode has no such bin.
    """
    import xarray as xr

    if variable != _LEAF:
        raise UnknownProduct(f"{path.name} has no product {variable!r}", f"ask for {_LEAF}")
    file = _opened(path)
    inside = np.ones(len(file.ns), bool)
    if extent.time:
        inside = (file.ns >= extent.time.start) & (file.ns < extent.time.stop)
    chosen = np.flatnonzero(inside)
    chosen = chosen[np.argsort(file.ns[chosen], kind="stable")]
    part = file.records[chosen]
    progress(1.0, "")
    energy = file.energies[part["mode"]]
    counts = np.where(np.isfinite(energy), part["counts"], np.nan)
    attrs = {"units": "counts", "long_name": "Counts", "LABLAXIS": "counts", "SCALETYP": "log", "VALIDMIN": 0.0,
             "DISPLAY_TYPE": "spectrogram", "DEPEND_1": "energy"}  # fmt: skip
    axis = {"units": "eV", "long_name": "Energy", "LABLAXIS": "Energy", "SCALETYP": "log"}
    return xr.Dataset(
        {_LEAF: (("time", "bin"), counts, attrs), "mode": ("time", part["mode"].astype(np.int32), {"units": ""})},
        {"time": file.ns[chosen].astype("datetime64[ns]"), "energy": (("time", "bin"), energy, axis)},
        file.said,
    )


def _opened(path: Path) -> _File:
    try:
        head = _head(path)
        modes, bins, count = (int(one) for one in head[1:])
        begin = _BEGIN + 4 * modes * bins
        kind = np.dtype(
            [("number", ">u4"), ("seconds", ">u4"), ("bins", ">u4"), ("mode", ">u4"), ("counts", ">u4", bins)]
        )
        if not modes or not bins or begin + count * kind.itemsize > path.stat().st_size:
            raise DamagedFile(f"{path.name} is cut short: it should hold {count} spectra of {bins} energies", _MEND)
        energies = np.fromfile(path, ">f4", modes * bins, offset=_BEGIN).reshape(modes, bins)
        records = np.memmap(path, kind, "r", begin, count) if count else np.zeros(0, kind)
    except (OSError, ValueError) as broken:
        raise DamagedFile(f"{path.name} cannot be read: {broken}", _MEND) from None
    if count and int(records["mode"].max()) >= modes:
        raise DamagedFile(f"{path.name} is damaged: a spectrum is of a mode that the file does not have", _MEND)
    said = _said(path)
    ns = _epoch(path, said) + records["seconds"].astype(np.int64) * 10**9
    return _File(records, np.where(np.isfinite(energies), energies, np.nan), ns, said)


def _head(path: Path) -> Any:
    with path.open("rb") as file:
        begin = file.read(_BEGIN)
    if len(begin) < _BEGIN or not begin.startswith(MARK):
        raise DamagedFile(f"{path.name} does not begin with {MARK[:8].decode()}", _MEND)
    if begin[len(MARK)] != _VERSION:
        raise DamagedFile(f"{path.name} is of version {begin[len(MARK)]}, not {_VERSION}", "ask for a reader of it")
    return np.frombuffer(begin[-16:], ">u4")


def _said(path: Path) -> dict[str, str]:
    """Read the ``name: value`` lines of the text file beside it; empty if there is none."""
    try:
        text = path.with_suffix(".meta").read_text("utf-8", "replace")[:10_000]
    except OSError:
        return {}
    return {name: value.strip() for name, value in re.findall(r"^(\w+):[ \t]*(.*)$", text, re.MULTILINE)}


def _epoch(path: Path, said: dict[str, str]) -> int:
    try:
        days = float(said["TIMESTAMP_START"])
        begin = round((days - _1970) * _DAY)
    except (KeyError, ValueError, OverflowError):
        problem = f"nobody says from when the seconds of {path.name} count"
        raise BadData(problem, f"put {path.stem}.meta with its TIMESTAMP_START beside it") from None
    return begin


def _dataset(said: dict[str, str]) -> str:
    """Name the dataset by the instrument, as the name of the original file begins, and by the quantity."""
    instrument = re.match(r"[A-Za-z]+", PurePosixPath(said.get("data_file", "").replace("\\", "/")).name)
    parts = ["pims", instrument[0] if instrument else "", re.sub(r"[^A-Za-z0-9-]", "", said.get("quantity", ""))]
    return "_".join(part for part in parts if part).lower()

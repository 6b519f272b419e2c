"""Telemetry channels: an archive of arrays beside a list of labelled anomalies, as the SMAP and MSL sets are told."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, DamagedFile, one_line
from armillary.learn.keys import check_keys

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
_NS: Final = 1_000_000_000
_ANOMALIES: Final = "labeled_anomalies.csv"
_OPTIONS: Final = {"channels": tuple[str, ...]}


def read(path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read channels as samples: one sample a reading, one group a channel.

    Parameters
    ----------
    path : Path
        A folder with ``channels.npz`` (for each channel ``<train or test>_<channel>_value``, ``_cmd_idx``: flat places
        of the command bits that are set, ``_shape``: rows and columns, of which column 0 is the value) and
        ``labeled_anomalies.csv`` (``chan_id``, ``anomaly_sequences``: places in the test part).
    options : mapping
        ``channels``: which to read; all if left out.

    Returns
    -------
    xarray.Dataset
        ``value`` and ``commands`` (sample, bit); the train part has the role ``fit`` and no label, the test part is
        ``anomaly`` or ``nominal``. ``time`` is the number of the reading as seconds, 0 where the test part begins.

    Raises
    ------
    BadParameter, BadData, DamagedFile
    """
    check_keys("layout 'channels'", options, _OPTIONS, "options")
    if not path.is_dir():
        raise BadParameter(f"{path.name} is no folder", f"name the folder of channels.npz and {_ANOMALIES}")
    arrays = _arrays(path / "channels.npz")
    there = sorted({name.split("_")[1] for name in arrays if name.startswith("test_")})
    names = [str(one) for one in options.get("channels", ())] or there
    lost = [name for name in names if name not in there]
    if lost or not names:
        problem = f"{path.name} has no channel {lost[0]!r}" if lost else f"{path.name} has no channel"
        raise BadParameter(problem, f"it has {', '.join(there) or 'nothing'}")
    return _samples({name: _parts(arrays, name) for name in names}, _sequences(path / _ANOMALIES))


def _samples(channels: Mapping[str, tuple[Array, Array]], sequences: Mapping[str, list[list[int]]]) -> "xr.Dataset":
    import xarray as xr

    bits = max(part.shape[1] for parts in channels.values() for part in parts) - 1
    rows: dict[str, list[Array]] = {"value": [], "commands": [], "label": [], "role": [], "group": [], "time": []}
    events, owners = [], []
    for name, (learnt, scored) in channels.items():
        mine = joined(sequences.get(name, []), len(scored))
        events += mine
        owners += [name] * len(mine)
        label = np.full(len(scored), "nominal", object)
        for start, stop in mine:
            label[start:stop] = "anomaly"
        for part in (learnt, scored):
            fit = part is learnt
            rows["value"].append(part[:, 0])
            rows["commands"].append(np.pad(part[:, 1:] > 0, ((0, 0), (0, bits + 1 - part.shape[1]))).astype(np.uint8))
            rows["label"].append(np.full(len(part), "", object) if fit else label)
            rows["role"].append(np.full(len(part), "fit" if fit else "score", object))
            rows["group"].append(np.full(len(part), name, object))
            rows["time"].append(np.arange(len(part), dtype=float) - (len(part) if fit else 0))
    data: dict[str, Any] = {
        name: (("sample", "bit") if name == "commands" else "sample", np.concatenate(parts))
        for name, parts in rows.items()
    }
    known = np.array(events, np.int64).reshape(-1, 2) * _NS
    attrs = {"columns": ("value",), "cadence": 1.0, "events": known, "event_group": np.array(owners, object)}
    return xr.Dataset(data, attrs=attrs)


def joined(sequences: list[list[int]], length: int) -> list[tuple[int, int]]:
    """Give half-open intervals in order, those that overlap made one: the same anomaly is sometimes listed twice.

    Raises
    ------
    BadData
        If one lies outside of the series.

    Examples
    --------
    >>> joined([[50, 60], [55, 70], [10, 20]], 100)
    [(10, 20), (50, 70)]
    """
    found: list[tuple[int, int]] = []
    for start, stop in sorted(sequences):
        if not 0 <= start < length or stop <= start:
            problem = f"an anomaly from {start} to {stop} does not lie in a series of {length}"
            raise BadData(problem, "give the list of anomalies of these channels")
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], min(stop, length)))
        else:
            found.append((start, min(stop, length)))
    return found


def _arrays(path: Path) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as failed:
        hint = "give an archive that numpy.savez wrote, without objects"
        raise DamagedFile(f"cannot read {path.name}: {one_line(str(failed))}", hint) from failed


def _parts(arrays: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    """Give the train and the test part of a channel, (rows, 1 + bits)."""
    made = []
    for part in ("train", "test"):
        try:
            value, places, shape = (arrays[f"{part}_{name}_{one}"] for one in ("value", "cmd_idx", "shape"))
            flat = np.zeros(int(shape[0]) * int(shape[1]))
            flat[places] = 1
            whole = flat.reshape(int(shape[0]), int(shape[1]))
            whole[:, 0] = value
        except (KeyError, ValueError, IndexError) as failed:
            problem = f"channel {name}: the {part} part is not whole: {one_line(str(failed))}"
            raise DamagedFile(problem, "pack it again") from failed
        made.append(whole)
    return made[0], made[1]


def _sequences(path: Path) -> dict[str, list[list[int]]]:
    import pandas as pd

    try:
        table = pd.read_csv(path)
        found: dict[str, list[list[int]]] = {}
        for name, text in zip(table["chan_id"], table["anomaly_sequences"], strict=True):
            pairs = [[int(start), int(stop)] for start, stop in json.loads(text)]
            found.setdefault(str(name), []).extend(pairs)
    except (OSError, KeyError, ValueError, TypeError) as failed:
        hint = "it needs the columns chan_id and anomaly_sequences, as [[5, 9], [20, 31]]"
        raise DamagedFile(f"cannot read {path.name}: {one_line(str(failed))}", hint) from failed
    return found

"""Telemetry channels with their anomalies, read from an archive."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter, DamagedFile
from armillary.learn.layouts import read_samples
from armillary.learn.samples import rows_to_judge

HEADER = "chan_id,spacecraft,anomaly_sequences,class,num_values\n"


def write(folder: Path, rows: str = 'A-1,X,"[[3, 5], [4, 6]]",[point],8\n', **more: Any) -> Path:
    """Write a channel A-1 of 4 + 8 readings with two command bits, and B-1 of 3 + 5 with one."""
    arrays: dict[str, Any] = {}
    for name, bits, sizes in (("A-1", 2, (4, 8)), ("B-1", 1, (3, 5))):
        for part, size in zip(("train", "test"), sizes, strict=True):
            arrays[f"{part}_{name}_value"] = np.arange(size) + (0.0 if part == "test" else 100.0)
            arrays[f"{part}_{name}_cmd_idx"] = np.array([1 + bits + 1], np.uint32)
            arrays[f"{part}_{name}_shape"] = np.array([size, bits + 1], np.int32)
    np.savez(folder / "channels.npz", **(arrays | more))
    (folder / "labeled_anomalies.csv").write_text(HEADER + rows)
    return folder


def test_parts_labels_and_events_stand_where_the_list_says(tmp_path: Path) -> None:
    samples = read_samples("channels", write(tmp_path), {})
    mine = samples.isel(sample=samples.group.values == "A-1")
    assert mine.role.values.tolist() == ["fit"] * 4 + ["score"] * 8
    assert mine.time.values.tolist() == [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7]
    assert mine.label.values.tolist()[4:] == ["nominal"] * 3 + ["anomaly"] * 3 + ["nominal"] * 2
    assert samples.attrs["events"].tolist() == [[3 * 10**9, 6 * 10**9]]
    assert samples.attrs["event_group"].tolist() == ["A-1"]
    assert rows_to_judge(samples).sum() == 13


def test_command_bits_are_unpacked_and_padded(tmp_path: Path) -> None:
    samples = read_samples("channels", write(tmp_path), {})
    judged = samples.isel(sample=(samples.role == "score").values)
    first = judged.commands.values[(judged.group == "A-1").values]
    assert first.shape == (8, 2)
    assert np.argwhere(first).tolist() == [[1, 0]]
    other = judged.commands.values[(judged.group == "B-1").values]
    assert np.argwhere(other).tolist() == [[1, 0]]


def test_channels_are_chosen_by_name(tmp_path: Path) -> None:
    samples = read_samples("channels", write(tmp_path), {"channels": ["B-1"]})
    assert set(samples.group.values) == {"B-1"}
    assert not len(samples.attrs["events"])
    with pytest.raises(BadParameter, match="no channel 'C-1'"):
        read_samples("channels", tmp_path, {"channels": ["C-1"]})


def test_bad_input_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="does not know 'chanels'"):
        read_samples("channels", write(tmp_path), {"chanels": []})
    with pytest.raises(BadParameter, match="is no folder"):
        read_samples("channels", tmp_path / "channels.npz", {})
    with pytest.raises(BadData, match="does not lie in a series of 8"):
        read_samples("channels", write(tmp_path, 'A-1,X,"[[9, 12]]",[point],8\n'), {})
    with pytest.raises(DamagedFile, match=r"labeled_anomalies\.csv"):
        read_samples("channels", write(tmp_path, "A-1,X,nothing,[point],8\n"), {})
    with pytest.raises(DamagedFile, match="A-1: the test part is not whole"):
        read_samples("channels", write(tmp_path, **{"test_A-1_shape": np.array([9, 3])}), {})
    (tmp_path / "channels.npz").write_bytes(b"no archive")
    with pytest.raises(DamagedFile, match=r"channels\.npz"):
        read_samples("channels", tmp_path, {})


def test_an_archive_with_objects_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, **{"test_A-1_value": np.array([{"a": 1}] * 8, object)})
    with pytest.raises(DamagedFile, match=r"channels\.npz"):
        read_samples("channels", tmp_path, {})


@pytest.mark.real
def test_the_channels_of_smap(real_data: Path) -> None:
    samples = read_samples("channels", real_data / "onboard" / "smap_msl", {})
    assert len(set(samples.group.values)) == 55
    assert len(samples.attrs["events"]) == 68  # 69 are listed, two of P-2 overlap
    assert not samples.label.values[~rows_to_judge(samples)].any()

"""Packets that others can read, and anomalies that are where truth says."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from armillary.missions.simulated import telemetry
from armillary.missions.simulated.telemetry import HOUSEKEEPING, SPECTRUM, STATUS
from armillary.science import ccsds

Ask = Callable[..., Any]
DAY = ("2024-03-05", "2024-03-06")


def test_headers_agree_with_the_columns(ask: Ask) -> None:
    found = ask("instrument/packets", *DAY)
    header = ccsds.decode_header(found["octets"].to_numpy())
    assert np.array_equal(header.apid, found["apid"])
    assert np.array_equal(header.sequence, found["sequence"])
    assert np.array_equal(header.length, found["length"])
    assert set(found["apid"].to_numpy().tolist()) == {HOUSEKEEPING, SPECTRUM, STATUS}


def test_a_foreign_library_reads_the_stream(ask: Ask) -> None:
    space_packet_parser = pytest.importorskip("space_packet_parser")
    found = ask("instrument/packets", "2024-03-05", "2024-03-05T00:05")
    octets, length = found["octets"].to_numpy(), found["length"].to_numpy()
    stream = b"".join(row[:size].tobytes() for row, size in zip(octets, length, strict=True))
    packets = list(space_packet_parser.ccsds_generator(stream))
    assert [one.apid for one in packets] == found["apid"].to_numpy().tolist()
    assert [one.sequence_count for one in packets] == found["sequence"].to_numpy().tolist()
    assert [bytes(one) for one in packets] == list(ccsds.split(stream))


def test_times_and_values_survive_the_packets(ask: Ask) -> None:
    found = ask("instrument/packets", *DAY)
    octets, apid = found["octets"].to_numpy(), found["apid"].to_numpy()
    for wanted in (SPECTRUM, STATUS):
        time, _ = telemetry.decode(octets, apid, wanted)
        assert np.array_equal(time, found["time"].to_numpy()[apid == wanted].astype(np.int64))
    _, texts = telemetry.decode(octets, apid, STATUS)
    assert texts[0].tobytes().decode("ascii").startswith(("ALIVE", "BUS"))


def month() -> list[telemetry.Anomaly]:
    return telemetry.near(1, telemetry.SAMPLING.start, telemetry.SAMPLING.stop)


def around(ask: Ask, path: str, one: telemetry.Anomaly, margin: int = 60) -> Any:
    edges = one.start - margin * 10**9, one.stop + margin * 10**9
    return ask(path, *(str(np.datetime64(edge, "ns")) for edge in edges))


def first(kind: str) -> telemetry.Anomaly:
    span = telemetry.SAMPLING
    inside = [one for one in month() if one.start > span.start + 10**12 and one.stop < span.stop - 10**12]
    return next(one for one in inside if one.kind == kind)


def test_every_kind_is_planted_and_told(ask: Ask) -> None:
    told = ask("instrument/truth/anomalies").to_pylist()
    assert {one["class"] for one in told} == set(telemetry.ANOMALIES)
    assert len(told) == len(month()) > 60
    order = [one["start"] for one in told]
    assert order == sorted(order)


def test_dropouts_are_gaps_in_the_sequence(ask: Ask) -> None:
    one = first("dropout")
    found = around(ask, "instrument/packets", one)
    times = found["time"].to_numpy().astype(np.int64)
    assert not ((times >= one.start) & (times < one.stop)).any()
    mine = found["apid"].to_numpy() == HOUSEKEEPING
    lost = ccsds.missing(found["sequence"].to_numpy()[mine].astype(int))
    assert lost.sum() == pytest.approx((one.stop - one.start) / 1e9, abs=1)
    assert (lost > 0).sum() == 1


def test_corruption_breaks_the_checksum(ask: Ask) -> None:
    one = first("corruption")
    found = around(ask, "instrument/packets", one)
    mine = found["apid"].to_numpy() == HOUSEKEEPING
    bad = ccsds.checksum(found["octets"].to_numpy()[mine][:, : telemetry.LENGTHS[HOUSEKEEPING]]) != 0
    times = found["time"].to_numpy()[mine].astype(np.int64)
    assert np.array_equal(bad, (times >= one.start) & (times < one.stop))
    assert around(ask, "instrument/voltage", one).sizes["time"] == (~bad).sum()


def test_stuck_spikes_and_limits_show(ask: Ask) -> None:
    stuck = first("stuck")
    name = stuck.channel
    values = around(ask, f"instrument/{name}", stuck)[name]
    times = values["time"].to_numpy().astype(np.int64)
    inside = (times >= stuck.start) & (times < stuck.stop)
    assert len(set(values.to_numpy()[inside])) == 1
    assert len(set(values.to_numpy()[~inside])) > 10
    limit = first("limit")
    low = around(ask, "instrument/voltage", limit)["voltage"]
    assert float(low.min()) < low.attrs["LIMITMIN"]
    spike = first("spike")
    found = around(ask, f"instrument/{spike.channel}", spike, 20)[spike.channel].to_numpy()
    assert np.abs(np.diff(found)).max() > 0.5 * abs(spike.size)

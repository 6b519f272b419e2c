"""An instrument in low orbit that sends CCSDS space packets, with anomalies planted in them.

Three kinds of packet: housekeeping every second, a spectrum every eight, a text every minute. Each has a primary header
(CCSDS 133.0-B-2), a secondary header with the time (CUC: 4 octets of seconds since 2000-01-01 and 2 of a fraction,
CCSDS 301.0-B-4), its data and a checksum (ECSS-E-ST-70-41C, annex B).
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from armillary.missions.simulated.sampling import Sampling
from armillary.science import ccsds
from armillary.science.noise import Array, generator, smooth

#: Blocks of one hour.
SAMPLING: Final = Sampling.of("2024-03-01", "2024-04-01", 1, 3600)
HOUSEKEEPING, SPECTRUM, STATUS = 100, 101, 102
#: Octets: time in the secondary header, checksum, the longest packet.
TIME, CHECKSUM, LONGEST = 6, 2, 142
CHANNELS_OF_SPECTRUM: Final = 64
ENERGY: Final = np.geomspace(20.0, 2000.0, CHANNELS_OF_SPECTRUM)
#: 2000-01-01 in nanoseconds since 1970.
_EPOCH: Final = 946_684_800_000_000_000
_ORBIT: Final = 5_700.0
_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND


class Channel(NamedTuple):
    """A housekeeping channel: value = offset + scale * raw, limits and noise in its unit."""

    name: str
    unit: str
    title: str
    offset: float
    scale: float
    low: float
    high: float
    noise: float


CHANNELS: Final = (
    Channel("temperature", "degC", "Detector temperature", -100.0, 0.005, -5.0, 35.0, 0.05),
    Channel("box_temperature", "degC", "Electronics temperature", -100.0, 0.005, 0.0, 50.0, 0.04),
    Channel("current", "A", "Primary current", 0.0, 0.0002, 0.4, 3.2, 0.01),
    Channel("voltage", "V", "Bus voltage", 0.0, 0.001, 25.5, 31.5, 0.03),
    Channel("wheel_speed", "rpm", "Reaction wheel speed", -6000.0, 0.2, -5000.0, 5000.0, 2.0),
)
ANOMALIES: Final = ("spike", "drift", "stuck", "dropout", "limit", "corruption")


class Anomaly(NamedTuple):
    """One planted anomaly; size in the unit of its channel (0 where it has none)."""

    start: int
    stop: int
    kind: str
    channel: str
    size: float


@lru_cache(maxsize=512)
def anomalies(seed: int, day: int) -> tuple[Anomaly, ...]:
    """Give the anomalies that start on a day, counted from the start of the coverage."""
    random = generator(seed, "instrument.anomaly", day)
    found = []
    # Each has its own part of the day, so that no two overlap.
    count = int(random.integers(2, 7))
    for place in range(count):
        start = SAMPLING.start + day * _DAY + round((place + random.uniform(0.05, 0.4)) / count * _DAY)
        found.append(_anomaly(random, start))
    return tuple(found)


def near(seed: int, start: int, stop: int) -> list[Anomaly]:
    """Give the anomalies that touch ``start <= t < stop``."""
    last = (SAMPLING.stop - SAMPLING.start) // _DAY
    days = range(max(0, (start - SAMPLING.start) // _DAY - 1), min(last, (stop - 1 - SAMPLING.start) // _DAY + 1))
    every = [one for day in days for one in anomalies(seed, day)]
    return [one for one in every if one.start < stop and one.stop > start]


def packets(seed: int, block: int) -> dict[str, Array]:
    """Give the packets of one hour in order of time: time, apid, sequence, length and octets (n, 142)."""
    parts = [_housekeeping(seed, block), _spectra(seed, block), _status(seed, block)]
    time, apid, octets, length = (np.concatenate(one) for one in zip(*parts, strict=True))
    order = np.argsort(time, kind="stable")
    time, octets, length = time[order], octets[order], length[order]
    kept = ~_inside(seed, time, "dropout")
    sequence = ccsds.decode_header(octets).sequence.astype(np.uint16)
    columns = {"time": time, "apid": apid[order].astype(np.uint16), "sequence": sequence}
    columns |= {"length": length.astype(np.uint16), "octets": octets}
    return {name: one[kept] for name, one in columns.items()}


def decode(octets: Array, apid: Array, wanted: int) -> tuple[Array, Array]:
    """Read the packets of one kind whose checksum is right.

    Returns
    -------
    time : array of int64, shape (n,)
        From their secondary headers, nanoseconds since 1970.
    data : array of uint8, shape (n, m)
        What stands between header and checksum.
    """
    chosen = octets[np.asarray(apid) == wanted]
    if not len(chosen):
        return np.zeros(0, np.int64), np.zeros((0, LENGTHS[wanted] - ccsds.HEADER - TIME - CHECKSUM), np.uint8)
    whole = chosen[:, : LENGTHS[wanted]]
    whole = whole[ccsds.checksum(whole) == 0]
    stamp = whole[:, ccsds.HEADER : ccsds.HEADER + TIME].astype(np.int64)
    ticks = stamp @ (256 ** np.arange(TIME - 1, -1, -1))
    # Back to whole milliseconds, which is what the clock of the instrument counts.
    milliseconds = (ticks * 1000 + (1 << 15)) >> 16
    return _EPOCH + milliseconds * 1_000_000, whole[:, ccsds.HEADER + TIME : -CHECKSUM]


def housekeeping(octets: Array, apid: Array) -> dict[str, Array]:
    """Give ``time`` and the calibrated value of each channel, and ``mode``, from packets."""
    time, data = decode(octets, apid, HOUSEKEEPING)
    raw = np.ascontiguousarray(data[:, : 2 * len(CHANNELS)]).view(">u2").astype(np.float64)
    values = {one.name: one.offset + one.scale * raw[:, place] for place, one in enumerate(CHANNELS)}
    return {"time": time, **values, "mode": data[:, 2 * len(CHANNELS)].copy()}


def spectra(octets: Array, apid: Array) -> dict[str, Array]:
    """Give ``time`` and ``counts`` (n, 64) from packets."""
    time, data = decode(octets, apid, SPECTRUM)
    return {"time": time, "counts": np.ascontiguousarray(data).view(">u2").astype(np.uint16)}


#: Octets of the whole packet by APID.
LENGTHS: Final = {HOUSEKEEPING: 26, SPECTRUM: LONGEST, STATUS: 46}


def _anomaly(random: np.random.Generator, start: int) -> Anomaly:
    kind = ANOMALIES[int(random.integers(len(ANOMALIES)))]
    channel = CHANNELS[int(random.integers(len(CHANNELS)))]
    if kind == "limit":
        channel = CHANNELS[3]
    longest = {"spike": 4, "drift": 9000, "stuck": 3000, "dropout": 500, "limit": 900, "corruption": 20}[kind]
    seconds = max(2, round(longest * random.uniform(0.4, 1.0)))
    sigmas = {"spike": random.uniform(15, 60), "drift": random.uniform(25, 80), "limit": -128.0}.get(kind, 0.0)
    sign = random.choice([-1, 1]) if kind != "limit" else 1
    name = channel.name if kind not in {"dropout", "corruption"} else ""
    return Anomaly(start, start + seconds * _SECOND, kind, name, float(sigmas * sign * channel.noise) + 0.0)


def _inside(seed: int, time: Array, kind: str) -> Array:
    found = np.zeros(len(time), bool)
    for one in near(seed, int(time[0]), int(time[-1]) + 1):
        if one.kind == kind:
            found |= (time >= one.start) & (time < one.stop)
    return found


def _housekeeping(seed: int, block: int) -> tuple[Array, Array, Array, Array]:
    time = SAMPLING.times(block)
    data = np.zeros((len(time), 12), np.uint8)
    noise = generator(seed, "instrument.noise", block).standard_normal((len(CHANNELS), len(time)))
    for place, channel in enumerate(CHANNELS):
        value = _planted(seed, channel, time, _clean(seed, channel.name, time) + channel.noise * noise[place])
        raw = np.clip(np.round((value - channel.offset) / channel.scale), 0, 65535)
        data[:, 2 * place : 2 * place + 2] = raw.astype(">u2").view(np.uint8).reshape(-1, 2)
    data[:, 10] = _mode(time)
    octets = _pack(HOUSEKEEPING, time, block * SAMPLING.length + np.arange(len(time)), data)
    # One flipped bit, in the data: the checksum does not fit any more.
    octets[_inside(seed, time, "corruption"), ccsds.HEADER + TIME + 3] ^= 0x10
    return time, np.full(len(time), HOUSEKEEPING), octets, np.full(len(time), LENGTHS[HOUSEKEEPING])


def _spectra(seed: int, block: int) -> tuple[Array, Array, Array, Array]:
    time = SAMPLING.times(block)[::8] + _SECOND // 4
    phase = 2 * np.pi * ((time - SAMPLING.start) / _SECOND % _ORBIT) / _ORBIT
    background = 60 * (ENERGY / 100) ** -1.3
    lines = 40 * np.exp(-(((ENERGY - 511) / 30) ** 2)) + 18 * np.exp(-(((ENERGY - 1460) / 70) ** 2))
    mean = (1 + 0.4 * np.cos(phase))[:, None] * background + lines
    counts = generator(seed, "instrument.spectrum", block).poisson(mean)
    data = counts.astype(">u2").view(np.uint8).reshape(len(time), -1)
    number = block * len(time) + np.arange(len(time))
    return time, np.full(len(time), SPECTRUM), _pack(SPECTRUM, time, number, data), np.full(len(time), LONGEST)


def _status(seed: int, block: int) -> tuple[Array, Array, Array, Array]:
    time = SAMPLING.times(block)[::60] + _SECOND // 2
    number = block * len(time) + np.arange(len(time))
    bad = _inside(seed, time, "limit")
    texts = [("BUS VOLTAGE LOW" if low else f"ALIVE {one}").ljust(32) for one, low in zip(number, bad, strict=True)]
    data = np.frombuffer("".join(texts).encode("ascii"), np.uint8).reshape(len(time), 32)
    return time, np.full(len(time), STATUS), _pack(STATUS, time, number, data), np.full(len(time), LENGTHS[STATUS])


def _pack(apid: int, time: Array, number: Array, data: Array) -> Array:
    """Put header, time and checksum around data and fill up with zeros to the longest packet."""
    length = LENGTHS[apid]
    octets = np.zeros((len(time), LONGEST), np.uint8)
    octets[:, : ccsds.HEADER] = ccsds.encode_header(np.full(len(time), apid), number, np.full(len(time), length))
    seconds, rest = np.divmod(time - _EPOCH, _SECOND)
    fraction = (rest // 1_000_000 * 65_536 + 500) // 1000
    octets[:, 6:10] = seconds.astype(">u4").view(np.uint8).reshape(-1, 4)
    octets[:, 10:12] = fraction.astype(">u2").view(np.uint8).reshape(-1, 2)
    octets[:, 12 : length - CHECKSUM] = data
    crc = ccsds.checksum(octets[:, : length - CHECKSUM])
    octets[:, length - CHECKSUM : length] = crc.astype(">u2").view(np.uint8).reshape(-1, 2)
    return octets


def _planted(seed: int, channel: Channel, time: Array, value: Array) -> Array:
    """Give the values with the anomalies of this channel in them."""
    for one in near(seed, int(time[0]), int(time[-1]) + 1):
        if one.channel != channel.name:
            continue
        here = (time >= one.start) & (time < one.stop)
        if one.kind == "stuck":
            value = np.where(here, _clean(seed, channel.name, np.array([one.start]))[0], value)
        else:
            grown = (time - one.start) / (one.stop - one.start) if one.kind == "drift" else 1.0
            value = value + np.where(here, one.size * grown, 0.0)
    return value


def _mode(time: Array) -> Array:
    """Give 0 in eclipse (standby), 1 in the Sun (science)."""
    return (_phase(time) > 0.36).astype(np.uint8)


def _phase(time: Array) -> Array:
    return np.asarray((time - SAMPLING.start) / _SECOND % _ORBIT / _ORBIT)


def _clean(seed: int, name: str, time: Array) -> Array:
    """Give the value of a channel without noise and anomalies."""
    phase, hours = _phase(time), (time - SAMPLING.start) / 3600e9
    lit = 1 / (1 + np.exp(-np.clip(np.minimum(phase - 0.36, 1 - phase) * 600, -50, 50)))
    wave = np.cos(2 * np.pi * (phase - 0.93))
    slow = smooth(seed, f"instrument.{name}", hours / 18)[:, 0]
    if name == "temperature":
        return np.asarray(12 + 5 * wave + 1.5 * slow)
    if name == "box_temperature":
        return np.asarray(24 + 3 * np.cos(2 * np.pi * (phase - 0.98)) + slow)
    if name == "current":
        return np.asarray(1.1 + 1.0 * lit + 0.04 * slow)
    if name == "voltage":
        # The battery empties in eclipse and is filled again in the first part of the day side.
        return np.asarray(27.2 + 1.6 * np.where(phase < 0.36, 1 - phase / 0.36, np.minimum((phase - 0.36) / 0.3, 1)))
    return np.asarray(2200 * np.sin(2 * np.pi * hours / 31) + 350 * np.sin(2 * np.pi * phase) + 120 * slow)

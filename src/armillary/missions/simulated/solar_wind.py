"""Solar wind at the nose of the bow shock: streams, sectors, turbulence, mass ejections and the shocks they drive.

The quiet wind has fast streams with compressed leading edges, the proton temperature that goes with the speed (Lopez
1987), a Parker spiral (Parker 1958) whose sign changes with the sector, and Alfvenic fluctuations with a slope of 5/3.
Mass ejections follow what Zurbuchen and Richardson (2006, Space Sci. Rev. 123, 31, doi:10.1007/s11214-006-9010-4) list:
a shock, a sheath, then a smooth strong rotating field (Lundquist 1950; Burlaga 1988), cold and of low beta, slowing.
Electrons are as warm as protons.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from armillary.missions.simulated.ejections import Ejection, ejections, overlay, sheath_weight
from armillary.missions.simulated.sampling import Sampling
from armillary.science import plasma
from armillary.science.noise import Array, generator, smooth, turbulence

SAMPLING: Final = Sampling.of("2020-01-01", "2025-01-01", 60, 1440)
_DAY: Final = 86400e9
#: A quarter of a solar rotation, days: one stream may come in each.
_STREAM_SLOT: Final = 6.75
#: Rotation speed of the field lines at 1 au, km/s: 2.87e-6 rad/s times 1 au.
_WINDING: Final = 429.0


class Wind(NamedTuple):
    """The state of the wind at n times: cm^-3, km/s, K, nT; vectors of shape (n, 3) in GSE."""

    density: Array
    velocity: Array
    temperature: Array
    field: Array


@lru_cache(maxsize=256)
def day(seed: int, block: int) -> Wind:
    """Give the minutes of one day, counted from the start of the coverage; the arrays are read-only."""
    found = wind(seed, SAMPLING.times(block))
    for one in found:
        one.setflags(write=False)
    return found


def at(seed: int, ns: Array) -> Wind:
    """Give the wind at any sorted times within the coverage, linear between its minutes."""
    each = SAMPLING.length * SAMPLING.step
    low, high = int(ns[0] - SAMPLING.start) // each, int(ns[-1] - SAMPLING.start + SAMPLING.step) // each
    days = [day(seed, block) for block in range(low, high + 1)]
    place = (ns - (SAMPLING.start + low * each)) / SAMPLING.step
    left = place.astype(np.int64)
    share = place - left
    return Wind(*(_between(np.concatenate(parts), left, share) for parts in zip(*days, strict=True)))


def wind(seed: int, ns: Array) -> Wind:
    """Give the wind at any times, int64 nanoseconds since 1970."""
    state = quiet(seed, ns)
    for one in near(seed, int(ns[0]), int(ns[-1])):
        shocked = _shocked(state, one, sheath_weight(one, ns))
        state = Wind(*overlay(one, ns, shocked))
    return state


def near(seed: int, start: int, stop: int) -> tuple[Ejection, ...]:
    """Give the mass ejections that may matter between two times."""
    return ejections(seed, start, stop, _quiet_instant)


def quiet(seed: int, ns: Array) -> Wind:
    """Give the wind without mass ejections."""
    days = (ns - SAMPLING.start) / _DAY
    speed, squeeze = _streams(seed, days)
    sector = np.tanh(8 * smooth(seed, "wind.sector", days / 7.5)[:, 0] + 1.2)
    tangle = turbulence(seed, "wind.tangle", days * 86400, 4 * 3600, 60, 3)
    field, waves = _field(seed, days, speed, squeeze, sector, tangle)
    density = _density(seed, days, speed, squeeze)
    alfven = plasma.alfven_speed(np.linalg.norm(field, axis=1), density)
    # Waves that leave the Sun: velocity against the field where it points away from the Sun.
    velocity = -0.45 * (sector * alfven)[:, None] * waves
    velocity[:, 0] -= speed
    warmth = (
        0.25 * smooth(seed, "wind.warmth", days * 6)[:, 0]
        + 0.06 * turbulence(seed, "wind.heat", days * 86400, 3600, 60)[:, 0]
    )
    temperature = plasma.expected_temperature(speed) * np.exp(warmth) * (1 + squeeze)
    return Wind(density, velocity, temperature, field)


def _quiet_instant(seed: int, ns: int) -> tuple[float, Array, float, Array]:
    density, velocity, temperature, field = quiet(seed, np.array([ns], np.int64))
    return float(density[0]), velocity[0], float(temperature[0]), field[0]


def _streams(seed: int, days: Array) -> tuple[Array, Array]:
    """Give speed (km/s) and how much the leading edge of a stream squeezes the wind (0..1 or so)."""
    fast, squeeze = np.zeros_like(days), np.zeros_like(days)
    for slot in range(int(days[0] // _STREAM_SLOT) - 2, int(days[-1] // _STREAM_SLOT) + 3):
        peak, height, decay = _stream(seed, slot)
        late = days - peak
        shape = np.exp(-np.where(late < 0, (late / 0.5) ** 2, np.abs(late / decay) ** 1.5))
        np.maximum(fast, height * shape, out=fast)
        np.maximum(squeeze, height / 300 * np.exp(-(((late + 0.45) / 0.3) ** 2)), out=squeeze)
    drift = 22 * smooth(seed, "wind.drift", days / 1.3)[:, 0] + 7 * smooth(seed, "wind.gust", days * 10)[:, 0]
    return 345 + fast + drift, squeeze


@lru_cache(maxsize=1024)
def _stream(seed: int, slot: int) -> tuple[float, float, float]:
    random = generator(seed, "wind.stream", slot)
    peak = (slot + random.uniform(0.25, 0.75)) * _STREAM_SLOT
    height = random.uniform(120, 330) if random.random() < 0.7 else random.uniform(10, 60)
    return float(peak), float(height), float(random.uniform(1.8, 3.2))


def _density(seed: int, days: Array, speed: Array, squeeze: Array) -> Array:
    slow = 0.30 * smooth(seed, "wind.clump", days / 0.7)[:, 0]
    fine = 0.13 * turbulence(seed, "wind.grain", days * 86400, 3 * 3600, 60)[:, 0]
    # Mass flux changes less than density does: n v^2 is nearly constant.
    return np.asarray(5.6 * (400 / speed) ** 2 * np.exp(slow + fine) * (1 + 2.2 * squeeze))


def _field(seed: int, days: Array, speed: Array, squeeze: Array, sector: Array, tangle: Array) -> tuple[Array, Array]:
    """Give the field (nT) and the change of its direction by waves."""
    angle = np.arctan(_WINDING / speed)
    spiral = np.stack([-np.cos(angle), np.sin(angle), np.zeros_like(angle)], 1) * sector[:, None]
    mean = spiral / np.maximum(np.linalg.norm(spiral, axis=1), 0.25)[:, None]
    direction = mean + 0.42 * tangle
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    fine = 0.05 * turbulence(seed, "wind.press", days * 86400, 2 * 3600, 60)[:, 0]
    size = 4.9 * np.exp(0.22 * smooth(seed, "wind.flux", days / 0.6)[:, 0] + fine) * (1 + 1.1 * squeeze)
    return size[:, None] * direction, direction - mean


def _shocked(state: Wind, one: Ejection, weight: Array) -> Wind:
    """Put the jump of a shock on the quiet wind; full where `weight` is 1."""
    ratio = 1 + (one.jump.compression - 1) * weight
    along = (state.field @ one.normal)[:, None] * one.normal
    field = along + (state.field - along) * (1 + (one.jump.field - 1) * weight)[:, None]
    heat = one.jump.pressure / one.jump.compression
    return Wind(
        state.density * ratio,
        state.velocity + weight[:, None] * one.kick,
        state.temperature * (1 + (heat - 1) * weight),
        field,
    )


def _between(values: Array, left: Array, share: Array) -> Array:
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[left] * (1 - share) + values[left + 1] * share)

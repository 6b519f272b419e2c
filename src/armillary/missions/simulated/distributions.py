"""Ions as a top-hat instrument counts them: 32 energies, 16 polar and 32 azimuth angles, in 4.5 seconds.

It is laid out like the Dual Ion Spectrometers of MMS (Pollock et al. 2016, Space Sci. Rev. 199, 331,
doi:10.1007/s11214-016-0245-4). A pixel counts ``j E G e dt`` on average, the differential energy flux ``j E`` (which is
``f v^4 / 2``) averaged over its solid angle and energy; what it counts is a Poisson number of that mean.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from armillary.missions.simulated import crossings
from armillary.missions.simulated.crossings import Plasma
from armillary.missions.simulated.sampling import Sampling
from armillary.science import plasma
from armillary.science.noise import Array, generator

SAMPLING: Final = Sampling.of("2024-01-01", "2024-07-01", 4.5, 20)
ENERGIES, POLARS, AZIMUTHS = 32, 16, 32
#: Of one pixel, cm^2 sr eV/eV; share of ions that are counted; seconds that each pixel looks within 4.5 s.
GEOMETRIC_FACTOR: Final = 1.0e-4
EFFICIENCY: Final = 0.5
ACCUMULATION: Final = 0.035
#: Counts for an energy flux of 1 eV/(cm^2 s sr eV).
RESPONSE: Final = GEOMETRIC_FACTOR * EFFICIENCY * ACCUMULATION
_EDGES: Final = np.geomspace(10.0, 30_000.0, ENERGIES + 1)
ENERGY: Final = np.sqrt(_EDGES[1:] * _EDGES[:-1])
POLAR: Final = (np.arange(POLARS) + 0.5) * 180 / POLARS
AZIMUTH: Final = (np.arange(AZIMUTHS) + 0.5) * 360 / AZIMUTHS


class Nodes(NamedTuple):
    """Where within each pixel the distribution is taken: two Gauss points along each of its three axes.

    ``direction`` (4, 512, 3) of flight, azimuth-major, GSE, and ``speed`` (2, 32) in km/s.
    """

    direction: Array
    speed: Array
    weight: Array


def skymap(seed: int, block: int) -> dict[str, Array]:
    """Give counts and phase space density, shape (20, azimuth, polar, energy), of one block of `SAMPLING`."""
    state, _ = crossings.state(seed, SAMPLING.times(block))
    mean = expected_flux(state) * RESPONSE
    counts = generator(seed, "sentry.counts", block).poisson(mean)
    return {"psd": to_psd(counts / RESPONSE).astype(np.float32), "counts": np.minimum(counts, 65535).astype(np.uint16)}


def omni(seed: int, block: int) -> dict[str, Array]:
    """Give the energy flux over all directions of one block of `crossings.MOMENTS`, counted by its own accumulators."""
    state, _ = crossings.state(seed, crossings.MOMENTS.times(block))
    pixels = POLARS * AZIMUTHS
    mean = omni_flux(state) * RESPONSE * pixels
    counts = generator(seed, "sentry.omni", block).poisson(mean)
    return {"ion_omni": (counts / (RESPONSE * pixels)).astype(np.float32)}


def expected_flux(state: Plasma) -> Array:
    """Give the energy flux averaged over each pixel, eV/(cm^2 s sr eV), shape (n, azimuth, polar, energy)."""
    nodes = _nodes()
    along, across = plasma.thermal_speed(state.parallel), plasma.thermal_speed(state.perpendicular)
    b = state.field / np.linalg.norm(state.field, axis=1, keepdims=True)
    norm = state.density / (np.pi**1.5 * along * across**2)
    drift = ((state.velocity**2).sum(1) / across**2, (state.velocity * b).sum(1))
    lean = 1 / along**2 - 1 / across**2
    total = np.zeros((len(norm), POLARS * AZIMUTHS, ENERGIES), np.float32)
    for directions, weights in zip(nodes.direction, nodes.weight, strict=True):
        forward = (2 * (state.velocity @ directions.T) / across[:, None] ** 2)[:, :, None].astype(np.float32)
        gyro = (b @ directions.T)[:, :, None].astype(np.float32)
        for speed in nodes.speed.astype(np.float32):
            tilt = gyro * speed - drift[1][:, None, None].astype(np.float32)
            tilt *= tilt
            tilt *= lean[:, None, None].astype(np.float32)
            tilt -= forward * speed
            level = np.log(norm * 5e4)[:, None] - speed**2 / across[:, None] ** 2 - drift[0][:, None]
            exponent = (level + 4 * np.log(speed)).astype(np.float32)[:, None, :] - tilt
            total += np.exp(exponent) * weights[None, :, None]
    return total.reshape(-1, AZIMUTHS, POLARS, ENERGIES)


def omni_flux(state: Plasma) -> Array:
    """Give the energy flux averaged over all directions and each energy step, shape (n, energy).

    The closed form for a drifting Maxwellian of the mean temperature: what anisotropy does to the mean over all
    directions is of second order and left out.
    """
    thermal = plasma.thermal_speed(state.temperature)[:, None]
    drift = np.linalg.norm(state.velocity, axis=1)[:, None]
    norm = state.density[:, None] / (np.pi**1.5 * thermal**3) * 5e4
    total = np.zeros((len(norm), ENERGIES))
    for speed in _nodes().speed:
        twice = 2 * speed * drift / thermal**2
        # exp(-(v^2 + V^2) / w^2) sinh(x) / x with x = 2 v V / w^2, written so that nothing overflows
        shape = np.exp(-(((speed - drift) / thermal) ** 2)) * -np.expm1(-2 * twice) / (2 * twice)
        total += norm * shape * speed**4 / 2
    return total


def to_psd(flux: Array) -> Array:
    """Turn energy flux, energy along the last axis, into phase space density, s^3 cm^-6."""
    return np.asarray(2 * flux / (plasma.speed_of(ENERGY) * 1e5) ** 4)


@lru_cache(maxsize=1)
def _nodes() -> Nodes:
    # Gauss points of two, for a cell from -1/2 to 1/2.
    offsets = np.array([-0.5, 0.5]) / np.sqrt(3)
    parts, weights = [], []
    for up in offsets:
        for side in offsets:
            polar = np.radians(POLAR + up * 180 / POLARS)
            azimuth = np.radians(AZIMUTH + side * 360 / AZIMUTHS)
            parts.append(_direction(azimuth[:, None], polar[None, :]).reshape(-1, 3))
            weights.append(np.tile(np.sin(polar), AZIMUTHS))
    share = np.array(weights)
    share /= 2 * share.sum(0)
    ratio = _EDGES[1] / _EDGES[0]
    speed = np.stack([plasma.speed_of(ENERGY * ratio**offset) for offset in offsets])
    return Nodes(np.array(parts), speed, share.astype(np.float32))


def _direction(azimuth: Array, polar: Array) -> Array:
    x, y, z = np.broadcast_arrays(np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar))
    return np.stack([x, y, z], -1)

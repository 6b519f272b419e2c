"""Analytic distributions in the geometries of real instruments."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELECTRON_MASS, ELEMENTARY_CHARGE, PROTON_MASS, Array, bi_kappa, bi_maxwellian

Made = Callable[..., Skymap]


def fpi(steps: int, *, burst: bool = False) -> dict[str, Array]:
    """32 azimuths that drift with the spin, 16 polar angles, 32 energies, in burst from two tables in turn."""
    azimuth = (np.arange(32) + 0.5) * 11.25 + np.arange(steps)[:, None] * (3.7 if burst else 0.0)
    table = np.geomspace(10, 30_000, 32)
    energy = np.where(np.arange(steps)[:, None] % 2, table * 3000 ** (0.5 / 31), table) if burst else table
    return {
        "azimuth": azimuth % 360 if burst else azimuth[0],
        "polar": (np.arange(16) + 0.5) * 11.25,
        "energy": energy,
    }


def esa(steps: int) -> dict[str, Array]:
    """88 directions of THEMIS ESA: rings of 4, 8, 16, 16, 16, 16, 8 and 4."""
    counts = (4, 8, 16, 16, 16, 16, 8, 4)
    edges = np.cos(np.radians(np.arange(9) * 22.5))
    rings = list(enumerate(counts))
    return {
        "azimuth": np.concatenate([(np.arange(n) + 0.5) * 360 / n for _, n in rings]),
        "polar": np.concatenate([np.full(n, (k + 0.5) * 22.5) for k, n in rings]),
        "solid_angle": np.concatenate([np.full(n, (edges[k] - edges[k + 1]) * 2 * np.pi / n) for k, n in rings]),
        "energy": np.geomspace(6, 25_000, 32),
    }


def pas(steps: int) -> dict[str, Array]:
    """11 azimuths and 9 elevations around the Sun's direction, 96 energies."""
    return {
        "azimuth": 180 + np.linspace(-24, 42, 11),
        "polar": 90 + np.linspace(-20, 20, 9),
        "energy": np.geomspace(200, 20_000, 96),
    }


def span(steps: int) -> dict[str, Array]:
    """8 azimuths of 11.25 degrees, 8 elevations of 15, 32 energies."""
    return {
        "azimuth": 180 + (np.arange(8) - 3.5) * 11.25,
        "polar": 90 + (np.arange(8) - 3.5) * 15,
        "energy": np.geomspace(20, 20_000, 32),
    }


GEOMETRIES: dict[str, Callable[..., dict[str, Array]]] = {
    "fpi": fpi, "fpi burst": lambda steps: fpi(steps, burst=True), "esa": esa, "pas": pas, "span": span,
}  # fmt: skip


def velocities(geometry: dict[str, Array], mass: float, steps: int) -> Array:
    """Give km/s of the centre of each cell, shape (t, ..., energy, 3)."""
    energy = np.broadcast_to(geometry["energy"], (steps, np.shape(geometry["energy"])[-1]))
    speed = 1e-3 * np.sqrt(2 * ELEMENTARY_CHARGE / mass * energy)
    azimuth = np.broadcast_to(geometry["azimuth"], (steps, np.shape(geometry["azimuth"])[-1]))
    if "solid_angle" in geometry:
        direction = unit_vectors(azimuth, geometry["polar"])
        return np.asarray(direction[:, :, None] * speed[:, None, :, None])
    direction = unit_vectors(azimuth[:, :, None], geometry["polar"])
    return np.asarray(direction[:, :, :, None] * speed[:, None, None, :, None])


def distribution(
    name: str, density: float, drift: Any, parallel: float, perpendicular: float, field: Any, *, steps: int = 1,
    electrons: bool = False, kappa: float | None = None,
) -> Skymap:  # fmt: skip
    """Give a drifting bi-Maxwellian, or bi-kappa, as the cells of an instrument see it at their centres."""
    mass, charge = (ELECTRON_MASS, -1) if electrons else (PROTON_MASS, 1)
    geometry = GEOMETRIES[name](steps)
    velocity, b = velocities(geometry, mass, steps), np.array(field, float) / np.linalg.norm(field)
    given = (velocity, density, np.array(drift, float), parallel, perpendicular, b)
    psd = bi_maxwellian(*given, mass=mass) if kappa is None else bi_kappa(*given, kappa, mass=mass)
    return Skymap(psd, mass=mass, charge=charge, **geometry)


@pytest.fixture(scope="session")
def seen() -> Made:
    """Give the function that makes a distribution as an instrument sees it."""
    return distribution

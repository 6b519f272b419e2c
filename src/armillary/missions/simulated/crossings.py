"""What the sentry flies through: solar wind, magnetosheath and magnetosphere, and the boundaries between them.

Magnetopause (Shue et al. 1998) and bow shock (Farris and Russell 1994) move with the simulated wind and ripple. The
sheath starts from the Rankine-Hugoniot jump of the local shock; towards the magnetopause the flow turns along it, the
field piles up and the plasma is depleted (Zwan and Wolf 1976). The magnetosphere is a dipole squeezed by the wind. It
is a description, not a solution of the equations of flow: mass, momentum and energy are conserved at the shock only.
"""

from typing import Final, NamedTuple

import numpy as np

from armillary.missions.simulated import orbit, solar_wind
from armillary.missions.simulated.sampling import Sampling
from armillary.science import boundaries, plasma
from armillary.science.noise import Array, smooth, turbulence
from armillary.science.shocks import fast_jump

MOMENTS: Final = Sampling.of("2024-01-01", "2024-07-01", 4.5, 4800)
FIELD: Final = Sampling.of("2024-01-01", "2024-07-01", 0.125, 28800)
REGIONS: Final = ("solar wind", "magnetosheath", "magnetosphere")
#: Half thickness of shock and magnetopause, Earth radii.
_SHOCK_WIDTH, _PAUSE_WIDTH = 0.004, 0.025
#: Field at the equator on the ground, nT (IGRF, first coefficient).
_DIPOLE: Final = 29_400.0
#: Perpendicular over parallel temperature.
_ANISOTROPY: Final = (0.8, 1.3, 1.1)


class Plasma(NamedTuple):
    """Ions and field at n times: cm^-3, km/s, eV, nT; vectors GSE, shape (n, 3)."""

    density: Array
    velocity: Array
    parallel: Array
    perpendicular: Array
    field: Array

    @property
    def temperature(self) -> Array:
        """Mean over the three directions, eV."""
        return np.asarray((self.parallel + 2 * self.perpendicular) / 3)


class Place(NamedTuple):
    """Where the sentry is against the boundaries: Earth radii, distances positive outside."""

    position: Array
    magnetopause: Array
    bow_shock: Array
    standoff: Array
    flaring: Array

    @property
    def region(self) -> Array:
        """Index into `REGIONS`."""
        inside = (self.bow_shock < 0).astype(np.int8)
        return np.where(self.magnetopause < 0, np.int8(2), inside)


def place(seed: int, ns: Array, wind: solar_wind.Wind | None = None) -> Place:
    """Give position and distances to both boundaries along the line to the Earth."""
    wind = wind or solar_wind.at(seed, ns)
    speed = np.linalg.norm(wind.velocity, axis=1)
    standoff, flaring = boundaries.magnetopause_shape(plasma.dynamic_pressure(wind.density, speed), wind.field[:, 2])
    where = orbit.position(ns)
    radius = np.linalg.norm(where, axis=1)
    cosine = where[:, 0] / radius
    seconds = (ns - MOMENTS.start) / 1e9
    ripple = turbulence(seed, "sentry.ripple", seconds, 1500, 90, 2)
    pause = boundaries.magnetopause_distance(cosine, standoff, flaring) + 0.3 * ripple[:, 0]
    nose = boundaries.bow_shock_standoff(standoff, _mach(wind, speed))
    shock = boundaries.bow_shock_distance(cosine, nose) + 0.25 * ripple[:, 1]
    shock = np.maximum(shock, pause + 0.5)
    return Place(where, radius - pause, radius - shock, standoff, flaring)


def state(seed: int, ns: Array) -> tuple[Plasma, Place]:
    """Give the plasma at the sentry and its place, at any sorted times of the coverage."""
    wind = solar_wind.at(seed, ns)
    here = place(seed, ns, wind)
    seconds = (ns - MOMENTS.start) / 1e9
    outside = _solar_wind(seed, seconds, wind)
    behind = _sheath(seed, seconds, wind, here)
    inside = _magnetosphere(seed, seconds, here)
    found = _mix(outside, behind, _step(-here.bow_shock / _SHOCK_WIDTH))
    return _mix(found, inside, _step(-here.magnetopause / _PAUSE_WIDTH)), here


def crossings(seed: int, block: int) -> dict[str, Array]:
    """Find the boundaries crossed in one block of `MOMENTS`, in order of time.

    A crossing lies between two samples on different sides; its ``time`` is where the line between their distances is 0.
    """
    ns = MOMENTS.times(block)
    ns = np.append(ns, min(int(ns[-1]) + MOMENTS.step, MOMENTS.stop - 1))
    here = place(seed, ns)
    found = [_zeros(ns, one) for one in (here.magnetopause, here.bow_shock)]
    index, time, inward = (np.concatenate(parts) for parts in zip(*found, strict=True))
    boundary = np.repeat(np.array(["magnetopause", "bow shock"]), [len(one[0]) for one in found])
    order = np.argsort(time, kind="stable")
    middle = (here.position[index] + here.position[index + 1]) / 2
    columns = {
        "start": ns[index],
        "stop": ns[index + 1],
        "time": time,
        "boundary": boundary,
        "direction": np.where(inward, "inbound", "outbound"),
        "x": middle[:, 0],
        "y": middle[:, 1],
        "z": middle[:, 2],
        "standoff": here.standoff[index],
    }
    return {name: one[order] for name, one in columns.items()}


def _zeros(ns: Array, distance: Array) -> tuple[Array, Array, Array]:
    index = np.flatnonzero((distance[:-1] < 0) != (distance[1:] < 0))
    left, right = distance[index], distance[index + 1]
    time = ns[index] + np.round(left / (left - right) * (ns[index + 1] - ns[index])).astype(np.int64)
    return index, time, right < 0


def _mach(wind: solar_wind.Wind, speed: Array) -> Array:
    both = 2 * wind.temperature / plasma.KELVIN_PER_EV
    alfven = plasma.alfven_speed(np.linalg.norm(wind.field, axis=1), wind.density)
    return np.asarray(speed / np.hypot(alfven, plasma.sound_speed(both)))


def _solar_wind(seed: int, seconds: Array, wind: solar_wind.Wind) -> Plasma:
    fine = turbulence(seed, "sentry.wind", seconds, 60, 1.0, 3)
    field = wind.field + 0.08 * np.linalg.norm(wind.field, axis=1)[:, None] * fine
    velocity = wind.velocity + 2.0 * fine
    return _plasma(wind.density, velocity, wind.temperature / plasma.KELVIN_PER_EV, field, 0)


def _sheath(seed: int, seconds: Array, wind: solar_wind.Wind, here: Place) -> Plasma:
    density, velocity, temperature, field = _behind_shock(wind, here)
    span = here.magnetopause - here.bow_shock
    depth = np.clip(here.magnetopause / span, 0, 1)
    pause = _pause_normal(here)
    along = 0.9 * (wind.velocity - (wind.velocity * pause).sum(1)[:, None] * pause)
    velocity = depth[:, None] * velocity + (1 - depth)[:, None] * along
    through = (field * pause).sum(1)[:, None] * pause
    field = depth[:, None] * through + (field - through) * (1 + 0.45 * (1 - depth))[:, None]
    density = density * (1 + 0.12 * (1 - depth) - 0.45 * np.exp(-depth / 0.08))
    temperature = temperature * (1 + 0.15 * (1 - depth))
    tangle = turbulence(seed, "sentry.sheath", seconds, 240, 0.5, 4)
    mirror = 0.13 * smooth(seed, "sentry.mirror", seconds / 9)[:, 0]
    field = field * (1 + mirror)[:, None] + 0.22 * np.linalg.norm(field, axis=1)[:, None] * tangle[:, :3]
    density = density * np.exp(0.1 * tangle[:, 3] - 0.6 * mirror)
    velocity = velocity + 14 * turbulence(seed, "sentry.eddy", seconds, 240, 4, 3)
    return _plasma(density, velocity, temperature, field, 1)


def _behind_shock(wind: solar_wind.Wind, here: Place) -> tuple[Array, Array, Array, Array]:
    """Give density, velocity, ion temperature (eV) and field just behind the shock, along the line to the Earth."""
    cosine = here.position[:, 0] / np.linalg.norm(here.position, axis=1)
    normal = boundaries.normal(here.position, boundaries.bow_shock_slope(cosine))
    flow = np.maximum(-(wind.velocity * normal).sum(1), 1.0)
    both = 2 * wind.temperature / plasma.KELVIN_PER_EV
    size = np.linalg.norm(wind.field, axis=1)
    through = (wind.field * normal).sum(1)
    jump = fast_jump(
        flow / plasma.alfven_speed(size, wind.density), plasma.beta(wind.density, both, size), -through / size, 30
    )
    across = wind.field - through[:, None] * normal
    direction = across / np.maximum(np.linalg.norm(across, axis=1), 1e-9)[:, None]
    kick = (flow * (1 - 1 / jump.compression))[:, None] * normal + (flow * jump.slip)[:, None] * direction
    temperature = wind.temperature / plasma.KELVIN_PER_EV * jump.pressure / jump.compression
    field = through[:, None] * normal + across * jump.field[:, None]
    return wind.density * jump.compression, wind.velocity + kick, temperature, field


def _pause_normal(here: Place) -> Array:
    cosine = here.position[:, 0] / np.linalg.norm(here.position, axis=1)
    return boundaries.normal(here.position, boundaries.magnetopause_slope(cosine, here.flaring))


def _magnetosphere(seed: int, seconds: Array, here: Place) -> Plasma:
    where = here.position
    radius = np.linalg.norm(where, axis=1)
    north = np.array([0.0, 0.0, 1.0])
    field = _DIPOLE * (north / radius[:, None] ** 3 - 3 * where * (where[:, 2] / radius**5)[:, None])
    field = field + (1.15 * _DIPOLE / here.standoff**3)[:, None] * north
    waves = turbulence(seed, "sentry.pulsation", seconds, 600, 8, 5)
    field = field + 1.5 * waves[:, :3]
    density = 0.4 * np.exp(0.3 * waves[:, 3]) * (1 + (5 / radius) ** 3)
    temperature = 4200 * np.exp(0.2 * waves[:, 4]) / (1 + (3 / radius) ** 2)
    velocity = 18 * turbulence(seed, "sentry.convection", seconds, 900, 8, 3)
    return _plasma(density, velocity, temperature, field, 2)


def _plasma(density: Array, velocity: Array, temperature: Array, field: Array, region: int) -> Plasma:
    ratio = _ANISOTROPY[region]
    parallel = 3 * temperature / (1 + 2 * ratio)
    return Plasma(density, velocity, parallel, ratio * parallel, field)


def _step(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))


def _mix(a: Plasma, b: Plasma, share: Array) -> Plasma:
    """Mix two plasmas: densities, momenta, pressures and fields add up."""
    density = (1 - share) * a.density + share * b.density
    part = share * b.density / density
    velocity = (1 - part)[:, None] * a.velocity + part[:, None] * b.velocity
    parallel = (1 - part) * a.parallel + part * b.parallel
    perpendicular = (1 - part) * a.perpendicular + part * b.perpendicular
    field = (1 - share)[:, None] * a.field + share[:, None] * b.field
    return Plasma(density, velocity, parallel, perpendicular, field)

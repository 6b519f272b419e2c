"""Interplanetary coronal mass ejections: when they come, what they carry and the shocks before them."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from armillary.science import plasma
from armillary.science.noise import Array, generator
from armillary.science.shocks import Jump, fast_jump

#: 2020-01-01 in nanoseconds since 1970: slots are counted from here.
EPOCH: Final = 1_577_836_800_000_000_000
#: One ejection may come in each slot, days.
SLOT: Final = 16.0
_SHARE: Final = 0.75
_HOUR: Final = 3_600_000_000_000
#: First zero of the Bessel function J0: where the field of the rope is all around its axis.
_EDGE: Final = 2.404825557695773

#: Gives density, velocity, temperature and field of the quiet wind for a seed and one time.
Quiet: TypeAlias = Callable[[int, int], tuple[float, Array, float, Array]]


class Ejection(NamedTuple):
    """One mass ejection.

    Parameters
    ----------
    shock, start, stop : int
        Arrival of the shock (equal to `start` without one), of the rope and of its end, nanoseconds since 1970.
    jump : Jump
        What the shock does; ratios of 1 without one.
    kick : array, shape (3,)
        Change of velocity at the shock, km/s.
    normal : array, shape (3,)
        Of the shock, away from the Sun, GSE.
    """

    shock: int
    start: int
    stop: int
    jump: Jump
    kick: Array
    normal: Array
    mach: float
    theta: float
    shock_speed: float
    speed: float
    slowing: float
    strength: float
    impact: float
    axis: Array
    hand: int
    density: float

    @property
    def has_shock(self) -> bool:
        """Whether it drives a shock."""
        return self.shock < self.start


def ejections(seed: int, start: int, stop: int, quiet: Quiet) -> tuple[Ejection, ...]:
    """Give the ejections whose slots touch the two times or lie just before them, oldest first."""
    each = SLOT * 24 * _HOUR
    slots = range(int((start - EPOCH) // each) - 1, int((stop - EPOCH) // each) + 1)
    found = (ejection(seed, slot, quiet) for slot in slots)
    return tuple(one for one in found if one is not None)


@lru_cache(maxsize=512)
def ejection(seed: int, slot: int, quiet: Quiet) -> Ejection | None:
    """Give the ejection of a slot of 16 days, if there is one."""
    random = generator(seed, "wind.ejection", slot)
    if random.random() > _SHARE:
        return None
    front = EPOCH + round((slot * SLOT + random.uniform(0.5, SLOT - 4.5)) * 24 * _HOUR)
    driven = random.random() < 0.7
    start = front + round(random.uniform(6, 14) * _HOUR) if driven else front
    stop = start + round(random.uniform(16, 34) * _HOUR)
    behind = float(-quiet(seed, stop)[1][0])
    return _build(random, (front, start, stop), quiet(seed, front), behind, driven=driven)


def sheath_weight(one: Ejection, ns: Array) -> Array:
    """Give how much of the shock's jump is left: 1 at the shock, 0.7 at the rope, then gone within the rope."""
    if not one.has_shock:
        return np.zeros(len(ns))
    inside = (ns - one.shock) / (one.start - one.shock)
    fade = np.clip((ns - one.start) / (2.0 * _HOUR), 0, 1)
    return np.where(inside >= 0, (1 - 0.3 * np.clip(inside, 0, 1)) * (1 - fade), 0.0)


def overlay(one: Ejection, ns: Array, state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
    """Put the flux rope on a state of the wind, with smooth edges."""
    density, velocity, temperature, field = state
    rise = np.clip((ns - one.start) / (0.35 * _HOUR), 0, 1)
    fall = np.clip((one.stop - ns) / (1.5 * _HOUR), 0, 1)
    weight = rise * fall
    if not weight.any():
        return state
    depth = np.clip(2 * (ns - one.start) / (one.stop - one.start) - 1, -1, 1)
    w, v = weight, weight[:, None]
    # What is left of the wind's own fluctuations inside the rope.
    speed = one.speed - 0.5 * one.slowing * (1 + depth)
    calm = 0.07 * (velocity[:, 0] + 400)
    inside = np.stack([calm - speed, 0.15 * velocity[:, 1], 0.15 * velocity[:, 2]], 1)
    cold = (
        0.32 * plasma.expected_temperature(speed) * (temperature / plasma.expected_temperature(-velocity[:, 0])) ** 0.3
    )
    thin = one.density * (density / 6) ** 0.3 * (1 - 0.2 * depth)
    rope = _rope(one, depth) + 0.06 * field
    return (
        density ** (1 - w) * thin**w,
        velocity * (1 - v) + inside * v,
        temperature ** (1 - w) * cold**w,
        field * (1 - v) + rope * v,
    )


def _rope(one: Ejection, depth: Array) -> Array:
    """Give the field of a force-free rope (Lundquist 1950) crossed at `depth` -1..1, nT."""
    half = np.sqrt(1 - one.impact**2)
    sunward = np.array([1.0, 0.0, 0.0])
    side = np.cross(one.axis, sunward)
    # The rope moves away from the Sun, so its front is met first and the place within it goes sunward.
    place = (depth * half)[:, None] * sunward + one.impact * side
    radius = np.linalg.norm(place, axis=1)
    around = np.cross(one.axis, place) / np.maximum(radius, 1e-9)[:, None]
    along, twist = _bessel(_EDGE * radius)
    field = along[:, None] * one.axis + one.hand * twist[:, None] * around
    return np.asarray(one.strength * field * (1 - 0.12 * depth)[:, None])


def _bessel(x: Array) -> tuple[Array, Array]:
    """Give J0 and J1 for 0 <= x <= 3, good to 5e-8 (Abramowitz and Stegun 1964, 9.4.1 and 9.4.4)."""
    t = (x / 3) ** 2
    zero = np.polynomial.polynomial.polyval(t, (1, -2.2499997, 1.2656208, -0.3163866, 0.0444479, -0.0039444, 0.00021))
    one = (0.5, -0.56249985, 0.21093573, -0.03954289, 0.00443319, -0.00031761, 0.00001109)
    return np.asarray(zero), np.asarray(x * np.polynomial.polynomial.polyval(t, one))


def _build(
    random: np.random.Generator,
    times: tuple[int, int, int],
    upstream: tuple[float, Array, float, Array],
    behind: float,
    *,
    driven: bool,
) -> Ejection:
    tilt, turn = random.uniform(0, 0.45), random.uniform(0, 2 * np.pi)
    normal = np.array([-np.cos(tilt), np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn)])
    mach = float(random.uniform(1.5, 3.4))
    jump, kick, theta, shock_speed = _shock(upstream, normal, mach if driven else 0.0)
    lean = random.normal(0, 0.7)
    speed = float(-upstream[1][0] - kick[0] + random.uniform(-10, 40))
    # A fast stream behind pushes the end of the rope.
    slowing = min(random.uniform(50, 130) * (1 if driven else 0.4), speed - behind + 70)
    return Ejection(
        *times, jump, kick, normal, mach if driven else 0.0, theta, shock_speed, speed,
        slowing=float(slowing),
        strength=float(random.uniform(11, 24) if driven else random.uniform(9, 14)),
        impact=float(random.uniform(-0.6, 0.6)),
        axis=np.array([0.0, np.cos(lean), np.sin(lean)]) * random.choice([-1, 1]),
        hand=int(random.choice([-1, 1])),
        density=float(random.uniform(3, 7)),
    )  # fmt: skip


def _shock(upstream: tuple[float, Array, float, Array], normal: Array, mach: float) -> tuple[Jump, Array, float, float]:
    """Give jump, kick (km/s), angle to the field (degrees) and speed (km/s) of a shock of this fast Mach number."""
    density, velocity, temperature, field = upstream
    size = float(np.linalg.norm(field))
    both = 2 * temperature / plasma.KELVIN_PER_EV
    alfven = float(plasma.alfven_speed(size, density))
    cosine = float(-normal @ field) / size
    flow = mach * float(plasma.fast_speed(alfven, plasma.sound_speed(both), cosine))
    jump = fast_jump(flow / alfven, plasma.beta(density, both, size), cosine)
    across = field - (field @ normal) * normal
    along = across / np.linalg.norm(across)
    kick = flow * ((1 - 1 / jump.compression) * normal + jump.slip * along)
    theta = float(np.degrees(np.arccos(abs(cosine))))
    return jump, kick, theta, float(velocity @ normal) + flow

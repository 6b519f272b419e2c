"""The orbit of the sentry: an ellipse of 1.2 by 16 Earth radii whose apogee sweeps the day side from dusk to dawn.

A Kepler orbit about a point mass, fixed among the stars; the Sun moves along the ecliptic at its mean rate.
"""

from typing import Final

import numpy as np

from armillary.science.noise import Array

#: km, and km^3/s^2 (IERS 2010).
EARTH_RADIUS: Final = 6371.2
_GRAVITY: Final = 398600.4418
_PERIGEE, _APOGEE = 1.2, 16.0
_AXIS: Final = (_PERIGEE + _APOGEE) / 2
_SHAPE: Final = (_APOGEE - _PERIGEE) / (_APOGEE + _PERIGEE)
_RATE: Final = np.sqrt(_GRAVITY / (_AXIS * EARTH_RADIUS) ** 3)
#: 2024-04-01, when the apogee stands at local noon, and 2024-01-01, when the sentry is at perigee.
_NOON: Final = 1_711_929_600_000_000_000
_PERIGEE_TIME: Final = 1_704_067_200_000_000_000
#: Mean motion of the Sun, radians per second.
_SUN: Final = np.radians(0.9856474) / 86400
_TILT, _RISE = np.radians(14.0), np.radians(6.0)


def position(ns: Array) -> Array:
    """Give where the sentry is, GSE, Earth radii, shape (n, 3), from nanoseconds since 1970."""
    anomaly = _eccentric(_RATE * ((ns - _PERIGEE_TIME) / 1e9))
    along = _AXIS * (np.cos(anomaly) - _SHAPE)
    across = _AXIS * np.sqrt(1 - _SHAPE**2) * np.sin(anomaly)
    perigee = -np.array([np.cos(_RISE), 0.0, np.sin(_RISE)])
    level = np.array([0.0, -1.0, 0.0])
    ahead = np.cos(_TILT) * level + np.sin(_TILT) * np.cross(perigee, level)
    fixed = along[:, None] * perigee + across[:, None] * ahead
    turn = -_SUN * ((ns - _NOON) / 1e9)
    cosine, sine = np.cos(turn), np.sin(turn)
    x, y, z = fixed.T
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], 1)


def _eccentric(mean: Array) -> Array:
    """Solve Kepler's equation by Newton's method; from pi it converges for every ellipse."""
    mean = mean % (2 * np.pi)
    found = np.full(mean.shape, np.pi)
    for _ in range(14):
        found = found - (found - _SHAPE * np.sin(found) - mean) / (1 - _SHAPE * np.cos(found))
    return found

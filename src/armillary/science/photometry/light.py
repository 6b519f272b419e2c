"""Light of stars and dust through filters: Vega magnitudes, extinction and noise."""

from typing import Final

import numpy as np

from armillary.science.plasma import BOLTZMANN, Array, Numbers

#: Exact SI constants: J s, m/s; nominal solar radius (IAU 2015 B3) and parsec in m.
PLANCK: Final = 6.62607015e-34
LIGHT: Final = 299792458.0
SOLAR_RADIUS: Final = 6.957e8
PARSEC: Final = 3.0856775814913673e16


def planck(wavelength: Numbers, temperature: Numbers) -> Array:
    """Give the black-body brightness ``B_nu`` in Jy/sr, from micrometres and K.

    Examples
    --------
    >>> bool(planck(0.5, 6000.0) > planck(0.5, 5000.0))
    True
    """
    frequency = LIGHT / (np.asarray(wavelength, float) * 1e-6)
    # Far in the Wien tail the exponent would overflow; there is no light there anyway.
    exponent = np.minimum(PLANCK * frequency / (BOLTZMANN * np.asarray(temperature, float)), 700.0)
    return np.asarray(1e26 * 2 * PLANCK * frequency**3 / LIGHT**2 / np.expm1(exponent))


def star_flux(wavelength: Numbers, temperature: Numbers, radius: Numbers, distance: Numbers) -> Array:
    """Give the flux density of a black-body sphere in Jy, from micrometres, K, solar radii and pc."""
    solid_angle = np.pi * (np.asarray(radius) * SOLAR_RADIUS / (np.asarray(distance) * PARSEC)) ** 2
    return np.asarray(planck(wavelength, temperature) * solid_angle)


def magnitude(flux: Numbers, zero_point: Numbers) -> Array:
    """Give the magnitude of a flux density; both in Jy.

    Examples
    --------
    >>> float(magnitude(36.31, 3631.0))
    5.0
    """
    return np.asarray(-2.5 * np.log10(flux / zero_point))


def magnitude_error(value: Numbers, limit: Numbers, floor: Numbers) -> Array:
    """Give the standard error of a magnitude.

    A background-limited measurement: five sigma at the magnitude `limit`, and never better than `floor`.
    """
    return np.asarray(np.hypot(floor, 2.5 / np.log(10) / 5 * 10 ** (0.4 * (value - limit))))


def extinction(wavelength: Numbers, r_v: float = 3.1) -> Array:
    """Give ``A(lambda) / A(V)`` of interstellar dust, from micrometres.

    Cardelli, Clayton and Mathis (1989, Astrophys. J. 345, 245, doi:10.1086/167900), equations 1 to 3; beyond 3.3
    micrometres its infrared power law goes on, without the silicate bands.

    Examples
    --------
    >>> extinction(np.array([0.55, 2.19])).round(2).tolist()
    [1.0, 0.11]
    """
    x = 1 / np.asarray(wavelength, float)
    y = x - 1.82
    infrared = 0.574 * x**1.61 - 0.527 * x**1.61 / r_v
    powers = y[..., None] ** np.arange(8)
    optical = powers @ np.array(_OPTICAL_A) + powers @ np.array(_OPTICAL_B) / r_v
    return np.where(x < 1.1, infrared, optical)


def spectral_index(wavelength: Array, flux: Array) -> Array:
    """Give ``d log(lambda F_lambda) / d log(lambda)`` between the first and the last column of `flux` (F_nu).

    The sign and size of it between 2 and 25 micrometres make the classes of young stellar objects (Lada 1987; Greene
    et al. 1994): I above 0.3, flat above -0.3, II above -1.6, III below.
    """
    wavelength = np.asarray(wavelength, float)
    rise = np.log10(flux[..., -1] / wavelength[-1]) - np.log10(flux[..., 0] / wavelength[0])
    return np.asarray(rise / np.log10(wavelength[-1] / wavelength[0]))


_OPTICAL_A: Final = (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
_OPTICAL_B: Final = (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)

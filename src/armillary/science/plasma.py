"""Plasma physics in the units of the instruments: nT, cm^-3, km/s, eV, nPa."""

from typing import Any, Final, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Numbers: TypeAlias = Array | float

#: CODATA 2018 (https://physics.nist.gov/cuu/Constants): kg, C, J/K, T m/A.
PROTON_MASS: Final = 1.67262192369e-27
ELEMENTARY_CHARGE: Final = 1.602176634e-19
BOLTZMANN: Final = 1.380649e-23
MU_0: Final = 1.25663706212e-6
#: CODATA 2018: kg, F/m, m/s.
ELECTRON_MASS: Final = 9.1093837015e-31
EPSILON_0: Final = 8.8541878128e-12
LIGHT_SPEED: Final = 299_792_458.0
#: One electronvolt as a temperature, K.
KELVIN_PER_EV: Final = ELEMENTARY_CHARGE / BOLTZMANN
#: Ratio of specific heats of a gas with three degrees of freedom.
GAMMA: Final = 5 / 3


def dynamic_pressure(density: Numbers, speed: Numbers) -> Array:
    """Give ``m n v^2`` of protons in nPa, from cm^-3 and km/s.

    Examples
    --------
    >>> float(dynamic_pressure(5.0, 400.0).round(3))
    1.338
    """
    return np.asarray(PROTON_MASS * 1e21 * density * speed * speed)


def thermal_pressure(density: Numbers, temperature: Numbers) -> Array:
    """Give ``n k T`` in nPa, from cm^-3 and eV."""
    return np.asarray(ELEMENTARY_CHARGE * 1e15 * density * temperature)


def magnetic_pressure(b: Numbers) -> Array:
    """Give ``B^2 / 2 mu_0`` in nPa, from nT."""
    return np.asarray(b * b * (1e-9 / (2 * MU_0)))


def beta(density: Numbers, temperature: Numbers, b: Numbers) -> Array:
    """Give the plasma beta, thermal over magnetic pressure, from cm^-3, eV and nT (magnitude)."""
    return np.asarray(thermal_pressure(density, temperature) / magnetic_pressure(b))


def alfven_speed(b: Numbers, density: Numbers) -> Array:
    """Give ``B / sqrt(mu_0 rho)`` of protons in km/s, from nT and cm^-3.

    Examples
    --------
    >>> float(alfven_speed(5.0, 5.0).round(1))
    48.8
    """
    return np.asarray(1e-15 / np.sqrt(MU_0 * PROTON_MASS) * b / np.sqrt(density))


def sound_speed(temperature: Numbers) -> Array:
    """Give ``sqrt(gamma k T / m)`` in km/s, for the sum of ion and electron temperature in eV."""
    return np.asarray(1e-3 * np.sqrt(GAMMA * ELEMENTARY_CHARGE / PROTON_MASS * temperature))


def fast_speed(alfven: Numbers, sound: Numbers, cosine: Numbers) -> Array:
    """Give the speed of the fast magnetosonic wave at an angle to the field.

    ``v^2 = (a^2 + s^2 + sqrt((a^2 + s^2)^2 - 4 a^2 s^2 cos^2)) / 2``, any one unit (Kivelson and Russell 1995, ch. 11).
    """
    both = alfven**2 + sound**2
    return np.asarray(np.sqrt((both + np.sqrt(np.maximum(both**2 - (2 * alfven * sound * cosine) ** 2, 0))) / 2))


def thermal_speed(temperature: Numbers, mass: float = PROTON_MASS) -> Array:
    """Give the most probable speed ``sqrt(2 k T / m)`` in km/s, from eV and kg."""
    return np.asarray(1e-3 * np.sqrt(2 * ELEMENTARY_CHARGE / mass * temperature))


def speed_of(energy: Numbers) -> Array:
    """Give the speed of a proton in km/s, from its energy in eV; the same formula as :func:`thermal_speed`."""
    return thermal_speed(energy)


def gyro_frequency(b: Numbers, mass: float = PROTON_MASS, charge: float = 1.0) -> Array:
    """Give ``|q| B / 2 pi m`` in Hz, from nT (magnitude), kg and elementary charges.

    Examples
    --------
    >>> float(gyro_frequency(5.0).round(4)), float(gyro_frequency(5.0, ELECTRON_MASS).round(1))
    (0.0762, 140.0)
    """
    return np.asarray(1e-9 * abs(charge) * ELEMENTARY_CHARGE / (2 * np.pi * mass) * b)


def plasma_frequency(density: Numbers, mass: float = ELECTRON_MASS, charge: float = 1.0) -> Array:
    """Give ``sqrt(n q^2 / epsilon_0 m) / 2 pi`` in Hz, from cm^-3; of electrons unless a mass (kg) is given.

    Examples
    --------
    >>> float(plasma_frequency(5.0).round(-1))
    20080.0
    """
    per_density = 1e6 * (charge * ELEMENTARY_CHARGE) ** 2 / (EPSILON_0 * mass)
    return np.asarray(np.sqrt(per_density * density) / (2 * np.pi))


def inertial_length(density: Numbers, mass: float = PROTON_MASS, charge: float = 1.0) -> Array:
    """Give ``c / omega_p`` in km, from cm^-3; of protons unless a mass (kg) is given.

    Examples
    --------
    >>> float(inertial_length(5.0).round(1)), float(inertial_length(5.0, ELECTRON_MASS).round(2))
    (101.8, 2.38)
    """
    return np.asarray(1e-3 * LIGHT_SPEED / (2 * np.pi * plasma_frequency(density, mass, charge)))


def gyroradius(temperature: Numbers, b: Numbers, mass: float = PROTON_MASS, charge: float = 1.0) -> Array:
    """Give the thermal gyroradius ``sqrt(2 m k T_perp) / |q| B`` in km, from eV and nT (magnitude).

    Examples
    --------
    >>> float(gyroradius(10.0, 5.0).round(1))
    91.4
    """
    momentum = np.sqrt(2 * mass * ELEMENTARY_CHARGE * np.asarray(temperature))
    return np.asarray(1e6 * momentum / (abs(charge) * ELEMENTARY_CHARGE * b))


def debye_length(density: Numbers, temperature: Numbers) -> Array:
    """Give the Debye length of electrons in m, from cm^-3 and eV.

    Examples
    --------
    >>> float(debye_length(5.0, 10.0).round(1))
    10.5
    """
    return np.asarray(np.sqrt(EPSILON_0 * 1e-6 / ELEMENTARY_CHARGE * np.asarray(temperature) / density))


def entropy(density: Numbers, temperature: Numbers) -> Array:
    """Give ``T / n^(gamma - 1)`` in eV cm^2, a measure of the entropy per particle, from cm^-3 and eV."""
    return np.asarray(temperature * np.asarray(density, float) ** (1 - GAMMA))


def exb_drift(electric: Array, b: Array) -> Array:
    """Give ``E x B / B^2`` in km/s, from mV/m and nT, shape (..., 3); NaN where there is no field.

    Examples
    --------
    >>> exb_drift(np.array([0.0, 2.0, 0.0]), np.array([0.0, 0.0, -5.0])) + 0.0
    array([-400.,    0.,    0.])
    """
    square = (np.asarray(b, float) ** 2).sum(-1, keepdims=True)
    return np.asarray(1e3 * np.cross(electric, b) / np.where(square > 0, square, np.nan))


def current(density: Numbers, ions: Array, electrons: Array) -> Array:
    """Give ``n e (v_i - v_e)`` in nA/m^2, from cm^-3 and km/s; of two species of one density and charge 1.

    Examples
    --------
    >>> current(10.0, np.array([0.0, 100.0, 0.0]), np.array([0.0, -100.0, 0.0])).round(1)
    array([  0. , 320.4,   0. ])
    """
    return np.asarray(ELEMENTARY_CHARGE * 1e18 * np.asarray(density)[..., None] * (ions - electrons))


def along_and_across(vector: Array, b: Array) -> tuple[Array, Array]:
    """Give the component along the field (...,), signed, and the vector across it (..., 3); NaN where it is zero."""
    size = np.linalg.norm(b, axis=-1, keepdims=True)
    direction = b / np.where(size > 0, size, np.nan)
    along = (vector * direction).sum(-1)
    return along, np.asarray(vector - along[..., None] * direction)


def expected_temperature(speed: Numbers) -> Array:
    """Give the proton temperature that is usual in solar wind of this speed, in K from km/s.

    The fit of Lopez (1987, J. Geophys. Res. 92, 11189, doi:10.1029/JA092iA10p11189) as used by Richardson and Cane
    (1995) to find interplanetary coronal mass ejections.

    Examples
    --------
    >>> round(float(expected_temperature(400.0)))
    53290
    """
    slow, fast = (0.031 * speed - 5.1) ** 2, 0.51 * speed - 142
    return np.asarray(1e3 * np.where(np.asarray(speed) < 500, slow, fast))


def bi_maxwellian(
    velocity: Array,
    density: Numbers,
    drift: Array,
    parallel: Numbers,
    perpendicular: Numbers,
    direction: Array,
    mass: float = PROTON_MASS,
) -> Array:
    """Give the phase space density of a drifting bi-Maxwellian.

    Parameters
    ----------
    velocity : array, shape (..., 3)
        Where, km/s.
    density : array
        cm^-3.
    drift : array, shape (..., 3)
        Bulk velocity, km/s.
    parallel, perpendicular : array
        Temperatures along and across `direction`, eV.
    direction : array, shape (..., 3)
        Unit vector of the magnetic field.
    mass : float
        kg.

    Returns
    -------
    array
        s^3 cm^-6. All arguments broadcast against ``velocity[..., 0]``.
    """
    along_speed, across_speed = thermal_speed(parallel, mass), thermal_speed(perpendicular, mass)
    along, across = _squares(velocity - drift, direction)
    norm = density / (np.pi**1.5 * along_speed * across_speed**2) * 1e-15
    return np.asarray(norm * np.exp(-along / along_speed**2 - across / across_speed**2))


def bi_kappa(
    velocity: Array,
    density: Numbers,
    drift: Array,
    parallel: Numbers,
    perpendicular: Numbers,
    direction: Array,
    kappa: Numbers,
    mass: float = PROTON_MASS,
) -> Array:
    """Give the phase space density of a drifting bi-kappa distribution; arguments as of :func:`bi_maxwellian`.

    ``f ~ (1 + (u^2 / a^2 + w^2 / b^2) / kappa)^(-kappa - 1)`` with ``a^2 = (2 - 3 / kappa) k T_parallel / m`` and `b`
    likewise, so that the temperatures are those of the second moments (Summers and Thorne 1991, Phys. Fluids B 3, 1835,
    doi:10.1063/1.859653; Livadiotis and McComas 2009, J. Geophys. Res. 114, A11105, doi:10.1029/2009JA014352).

    Parameters
    ----------
    kappa : array
        Above 3/2; the larger, the nearer to a bi-Maxwellian.
    """
    from scipy.special import gammaln

    share = 1 - 1.5 / np.asarray(kappa, float)
    along_speed, across_speed = (thermal_speed(one * share, mass) for one in (parallel, perpendicular))
    along, across = _squares(velocity - drift, direction)
    gammas = np.exp(gammaln(kappa + 1) - gammaln(kappa - 0.5)) / np.asarray(kappa) ** 1.5
    norm = density * gammas / (np.pi**1.5 * along_speed * across_speed**2) * 1e-15
    return np.asarray(norm * (1 + (along / along_speed**2 + across / across_speed**2) / kappa) ** (-kappa - 1.0))


def _squares(shifted: Array, direction: Array) -> tuple[Array, Array]:
    along = (shifted * direction).sum(-1) ** 2
    return along, (shifted**2).sum(-1) - along

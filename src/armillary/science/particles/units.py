"""The four units in which particle instruments report, and back.

With the mass m, the energy E and the response R of a cell (geometric factor times efficiency times accumulation time):

========  =========================  ================================================
name      units                      from phase space density f
========  =========================  ================================================
psd       s^3 cm^-6                  f
flux      cm^-2 s^-1 sr^-1 eV^-1     ``2 E f / m^2``
eflux     eV cm^-2 s^-1 sr^-1 eV^-1  ``E flux``
counts    1                          ``R eflux``
========  =========================  ================================================

Baumjohann and Treumann 1996, "Basic space plasma physics", eq. 6.3; Paschmann and Daly 1998 (ISSI SR-001), ch. 5 and 6.
"""

from typing import Final

import numpy as np

from armillary.errors import BadParameter
from armillary.science.plasma import ELEMENTARY_CHARGE, Array, Numbers

UNITS: Final = {
    "psd": "s^3 cm^-6", "flux": "cm^-2 s^-1 sr^-1 eV^-1", "eflux": "eV cm^-2 s^-1 sr^-1 eV^-1", "counts": "1",
}  # fmt: skip


def convert(
    values: Array, source: str, target: str, *, energy: Numbers, mass: float, response: Numbers | None = None
) -> Array:
    """Turn what cells hold from one of `UNITS` into another.

    Parameters
    ----------
    values : array
        In units of `source`.
    source, target : str
        Names in `UNITS`.
    energy : array
        eV; broadcasts against `values`.
    mass : float
        kg.
    response : array, optional
        Counts for an energy flux of 1, see :func:`response_of`; needed from and to counts.

    Raises
    ------
    BadParameter
        If there is no such unit, no response, or a mass, energy or response that is not positive; NaN gives NaN.

    Examples
    --------
    >>> float(convert(1e-24, "psd", "eflux", energy=1000.0, mass=1.67262192369e-27).round(1))
    1835080.9
    """
    for name in (source, target):
        if name not in UNITS:
            raise BadParameter(f"cells cannot be in {name!r}", f"choose one of {', '.join(UNITS)}")
    if "counts" in {source, target} and response is None:
        raise BadParameter("counts need the response of the cells", "give response=response_of(...)")
    if not mass > 0 or not np.all((np.asarray(energy) > 0) | np.isnan(energy)):
        raise BadParameter(f"no particle has the mass {mass:g} kg or an energy of 0 eV and less", "give eV and kg")
    if response is not None and not np.all((np.asarray(response) > 0) | np.isnan(response)):
        raise BadParameter("a cell whose response is 0 or less counts nothing", "give NaN for cells that are off")
    if source == target:
        return np.asarray(values, float)
    ratio = _per_psd(target, energy, mass, response) / _per_psd(source, energy, mass, response)
    return np.asarray(values * ratio)


def response_of(geometric_factor: Numbers, accumulation: Numbers, efficiency: Numbers = 1.0) -> Array:
    """Give the counts for an energy flux of 1, from cm^2 sr eV/eV and s."""
    return np.asarray(geometric_factor * accumulation * efficiency)


def poisson_error(psd: Array, *, energy: Numbers, mass: float, response: Numbers) -> Array:
    """Give one standard deviation of phase space density that was counted, ``sqrt(f f_1)``, `f_1` being one count.

    Where nothing was counted the error is that of one count, so that an empty cell is not taken for a sure zero.
    """
    one = convert(np.ones(1), "counts", "psd", energy=energy, mass=mass, response=response)
    return np.asarray(np.sqrt(np.maximum(psd, one) * one))


def _per_psd(name: str, energy: Numbers, mass: float, response: Numbers | None) -> Numbers:
    if name == "psd":
        return 1.0
    per_ev = (1e4 * ELEMENTARY_CHARGE / mass) ** 2  # (cm/s)^4 eV^-2
    flux = 2 * np.asarray(energy, float) * per_ev
    if name == "flux":
        return flux
    return flux * energy * (np.asarray(response, float) if name == "counts" else 1.0)

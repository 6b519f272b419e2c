"""How archives spell the units that products have."""

import math
from typing import Final

from armillary.science.plasma import ELEMENTARY_CHARGE, KELVIN_PER_EV

#: km; the radius that orbits in Earth radii are usually divided by.
EARTH_RADIUS: Final = 6371.2
#: Without blanks and capitals, and what to multiply by.
_FACTORS: Final[dict[str, dict[str, float]]] = {
    "nT": {"t": 1e9},
    "mV/m": {"mvm^-1": 1.0, "v/m": 1e3},
    "km/s": {"km/sec": 1.0, "kms^-1": 1.0, "km.s^-1": 1.0, "kms-1": 1.0, "m/s": 1e-3},
    "V": {"volt": 1.0, "volts": 1.0, "mv": 1e-3, "kv": 1e3},
    "km": {"m": 1e-3, "re": EARTH_RADIUS, "r_e": EARTH_RADIUS, "earthradii": EARTH_RADIUS},
    "cm^-3": dict.fromkeys(
        ("cm-3", "1/cm^3", "1/cm3", "#/cc", "n/cc", "/cc", "1/cc", "percc", "#/cm^3", "#/cm3", "particlescm^-3",
         "particles/cm^3"), 1.0
    ) | {"m^-3": 1e-6},
    "eV": dict.fromkeys(("electronvolt", "electronvolts", "ev/q", "ev/e", "ev/charge"), 1.0)
    | dict.fromkeys(("kev", "kev/q", "kev/e", "kev/charge"), 1e3)
    | {"mev": 1e6, "j": 1 / ELEMENTARY_CHARGE} | dict.fromkeys(("k", "degk", "kelvin"), 1 / KELVIN_PER_EV),
    "deg": dict.fromkeys(("degree", "degrees", "degs", "deg.", "\u00b0"), 1.0)
    | dict.fromkeys(("rad", "rads", "radian", "radians"), 180 / math.pi),
    "nPa": {"pa": 1e9} | dict.fromkeys(("j.cm^-3", "jcm^-3", "j/cm^3", "j/cm3", "j.cm-3"), 1e15)
    | dict.fromkeys(("ev/cm^3", "evcm^-3", "ev/cm3"), ELEMENTARY_CHARGE * 1e15),
    "s^3 cm^-6": dict.fromkeys(("s^3m^-6", "s^3/m^6", "s3/m6", "s^3.m^-6"), 1e-12)
    | dict.fromkeys(("s^3/cm^6", "s3/cm6"), 1.0),
    "eV/(cm^2 s sr eV)": dict.fromkeys(
        ("ev/cm2-s-ster-ev", "ev/cm^2-s-ster-ev", "ev/(cm2ssrev)", "ev/cm2-s-sr-ev", "ev/cm^2-s-sr-ev",
         "ev/(cm^2-s-sr-ev)"), 1.0
    ),
}  # fmt: skip


def factor_of(given: str, wanted: str) -> float | None:
    """Give what to multiply numbers in the given units by to have them in the wanted ones; None if nobody knows.

    Examples
    --------
    >>> factor_of("km / sec", "km/s"), factor_of("V/m", "mV/m"), factor_of("counts", "nT")
    (1.0, 1000.0, None)
    """
    spelled = _plain(given)
    return 1.0 if spelled == _plain(wanted) else _FACTORS.get(wanted, {}).get(spelled)


def _plain(units: str) -> str:
    return units.lower().replace(" ", "").replace("**", "^")

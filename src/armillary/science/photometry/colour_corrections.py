"""Colour corrections of WISE: its bands are broad, so a flux at one wavelength depends on the spectrum's form."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import numpy as np

from armillary.errors import BadParameter
from armillary.science.photometry.bands import bands
from armillary.science.plasma import Array, Numbers

Correction: TypeAlias = Literal["none", "table", "interpolated"]

#: Power laws F_nu ~ nu^beta of the table.
INDICES: Final = (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
#: Wright et al. (2010), doi:10.1088/0004-6256/140/6/1868, table 1: light in the band over that of F_nu ~ nu^-2.
POWER_LAWS: Final = {
    "W1": (1.0347, 1.0142, 1.0000, 0.9921, 0.9907, 0.9961, 1.0084, 1.0283),
    "W2": (1.0265, 1.0107, 1.0000, 0.9943, 0.9935, 0.9976, 1.0066, 1.0206),
    "W3": (1.2687, 1.1081, 1.0000, 0.9373, 0.9169, 0.9393, 1.0088, 1.1344),
    "W4": (1.0319, 1.0130, 1.0000, 0.9926, 0.9905, 0.9934, 1.0013, 1.0142),
}
#: Black bodies of these temperatures (K), from the same table.
TEMPERATURES: Final = (100.0, 141.0, 200.0, 283.0, 400.0, 566.0, 800.0, 1131.0)
BLACK_BODIES: Final = {
    "W1": (17.2062, 4.0882, 2.0577, 1.3917, 1.1316, 1.0263, 0.9884, 0.9801),
    "W2": (3.9096, 1.9739, 1.3448, 1.1124, 1.0229, 0.9919, 0.9853, 0.9877),
    "W3": (2.6588, 1.4002, 1.0006, 0.8791, 0.8622, 0.8833, 0.9125, 0.9386),
    "W4": (1.0032, 0.9852, 0.9833, 0.9865, 0.9903, 0.9935, 0.9958, 0.9975),
}
#: The colour that tells the index of each band (Explanatory Supplement of WISE, IV.4.h).
COLOURS: Final = {"W1": ("W1", "W2"), "W2": ("W2", "W3"), "W3": ("W3", "W4"), "W4": ("W3", "W4")}


def corrections(magnitudes: Mapping[str, Array], correction: Correction = "table") -> dict[str, Array]:
    """Give the factors on F_nu of WISE bands so that it is the flux density at the reference wavelength.

    Parameters
    ----------
    magnitudes : mapping of band to array, shape (n,)
        Of W1 to W4, those there are.
    correction : {"none", "table", "interpolated"}

    Notes
    -----
    F_nu(Wright) = F_nu0 / f_c with F_nu0 for nu^-2; the zero points of the band table are those of nu^0, so the factor
    is f_c(0) / f_c(beta). The index of a band comes from a colour of its own (`COLOURS`). Where that colour is unknown
    the next one towards the short side tells it; where there is none, the light is taken for that of a photosphere,
    F_nu ~ nu^2. The table gives colours of power laws as well, so the inversion is direct, without iteration.
    """
    if correction not in ("none", "table", "interpolated"):
        raise BadParameter(f"no colour correction is called {correction!r}", "use none, table or interpolated")
    if correction == "none":
        return {}
    return {band: _factor(magnitudes, band, correction) for band in magnitudes}


def power_law_factor(band: str, beta: Numbers) -> Array:
    """Give the factor on F_nu for a source F_nu ~ nu^beta, beta between -4 and 3.

    Examples
    --------
    >>> float(power_law_factor("W3", -1.0).round(4))
    0.9782
    """
    fine, factor = _factors(band)
    return np.asarray(np.interp(beta, fine, factor))


def black_body_factor(band: str, temperature: Numbers) -> Array:
    """Give the factor on F_nu for a black body of a temperature in K; below 100 K NaN, above 1131 K towards nu^2.

    Examples
    --------
    >>> float(black_body_factor("W3", 400.0).round(4))
    1.0634
    """
    flat = POWER_LAWS[band][4]
    # Interpolated over 1/T, where the factors are smooth; 1/T = 0 is the Rayleigh-Jeans law.
    over = 1 / np.array((*TEMPERATURES[::-1],))
    x, y = np.array([0.0, *over]), np.log([POWER_LAWS[band][6], *BLACK_BODIES[band][::-1]])
    return np.asarray(flat / np.exp(np.interp(1 / np.asarray(temperature, float), x, y, right=np.nan)))


def _factor(magnitudes: Mapping[str, Array], band: str, correction: Correction) -> Array:
    """Give the factors of one band, each by the first colour that is known."""
    found = np.full(len(magnitudes[band]), power_law_factor(band, 2.0))
    open_rows: Array = np.arange(len(found))
    for blue, red in _tries(band):
        if blue in magnitudes and red in magnitudes and open_rows.size:
            colour = np.subtract(magnitudes[blue], magnitudes[red])[open_rows]
            known = ~np.isnan(colour)
            told = (
                _nearest(band, blue, red, colour)
                if correction == "table"
                else (np.interp(colour, *_curve(band, blue, red)))
            )
            found[open_rows[known]] = told[known]
            open_rows = open_rows[~known]
    return found


def _nearest(band: str, blue: str, red: str, colour: Array) -> Array:
    """Give the factor of the row of the table that is nearest in colour."""
    edges, factors = _steps(band, blue, red)
    # Seven comparisons of all are faster than a search of each.
    row = np.zeros(len(colour), np.uint8)
    for edge in edges:
        row += colour > edge
    return np.asarray(factors[row])


def _tries(band: str) -> tuple[tuple[str, str], ...]:
    first = COLOURS[band]
    return (first, *(pair for pair in (("W2", "W3"), ("W1", "W2")) if pair != first))


@lru_cache(maxsize=8)
def _factors(band: str) -> tuple[Array, Array]:
    """Give the factor on a fine grid of indices: a polynomial through the table's eight rows in its logarithm."""
    fine = np.linspace(-4, 3, 701)
    table = np.log(np.array(POWER_LAWS[band]) / POWER_LAWS[band][4])
    smooth = np.polynomial.Polynomial.fit(INDICES, table, 7)
    return fine, np.exp(-smooth(fine))


@lru_cache(maxsize=32)
def _curve(band: str, blue: str, red: str) -> tuple[Array, Array]:
    """Give colours of power laws, ascending, and the factor of a band for each."""
    fine, factor = _factors(band)
    logs = []
    for one in bands([blue, red]):
        in_band = one.reference**-fine / _factors(one.name)[1] / one.zero_point
        logs.append(-2.5 * np.log10(in_band))
    return (logs[0] - logs[1])[::-1], factor[::-1]


@lru_cache(maxsize=32)
def _steps(band: str, blue: str, red: str) -> tuple[Array, Array]:
    """Give the colours halfway between the rows of the table, and the factor of each row."""
    colours, factors = _curve(band, blue, red)
    rows = slice(None, None, 100)
    return (colours[rows][1:] + colours[rows][:-1]) / 2, factors[rows]

"""The spectrum of Vega, condensed: what Vega magnitudes are counted from."""

from typing import Final

import numpy as np

from armillary.science.plasma import Array, Numbers

#: Gaia's Vega shines with 3.62286e-11 W m-2 nm-1 at 550 nm (Riello et al. 2021), the model with 3.54692e-11.
GAIA_SCALE: Final = 3.62286 / 3.54692


def vega(wavelength: Numbers) -> Array:
    """Give the flux density of Vega in W m-2 um-1 between 0.3 and 30 micrometres; NaN elsewhere.

    CALSPEC's model ``alpha_lyr_mod_002`` (Bohlin 2007; https://www.stsci.edu/hst/instrumentation/reference-data-for-
    calibration-and-tools/astronomical-catalogs/calspec), which 2MASS, WISE and, made brighter by `GAIA_SCALE`, Gaia are
    tied to. Condensed by least squares to a hundred straight lines in ``F lambda^4`` over log wavelength: through a
    broad filter it is the model's within 0.05 %; single lines are gone.

    Examples
    --------
    >>> float(vega(0.55).round(10))
    3.54e-08
    """
    place = np.asarray(wavelength, float)
    return np.asarray(np.interp(np.log(place), np.log(_PLACES), _HEIGHTS, np.nan, np.nan) * 1e-9 / place**4)


_PLACES: Final[Array] = np.array((
    0.3, 0.3075, 0.3151, 0.3229, 0.331, 0.3392, 0.3477, 0.3563, 0.3652, 0.3742, 0.3836, 0.3931, 0.4029, 0.4129,
    0.4232, 0.4337, 0.4445, 0.4555, 0.4669, 0.4785, 0.4904, 0.5026, 0.5151, 0.5279, 0.541, 0.5545, 0.5683, 0.5824,
    0.5969, 0.6118, 0.627, 0.6426, 0.6586, 0.6749, 0.6917, 0.7089, 0.7266, 0.7446, 0.7632, 0.7822, 0.8016, 0.8215,
    0.842, 0.8629, 0.8844, 0.9064, 0.9289, 0.952, 0.9757, 1, 1.0206, 1.0416, 1.063, 1.0848, 1.1072, 1.1299, 1.1532,
    1.1769, 1.2011, 1.2258, 1.251, 1.2767, 1.303, 1.3298, 1.3572, 1.3851, 1.4136, 1.4426, 1.4723, 1.5026, 1.5335,
    1.565, 1.5972, 1.6301, 1.6636, 1.6978, 1.7328, 1.7684, 1.8048, 1.8419, 1.8798, 1.9184, 1.9579, 1.9982, 2.0393,
    2.0812, 2.124, 2.1677, 2.2123, 2.2578, 2.3042, 2.3516, 2.4, 2.5753, 2.7633, 2.9651, 3.1817, 3.414, 3.6633, 3.9309,
    4.2179, 4.5259, 4.8565, 5.2111, 5.5917, 6, 7.551, 9.5029, 11.9594, 15.0509, 18.9416, 23.8379, 30,
))  # fmt: skip
#: F lambda^4, 1e-9 W m-2 um^3.
_HEIGHTS: Final[Array] = np.array((
    0.2886, 0.3092, 0.3349, 0.3581, 0.3936, 0.4221, 0.4565, 0.5025, 0.5048, 0.6728, 1.348, 1.673, 2.1, 1.876, 2.652,
    1.835, 2.671, 2.589, 2.77, 2.663, 2.453, 3.049, 2.989, 3.099, 3.182, 3.273, 3.36, 3.442, 3.525, 3.615, 3.687,
    3.82, 3.425, 4.078, 4.032, 4.156, 4.244, 4.334, 4.433, 4.516, 4.618, 4.725, 4.799, 4.831, 5.337, 5.648, 6.004,
    5.834, 6.584, 6.023, 6.534, 6.667, 6.812, 6.435, 6.695, 6.988, 7.034, 7.08, 7.188, 7.222, 7.436, 6.919, 7.453,
    7.54, 7.599, 7.67, 7.745, 7.791, 7.873, 7.958, 8.011, 8.006, 8.085, 8.22, 8.338, 8.631, 8.293, 8.963, 8.524,
    8.869, 8.58, 9.055, 8.732, 9.231, 9.17, 9.221, 9.35, 8.891, 9.468, 9.392, 9.478, 9.513, 9.608, 9.596, 9.844,
    10.07, 10.19, 10.36, 10.45, 10.52, 10.67, 10.76, 10.89, 10.97, 11.08, 11.13, 11.35, 11.53, 11.64, 11.74, 11.78,
    11.82, 11.79,
))  # fmt: skip

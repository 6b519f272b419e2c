"""How well BP and RP of a source add up to its G: the corrected flux excess of Gaia (E)DR3."""

import numpy as np

from armillary.science.plasma import Array, Numbers


def corrected_excess(bp_rp: Numbers, excess_factor: Numbers) -> Array:
    """Give C*: ``phot_bp_rp_excess_factor`` less what a star of this colour has; near 0 for a star that stands alone.

    Riello et al. (2021, doi:10.1051/0004-6361/202039587), equation 6 and table 2.

    Examples
    --------
    >>> corrected_excess(np.array([0.0, 1.0, 4.5]), np.array([1.2, 1.22, 1.7])).round(4).tolist()
    [0.0456, 0.0032, 0.01]
    """
    colour = np.asarray(bp_rp, float)
    blue = 1.154360 + 0.033772 * colour + 0.032277 * colour**2
    middle = 1.162004 + 0.011464 * colour + 0.049255 * colour**2 - 0.005879 * colour**3
    red = 1.057572 + 0.140537 * colour
    return np.asarray(excess_factor - np.where(colour < 0.5, blue, np.where(colour < 4.0, middle, red)))


def excess_sigma(g: Numbers) -> Array:
    """Give the scatter of C* of well-measured stars at a G magnitude (Riello et al. 2021, equation 18).

    Examples
    --------
    >>> float(excess_sigma(18.0).round(4))
    0.0382
    """
    return np.asarray(0.0059898 + 8.817481e-12 * np.asarray(g, float) ** 7.618399)

"""What the sources of each class are: colours, luminosities, temperatures, before distance and dust.

Stars take colours from short tables of rounded means along their sequence (after Pecaut & Mamajek 2013, ApJS 208, 9,
for dwarfs), good to about 0.1 mag; white dwarfs are black bodies; quasars are broken power laws; galaxies are old and
young stars with warm dust; the discs and envelopes of young stars follow a power law from Ks on, whose slope makes the
class.
G follows BP and RP by the excess factor of Riello et al. 2021, A&A 649, A3, table 2.
"""

from typing import Final, NamedTuple

import numpy as np

from armillary.science.photometry.light import extinction, planck
from armillary.science.simulated_sky.draws import Array, Draws

#: Bands but G, with pivot wavelengths in micrometres and Vega's flux density in Jy.
BANDS: Final = ("bp", "rp", "j", "h", "ks", "w1", "w2", "w3", "w4")
WAVELENGTHS: Final = np.array([0.5110, 0.7769, 1.235, 1.662, 2.159, 3.3526, 4.6028, 11.5608, 22.0883])
ZERO_POINTS: Final = np.array([3552.01, 2554.95, 1594.0, 1024.0, 666.8, 309.54, 171.787, 31.674, 8.363])
#: Magnitudes of one electron a second, Gaia (E)DR3.
GAIA_ZERO_POINTS: Final = {"g": 25.6873668671, "bp": 25.3385422158, "rp": 24.7478955012}
CLASSES: Final = (
    "main sequence", "giant", "white dwarf", "ultracool dwarf", "young stellar object", "agb star", "quasar", "galaxy",
)  # fmt: skip
_SCATTER: Final = {"bp_rp": 0.06, "rp_j": 0.06, "j_h": 0.04, "h_ks": 0.03, "ks_w1": 0.03, "w1_w2": 0.02,
                   "w1_w3": 0.04, "w1_w4": 0.06}  # fmt: skip

# Columns: x, M_G, BP-RP, RP-J, J-H, H-Ks, Ks-W1, W1-W2, W1-W3, W1-W4. x is log10 of the temperature for stars, the
# number of the spectral type (M0 = 0, L0 = 10, T0 = 20) for ultracool dwarfs, the amount of dust for AGB stars.
_DWARFS: Final = np.array([
    [3.45, 14.2, 3.90, 2.20, 0.60, 0.36, 0.20, 0.21, 0.45, 0.60],
    [3.507, 11.3, 2.85, 1.60, 0.56, 0.26, 0.16, 0.18, 0.33, 0.45],
    [3.551, 9.3, 2.20, 1.25, 0.63, 0.20, 0.12, 0.10, 0.20, 0.28],
    [3.585, 8.1, 1.84, 1.12, 0.66, 0.15, 0.10, 0.02, 0.08, 0.12],
    [3.647, 7.0, 1.41, 0.85, 0.56, 0.11, 0.07, -0.05, 0.00, 0.03],
    [3.722, 5.7, 0.98, 0.60, 0.36, 0.08, 0.05, -0.04, 0.00, 0.01],
    [3.761, 4.65, 0.82, 0.50, 0.29, 0.06, 0.04, -0.02, 0.00, 0.0],
    [3.859, 2.6, 0.38, 0.24, 0.13, 0.03, 0.03, 0.00, 0.00, 0.0],
    [3.987, 0.7, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.0],
    [4.491, -3.8, -0.40, -0.30, -0.13, -0.09, -0.05, -0.02, 0.0, 0.0],
])  # fmt: skip
_GIANTS: Final = np.array([
    [3.556, -2.0, 2.50, 1.55, 0.88, 0.24, 0.12, -0.08, 0.15, 0.25],
    [3.591, -1.2, 1.80, 1.20, 0.83, 0.19, 0.10, -0.10, 0.05, 0.10],
    [3.633, -0.3, 1.45, 0.93, 0.70, 0.14, 0.08, -0.10, 0.00, 0.05],
    [3.681, 0.5, 1.15, 0.75, 0.56, 0.10, 0.06, -0.06, -0.01, 0.0],
    [3.724, 2.5, 0.95, 0.62, 0.46, 0.08, 0.05, -0.04, 0.00, 0.0],
])  # fmt: skip
_ULTRACOOL: Final = np.array([
    [7.0, 14.0, 4.0, 2.5, 0.62, 0.38, 0.21, 0.21, 0.5, 0.8],
    [10.0, 16.2, 4.7, 3.0, 0.75, 0.50, 0.40, 0.27, 0.8, 1.1],
    [15.0, 18.7, 4.9, 3.4, 1.00, 0.70, 0.65, 0.33, 1.1, 1.5],
    [18.0, 20.0, 4.7, 3.7, 1.10, 0.72, 0.85, 0.55, 1.5, 2.0],
    [22.0, 20.7, 4.5, 4.0, 0.60, 0.30, 0.75, 0.75, 2.1, 2.6],
    [26.0, 22.3, 4.5, 4.5, -0.20, 0.0, 0.50, 2.00, 3.2, 4.0],
])  # fmt: skip
_AGB: Final = np.array([
    [0.0, -2.5, 3.2, 2.0, 0.90, 0.32, 0.25, -0.05, 0.4, 0.7],
    [0.3, -2.0, 3.6, 2.6, 1.00, 0.50, 0.50, 0.15, 1.2, 2.0],
    [0.6, -1.0, 4.2, 3.5, 1.40, 0.90, 1.00, 0.60, 2.4, 3.6],
    [1.0, 1.0, 5.0, 5.0, 2.20, 1.60, 1.90, 1.20, 3.6, 5.0],
])  # fmt: skip
#: log10 of micrometres and of the flux density of warm dust and its molecules, in units of that at 12 micrometres.
_WARM_DUST: Final = (
    np.log10([1.5, 3.3, 4.6, 6.0, 8.0, 12.0, 16.0, 22.0, 35.0]),
    np.array([-3.5, -1.5, -1.3, -0.5, 0.05, 0.0, 0.05, 0.4, 0.9]),
)


class Bodies(NamedTuple):
    """Sources before distance: n of them.

    Parameters
    ----------
    magnitudes : array, (9, n)
        Of `BANDS`, without dust, on any scale; for young stars such that dust `a_v` brings their true shape.
    absolute_g : array, (n,)
        NaN where only the apparent magnitude is known.
    temperature, redshift, alpha, a_v : array, (n,)
        NaN where it has no meaning; `a_v` where dust of its own replaces the dust on the way.
    subclass : array of str, (n,)
        ``I``, ``flat`` and ``II`` of young stars (Greene et al. 1994), else "".
    """

    magnitudes: Array
    absolute_g: Array
    temperature: Array
    redshift: Array
    alpha: Array
    a_v: Array
    subclass: Array


def bodies(kind: Array, draws: Draws) -> Bodies:
    """Make the bodies of sources whose class is known by its number in `CLASSES`."""
    n = len(kind)
    absolute_g, temperature, redshift, alpha, a_v = np.full((5, n), np.nan)
    magnitudes = np.empty((len(BANDS), n))
    made = Bodies(magnitudes, absolute_g, temperature, redshift, alpha, a_v, np.full(n, "", "U4"))
    makers = (_dwarfs, _giants, _white_dwarfs, _ultracool, _young, _agb, _quasars, _galaxies)
    for number, maker in enumerate(makers):
        chosen = np.flatnonzero(kind == number)
        if chosen.size:
            _put(made, chosen, maker(draws.of(chosen)))
    return made


def g_of(magnitudes: Array, excess: Array | float = 0.0) -> Array:
    """Give G from BP and RP, by the mean excess factor at their colour (and `excess` above it).

    Examples
    --------
    >>> g_of(np.array([[1.0], [0.0]])).round(2).tolist()
    [0.59]
    """
    bp, rp = magnitudes[0], magnitudes[1]
    light = 10 ** (0.4 * (GAIA_ZERO_POINTS["bp"] - bp)) + 10 ** (0.4 * (GAIA_ZERO_POINTS["rp"] - rp))
    return np.asarray(GAIA_ZERO_POINTS["g"] - 2.5 * np.log10(light / (excess_factor(bp - rp) + excess)))


def excess_factor(colour: Array) -> Array:
    """Give the mean of ``phot_bp_rp_excess_factor`` of stars at a colour BP - RP (Riello et al. 2021, table 2).

    Examples
    --------
    >>> excess_factor(np.array([0.0, 1.0, 4.5])).round(4).tolist()
    [1.1544, 1.2168, 1.69]
    """
    x = np.asarray(colour, float)
    blue = 1.154360 + 0.033772 * x + 0.032277 * x**2
    middle = 1.162004 + 0.011464 * x + 0.049255 * x**2 - 0.005879 * x**3
    return np.where(x < 0.5, blue, np.where(x < 4.0, middle, 1.057572 + 0.140537 * x))


def _put(made: Bodies, chosen: Array, part: dict[str, Array]) -> None:
    for name, values in part.items():
        getattr(made, name)[..., chosen] = values


def _along(nodes: Array, x: Array, draws: Draws) -> dict[str, Array]:
    """Take magnitudes and luminosity from a table of nodes, with the scatter of real stars."""
    colours = dict(zip(_SCATTER, nodes[:, 2:].T, strict=True))
    has = {name: np.interp(x, nodes[:, 0], column) + _SCATTER[name] * draws.z(name) for name, column in colours.items()}
    j = -has["rp_j"]
    h = j - has["j_h"]
    ks = h - has["h_ks"]
    w1 = ks - has["ks_w1"]
    far = [w1 - has[name] for name in ("w1_w2", "w1_w3", "w1_w4")]
    magnitudes = np.array([has["bp_rp"], np.zeros(len(x)), j, h, ks, w1, *far])
    return {"magnitudes": magnitudes, "absolute_g": np.interp(x, nodes[:, 0], nodes[:, 1]) + 0.25 * draws.z("type")}


def _dwarfs(draws: Draws) -> dict[str, Array]:
    part, u = draws.u("part"), draws.u("type")
    middle = np.clip(3.75 + 0.06 * draws.z("type"), 3.6, 3.95)
    x = np.select([part < 0.25, part < 0.27], [3.46 + 0.15 * u, 3.9 + 0.5 * u**2], middle)
    made = _along(_DWARFS, x, draws)
    # Some hot stars turn so fast that they lose gas, which shines in the infrared.
    disc = np.where((x > 3.95) & (draws.u("slope") < 0.2), draws.u("excess"), 0.0)
    made["magnitudes"][4:] -= np.array([0.2, 0.5, 0.7, 1.4, 1.7])[:, None] * disc
    return made | {"temperature": 10**x}


def _giants(draws: Draws) -> dict[str, Array]:
    clump = 4800 + 130 * draws.z("type")
    branch = 3650 + 1600 * draws.u("type")
    x = np.log10(np.clip(np.where(draws.u("part") < 0.5, clump, branch), 3600, 5300))
    made = _along(_GIANTS, x, draws)
    # A few lose dust already.
    dust = np.where(draws.u("slope") < 0.03, draws.u("excess") ** 2, 0.0)
    made["magnitudes"][5:] -= np.array([0.3, 0.6, 2.0, 3.0])[:, None] * dust
    return made | {"temperature": 10**x}


def _white_dwarfs(draws: Draws) -> dict[str, Array]:
    temperature = 5000 * 7 ** draws.u("type") ** 1.5
    flux = planck(WAVELENGTHS[:, None], temperature)
    magnitudes = -2.5 * np.log10(flux / ZERO_POINTS[:, None])
    # 0.0127 Suns at ten parsecs.
    absolute = g_of(magnitudes) - 2.5 * np.log10(np.pi * (0.0127 * 6.957e8 / 3.0857e17) ** 2)
    return {"magnitudes": magnitudes, "temperature": temperature, "absolute_g": absolute + 0.2 * draws.z("type")}


def _ultracool(draws: Draws) -> dict[str, Array]:
    x = 7 + 19 * draws.u("type") ** 4
    made = _along(_ULTRACOOL, x, draws)
    made["magnitudes"][5:] -= 0.05 * draws.z("excess")
    return made | {"temperature": np.interp(x, [7, 10, 15, 18, 22, 26], [2650, 2250, 1600, 1350, 1200, 900])}


def _agb(draws: Draws) -> dict[str, Array]:
    x = draws.u("type") ** 2
    made = _along(_AGB, x, draws)
    # Carbon-rich ones lack the silicates near ten micrometres and are redder before.
    carbon = draws.u("part") < 0.3
    made["magnitudes"][7] += np.where(carbon, 0.6 * x, 0)
    made["magnitudes"][4:] -= np.where(carbon, 0.25 * x, 0)
    return made | {"temperature": 3300 - 600 * x}


def _young(draws: Draws) -> dict[str, Array]:
    part, u, slope = draws.u("part"), draws.u("type"), draws.u("slope")
    group = np.searchsorted([0.1, 0.25], part, side="right")
    x = np.log10(2850 + 3300 * u**2.5)
    made = _along(_DWARFS, x, draws)
    dust, e = draws.u("dust"), draws.u("excess")
    a_v = np.choose(group, [3 + 6 * dust, 1.5 + 5 * dust, 0.1 + 5 * dust**2])
    alpha = np.choose(group, [0.32 + 1.2 * slope, -0.29 + 0.58 * slope, -1.58 + 1.27 * slope])
    excess = np.choose(group, [0.8 + 1.4 * e, 0.2 + 0.8 * e, 0.6 * e**2])
    # Discs with a gap inside leave the star's own light up to W2.
    gap = np.clip(1.7 * draws.u("gap") - 0.25, 0, 1) * np.choose(group, [0.0, 0.2, 1.0])
    made["magnitudes"][2:5] -= np.array([0.1, 0.4, 1.0])[:, None] * excess * (1 - gap)
    made["magnitudes"] = _with_slope(made["magnitudes"], alpha, a_v, gap, draws)
    # Before the main sequence a star is larger.
    made["absolute_g"] = made["absolute_g"] - 1.6 - 0.9 * draws.u("light")
    subclass = np.array(["I", "flat", "II"])[group]
    return made | {"temperature": 10**x, "alpha": alpha, "a_v": a_v, "subclass": subclass}


def _with_slope(magnitudes: Array, alpha: Array, a_v: Array, gap: Array, draws: Draws) -> Array:
    """Bend what is seen from Ks on to ``lambda F_lambda ~ lambda**alpha``, with lumps and gaps before W4."""
    dust = a_v * extinction(WAVELENGTHS)[:, None]
    seen = magnitudes + dust
    brightness = np.log10(ZERO_POINTS / WAVELENGTHS)
    reach = np.log10(WAVELENGTHS[5:] / WAVELENGTHS[4])
    lumps = np.array([0.06 * draws.z("ks_w1"), 0.06 * draws.z("w1_w2"), 0.05 + 0.08 * draws.z("w1_w3"), 0 * alpha])
    rise = alpha * reach[:, None] + lumps - (brightness[5:] - brightness[4])[:, None]
    share = gap * np.array([1.0, 1.0, 0.6, 0.0])[:, None]
    seen[5:] = seen[5:] * share + (seen[4] - 2.5 * rise) * (1 - share)
    return np.asarray(seen - dust)


def _quasars(draws: Draws) -> dict[str, Array]:
    redshift = 0.15 + 4.0 * draws.u("redshift") ** 1.6
    rest = np.log10(WAVELENGTHS[:, None] / (1 + redshift))
    far = 1.2 + 0.2 * draws.z("w1_w2")
    near = 0.5 + 0.25 * draws.z("bp_rp")
    log_flux = np.where(rest < 0, near * rest, far * rest)
    log_flux += np.where(rest < np.log10(0.0912), -0.7, 0) + np.where(rest < np.log10(0.1216), -0.25, 0)
    log_flux += 0.03 * draws.normal[:9]
    return {"magnitudes": -2.5 * (log_flux - np.log10(ZERO_POINTS)[:, None]), "redshift": redshift}


def _galaxies(draws: Draws) -> dict[str, Array]:
    redshift = 0.01 + 0.35 * draws.u("redshift") ** 1.3
    rest = WAVELENGTHS[:, None] / (1 + redshift)
    forming = draws.u("type") ** 1.5
    old = planck(rest, 4300.0) / planck(1.6, 4300.0)
    new = 0.4 * forming * planck(rest, 9000.0) / planck(0.5, 9000.0)
    warm = 10 ** np.interp(np.log10(rest), *_WARM_DUST) * forming * 10 ** (0.4 + 0.3 * draws.z("w1_w3"))
    log_flux = np.log10(old + new + warm) + 0.03 * draws.normal[:9]
    return {"magnitudes": -2.5 * (log_flux - np.log10(ZERO_POINTS)[:, None]), "redshift": redshift}

"""Photospheres fitted to energy distributions, what shines beyond them, and template fits of any kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.photometry.bands import Band, bands
from armillary.science.photometry.colour_corrections import POWER_LAWS, black_body_factor
from armillary.science.photometry.extinction import Law, extinction
from armillary.science.photometry.light import LIGHT, PARSEC, SOLAR_RADIUS, planck
from armillary.science.photometry.seds import Seds
from armillary.science.plasma import Array

if TYPE_CHECKING:
    from typing import TextIO

#: W m-2 K-4 (CODATA 2018), and the nominal luminosity of the Sun, W (IAU 2015 B3).
STEFAN_BOLTZMANN: Final = 5.670374419e-8
SOLAR_LUMINOSITY: Final = 3.828e26
#: Models of photospheres are this good, relative.
MODEL_ERROR: Final = 0.03
#: What a photosphere is fitted to: discs hardly shine there.
STELLAR: Final = "G BP RP J H Ks"
_WORK: Final = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Surface brightness of model photospheres through bands.

    Parameters
    ----------
    bands : tuple of Band
    teff, logg, metallicity : array, shape (k,)
        K, log10 of cm s-2, [Fe/H]; NaN where a model has none.
    flux : array, shape (k, b)
        F_lambda at the surface, mean over the band, W m-2 um-1.
    source : str
    """

    bands: tuple[Band, ...]
    teff: Array
    logg: Array
    metallicity: Array
    flux: Array
    source: str

    def __len__(self) -> int:
        return len(self.teff)

    def at(self, teff: Array, logg: float, metallicity: float) -> "Grid":
        """Interpolate along temperature at one gravity and metallicity: linear in log F over log T, [Fe/H] and log g.

        Temperatures that the grid does not reach at this gravity are left out.
        """
        wanted = np.asarray(teff, float)
        total, weight = np.zeros((len(wanted), len(self.bands))), np.zeros(len(wanted))
        for g, part_g in _around(np.unique(self.logg), logg):
            for m, part_m in _around(np.unique(self.metallicity), metallicity):
                rows = np.flatnonzero((self.logg == g) & (self.metallicity == m))
                rows = rows[np.argsort(self.teff[rows])]
                share = part_g * part_m
                if not rows.size or share == 0:
                    continue
                inside = (wanted >= self.teff[rows[0]]) & (wanted <= self.teff[rows[-1]])
                x, y = np.log(self.teff[rows]), np.log(self.flux[rows])
                drawn = np.stack([np.interp(np.log(wanted), x, column) for column in y.T], axis=1)
                total += np.where(inside[:, None], share * drawn, 0)
                weight += np.where(inside, share, 0)
        good = weight > 0.999
        count = int(good.sum())
        if not count:
            raise BadParameter(f"no model has log g {logg:g} and [Fe/H] {metallicity:g}", "ask inside of the grid")
        return Grid(
            self.bands,
            wanted[good],
            np.full(count, logg),
            np.full(count, metallicity),
            np.exp(total[good]),
            self.source,
        )


def _around(values: Array, wanted: float) -> list[tuple[float, float]]:
    """Give the neighbours of a value on an axis, with their shares."""
    if not values[0] <= wanted <= values[-1]:
        raise BadParameter(f"{wanted:g} is outside of {values[0]:g} to {values[-1]:g}", "ask inside of the grid")
    above = min(int(np.searchsorted(values, wanted)), len(values) - 1)
    below = max(above - 1, 0)
    step = values[above] - values[below]
    share = (wanted - values[below]) / step if step else 1.0
    return [(float(values[below]), 1 - share), (float(values[above]), share)]


def read_grid(path: str | Path) -> Grid:
    """Read a table of model fluxes through filters, as the ARIADNE package has them (text, also gzipped).

    Parameters
    ----------
    path : str or Path
        Tab separated; the first line names the columns: ``Teff logg [Fe/H]``, then filters (erg s-1 cm-2 um-1).

    Notes
    -----
    Castelli and Kurucz (2004) have no wavelength between 10 and 20 micrometres, and a straight line across that gap is
    far too high: tabulated W3 and W4 are 1.7 and 1.2 times too bright. They are made anew here from W1 by the law
    of Engelke (1992). Gaia's bands are those of DR2, which differ from DR3's by about 1 %.
    """
    try:
        with _opened(path) as lines:
            names = [one.strip() for one in lines.readline().lstrip("#").split("\t")]
            rows = np.loadtxt(lines, ndmin=2)
        places = [names.index(column) for column in ("Teff", "logg", "[Fe/H]")]
        known = {name: names.index(column) for name, column in _COLUMNS.items() if column in names}
        if rows.shape[1] != len(names) or not known:
            raise ValueError(f"{rows.shape[1]} columns, {len(names)} names, {len(known)} known bands")  # noqa: TRY301
    except (OSError, ValueError, EOFError) as fault:
        raise BadData(
            f"{path} is no grid of photospheres: {fault}", "name the table of one of ARIADNE's grids"
        ) from fault
    chosen = bands([*known])
    # Models that do not exist are rows of zeros.
    rows = rows[(rows[:, [*known.values()]] > 0).all(axis=1)]
    flux = rows[:, [*known.values()]] * 1e-3
    teff, logg, metallicity = (rows[:, place] for place in places)
    grid = Grid(chosen, teff, logg, metallicity, flux, Path(path).name)
    return _with_far_infrared(grid)


#: Our bands by the names of ARIADNE.
_COLUMNS: Final = {
    "G": "GaiaDR2v2_G", "BP": "GaiaDR2v2_BP", "RP": "GaiaDR2v2_RP", "J": "2MASS_J", "H": "2MASS_H", "Ks": "2MASS_Ks",
    "W1": "WISE_RSR_W1", "W2": "WISE_RSR_W2",
}  # fmt: skip


def _opened(path: str | Path) -> "TextIO":
    import gzip

    with Path(path).open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt", encoding="utf-8") if packed else Path(path).open(encoding="utf-8")


def _with_far_infrared(grid: Grid) -> Grid:
    if "W1" not in [band.name for band in grid.bands]:
        return grid
    far = [_body(band, engelke(band.reference, grid.teff)) for band in bands("W1 W3 W4")]
    level = grid.flux[:, [band.name for band in grid.bands].index("W1")] / far[0]
    flux = np.column_stack([grid.flux, level * far[1], level * far[2]])
    return replace(grid, bands=(*grid.bands, *bands("W3 W4")), flux=flux)


def engelke(wavelength: float, teff: Array) -> Array:
    """Give the brightness temperature of a photosphere in the infrared: farther in the red one sees higher layers.

    Engelke (1992), doi:10.1086/116315, for 2 to 60 micrometres.

    Examples
    --------
    >>> engelke(12.0, np.array([5772.0])).round().tolist()
    [4895.0]
    """
    return np.asarray(0.738 * teff * (1 + 79_450 / (wavelength * teff)) ** 0.182)


def black_bodies(temperatures: Array, of: str | Sequence[str | Band] = "G BP RP J H Ks W1 W2 W3 W4") -> Grid:
    """Give a grid of black bodies: at the pivot of each band, for WISE the mean over the band.

    Examples
    --------
    >>> black_bodies(np.array([5772.0]), "Ks").flux.round(-4).tolist()
    [[3660000.0]]
    """
    heat, chosen = np.asarray(temperatures, float), bands(of)
    if not (heat > 0).all():
        raise BadParameter("a temperature is not above zero", "give temperatures in K")
    none = np.full(len(heat), np.nan)
    return Grid(chosen, heat, none, none, np.stack([_body(band, heat) for band in chosen], axis=1), "black bodies")


def _body(band: Band, heat: Array) -> Array:
    wise = band.name in POWER_LAWS
    f_nu = np.pi * planck(band.reference if wise else band.pivot, heat)
    if wise:
        f_nu = f_nu / black_body_factor(band.name, np.maximum(heat, 100.0))
    return np.asarray(f_nu * 1e-20 * LIGHT / band.pivot**2)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The best template of each of n sources; NaN and -1 where too few bands were measured.

    Parameters
    ----------
    template : array of int, shape (n,)
    scale : array, shape (n,)
        Factor on the template; (radius / distance)^2 for photospheres.
    a_v : array, shape (n,)
    chi2 : array, shape (n,)
    bands : array of int, shape (n,)
        Bands used.
    low, high : array of int, shape (n,)
        First and last template with chi^2 less than 1 above the least, in the order given, at the best A_V of each.
    model : array, shape (n, b)
        F_lambda of template and dust in all bands of the Seds, W m-2 um-1; NaN in bands the templates do not have.
    """

    template: Array
    scale: Array
    a_v: Array
    chi2: Array
    bands: Array
    low: Array
    high: Array
    model: Array


def fit_templates(
    seds: Seds,
    templates: Array,
    of: Sequence[Band],
    *,
    use: str | Sequence[str] = STELLAR,
    a_v: Array | float = 0.0,
    name: Law = "gordon23",
    r_v: float = 3.1,
    model_error: float = MODEL_ERROR,
    least: int = 3,
) -> Fit:
    """Fit templates: the scale of each by least squares, the best of all templates and amounts of dust.

    Parameters
    ----------
    seds : Seds
        Built without colour correction, as templates are means over bands.
    templates : array, shape (k, b)
        F_lambda through bands, of any scale.
    of : sequence of Band
        The b bands of the templates.
    use : names
        Which bands are fitted; those that are not measured are left out source by source.
    a_v : float or array, shape (v,)
        Magnitudes that are tried; one number is a given extinction.
    model_error : float
        Relative, is added to the errors in quadrature; sources without errors have it alone.
    least : int
        Measured bands that are needed.

    Notes
    -----
    chi^2 = S(f f) - S(f m)^2 / S(m m) with weights 1 / sigma^2, so all k v models of a portion of sources are two
    matrix products: n k v b multiplications, and memory of about 50 MB however many sources there are.
    """
    if (seds.wavelength != [band.pivot for band in seds.bands]).any():
        raise BadParameter("these fluxes were colour corrected, templates are not", "build without colour_correction")
    amounts = np.atleast_1d(np.asarray(a_v, float))
    known = [band.name for band in of]
    names = [one for one in (use.split() if isinstance(use, str) else use) if one in known and _has(seds, one)]
    if len(names) < 2 or not len(templates) or not (amounts >= 0).all():
        problem = f"{len(templates)} templates and bands {' '.join(names) or 'none'} cannot be fitted"
        raise BadParameter(problem, "have two bands in common, and A_V of 0 or more")
    columns, places = [seds.column(one) for one in names], [known.index(one) for one in names]
    dust = 10 ** (-0.4 * amounts[:, None] * extinction([of[place] for place in places], name, r_v))
    models = (dust[:, None, :] * np.asarray(templates, float)[None, :, places]).reshape(-1, len(names))
    level = models.mean(axis=1)
    flux, weight = _weights(seds, columns, model_error)
    best = _search(flux, weight, models / level[:, None], len(templates), least)
    return _told(seds, best, np.asarray(templates, float), of, amounts, level, name, r_v)


def _has(seds: Seds, name: str) -> bool:
    return name.lower() in {band.name.lower() for band in seds.bands}


def _weights(seds: Seds, columns: list[int], model_error: float) -> tuple[Array, Array]:
    """Give fluxes, each source's relative to its mean, and weights; zero where nothing was measured."""
    good = seds.measured[:, columns] & (seds.f_lambda[:, columns] > 0)
    flux = np.where(good, seds.f_lambda[:, columns], 0.0)
    error = np.where(np.isfinite(seds.f_lambda_error[:, columns]), seds.f_lambda_error[:, columns], 0.0)
    sigma = np.hypot(error, max(model_error, 1e-6) * flux)
    with np.errstate(divide="ignore"):
        return flux, np.where(good, 1 / sigma**2, 0.0)


def _search(flux: Array, weight: Array, models: Array, templates: int, least: int) -> dict[str, Array]:
    count = len(flux)
    found = {one: np.full(count, np.nan) for one in ("chi2", "scale")}
    found |= {one: np.full(count, -1) for one in ("model", "low", "high")}
    found["bands"] = (weight > 0).sum(axis=1)
    squares = models.T**2
    portion = max(1, _WORK // len(models))
    for begin in range(0, count, portion):
        part = np.arange(begin, min(begin + portion, count))[found["bands"][begin : begin + portion] >= least]
        if not part.size:
            continue
        f, w = flux[part], weight[part]
        across, within = (w * f) @ models.T, w @ squares
        chi2 = (w * f * f).sum(axis=1)[:, None] - across**2 / within
        best = chi2.argmin(axis=1)
        row = np.arange(len(part))
        found["chi2"][part], found["model"][part] = np.maximum(chi2[row, best], 0), best
        found["scale"][part] = across[row, best] / within[row, best]
        along = chi2.reshape(len(part), -1, templates).min(axis=1) < chi2[row, best][:, None] + 1
        found["low"][part] = along.argmax(axis=1)
        found["high"][part] = templates - 1 - along[:, ::-1].argmax(axis=1)
    return found


def _told(
    seds: Seds, best: dict[str, Array], templates: Array, of: Sequence[Band], amounts: Array, level: Array, name: Law,
    r_v: float,
) -> Fit:  # fmt: skip
    fitted = best["model"] >= 0
    template = np.where(fitted, best["model"] % len(templates), -1)
    a_v = np.where(fitted, amounts[best["model"] // len(templates)], np.nan)
    scale = best["scale"] / np.where(fitted, level[best["model"]], np.nan)
    model = np.full(seds.f_lambda.shape, np.nan)
    curve = extinction(seds.bands, name, r_v)
    for place, band in enumerate(of):
        if _has(seds, band.name):
            column = seds.column(band.name)
            model[:, column] = scale * templates[template, place] * 10 ** (-0.4 * a_v * curve[column])
    return Fit(template, scale, a_v, best["chi2"], best["bands"], best["low"], best["high"], model)


@dataclass(frozen=True, slots=True, eq=False)
class Photosphere:
    """Photospheres of n sources; NaN where none could be fitted.

    Parameters
    ----------
    teff, teff_error : array, shape (n,)
        K. The error is half the range of temperatures with chi^2 less than 1 above the least; never less than half the
        step of the grid.
    a_v, scale, chi2 : array, shape (n,)
        Magnitudes; (radius / distance)^2; chi^2 of the fit.
    bands : array of int, shape (n,)
        Bands used.
    f_lambda : array, shape (n, b)
        The model behind its dust in the bands of the Seds, W m-2 um-1.
    """

    teff: Array
    teff_error: Array
    a_v: Array
    scale: Array
    chi2: Array
    bands: Array
    f_lambda: Array

    def radius(self, distance: Array) -> Array:
        """Give radii in those of the Sun, from parsec."""
        return np.asarray(np.sqrt(self.scale) * distance * (PARSEC / SOLAR_RADIUS))

    def luminosity(self, distance: Array) -> Array:
        """Give bolometric luminosities in those of the Sun, from parsec: 4 pi R^2 sigma T^4."""
        surface = 4 * np.pi * (self.radius(distance) * SOLAR_RADIUS) ** 2
        return np.asarray(surface * STEFAN_BOLTZMANN * self.teff**4 / SOLAR_LUMINOSITY)


def fit_photosphere(
    seds: Seds,
    grid: Grid | None = None,
    *,
    logg: float = 4.5,
    metallicity: float = 0.0,
    step: float = 50.0,
    use: str | Sequence[str] = STELLAR,
    a_v: Array | float = 0.0,
    name: Law = "gordon23",
    r_v: float = 3.1,
    model_error: float = MODEL_ERROR,
) -> Photosphere:
    """Fit photospheres of one gravity and metallicity, with given or fitted extinction.

    Parameters
    ----------
    grid : Grid, optional
        From `read_grid`; without it black bodies of 1000 to 20000 K, which are some 10 % off between bands.
    step : float
        K between the temperatures that are tried; steps of black bodies grow with T.
    a_v : float or array
        Given, or all the values to try. Temperature and extinction are hard to tell apart without BP, RP or a
        spectral type: look at ``teff_error``.

    Raises
    ------
    BadParameter
        If the fluxes were colour corrected.
    """
    if grid is None:
        models = black_bodies(np.geomspace(1000, 20_000, max(2, round(np.log(20) / (step / 5000)))))
    else:
        models = grid.at(np.arange(grid.teff.min(), grid.teff.max() + step / 2, step), logg, metallicity)
    fit = fit_templates(seds, models.flux, models.bands, use=use, a_v=a_v, name=name, r_v=r_v, model_error=model_error)
    half = np.gradient(models.teff) / 2
    spread = (models.teff[fit.high] - models.teff[fit.low]) / 2
    fitted = fit.template >= 0
    return Photosphere(
        np.where(fitted, models.teff[fit.template], np.nan),
        np.where(fitted, np.maximum(spread, half[fit.template]), np.nan),
        fit.a_v, fit.scale, fit.chi2, fit.bands, fit.model,
    )  # fmt: skip


def excess(seds: Seds, photosphere: Photosphere, *, model_error: float = MODEL_ERROR) -> tuple[Array, Array]:
    """Give what shines beyond a photosphere in each band: in standard errors, and in magnitudes (bright is positive).

    Both have shape (n, b). Limits have an excess of at most so many magnitudes and none in errors (NaN).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = seds.f_lambda - photosphere.f_lambda
        sigma = beyond / np.hypot(seds.f_lambda_error, model_error * photosphere.f_lambda)
        return sigma, 2.5 * np.log10(seds.f_lambda / photosphere.f_lambda)

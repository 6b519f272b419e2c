"""Spectral energy distributions from magnitudes: one kernel for any number of sources and bands.

A missing magnitude is NaN and stays NaN. A magnitude without an error, or one flagged as a limit, is an upper limit of
the flux: the flux is given, its error is NaN and `Seds.limit` is true.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.photometry.bands import AB_ZERO, BANDS, W4_BROWN, Band, bands
from armillary.science.photometry.colour_corrections import Correction, corrections
from armillary.science.photometry.light import LIGHT
from armillary.science.plasma import Array

#: Relative error of a flux over the error of its magnitude.
PER_MAGNITUDE: Final = np.log(10) / 2.5
RedSources: TypeAlias = Literal["none", "brown", "supplement"]
#: Rows worked on at a time, so that they stay in the processor's cache.
_PORTION: Final = 4096
#: What a magnitude may be; 99 and -999 are nobody's.
MAGNITUDES: Final = (-30.0, 60.0)
_WISE: Final[tuple[str, ...]] = ("W1", "W2", "W3", "W4")


@dataclass(frozen=True, slots=True, eq=False)
class Seds:
    """Energy distributions of n sources in b bands, from short to long wavelength if the bands are so.

    Parameters
    ----------
    bands : tuple of Band
    wavelength : array, shape (b,)
        Micrometres: where the fluxes stand. The pivot; the reference wavelength where a colour correction was made.
    f_nu, f_nu_error : array, shape (n, b)
        Jy.
    f_lambda, f_lambda_error : array, shape (n, b)
        W m-2 um-1.
    power, power_error : array, shape (n, b)
        lambda F_lambda = nu F_nu, W m-2.
    limit : array of bool, shape (n, b)
        Whether the flux is an upper limit.
    """

    bands: tuple[Band, ...]
    wavelength: Array
    f_nu: Array
    f_nu_error: Array
    f_lambda: Array
    f_lambda_error: Array
    power: Array
    power_error: Array
    limit: Array

    def __len__(self) -> int:
        return int(self.f_nu.shape[0])

    @property
    def measured(self) -> Array:
        """Whether a flux was measured: it is there and no limit."""
        return np.isfinite(self.f_nu) & ~self.limit

    def column(self, name: str) -> int:
        """Give the number of a band."""
        names = [band.name.lower() for band in self.bands]
        if name.lower() not in names:
            raise BadParameter(f"{name} is not among {' '.join(names)}", "build the distribution with this band")
        return names.index(name.lower())


def build(
    magnitudes: Array,
    errors: Array | None = None,
    bands: str | Sequence[str | Band] = BANDS,
    *,
    limits: Array | None = None,
    system: Literal["vega", "ab"] = "vega",
    floors: bool = False,
    colour_correction: Correction = "none",
    w4_red: RedSources = "none",
) -> Seds:
    """Build energy distributions from magnitudes.

    Parameters
    ----------
    magnitudes : array, shape (n, b)
        NaN where there is none.
    errors : array, shape (n, b), optional
        Standard errors, magnitudes; NaN (or 0) with a magnitude makes it an upper limit. Without the array nothing is a
        limit and errors of fluxes are NaN.
    bands : names or Bands
        One a column; the ten of `BANDS` by default.
    limits : array of bool, shape (n, b), optional
        What else is an upper limit, for example where 2MASS or AllWISE say ``ph_qual = U``.
    system : {"vega", "ab"}
    floors : bool
        Whether to add each band's `floor` to the errors in quadrature.
    colour_correction : {"none", "table", "interpolated"}
        Of WISE bands, by the spectral index that their colours tell (Wright et al. 2010). "table" takes the row of the
        published table that is nearest in colour, "interpolated" goes between the rows.
    w4_red : {"none", "brown", "supplement"}
        "brown": W4 lies at 22.8 um with AB 6.66 (Brown et al. 2014). "supplement": W4 is 8 % fainter where the
        colour W3 - W4 is redder than that of F_nu ~ nu^-2 (Explanatory Supplement of WISE, IV.4.h).

    Raises
    ------
    BadData
        For errors below 0, and for magnitudes that are none (99, -999, infinite).

    Examples
    --------
    >>> found = build(np.array([[10.0, np.nan]]), np.array([[0.02, np.nan]]), "Ks W1")
    >>> found.f_nu.round(4).tolist(), found.f_nu_error.round(5).tolist()
    ([[0.0667, nan]], [[0.00123, nan]])
    """
    chosen = _chosen(bands, w4_red)
    mags, sigmas = _checked(magnitudes, errors, chosen)
    zero = np.full(len(chosen), AB_ZERO) if system == "ab" else np.array([band.zero_point for band in chosen])
    extra = _corrections(mags, chosen, colour_correction, w4_red) if system == "vega" else {}
    corrected = colour_correction != "none"
    place = np.array([band.reference if corrected and band.name in _WISE else band.pivot for band in chosen])
    limit = _limits(mags, sigmas if errors is not None else None, limits)
    floor = np.array([band.floor**2 for band in chosen]) if floors else None
    return Seds(chosen, place, *_kernel(mags, sigmas, zero, place, floor, extra, limit), limit)


def from_fluxes(
    fluxes: Array,
    errors: Array | None = None,
    bands: str | Sequence[str | Band] = BANDS,
    *,
    unit: str = "Jy",
    limits: Array | None = None,
) -> Seds:
    """Build energy distributions from flux densities of one unit.

    Parameters
    ----------
    fluxes, errors : array, shape (n, b)
        A flux at or below 0 is no detection: it becomes an upper limit of three errors where the error is known, and
        NaN where it is not.
    bands : names or Bands
    unit : str
        One of `UNITS`; it holds for all bands, so convert columns of other units first.
    limits : array of bool, optional

    Examples
    --------
    >>> float(from_fluxes(np.array([[66.68]]), bands="Ks", unit="mJy").f_nu[0, 0])
    0.06668
    """
    chosen = _chosen(bands, "none")
    pivot = np.array([band.pivot for band in chosen])
    scale = to_jansky(unit, pivot)
    values, sigmas = _checked(fluxes, errors, chosen, flux=True)
    nothing = values <= 0
    values = np.where(nothing, 3 * sigmas, values)
    limit = _limits(values, sigmas if errors is not None else None, limits) | (nothing & np.isfinite(values))
    f_nu, error = values * scale, np.where(limit, np.nan, sigmas * scale)
    to_lambda = 1e-20 * LIGHT / pivot**2
    f_lambda, lambda_error = f_nu * to_lambda, error * to_lambda
    return Seds(chosen, pivot, f_nu, error, f_lambda, lambda_error, f_lambda * pivot, lambda_error * pivot, limit)


def to_jansky(unit: str, wavelength: Array) -> Array:
    """Give what a flux density in `unit` is multiplied with to be in Jy, at wavelengths in micrometres."""
    plain = plain_unit(unit)
    if plain in _PER_FREQUENCY:
        return np.full(np.shape(wavelength), _PER_FREQUENCY[plain])
    if plain in _PER_WAVELENGTH:
        return np.asarray(_PER_WAVELENGTH[plain] * 1e20 / LIGHT * np.asarray(wavelength) ** 2)
    raise BadParameter(f"no flux density is in {unit!r}", f"use one of {', '.join(UNITS)}, or magnitudes in build")


def plain_unit(unit: str) -> str:
    """Give a unit as in `UNITS`, from how VOUnits, FITS or a person writes it; one that is not known as it came.

    Examples
    --------
    >>> plain_unit("W.m**-2.um**-1"), plain_unit("erg/s/cm2/Angstrom"), plain_unit("\N{MICRO SIGN}Jy")
    ('W m-2 um-1', 'erg s-1 cm-2 AA-1', 'uJy')
    """
    over, *under = unit.replace("**", "").replace("^", "").replace("\N{MICRO SIGN}", "u").split("/")
    words = re.split(r"[\s.*]+", over.strip())
    for one in under:
        name, power = re.fullmatch(r"(.*?)(\d*)", one.strip(" ()"), re.DOTALL).groups()  # type: ignore[union-attr]
        words.append(f"{name}-{power or 1}")
    plain = " ".join(re.sub(r"^(angstroms?|a|\u00c5|\u212b)(?=-|$)", "AA", one, flags=re.IGNORECASE) for one in words)
    plain = plain.replace("micron", "um")
    return plain if plain in UNITS else unit


#: To Jy; to W m-2 um-1.
_PER_FREQUENCY: Final = {"Jy": 1.0, "mJy": 1e-3, "uJy": 1e-6, "W m-2 Hz-1": 1e26, "erg s-1 cm-2 Hz-1": 1e23}
_PER_WAVELENGTH: Final = {
    "W m-2 um-1": 1.0, "W m-2 nm-1": 1e3, "W m-3": 1e-6, "erg s-1 cm-2 AA-1": 10.0, "erg s-1 cm-2 um-1": 1e-3,
}  # fmt: skip
#: The units of flux density that are understood.
UNITS: Final = (*_PER_FREQUENCY, *_PER_WAVELENGTH)


def _chosen(asked: str | Sequence[str | Band], w4_red: str) -> tuple[Band, ...]:
    found = bands(asked)
    names = [band.name for band in found]
    if len(set(names)) < len(names):
        raise BadParameter(f"bands {' '.join(names)}: one is there twice", "give each band one column and one name")
    if w4_red not in ("none", "brown", "supplement"):
        raise BadParameter(f"no correction of W4 is called {w4_red!r}", "use none, brown or supplement")
    return tuple(W4_BROWN if w4_red == "brown" and band.name == "W4" else band for band in found)


def _checked(
    values: Array, errors: Array | None, chosen: tuple[Band, ...], *, flux: bool = False
) -> tuple[Array, Array]:
    given = _plain(values)
    sigmas = np.broadcast_to(np.nan, given.shape) if errors is None else _plain(errors)
    if given.ndim != 2 or given.shape[1] != len(chosen) or sigmas.shape != given.shape:
        problem = f"values {given.shape} and errors {sigmas.shape} for {len(chosen)} bands"
        raise BadParameter(problem, "give both as (sources, bands)")
    if not given.size:
        return given, sigmas
    # NaN makes both false, so one look at the ends is enough.
    low, high = np.fmin.reduce(given, None), np.fmax.reduce(given, None)
    lowest, highest = (-np.finfo(float).max, np.finfo(float).max) if flux else MAGNITUDES
    if low < lowest or high > highest:
        outside = (given < lowest) | (given > highest)
        raise BadData(_told(outside, given, chosen), "give missing values as NaN, and magnitudes as magnitudes")
    if errors is not None and (np.fmin.reduce(sigmas, None) < 0 or np.isinf(np.fmax.reduce(sigmas, None))):
        raise BadData(_told((sigmas < 0) | np.isinf(sigmas), sigmas, chosen), "give missing errors as NaN")
    return given, sigmas


def _plain(values: Array) -> Array:
    """Give float64; masked values become NaN."""
    if isinstance(values, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(values.astype(float), np.nan))
    return np.asarray(values, dtype=float)


def _told(bad: Array, values: Array, chosen: tuple[Band, ...]) -> str:
    row, place = np.argwhere(bad)[0]
    return f"{int(bad.sum())} values cannot be, the first is {values[row, place]:g} in {chosen[place].name}, row {row}"


def _limits(values: Array, errors: Array | None, limits: Array | None) -> Array:
    found = np.zeros(values.shape, bool)
    if errors is not None:
        np.greater(errors, 0, out=found)
        np.logical_not(found, out=found)
    if limits is not None:
        found |= np.asarray(limits, bool)
    found &= np.isfinite(values)
    return found


def _kernel(
    mags: Array, sigmas: Array, zero: Array, place: Array, floor: Array | None, extra: dict[int, Array], limit: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Give F_nu, F_lambda and lambda F_lambda, each with its error; `floor` is squared."""
    out = np.empty((6, *mags.shape))
    # Constants of a whole portion: numpy is several times faster without a short inner loop over bands.
    shape = (min(_PORTION, len(mags)), 1)
    log_zero, to_lambda, to_power = (
        np.tile(one, shape) for one in (np.log(zero), 1e-20 * LIGHT / place**2, 1e-20 * LIGHT / place)
    )
    floor = None if floor is None else np.tile(floor, shape)
    for begin in range(0, len(mags), _PORTION):
        part = slice(begin, begin + _PORTION)
        f_nu, error, f_lambda, f_lambda_error, power, power_error = out[:, part]
        rows = len(f_nu)
        np.multiply(mags[part], -PER_MAGNITUDE, out=f_nu)
        np.add(f_nu, log_zero[:rows], out=f_nu)
        np.exp(f_nu, out=f_nu)
        for column, factor in extra.items():
            f_nu[:, column] *= factor[part]
        if floor is None:
            np.multiply(sigmas[part], PER_MAGNITUDE, out=error)
        else:
            np.multiply(sigmas[part], sigmas[part], out=error)
            np.add(error, floor[:rows], out=error)
            np.sqrt(error, out=error)
            np.multiply(error, PER_MAGNITUDE, out=error)
        np.multiply(error, f_nu, out=error)
        np.copyto(error, np.nan, where=limit[part])
        for flux, wanted in ((f_nu, (f_lambda, power)), (error, (f_lambda_error, power_error))):
            np.multiply(flux, to_lambda[:rows], out=wanted[0])
            np.multiply(flux, to_power[:rows], out=wanted[1])
    return out[0], out[1], out[2], out[3], out[4], out[5]


def _corrections(mags: Array, chosen: tuple[Band, ...], correction: Correction, w4_red: str) -> dict[int, Array]:
    """Give the factors on F_nu of the columns that need one."""
    columns = {band.name: place for place, band in enumerate(chosen)}
    wise: dict[str, Array] = {name: mags[:, columns[name]] for name in _WISE if name in columns}
    found = {columns[name]: factor for name, factor in corrections(wise, correction).items()}
    if w4_red == "supplement" and {"W3", "W4"} <= set(wise):
        red = wise["W3"] - wise["W4"] > _RED
        found[columns["W4"]] = found.get(columns["W4"], np.ones(len(mags))) * np.where(red, 0.92, 1.0)
    return found


#: Colour W3 - W4 of F_nu ~ nu^-2.
_RED: Final = 2.7680

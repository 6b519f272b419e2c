"""Synthetic photometry from Gaia's XP spectra."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.science.photometry.bands import AB_ZERO, Curve, vega_zero_point
from armillary.science.photometry.light import LIGHT
from armillary.science.photometry.vega import GAIA_SCALE
from armillary.science.plasma import Array

#: Nanometres: sampled spectra of the archive.
SAMPLED: Final = np.arange(336.0, 1021.0, 2.0)


class Synthetic(NamedTuple):
    """Photometry of n spectra in b bands; flux densities are means over the detector, magnitudes Vega and AB.

    Parameters
    ----------
    f_lambda, f_lambda_error : array, shape (n, b)
        W m-2 um-1.
    f_nu, f_nu_error : array, shape (n, b)
        Jy.
    vega, ab, magnitude_error : array, shape (n, b)
        NaN where the flux is not above zero.
    """

    f_lambda: Array
    f_lambda_error: Array
    f_nu: Array
    f_nu_error: Array
    vega: Array
    ab: Array
    magnitude_error: Array


def synthesise(
    wavelength: Array, flux: Array, flux_error: Array | None, curves: Sequence[Curve], *, missing: float = 0.001
) -> Synthetic:
    """Give the photometry that spectra have through filters.

    Parameters
    ----------
    wavelength : array, shape (m,)
        Nanometres, ascending; `SAMPLED` for sampled spectra of the archive.
    flux, flux_error : array, shape (n, m)
        W m-2 nm-1.
    curves : sequence of Curve
        From `read_svo`.
    missing : float
        Share of a filter's response that may lie outside of the spectrum; a filter that reaches further is refused, as
        what is not seen cannot be measured.

    Notes
    -----
    Gaia Collaboration, Montegriffo et al. (2023, A&A 674, A33, doi:10.1051/0004-6361/202243709), equations 1 and 2: the
    mean of F_lambda with weights S lambda, of F_nu with S / lambda. Vega is Gaia's own (see `vega`), so magnitudes are
    in the system of Gaia DR3. Errors treat samples as independent; those of XP are not, so the true errors of broad
    bands are larger.

    Continuous spectra (coefficients) have to be sampled first: the matrices of their basis are not part of Armillary
    (GaiaXPy has them: ``gaiaxpy.convert``).
    """
    place, spectra = np.asarray(wavelength, float) * 1e-3, np.atleast_2d(np.asarray(flux, float))
    if place.ndim != 1 or spectra.shape[1] != place.size or place.size < 3 or not (np.diff(place) > 0).all():
        problem = f"spectra {spectra.shape} over {place.shape} wavelengths"
        raise BadParameter(problem, "give wavelengths in nm, ascending, and spectra as (sources, wavelengths)")
    errors = np.full(spectra.shape, np.nan) if flux_error is None else np.atleast_2d(np.asarray(flux_error, float))
    if errors.shape != spectra.shape or (errors < 0).any():
        raise BadData("errors of the spectra do not fit them, or are below zero", "give one error a sample")
    weights = np.stack([_weights(place, one, missing) for one in curves], axis=1)
    # From W m-2 nm-1 to W m-2 um-1.
    f_lambda, error = spectra @ weights * 1e3, np.sqrt(errors**2 @ weights**2) * 1e3
    to_nu = np.array([_pivot(one) for one in curves]) ** 2 * 1e20 / LIGHT
    f_nu = f_lambda * to_nu
    zero = np.array([GAIA_SCALE * vega_zero_point(one.wavelength, one.response, one.detector) for one in curves])
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = np.where(f_nu > 0, f_nu, np.nan)
        magnitude_error = 2.5 / np.log(10) * error / f_lambda
        vega, ab = -2.5 * np.log10(seen / zero), -2.5 * np.log10(seen / AB_ZERO)
        return Synthetic(
            f_lambda, error, f_nu, error * to_nu, vega, ab, np.where(np.isnan(seen), np.nan, magnitude_error)
        )


def _weights(place: Array, curve: Curve, missing: float) -> Array:
    """Give the weight of each sample in the mean of F_lambda; between samples, and points of S, are straight lines."""
    outside = (curve.wavelength < place[0]) | (curve.wavelength > place[-1])
    energy = curve.response * (curve.wavelength if curve.detector == "photon" else 1.0)
    whole = np.trapezoid(energy, curve.wavelength)
    share = 1 - np.trapezoid(np.where(outside, 0, energy), curve.wavelength) / whole
    if share > missing:
        ends = f"{curve.wavelength[0]:.3g} to {curve.wavelength[-1]:.3g} um"
        problem = f"{curve.name} reaches from {ends}: {100 * share:.2g} % of it lies outside of the spectra"
        raise BadParameter(problem, "use a band inside of 0.336 to 1.02 um, or say missing=")
    inside = curve.wavelength[~outside]
    fine = np.unique(np.concatenate([place, inside]))
    response = np.interp(fine, curve.wavelength, curve.response, 0, 0)
    response = response * fine if curve.detector == "photon" else response
    step = np.gradient(fine)
    step[[0, -1]] = np.diff(fine)[[0, -1]] / 2
    left = np.clip(np.searchsorted(place, fine, side="right") - 1, 0, len(place) - 2)
    along = (fine - place[left]) / (place[left + 1] - place[left])
    weight = np.bincount(left, response * step * (1 - along), len(place))
    weight += np.bincount(left + 1, response * step * along, len(place))
    return np.asarray(weight / (response * step).sum())


def _pivot(curve: Curve) -> float:
    energy = curve.response * (curve.wavelength if curve.detector == "photon" else 1.0)
    high = np.trapezoid(energy, curve.wavelength)
    return float(np.sqrt(high / np.trapezoid(energy / curve.wavelength**2, curve.wavelength)))

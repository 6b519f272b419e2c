"""Electromagnetic energy flux from electric and magnetic fields, in uW/m^2 from mV/m and nT."""

from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.fields.spectra import Detrend, Spectra, detrended, one_sided, taper_of
from armillary.science.fields.windows import lay
from armillary.science.plasma import MU_0, Array

#: uW/m^2 of 1 mV/m across 1 nT.
FACTOR: Final = 1e-6 / MU_0


def poynting_flux(electric: Array, magnetic: Array) -> Array:
    """Give ``E x B / mu_0`` in uW/m^2, shape (..., 3), from mV/m and nT.

    Of whole fields this is mostly the flux that the plasma carries with it; of a wave give the waves' fields (the
    fields without their background, or a band of them).

    Examples
    --------
    >>> poynting_flux(np.array([1.0, 0, 0]), np.array([0, 1.0, 0])).round(4).tolist()
    [0.0, 0.0, 0.7958]
    """
    return np.asarray(FACTOR * np.cross(electric, magnetic))


def poynting_spectra(
    time: Array,
    electric: Array,
    magnetic: Array,
    window: float,
    overlap: float = 0.5,
    taper: str = "hann",
    detrend: Detrend = "constant",
) -> Spectra:
    """Give the energy flux of waves by frequency, ``2 Re(E x conj(B)) / mu_0`` as a one-sided density.

    Windows, tapers and errors are those of `armillary.science.fields.spectra.spectrogram`; the sum over frequencies is
    the mean of ``E x B / mu_0`` over the window, weighted with the taper's square.

    Parameters
    ----------
    electric, magnetic : array, shape (t, 3)
        mV/m and nT at the same times, in the same frame.

    Returns
    -------
    Spectra
        Density of shape (k, f, 3), uW/m^2/Hz.
    """
    if electric.shape != magnetic.shape or electric.shape[1:] != (3,):
        problem = f"fields of the shapes {electric.shape} and {magnetic.shape} have no energy flux"
        raise BadData(problem, "give two vectors at the same times")
    laid = lay(time, np.concatenate([electric, magnetic], axis=1), window, (1 - overlap) * window)
    density = np.full((laid.time.size, laid.size // 2 + 1, 3), np.nan)
    weights = taper_of(taper, laid.size)
    rows = [np.ascontiguousarray(field.T, dtype=float) for field in (electric, magnetic)]
    for numbers, samples in laid.portions():
        one, other = (np.fft.rfft(detrended(row[:, samples], detrend) * weights) for row in rows)
        flux = FACTOR * np.cross(one, other.conj(), axis=0).real
        density[numbers] = (flux * one_sided(laid, weights)).transpose(1, 2, 0)
    return Spectra(laid.time, laid.frequency, density)


def completed(electric: Array, magnetic: Array, limit: float = 10.0) -> Array:
    """Give an electric field of which x and y were measured a z by ``E . B = 0``; shape (t, 3).

    ``E_z = -(E_x B_x + E_y B_y) / B_z``. Errors grow as B comes close to the plane of x and y.

    Parameters
    ----------
    electric : array, shape (t, 2) or (t, 3)
        A z that is there is not looked at.
    magnetic : array, shape (t, 3)
        In the same frame.
    limit : float
        Degrees; E_z is NaN where B is closer to the plane of x and y.

    Examples
    --------
    >>> completed(np.array([[2.0, 1.0]]), np.array([[1.0, 0.0, 4.0]])).tolist()
    [[2.0, 1.0, -0.5]]
    """
    x, y, z = np.moveaxis(magnetic, -1, 0)
    near = np.abs(z) <= np.sin(np.radians(limit)) * np.sqrt(x**2 + y**2 + z**2)
    third = -(electric[:, 0] * x + electric[:, 1] * y) / np.where(near, np.nan, z)
    return np.column_stack([electric[:, 0], electric[:, 1], third])

"""Photoelectrons that are made inside an electron spectrometer, subtracted as a scaled model.

Gershman et al. (2017, J. Geophys. Res. 122, 11548, doi:10.1002/2017JA024518): sunlight that falls into the Dual
Electron Spectrometers of MMS makes electrons whose distribution depends on where the Sun stands to the detectors, that
is, on the phase of the spin at which a skymap starts, given by ``startdelphi_count``. The model is a skymap for each of
360 phases (and, in burst, for each energy table); the mission gives its scale for each file.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from armillary.errors import BadData
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array

#: Counts of ``startdelphi_count`` for each phase of the model.
COUNTS_PER_PHASE: Final = 16


def phase_of(startdelphi: Array, phases: int = 360) -> Array:
    """Give the index of the model's phase, ``floor(startdelphi_count / 16)``, kept in range.

    Examples
    --------
    >>> phase_of(np.array([0, 15, 16, 5759])).tolist()
    [0, 0, 1, 359]
    """
    index = np.asarray(startdelphi).astype(np.int64) // COUNTS_PER_PHASE
    return np.asarray(index % phases)


def subtract_photoelectrons(
    cells: Skymap, model: Array, startdelphi: Array, scale: Array | float, *, parity: Array | None = None
) -> Skymap:
    """Give the skymap without ``scale * model``.

    What is left is below zero where the model is too high: that keeps moments without bias, and they are linear in it.

    Parameters
    ----------
    cells : Skymap
        Of electrons, in any of the three orders; the model is in the same one.
    model : array, shape (phases, azimuth, polar, energy) or (parities, phases, azimuth, polar, energy)
        Phase space density, s^3 cm^-6.
    startdelphi : array, shape (t,)
        As the mission gives it.
    scale : float or array, shape (t,)
        Scaling factor of the mission (``Photoelectron_model_scaling_factor``).
    parity : array of int, shape (t,), optional
        Which energy table each step has; needed if the model has parities.

    Raises
    ------
    BadData
        If the shapes do not fit, or the model is for another geometry.
    """
    several = model.ndim == cells.psd.ndim + 1
    if model.shape[1 + several :] != cells.psd.shape[1:] or (several and parity is None):
        raise BadData(
            f"a model of photoelectrons with the shape {model.shape} does not fit a skymap {cells.psd.shape}",
            "give the model of this data rate" + (", and the parity of each step" if several else ""),
        )
    if np.shape(startdelphi) != (cells.steps,):
        raise BadData(
            f"there are {np.size(startdelphi)} startdelphi counts for {cells.steps} steps", "give one per step"
        )
    phase = phase_of(startdelphi, model.shape[int(several)])
    seen = model[np.asarray(parity, np.int64), phase] if several else model[phase]
    factor = np.broadcast_to(np.asarray(scale, float), (cells.steps,))
    return replace(cells, psd=cells.psd - factor.reshape(-1, *[1] * (cells.psd.ndim - 1)) * seen)

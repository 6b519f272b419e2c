"""Form of a spectral energy distribution from magnitudes: how bright, where it peaks, how steep and how bent it is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.features.columns import columns

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]


def sed(
    samples: "xr.Dataset",
    names: Sequence[str],
    wavelengths: Sequence[float],
    zeros: Sequence[float],
    prefix: str = "sed_",
) -> Features:
    """Tell the form of spectral energy distributions.

    Parameters
    ----------
    samples : xarray.Dataset
    names : sequence of str
        Magnitudes, from short to long wavelength.
    wavelengths : sequence of float
        Of the bands, micrometres.
    zeros : sequence of float
        Flux densities of magnitude 0, jansky.
    prefix : str

    Notes
    -----
    All is told of log10 of nu F_nu, in jansky times hertz. Gaps between bands are filled on the line in log-log, gaps
    at the ends by the nearest band. ``total``: the integral over log wavelength; ``peak``: the log wavelength of the
    highest measured band; ``height``: it against the total; ``slope``: between each band and the next but one (for
    infrared bands the index of young stars; Lada 1987); ``bend``: change of slope at each inner band; ``share``: each
    band against the total; ``gap``: 1 where nothing was measured. Each of them is a feature group.
    """
    taken = columns(samples, names)
    place = np.asarray(wavelengths, float)
    if not len(place) == len(zeros) == taken.matrix.shape[1] >= 3 or (np.diff(place) <= 0).any():
        problem = f"{len(names)} magnitudes, {len(place)} wavelengths and {len(zeros)} zeros are no energy distribution"
        raise BadParameter(problem, "give three or more of each, wavelengths ascending")
    log_place = np.log10(place)
    known = np.log10(np.asarray(zeros, float) * 299_792_458e6 / place) - 0.4 * taken.matrix
    full = _filled(log_place, known)
    rise = np.diff(full, axis=1) / np.diff(log_place)
    total = np.log10(np.trapezoid(10**full, np.log(place), axis=1))
    highest = np.argmax(np.where(np.isfinite(known), known, -np.inf), axis=1)
    measured = np.isfinite(known).any(axis=1)
    told = {
        "total": total[:, None],
        "peak": np.where(measured, log_place[highest], np.nan)[:, None],
        "height": (full.max(axis=1) - total)[:, None],
        "slope": (full[:, 2:] - full[:, :-2]) / (log_place[2:] - log_place[:-2]),
        "bend": np.diff(rise, axis=1),
        "share": full - total[:, None],
        "gap": np.isnan(known).astype(float),
    }
    titles = tuple(f"{prefix}{name}_{at}" for name, part in told.items() for at in range(part.shape[1]))
    groups = tuple(f"{prefix}{name}" for name, part in told.items() for _ in range(part.shape[1]))
    return Features(np.concatenate(list(told.values()), axis=1), titles, groups)


def _filled(place: Array, values: Array) -> Array:
    """Fill gaps of each row; rows without any value stay without."""
    full = values.copy()
    known = np.isfinite(values)
    for row in np.flatnonzero(known.any(axis=1) & ~known.all(axis=1)):
        full[row] = np.interp(place, place[known[row]], values[row, known[row]])
    return full

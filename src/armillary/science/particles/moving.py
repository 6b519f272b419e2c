"""A velocity distribution as it is seen from a frame that moves, the plasma's own."""

from dataclasses import replace

import numpy as np

from armillary.errors import BadData
from armillary.science.particles.interpolation import Interpolator, Method
from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array


def seen_from(
    cells: Skymap, velocity: Array, azimuths: int = 32, polars: int = 16, method: Method = "linear"
) -> Skymap:
    """Give the same distribution on a whole grid of angles in a frame that moves; not relativistic.

    The phase space density is the same for all who move (Liouville), so each cell of the new grid has the value that
    `interpolation.Interpolator` gives at its velocity plus that of the frame.

    Parameters
    ----------
    cells : Skymap
        Its times are t.
    velocity : array, shape (t, 3)
        Of the new frame, km/s, with the axes of the skymap. Where it is NaN the answer is NaN.
    azimuths, polars : int
        Of the new grid, evenly spaced in angle; its energies are those of `cells`.
    method : str
        How values between cells are found.

    Returns
    -------
    Skymap
        NaN where nothing was measured.

    Raises
    ------
    BadData
        If the velocity does not belong to these times.
    """
    if velocity.shape != (cells.steps, 3):
        raise BadData(f"a velocity of shape {velocity.shape} does not belong to {cells.steps} times", "give (time, 3)")
    azimuth, polar = (np.arange(azimuths) + 0.5) * (360 / azimuths), (np.arange(polars) + 0.5) * (180 / polars)
    direction = unit_vectors(azimuth[:, None], polar)[..., None, :]
    speed = np.broadcast_to(cells.speed, (cells.steps, cells.energy.shape[-1]))
    values = Interpolator.of(cells, method)
    psd = np.full((cells.steps, azimuths, polars, speed.shape[1]), np.nan)
    for step in np.flatnonzero(np.isfinite(velocity).all(axis=1)):
        psd[step] = values.at_step(int(step))(direction * speed[step][:, None] + velocity[step])
    return replace(cells, psd=psd, azimuth=azimuth, polar=polar, solid_angle=None, error=None)

"""Where in velocity space an instrument looks at one time: the centres of its cells, or points within them."""

from dataclasses import dataclass

import numpy as np

from armillary.science.particles.quadrature import azimuth_weights, unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELEMENTARY_CHARGE, Array


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Bounds of m cells at one time.

    Parameters
    ----------
    azimuth, polar, energy : array, shape (m,)
        Centres; degrees and eV, energies as measured.
    widths : array, shape (3, m)
        Of azimuth and polar angle in degrees, of energy as a logarithm.
    """

    azimuth: Array
    polar: Array
    energy: Array
    widths: Array

    def chosen(self, which: Array) -> "Cells":
        """Give some of the cells."""
        return Cells(self.azimuth[which], self.polar[which], self.energy[which], self.widths[:, which])

    def points(self, order: int, mass: float, shift: float = 0.0) -> tuple[Array, Array]:
        """Give velocities (order^3, m, 3), km/s, and their weights (order^3, m), to average over the cells.

        A cell counts what flows into it, ``f v^4`` of each interval of ``lnE`` and solid angle: the weights hold
        ``v^4 sin(polar)`` relative to the centre. `shift` (eV) is added to the energies after that.
        """
        nodes, parts = np.polynomial.legendre.leggauss(order)
        steps = np.stack(np.meshgrid(nodes / 2, nodes / 2, nodes / 2, indexing="ij"), -1).reshape(-1, 3, 1)
        shares = np.einsum("i,j,k->ijk", parts, parts, parts).reshape(-1, 1) / 8
        polar = np.clip(self.polar + steps[:, 1] * self.widths[1], 0, 180)
        stretch = np.exp(steps[:, 2] * self.widths[2])
        sines = np.sin(np.radians(polar))
        weight = shares * sines * stretch**2 / (shares * sines).sum(0)
        direction = unit_vectors(self.azimuth + steps[:, 0] * self.widths[0], polar)
        far = np.maximum(self.energy * stretch + shift, 0)
        return direction * (1e-3 * np.sqrt(2 * ELEMENTARY_CHARGE / mass * far))[..., None], weight


def cells_at(cells: Skymap, step: int) -> Cells:
    """Give the cells of one time, in the order of its flattened psd."""
    shape, energy = cells.psd.shape[1:], _at(cells.energy, step)
    log = np.gradient(np.log(energy))
    if cells.gridded:
        azimuth, polar = _at(cells.azimuth, step), _at(cells.polar, step)
        parts = (azimuth[:, None, None], polar[:, None], energy)
        sizes = (np.degrees(azimuth_weights(azimuth))[:, None, None], np.abs(np.gradient(polar))[:, None], log)
    else:
        solid = np.degrees(np.sqrt(np.asarray(cells.solid_angle)))
        angles = [one if one.ndim == 2 else one[:, None] for one in (cells.azimuth, cells.polar, solid)]
        parts = (angles[0], angles[1], energy)
        sizes = (angles[2] / np.maximum(np.sin(np.radians(angles[1])), 0.05), angles[2], log)
    flat = [np.broadcast_to(one, shape).ravel() for one in (*parts, *sizes)]
    return Cells(flat[0], flat[1], flat[2], np.stack(flat[3:]))


def _at(values: Array, step: int) -> Array:
    return np.asarray(values[step] if values.ndim == 2 else values, float)

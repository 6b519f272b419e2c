"""Novelty of images beside what surrounds each pixel: local RX."""

from typing import Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.models.densities import only_novelty
from armillary.learn.models.novelty import whole

Array = np.ndarray[Any, np.dtype[Any]]


def lrx(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make the local detector of Reed and Yu (1990); options of `LRX`."""
    del seed
    only_novelty("lrx", task)
    return LRX(**options)


class LRX:
    """Strangeness of an image as how far its pixels are from those around them.

    Each pixel is compared with the frame between two square windows around it by the squared Mahalanobis distance; the
    mean over all pixels whose outer window lies in the image is the strangeness (Reed & Yu 1990, IEEE Trans. ASSP 38,
    1760; windows as in DORA). Nothing is learnt from other images.

    Parameters
    ----------
    inner, outer : int
        Sides of the windows in pixels, odd.
    bands : int
        Columns are so many square images one after the other.
    """

    def __init__(self, inner: int = 3, outer: int = 5, bands: int = 1) -> None:
        if not 0 < inner < outer or inner % 2 == 0 or outer % 2 == 0:
            problem = f"model 'lrx': inner = {inner} and outer = {outer} leave no frame around a pixel"
            raise BadParameter(problem, "give odd numbers, the outer one larger, such as inner = 3, outer = 5")
        self.inner = int(inner)
        self.outer = int(outer)
        self.bands = int(bands)

    def fit(self, x: Array, y: Array | None = None) -> "LRX":
        """Look only whether columns are images, rows (n, bands * side * side).

        Raises
        ------
        BadParameter
            If they are not, or smaller than the outer window.
        """
        del y
        columns = np.shape(x)[1]
        self.side_ = round((columns / self.bands) ** 0.5)
        if self.bands * self.side_**2 != columns or self.side_ < self.outer:
            problem = (
                f"model 'lrx': {columns} columns are not {self.bands} square images of {self.outer} pixels or more"
            )
            raise BadParameter(problem, "give all pixels of square cut-outs, and the number of bands")
        return self

    def novelty(self, x: Array) -> Array:
        """Give the mean distance of each row, (n,); O(side^2 outer^2 bands^2) for each."""
        images = whole(x, "lrx").reshape(len(x), self.bands, self.side_, self.side_)
        reach = self.outer // 2
        places = range(reach, self.side_ - reach)
        told = [self._distance(images, row, column) for row in places for column in places]
        return np.asarray(np.mean(told, axis=0))

    def _distance(self, images: Array, row: int, column: int) -> Array:
        reach = self.outer // 2
        far = np.abs(np.arange(-reach, reach + 1))
        frame = np.maximum(far[:, None], far) > self.inner // 2
        window = images[:, :, row - reach : row + reach + 1, column - reach : column + reach + 1]
        around = window[:, :, frame]
        mean = around.mean(axis=2)
        apart = around - mean[:, :, None]
        covariance = apart @ apart.transpose(0, 2, 1) / (around.shape[2] - 1)
        off = images[:, :, row, column] - mean
        return np.asarray(np.einsum("ni,nij,nj->n", off, np.linalg.pinv(covariance, hermitian=True), off))

"""The random numbers of a block of sources, by what they are for."""

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from armillary.science.noise import generator

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

#: Sources that are made together.
BLOCK: Final = 8192
_EVEN: Final = (
    "kind", "type", "part", "light", "excess", "slope", "gap", "dust", "redshift", "latitude", "side", "longitude",
    "region", "depth", "double", "solved", "lost", "limit", "flag", "clouded", "clouded depth", "extent", "mate",
    "match", "blend", "blend light", "blend colour",
)  # fmt: skip
_NORMAL: Final = (
    "type", "bp_rp", "rp_j", "j_h", "h_ks", "ks_w1", "w1_w2", "w1_w3", "w1_w4", "dust", "latitude", "longitude",
    "east", "north", "depth", "speed east", "speed north", "ra", "dec", "parallax", "pmra", "pmdec", "ruwe", "excess",
    "g", "bp", "rp", "j", "h", "ks", "w1", "w2", "w3", "w4", "velocity", "match east", "match north",
)  # fmt: skip


class Draws(NamedTuple):
    """Numbers even between 0 and 1, and normal ones: each of shape (uses, n)."""

    even: Array
    normal: Array

    def u(self, use: str) -> Array:
        """Give the even numbers for a use, shape (n,)."""
        return np.asarray(self.even[_EVEN.index(use)])

    def z(self, use: str) -> Array:
        """Give the normal numbers for a use, shape (n,)."""
        return np.asarray(self.normal[_NORMAL.index(use)])

    def of(self, chosen: Array) -> "Draws":
        """Give those of some of the sources."""
        return Draws(self.even[:, chosen], self.normal[:, chosen])


def draws_of_block(seed: int, block: int) -> Draws:
    """Draw for all the sources of a block: they depend on the seed and the block alone."""
    random = generator(seed, "sky", block)
    even = random.random((len(_EVEN), BLOCK))
    return Draws(np.clip(even, 1e-12, 1 - 1e-12), random.standard_normal((len(_NORMAL), BLOCK)))

"""Where the sources are: positions, distances, dust on the way, motions."""

from typing import Final, NamedTuple

import numpy as np

from armillary.science.photometry.light import extinction
from armillary.science.simulated_sky.bodies import WAVELENGTHS, Bodies, g_of
from armillary.science.simulated_sky.draws import Array, Draws

#: Star-forming regions: right ascension, declination, size (degrees), distance and depth (pc), proper motion (mas/yr),
#: share of the young stars; rounded from the literature. What is left lies along the plane.
REGIONS: Final = {
    "rho Ophiuchi": (246.8, -24.4, 0.7, 139.0, 3.0, -6.5, -26.0, 0.20),
    "Taurus": (67.5, 26.5, 4.0, 142.0, 10.0, 8.0, -22.0, 0.08),
    "Orion A": (84.0, -6.0, 1.2, 400.0, 12.0, 1.4, 0.3, 0.16),
    "Perseus": (53.5, 31.4, 1.0, 300.0, 8.0, 6.0, -9.0, 0.06),
    "Lupus": (236.5, -34.4, 2.5, 158.0, 4.0, -11.0, -23.0, 0.05),
    "Chamaeleon I": (166.6, -77.0, 0.7, 190.0, 4.0, -22.5, 0.7, 0.04),
    "Serpens": (277.4, 0.6, 0.8, 440.0, 10.0, 2.8, -8.5, 0.06),
}
#: Per class: faintest G and slope of the logarithm of counts, scale of |b| (degrees; 0 is all the sky), speed (km/s).
_COUNTS: Final = np.array([
    [20.7, 0.17, 18.0, 40.0], [18.3, 0.14, 12.0, 45.0], [20.6, 0.50, 0.0, 45.0], [20.7, 0.60, 0.0, 40.0],
    [20.8, 0.30, 4.0, 12.0], [15.8, 0.12, 6.0, 35.0], [20.7, 0.45, 0.0, 0.0], [20.6, 0.45, 0.0, 0.0],
])  # fmt: skip
_YOUNG: Final = 4
_FIRST_FAR: Final = 6
#: The rows are the axes of galactic coordinates in ICRS (ESA 1997, The Hipparcos and Tycho Catalogues, 1.5.3).
_GALACTIC: Final = np.array([
    [-0.0548755604162154, -0.8734370902348850, -0.4838350155487132],
    [0.4941094278755837, -0.4448296299600112, 0.7469822444972189],
    [-0.8676661490190047, -0.1980763734312015, 0.4559837761750669],
])  # fmt: skip
_OBLIQUITY: Final = np.radians(84381.41100 / 3600)
_ECLIPTIC: Final = np.array([
    [1.0, 0.0, 0.0],
    [0.0, np.cos(_OBLIQUITY), np.sin(_OBLIQUITY)],
    [0.0, -np.sin(_OBLIQUITY), np.cos(_OBLIQUITY)],
])  # fmt: skip


class Places(NamedTuple):
    """Where n sources are: degrees, parsecs (infinite beyond the Galaxy), mas/yr, magnitudes.

    `region` is the number of the star-forming region, -1 for none; `magnitudes` (10, n) are those seen, G first.
    """

    ra: Array
    dec: Array
    region: Array
    distance: Array
    a_v: Array
    pmra: Array
    pmdec: Array
    magnitudes: Array


def places(kind: Array, made: Bodies, draws: Draws) -> Places:
    """Put bodies on the sky, with the dust before them."""
    region = _region(kind, draws)
    ra, dec = _positions(kind, region, draws)
    _, latitude = galactic(ra, dec)
    excess = np.where(kind == _FIRST_FAR + 1, _extended(draws), 0.0)
    distance, a_v, target = _distances(kind, region, made, latitude, draws)
    seen = made.magnitudes + a_v * extinction(WAVELENGTHS)[:, None]
    g = g_of(seen, excess)
    pmra, pmdec = _motions(kind, region, distance, draws)
    return Places(ra, dec, region, distance, a_v, pmra, pmdec, np.vstack([target, seen + (target - g)]))


def galactic(ra: Array, dec: Array) -> tuple[Array, Array]:
    """Turn ICRS to galactic longitude and latitude, degrees.

    Examples
    --------
    >>> round(float(galactic(np.array(192.85948), np.array(27.12825))[1]), 3)
    90.0
    """
    return _angles(_GALACTIC @ _vector(ra, dec))


def ecliptic(ra: Array, dec: Array) -> tuple[Array, Array]:
    """Turn ICRS to ecliptic longitude and latitude, degrees."""
    return _angles(_ECLIPTIC @ _vector(ra, dec))


def _vector(longitude: Array, latitude: Array) -> Array:
    a, d = np.radians(longitude), np.radians(latitude)
    return np.array([np.cos(a) * np.cos(d), np.sin(a) * np.cos(d), np.sin(d)])


def _angles(vector: Array) -> tuple[Array, Array]:
    longitude = np.degrees(np.arctan2(vector[1], vector[0])) % 360
    return longitude, np.degrees(np.arcsin(np.clip(vector[2], -1, 1)))


def _extended(draws: Draws) -> Array:
    """Give how much the wide windows of BP and RP see more of a galaxy than G does."""
    return np.asarray(0.05 + 0.6 * draws.u("extent"))


def _region(kind: Array, draws: Draws) -> Array:
    shares = np.cumsum([one[-1] for one in REGIONS.values()])
    chosen = np.searchsorted(shares, draws.u("region"), side="right")
    return np.where((kind == _YOUNG) & (chosen < len(REGIONS)), chosen, -1)


def _positions(kind: Array, region: Array, draws: Draws) -> tuple[Array, Array]:
    """Give right ascension and declination."""
    side = np.where(draws.u("side") < 0.5, -1.0, 1.0)
    scale = _COUNTS[kind, 2]
    # |sin b| falls exponentially between 0 and 1.
    thin = np.maximum(np.sin(np.radians(scale)), 0.01)
    disc = np.degrees(np.arcsin(-thin * np.log1p(-draws.u("latitude") * -np.expm1(-1 / thin))))
    # Beyond the Galaxy nothing shines through its plane.
    low = np.where(kind >= _FIRST_FAR, np.sin(np.radians(8.0)), 0.0)
    whole = np.degrees(np.arcsin(low + (1 - low) * draws.u("latitude")))
    latitude = side * np.where(scale > 0, disc, whole)
    u = draws.u("longitude")
    bulge = (scale > 0) & (u < 0.4)
    longitude = np.where(bulge, 45 * draws.z("longitude"), (u - 0.4) / 0.6 * 360)
    longitude = np.where(scale > 0, longitude, u * 360)
    ra, dec = _angles(_GALACTIC.T @ _vector(longitude, latitude))
    table = np.array(list(REGIONS.values()))[region]
    near_dec = np.clip(table[:, 1] + table[:, 2] * draws.z("north"), -89, 89)
    near_ra = (table[:, 0] + table[:, 2] * draws.z("east") / np.cos(np.radians(near_dec))) % 360
    return np.where(region >= 0, near_ra, ra), np.where(region >= 0, near_dec, dec)


def _distances(kind: Array, region: Array, made: Bodies, latitude: Array, draws: Draws) -> tuple[Array, Array, Array]:
    """Give distances, dust and apparent G that agree with the luminosities."""
    faint, slope = _COUNTS[kind, 0], _COUNTS[kind, 1]
    target = np.maximum(faint + np.log10(draws.u("light")) / slope, 3.0)
    bare = g_of(made.magnitudes)
    law = extinction(WAVELENGTHS)[:, None]
    lumpy = np.exp(0.6 * draws.z("dust"))
    far = kind >= _FIRST_FAR
    distance = np.where(far, np.inf, 1000.0)
    a_v = np.zeros(len(kind))
    for _ in range(4):
        a_v = _dust(distance, latitude) * lumpy
        dimmed = g_of(made.magnitudes[:2] + a_v * law[:2]) - bare
        distance = np.where(far, np.inf, 10 ** (0.2 * (target - made.absolute_g - dimmed) + 1).clip(0.3, 4.7))
    young = kind == _YOUNG
    table = np.array(list(REGIONS.values()))[region]
    cloud = table[:, 3] + table[:, 4] * draws.z("depth")
    cloud = np.where(region >= 0, cloud, 250 * 10 ** draws.u("depth"))
    a_v = np.where(young, made.a_v, a_v)
    own = made.absolute_g + g_of(made.magnitudes[:2] + a_v * law[:2]) - bare + 5 * np.log10(cloud) - 5
    # What dust hides from Gaia shines by the light that it scatters.
    target = np.where(young, np.where(own > 20.8, target, own), target)
    return np.where(young, cloud, distance), a_v, target


def _dust(distance: Array, latitude: Array) -> Array:
    """Give A_V of a layer 100 pc thick with 0.9 mag/kpc in the plane."""
    slant = np.maximum(np.abs(np.sin(np.radians(latitude))), 1e-3)
    return np.asarray(np.minimum(0.9 * 0.1 / slant * (1 - np.exp(-distance * slant / 100)), 8.0))


def _motions(kind: Array, region: Array, distance: Array, draws: Draws) -> tuple[Array, Array]:
    """Give proper motions, mas/yr: speeds of the class, or those of the region."""
    table = np.array(list(REGIONS.values()))[region]
    speed = np.where(region >= 0, 1.0, _COUNTS[kind, 3])
    scale = speed / (4.740470446 * distance / 1000)
    east = np.where(region >= 0, table[:, 5], 0.0) + scale * draws.z("speed east")
    return east, np.where(region >= 0, table[:, 6], 0.0) + scale * draws.z("speed north")

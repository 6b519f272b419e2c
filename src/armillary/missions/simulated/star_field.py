"""A field of stars with a star-forming cloud, seen by Gaia-, 2MASS- and WISE-like surveys.

Stars are black bodies behind interstellar dust; young ones have a disc or an envelope that shines as a warm black body
of its own (Lada 1987). The field is cut into cells; each star depends on the seed, its cell and its number in the cell
alone, so a box, a cone or a larger field has the very same stars.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from armillary.model import Box, Cone, Extent, Progress
from armillary.science.noise import Array, generator, smooth
from armillary.science.photometry import light


class SimulatedBand(NamedTuple):
    """A filter: its pivot wavelength in micrometres and the flux density of magnitude 0 in Jy."""

    name: str
    wavelength: float
    zero_point: float


#: Degrees, ICRS: the field, and how many cells it is cut into each way.
FIELD: Final = Box(80.0, -10.0, 90.0, 0.0)
CELLS: Final = 16
DEFAULT_ROWS: Final = 20_000
MOST_ROWS: Final = 2_000_000
CLASSES: Final = ("dwarf", "giant", "white dwarf", "class I", "class II", "class III")
#: Parsec: where the cloud is, and how deep its young stars lie in it.
CLOUD_DISTANCE, CLOUD_DEPTH = 400.0, 8.0
#: Pivot wavelength in micrometres and flux density of magnitude 0 in Jy: what the simulated surveys look through.
BANDS: Final = (
    SimulatedBand("g", 0.6218, 3228.75),
    SimulatedBand("bp", 0.5110, 3552.01),
    SimulatedBand("rp", 0.7769, 2554.95),
    SimulatedBand("j", 1.235, 1594.0),
    SimulatedBand("h", 1.662, 1024.0),
    SimulatedBand("ks", 2.159, 666.8),
    SimulatedBand("w1", 3.3526, 309.54),
    SimulatedBand("w2", 4.6028, 171.787),
    SimulatedBand("w3", 11.5608, 31.674),
    SimulatedBand("w4", 22.0883, 8.363),
)
#: Magnitude of five sigma, smallest error, and brightest magnitude that is not saturated, per band.
LIMITS: Final = {
    "g": (23.6, 0.003, 3.0), "bp": (21.6, 0.006, 3.5), "rp": (21.4, 0.006, 3.0),
    "j": (16.9, 0.022, 4.0), "h": (16.1, 0.022, 3.8), "ks": (15.4, 0.022, 3.5),
    "w1": (17.0, 0.022, 2.0), "w2": (16.1, 0.021, 1.5), "w3": (11.7, 0.025, -3.0), "w4": (8.1, 0.03, -4.0),
}  # fmt: skip
#: Faintest G at which Gaia gives a row its parallax and its G, BP and RP.
GAIA_LIMIT: Final = 21.0
#: Right ascension, declination and size (degrees) and share of the young stars of each cluster.
_CLUSTERS: Final = (
    (83.8, -5.4, 0.25, 0.42),
    (85.4, -2.0, 0.22, 0.18),
    (86.7, -0.6, 0.2, 0.12),
    (84.6, -7.2, 0.6, 0.28),
)
_YOUNG: Final = 0.05
_GOLDEN: Final = (np.sqrt(5) - 1) / 2
_DRAWS: Final = 36


class Stars(NamedTuple):
    """What is true of n stars; flux in Jy, shape (n, bands)."""

    number: Array
    ra: Array
    dec: Array
    distance: Array
    kind: Array
    temperature: Array
    radius: Array
    extinction: Array
    disc_temperature: Array
    disc_ratio: Array
    flux: Array
    noise: Array


def table(seed: int, rows: int, extent: Extent, progress: Progress, *, truth: bool) -> Any:
    """Give the stars of an extent as a table: what surveys measured, or what is true.

    Cells outside of the box or cone are not made; stars of the cells at its edge may lie outside of it.
    """
    import pyarrow as pa

    from armillary.missions.simulated import star_columns

    build = star_columns.truth if truth else star_columns.photometry_columns
    chosen = _chosen(rows, extent)
    parts = [build(stars(seed, 0, 0))]
    for done, (cell, part) in enumerate(chosen):
        progress(done / len(chosen), "simulating stars")
        made = build(stars(seed, cell, cell_rows(rows)[cell]))
        parts.append(made.slice(part.start, part.stop - part.start))
    return pa.concat_tables(parts).combine_chunks()


def _chosen(rows: int, extent: Extent) -> list[tuple[int, slice]]:
    """Give the cells that are needed, and which of the rows of each."""
    ends = np.cumsum(cell_rows(rows)).tolist()
    low, high = (extent.rows.start, extent.rows.stop) if extent.rows else (0, rows)
    found = []
    for cell, (first, last) in enumerate(pairwise([0, *ends])):
        part = slice(max(low - first, 0), min(high, last) - first)
        if part.start < part.stop and touches(cell, extent.box, extent.cone):
            found.append((cell, part))
    return found


@lru_cache(maxsize=8)
def cell_rows(rows: int) -> tuple[int, ...]:
    """Give how many of `rows` stars lie in each cell; a larger field has at least as many in each.

    Star after star goes to a cell by the golden ratio's fractional parts, which fill the shares of the cells evenly.
    """
    field, young = _shares()
    ends = np.cumsum(field + young)
    place = np.arange(1, rows + 1) * _GOLDEN % 1.0
    cells = np.searchsorted(ends / ends[-1], place, side="right").clip(0, CELLS * CELLS - 1)
    return tuple(np.bincount(cells, minlength=CELLS * CELLS).tolist())


def cell_box(cell: int) -> Box:
    """Give the borders of a cell."""
    width, height = (FIELD.east - FIELD.west) / CELLS, (FIELD.north - FIELD.south) / CELLS
    column, row = cell % CELLS, cell // CELLS
    west, south = FIELD.west + column * width, FIELD.south + row * height
    return Box(west, south, west + width, south + height)


def touches(cell: int, box: Box | None, cone: Cone | None) -> bool:
    """Say whether a cell may have stars in the box and the cone."""
    here = cell_box(cell)
    return (box is None or _overlap(here, box)) and (cone is None or _near(here, cone))


def stars(seed: int, cell: int, count: int) -> Stars:
    """Give the first `count` stars of a cell."""
    random = generator(seed, "stars", cell)
    # Row by row from one stream: a longer list begins with the shorter one.
    draws = random.random((count, _DRAWS))
    ra, dec, young = _places(cell, draws)
    kind = _kinds(draws, young)
    temperature, radius = _bodies(draws, kind)
    distance = _distances(draws, kind)
    dust = _dust(seed, ra, dec, distance, kind, draws)
    disc_temperature, disc_ratio = _discs(draws, kind)
    flux = _flux(temperature, radius, distance, dust, disc_temperature, disc_ratio)
    number = cell * 1_000_000 + np.arange(count)
    return Stars(
        number, ra, dec, distance, kind, temperature, radius, dust, disc_temperature, disc_ratio, flux, draws[:, 12:]
    )


def _overlap(here: Box, box: Box) -> bool:
    if box.south > here.north or box.north < here.south:
        return False
    west, width = box.west % 360, (box.east - box.west) % 360 or 360
    return any(west + turn <= here.east and west + turn + width >= here.west for turn in (-360, 0))


def _near(here: Box, cone: Cone) -> bool:
    from math import cos, radians

    middle = ((here.west + here.east) / 2, (here.south + here.north) / 2)
    ra, dec = np.radians(middle[0] - cone.ra), np.radians([middle[1], cone.dec])
    cosine = np.sin(dec[0]) * np.sin(dec[1]) + np.cos(dec[0]) * np.cos(dec[1]) * np.cos(ra)
    reach = cone.radius + 0.75 * (here.east - here.west)
    return reach >= 180 or bool(cosine >= cos(radians(reach)))


@lru_cache(maxsize=1)
def _shares() -> tuple[Array, Array]:
    """Give the shares of all stars that are field stars, and young stars, in each cell."""
    boxes = [cell_box(cell) for cell in range(CELLS * CELLS)]
    area = np.array([np.diff(np.sin(np.radians([box.south, box.north])))[0] for box in boxes])
    young = np.array([_in_clusters(box).sum() for box in boxes])
    return (1 - _YOUNG) * area / area.sum(), _YOUNG * young / young.sum()


def _in_clusters(box: Box) -> Array:
    """Give how many young stars of each cluster lie in a box, as shares of all."""
    from scipy.special import ndtr

    x, y, size, share = np.array(_CLUSTERS).T
    across = ndtr((box.east - x) / size) - ndtr((box.west - x) / size)
    return np.asarray(share * across * (ndtr((box.north - y) / size) - ndtr((box.south - y) / size)))


def _places(cell: int, draws: Array) -> tuple[Array, Array, Array]:
    """Give positions in the cell, and whether a star is young: those lie where the clusters are."""
    box = cell_box(cell)
    field, young = (share[cell] for share in _shares())
    is_young = draws[:, 2] < young / (field + young)
    ra = box.west + draws[:, 0] * (box.east - box.west)
    # Even over the sphere, not over declination.
    low, high = np.sin(np.radians([box.south, box.north]))
    dec = np.degrees(np.arcsin(low + draws[:, 1] * (high - low)))
    mass = _in_clusters(box)
    chosen = np.searchsorted(np.cumsum(mass) / max(mass.sum(), 1e-300), draws[:, 33]).clip(0, len(_CLUSTERS) - 1)
    x, y, size, _ = np.array(_CLUSTERS)[chosen].T
    ra = np.where(is_young, _normal_within(draws[:, 0], box.west, box.east, x, size), ra)
    return ra, np.where(is_young, _normal_within(draws[:, 1], box.south, box.north, y, size), dec), is_young


def _normal_within(u: Array, low: float, high: float, middle: Array, size: Array) -> Array:
    """Turn even numbers into normal ones that lie between two edges."""
    from scipy.special import ndtr, ndtri

    first, last = ndtr((low - middle) / size), ndtr((high - middle) / size)
    found = middle + size * ndtri(np.clip(first + u * (last - first), 1e-300, 1 - 1e-16))
    return np.asarray(np.clip(found, low, np.nextafter(high, low)))


def _kinds(draws: Array, young: Array) -> Array:
    """Give indices into `CLASSES`."""
    old = np.searchsorted([0.87, 0.985], draws[:, 3], side="right")
    new = 3 + np.searchsorted([0.14, 0.58], draws[:, 3], side="right")
    return np.where(young, new, old)


def _bodies(draws: Array, kind: Array) -> tuple[Array, Array]:
    """Give temperatures (K) and radii (Sun) from masses (Kroupa 2001) by power laws of the main sequence."""
    mass = _masses(draws[:, 4])
    dwarf_temperature = 5772 * np.where(mass < 0.5, 0.84 * (mass / 0.5) ** 0.22 * 0.80, mass**0.57)
    dwarf_temperature = np.clip(dwarf_temperature, 2400, 30_000)
    dwarf_radius = np.where(mass < 1, mass**0.85, mass**0.62) * (1 + 0.35 * draws[:, 5] * (mass > 0.9))
    climb = draws[:, 5] ** 0.6
    giant_temperature = 5150 - 1350 * (1 - climb) - 120 * draws[:, 6]
    giant_radius = 3.5 * 10 ** (1.45 * (1 - climb))
    cooling = draws[:, 5]
    dwarfs_white = 26_000 * (1 - cooling) + 4500
    # Low stars before the main sequence are cooler and two to four times larger.
    young_temperature = np.clip(5400 * mass**0.28, 2700, 14_000)
    young_radius = 1.9 * np.maximum(mass, 0.08) ** 0.45 * (1 + 0.8 * draws[:, 5])
    temperature = np.select(
        [kind == 0, kind == 1, kind == 2], [dwarf_temperature, giant_temperature, dwarfs_white], young_temperature
    )
    radius = np.select([kind == 0, kind == 1, kind == 2], [dwarf_radius, giant_radius, 0.012], young_radius)
    return temperature, radius


def _masses(u: Array) -> Array:
    """Give masses between 0.1 and 8 Suns from numbers even between 0 and 1: slopes 1.3 and 2.3 that meet at 0.5."""
    edges, slopes = (0.1, 0.5, 8.0), (1.3, 2.3)
    parts = [
        (high ** (1 - s) - low ** (1 - s)) / (1 - s) for low, high, s in zip(edges[:-1], edges[1:], slopes, strict=True)
    ]
    parts[1] *= 0.5
    cut = parts[0] / sum(parts)
    low_u, high_u = np.clip(u / cut, 0, 1), np.clip((u - cut) / (1 - cut), 0, 1)
    low = (edges[0] ** -0.3 + low_u * (edges[1] ** -0.3 - edges[0] ** -0.3)) ** (1 / -0.3)
    high = (edges[1] ** -1.3 + high_u * (edges[2] ** -1.3 - edges[1] ** -1.3)) ** (1 / -1.3)
    return np.asarray(np.where(u < cut, low, high))


def _distances(draws: Array, kind: Array) -> Array:
    """Give parsecs: field stars fill a cone as deep as a survey of limited magnitude sees their class."""
    depth = np.select([kind == 0, kind == 1, kind == 2], [1600.0, 6000.0, 250.0], 0.0)
    field = depth * np.cbrt(draws[:, 7]) * (0.45 + 0.55 * draws[:, 8]) + 8
    cloud = CLOUD_DISTANCE + CLOUD_DEPTH * (draws[:, 7] + draws[:, 8] - 1)
    return np.where(kind >= 3, cloud, field)


def _dust(seed: int, ra: Array, dec: Array, distance: Array, kind: Array, draws: Array) -> Array:
    """Give A_V, magnitudes: 0.35 a kiloparsec everywhere, and a filamentary cloud."""
    cloud = 0.9 * np.exp(1.1 * _wisps(seed, ra, dec))
    through = np.where(kind >= 3, draws[:, 9], (distance > CLOUD_DISTANCE).astype(float))
    envelope = np.where(kind == 3, 6 + 12 * draws[:, 10], np.where(kind == 4, 0.8 * draws[:, 10], 0))
    return np.asarray(0.35 * distance / 1000 + through * cloud + envelope)


def _wisps(seed: int, ra: Array, dec: Array) -> Array:
    """Give a smooth random map: waves of random phase in three rotated directions."""
    total = np.zeros(len(ra))
    for octave in range(3):
        scale = 3.0 / 2**octave
        for turn in range(3):
            angle = np.pi * (turn / 3 + octave / 7)
            along = (np.cos(angle) * ra + np.sin(angle) * dec) / scale
            total += smooth(seed, f"stars.dust.{octave}.{turn}", along)[:, 0] * 0.7**octave
    return np.asarray(total / np.sqrt(3 * (1 + 0.49 + 0.24)))


def _discs(draws: Array, kind: Array) -> tuple[Array, Array]:
    """Give temperature (K) and share of the star's luminosity of the dust around it; NaN and 0 where there is none."""
    has = (kind == 3) | (kind == 4)
    temperature = np.where(kind == 3, 180 + 250 * draws[:, 10], 250 + 850 * draws[:, 11])
    ratio = np.where(kind == 3, 10 ** (0.2 + 0.8 * draws[:, 11]), 10 ** (-1.3 + 0.9 * draws[:, 10]))
    return np.where(has, temperature, np.nan), np.where(has, ratio, 0.0)


def _flux(
    temperature: Array, radius: Array, distance: Array, dust: Array, disc_temperature: Array, disc_ratio: Array
) -> Array:
    """Give the flux density of star and disc in each band behind the dust, Jy, shape (n, bands)."""
    wavelength = np.array([band.wavelength for band in BANDS])
    star = light.star_flux(wavelength, temperature[:, None], radius[:, None], distance[:, None])
    warm = np.nan_to_num(disc_temperature, nan=500.0)
    # Stefan-Boltzmann: the radius of a sphere of this temperature with its share of the luminosity.
    size = radius * (temperature / warm) ** 2 * np.sqrt(disc_ratio)
    # An envelope's own light comes from above most of its dust.
    disc = light.star_flux(wavelength, warm[:, None], size[:, None], distance[:, None])
    return np.asarray((star + disc) * 10 ** (-0.4 * dust[:, None] * light.extinction(wavelength)))

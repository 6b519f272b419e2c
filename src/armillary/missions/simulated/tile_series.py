"""A tile of land seen every five days in ten optical bands and every six days by radar, from 2020 to 2022.

Fields, forest, water and towns are the cells of a random mosaic; each field follows its crop's double logistic curve of
greenness (Beck et al. 2006, Remote Sens. Environ. 100, 321, doi:10.1016/j.rse.2005.10.021). Reflectance is a mixture of
plant, soil, water and roof spectra; clouds and their shadows cover it. The radar has gamma-distributed speckle
(Ulaby et al. 1986). A scene depends on the seed and its number alone, its noise on strips of 64 rows.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from armillary.missions.simulated.sampling import Sampling
from armillary.science.noise import Array, generator

OPTICAL: Final = Sampling.of("2020-01-02T10:50", "2023-01-01T10:50", 5 * 86400, 1)
RADAR: Final = Sampling.of("2020-01-03T05:52", "2023-01-02T05:52", 6 * 86400, 1)
SIZE, PIXEL, STRIP = 512, 20.0, 64
#: Left and upper edge of the tile, metres of the zone 31 north.
CRS: Final = "EPSG:32631"
LEFT, TOP = 399_960.0, 4_840_000.0
CLASSES: Final = ("water", "town", "forest", "meadow", "winter wheat", "maize", "sunflower")
BANDS: Final = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
#: Central wavelengths, micrometres (Sentinel-2 user handbook).
WAVELENGTHS: Final = (0.490, 0.560, 0.665, 0.705, 0.740, 0.783, 0.842, 0.865, 1.610, 2.190)
#: Equivalent number of looks of the radar.
LOOKS: Final = 4.4
_SHARES: Final = (0.05, 0.08, 0.22, 0.15, 0.22, 0.18, 0.10)
_PLANT: Final = (0.025, 0.055, 0.028, 0.085, 0.27, 0.36, 0.39, 0.41, 0.19, 0.085)
_SOIL: Final = (0.085, 0.115, 0.155, 0.18, 0.20, 0.215, 0.235, 0.25, 0.34, 0.29)
_WATER: Final = (0.055, 0.048, 0.028, 0.024, 0.018, 0.016, 0.013, 0.012, 0.006, 0.004)
_ROOF: Final = (0.115, 0.13, 0.15, 0.16, 0.17, 0.18, 0.19, 0.195, 0.23, 0.215)
#: Greenness in winter and at its height, day of the year of steepest rise and fall, and days that they take.
_SEASONS: Final = (
    (0.0, 0.0, 120, 280, 15, 15), (0.15, 0.3, 110, 285, 15, 20), (0.45, 0.92, 108, 300, 9, 14),
    (0.35, 0.8, 85, 290, 14, 25), (0.18, 0.95, 82, 178, 12, 6), (0.06, 0.93, 165, 265, 9, 9),
    (0.06, 0.9, 150, 232, 9, 8),
)  # fmt: skip


class Land(NamedTuple):
    """The ground: class and parcel of each pixel, shape (SIZE, SIZE), and what makes parcels differ."""

    kind: Array
    parcel: Array
    shift: Array
    vigour: Array
    tone: Array


class Window(NamedTuple):
    """The part of the tile that is asked for, in pixels."""

    rows: slice
    columns: slice


WHOLE: Final = Window(slice(0, SIZE), slice(0, SIZE))


@lru_cache(maxsize=4)
def land(seed: int) -> Land:
    """Make the mosaic: the nearest of 700 random centres in a bent and sheared space."""
    from scipy.spatial import cKDTree

    random = generator(seed, "tile.land")
    centres = random.uniform(-30, SIZE + 30, (700, 2))
    bend = 14 * _wavy(seed, "tile.bend", 120.0, SIZE)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    points = np.stack([y + 0.25 * bend, x + 0.25 * bend], -1)
    # Fields are blocky: the largest of the two distances counts.
    _, parcel = cKDTree(centres).query(points, p=np.inf)
    kinds = 2 + np.searchsorted(np.cumsum(_SHARES[2:]) / sum(_SHARES[2:]), random.random(700))
    kinds[np.hypot(*(centres - random.uniform(120, 390, 2)).T) < 75] = 1
    kind = kinds[parcel].astype(np.uint8)
    woods = _wavy(seed, "tile.woods", 90.0, SIZE) > 0.9
    kind[woods & (kind != 1)] = 2
    river = np.abs(x - SIZE * 0.62 - 45 * np.sin(y / 70) - bend) < 5
    lake = np.hypot((y - random.uniform(80, 430)) / 1.6, x - random.uniform(60, 450)) < 26
    kind[river | lake] = 0
    count = (700,)
    shift, vigour = random.normal(0, 6, count), np.clip(random.normal(0.95, 0.06, count), 0.7, 1.05)
    return Land(kind, parcel.astype(np.int32), shift, vigour, np.clip(random.normal(1, 0.13, count), 0.7, 1.4))


def greenness(seed: int, ns: int, window: Window = WHOLE) -> Array:
    """Give the cover by green plants, 0..1, at a time: the truth behind any vegetation index."""
    ground = land(seed)
    kind, parcel = ground.kind[window], ground.parcel[window]
    day = (ns / 86400e9) % 365.2425
    table = np.array(_SEASONS)
    kinds = np.arange(len(CLASSES))
    # One value for each class and parcel, then looked up: there are far fewer of them than of pixels.
    low, high, rise, fall, up, down = (one[:, None] for one in table[kinds].T)
    late = day - ground.shift
    curve = 1 / (1 + np.exp(-(late - rise) / up)) + 1 / (1 + np.exp((late - fall) / down)) - 1
    cover = low + (high * ground.vigour - low) * np.clip(curve, 0, 1)
    return np.asarray(np.clip(cover, 0, 1)[kind, parcel])


@lru_cache(maxsize=16)
def clouds(seed: int, scene: int) -> tuple[Array, Array]:
    """Give optical thickness of clouds and the depth of their shadows (0..1), whole tile."""
    random = generator(seed, "tile.clouds", scene)
    season = np.cos(2 * np.pi * ((int(OPTICAL.times(scene)[0]) / 86400e9) % 365.2425 - 15) / 365.2425)
    share = random.beta(0.45, 0.75 - 0.2 * season)
    if share < 0.04:
        return np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
    height = int(random.integers(20, 60))
    size = SIZE + 2 * height
    field = _fractal(random, size)
    edge = np.quantile(field[::4, ::4], 1 - share)
    thick = np.clip((field - edge) * 2.2, 0, 2.5).astype(np.float32)
    tilt = 0.75 + 0.35 * season
    # The Sun stands in the south-east in the morning: a shadow comes from the cloud below and to the right.
    down, right = round(height * 0.8 * tilt), round(height * 0.45 * tilt)
    here = thick[height : height + SIZE, height : height + SIZE]
    cast = thick[height + down : height + down + SIZE, height + right : height + right + SIZE]
    return here, np.clip(cast * 1.2, 0, 1) * (here < 0.25)


def optical(seed: int, scene: int, window: Window = WHOLE) -> Array:
    """Give surface reflectance as measured, shape (1, 10, rows, columns), float32."""
    ground = land(seed)
    kind = ground.kind[window]
    cover = greenness(seed, int(OPTICAL.times(scene)[0]), window).astype(np.float32)
    tone = ground.tone[ground.parcel[window]].astype(np.float32)
    thick, shadow = (one[window] for one in clouds(seed, scene))
    veil = (1 - np.exp(-thick)).astype(np.float32)
    noise = strips(seed, "tile.noise", scene, len(BANDS), window)
    wet = np.float32(generator(seed, "tile.wet", scene).uniform(0.75, 1.05))
    found = np.empty((len(BANDS), *kind.shape), np.float32)
    for band, (plant, soil, water, roof) in enumerate(zip(_PLANT, _SOIL, _WATER, _ROOF, strict=True)):
        bare = np.where(kind == 1, np.float32(roof), np.float32(soil) * wet) * tone
        one = np.where(kind == 0, np.float32(water), bare + (np.float32(plant) - bare) * cover)
        one *= 1 - np.float32(0.62) * shadow
        one += (np.float32(_cloud_colour(band)) - one) * veil
        found[band] = one * (1 + np.float32(0.02) * noise[band]) + np.float32(0.002) * noise[band]
    return np.maximum(found, np.float32(0.0001))[None]


def mask(seed: int, scene: int, window: Window = WHOLE) -> Array:
    """Give the scene classification as a processor would: 0 clear, 1 cloud, 2 shadow; thin cloud is often missed."""
    thick, shadow = (one[window] for one in clouds(seed, scene))
    bright = land(seed).kind[window] == 1
    unsure = strips(seed, "tile.mask", scene, 1, window)[0]
    cloud = (thick + np.float32(0.05) * unsure > 0.18) | (bright & (unsure > 2.6))
    return np.where(cloud, 1, np.where(shadow > 0.35, 2, 0)).astype(np.uint8)[None]


def radar(seed: int, scene: int, window: Window = WHOLE) -> Array:
    """Give backscatter sigma naught of VV and VH, linear, with speckle, shape (1, 2, rows, columns), float32."""
    kind = land(seed).kind[window]
    cover = greenness(seed, int(RADAR.times(scene)[0]), window)
    soil = generator(seed, "tile.moisture", scene).normal(0, 0.8)
    bare = np.array([-21.0, -5.0, -9.5, -11.0, -11.5, -11.0, -11.0])
    rise = np.array([0.0, 0.0, 0.4, 0.3, -2.0, 2.5, 3.0])
    vv = bare[kind] + rise[kind] * cover + np.where(kind > 1, soil * (1 - cover), 0)
    cross = np.array([-9.0, -7.5, -5.8, -7.5, -8.5, -8.0, -8.0])
    vh = vv + cross[kind] + np.where(kind > 2, 1.8 * cover, 0)
    power = 10 ** (np.stack([vv, vh]) / 10)
    return (power * strips(seed, "tile.speckle", scene, 2, window, gamma=True)).astype(np.float32)[None]


def strips(seed: int, name: str, scene: int, bands: int, window: Window, *, gamma: bool = False) -> Array:
    """Give noise of shape (bands, rows, columns), made in strips of 64 rows; normal, or gamma of mean 1."""
    first, last = window.rows.start // STRIP, (window.rows.stop - 1) // STRIP
    parts = []
    for strip in range(first, last + 1):
        random = generator(seed, name, scene, strip)
        shape = (bands, STRIP, SIZE)
        parts.append(
            (random.standard_gamma(LOOKS, shape) / LOOKS) if gamma else random.standard_normal(shape, np.float32)
        )
    rows = slice(window.rows.start - first * STRIP, window.rows.stop - first * STRIP)
    return np.concatenate(parts, 1)[:, rows, window.columns]


def _cloud_colour(band: int) -> float:
    """Give the reflectance of thick cloud: bright, less so in the short-wave infrared where ice absorbs."""
    return 0.72 if WAVELENGTHS[band] < 1 else 0.48


def _wavy(seed: int, name: str, scale: float, size: int) -> Array:
    """Give a smooth random map of unit variance: coarse normal numbers, enlarged by splines."""
    from scipy.ndimage import zoom

    coarse = generator(seed, name).standard_normal((int(size / scale) + 4,) * 2)
    fine = zoom(coarse, scale, order=3)[:size, :size]
    return np.asarray(fine / fine.std())


def _fractal(random: np.random.Generator, size: int) -> Array:
    """Give a random map of slope -2.6 in amplitude over the wave number's square, of unit variance."""
    kx = np.fft.rfftfreq(size)[None, :]
    ky = np.fft.fftfreq(size)[:, None]
    k = np.hypot(kx, ky)
    k[0, 0] = 1
    amplitude = np.where(k > 2.5 / size, k**-1.55, 0)
    phase = random.standard_normal((2, *k.shape))
    field = np.fft.irfft2(amplitude * (phase[0] + 1j * phase[1]), (size, size))
    return np.asarray(field / field.std())

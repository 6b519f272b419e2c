"""The columns of the star field's tables: what surveys measured with their noise and gaps, and what is true."""

from typing import Any, Final

import numpy as np

from armillary.missions.simulated.star_field import BANDS, CLASSES, GAIA_LIMIT, LIMITS, Stars
from armillary.model.kinds import column, with_table_attrs
from armillary.science.noise import Array
from armillary.science.photometry import light

#: Share of the bands that are lost by blends and bad pixels.
_LOST: Final = 0.02


def photometry_columns(stars: Stars) -> Any:
    """Give what the surveys measured: missing values are null."""
    import pyarrow as pa

    magnitudes, errors, seen = _measure(stars)
    parallax, parallax_error = _parallax(stars, magnitudes[:, 0])
    gaia = seen[:, 0]
    columns = [
        _identity(stars),
        (column("ra", pa.float64(), "deg", "Right ascension, ICRS"), stars.ra, None),
        (column("dec", pa.float64(), "deg", "Declination, ICRS"), stars.dec, None),
        (column("parallax", pa.float64(), "mas", "Parallax"), parallax, gaia),
        (column("parallax_error", pa.float32(), "mas", "Standard error of the parallax"), parallax_error, gaia),
    ]
    for place, band in enumerate(BANDS):
        name, good = f"{band.name}_mag", seen[:, place]
        about = f"{band.name.upper()} magnitude, Vega, pivot wavelength {band.wavelength:g} um"
        columns.append((column(name, pa.float32(), "mag", about), magnitudes[:, place], good))
        about = f"Standard error of {name}"
        columns.append((column(f"{name}_error", pa.float32(), "mag", about), errors[:, place], good))
    return _table(columns, "Simulated photometry")


def truth(stars: Stars) -> Any:
    """Give what is true of each star."""
    import pyarrow as pa

    kind = np.array(CLASSES)[stars.kind]
    disc = np.isfinite(stars.disc_temperature)
    wide = pa.float64()
    columns = [
        _identity(stars),
        (column("ra", wide, "deg", "Right ascension, ICRS"), stars.ra, None),
        (column("dec", wide, "deg", "Declination, ICRS"), stars.dec, None),
        (column("class", pa.string(), "", f"One of {', '.join(CLASSES)}"), kind, None),
        (column("teff", wide, "K", "Effective temperature"), stars.temperature, None),
        (column("radius", wide, "R_sun", "Radius"), stars.radius, None),
        (column("distance", wide, "pc", "Distance"), stars.distance, None),
        (column("a_v", wide, "mag", "Extinction in V, with R_V = 3.1"), stars.extinction, None),
        (column("disc_temperature", wide, "K", "Temperature of its dust"), stars.disc_temperature, disc),
        (column("disc_ratio", wide, "", "Luminosity of its dust over its own"), stars.disc_ratio, disc),
    ]
    return _table(columns, "Truth of the simulated stars")


def _identity(stars: Stars) -> tuple[Any, Array, None]:
    import pyarrow as pa

    return column("source_id", pa.int64(), "", "Number of the star; the first digits are its cell"), stars.number, None


def _table(columns: list[tuple[Any, Array, Array | None]], title: str) -> Any:
    import pyarrow as pa

    arrays = [
        pa.array(values, field.type, mask=None if good is None else ~np.asarray(good))
        for field, values, good in columns
    ]
    table = pa.table(arrays, schema=pa.schema([field for field, _, _ in columns]))
    return with_table_attrs(table, {"title": title, "frame": "ICRS"})


def _measure(stars: Stars) -> tuple[Array, Array, Array]:
    """Give magnitudes, their errors and whether they were measured, each of shape (n, bands)."""
    from scipy.special import ndtri

    count = len(BANDS)
    zero = np.array([band.zero_point for band in BANDS])
    limits = np.array([LIMITS[band.name] for band in BANDS])
    exact = np.minimum(light.magnitude(np.maximum(stars.flux, 1e-30), zero), 60)
    noise = light.magnitude_error(exact, limits[:, 0], limits[:, 1])
    normal = ndtri(np.clip(stars.noise[:, :count], 1e-9, 1 - 1e-9))
    # Noise is added to the flux, as it is in a detector; a flux below zero has no magnitude.
    share = 1 + normal * noise * np.log(10) / 2.5
    measured = np.where(share > 0, exact - 2.5 * np.log10(np.maximum(share, 1e-9)), np.nan)
    errors = light.magnitude_error(measured, limits[:, 0], limits[:, 1])
    seen = (errors < 0.2) & (measured > limits[:, 2]) & (stars.noise[:, count : 2 * count] > _LOST)
    seen[:, :3] &= (exact[:, 0] < GAIA_LIMIT)[:, None]
    seen[:, 1:3] &= seen[:, :1]
    return measured, errors, seen


def _parallax(stars: Stars, magnitude: Array) -> tuple[Array, Array]:
    """Give parallax and error (mas), which grows with G as in Gaia DR3 (Lindegren et al. 2021, A&A 649, A2)."""
    from scipy.special import ndtri

    light = 10 ** (0.4 * (np.clip(np.nan_to_num(magnitude, nan=21.0), 13, 22) - 15))
    error = 0.02 * np.sqrt(0.6 + 0.85 * light + 0.0035 * light**2)
    normal = ndtri(np.clip(stars.noise[:, 20], 1e-9, 1 - 1e-9))
    return 1000 / stars.distance + error * normal, error

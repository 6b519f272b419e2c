"""The leaves of the simulated observatory, without making any data."""

from typing import Final

from armillary.missions.simulated import (
    crossings,
    distributions,
    solar_wind,
    star_field,
    telemetry,
    tile_series,
    whole_sky,
)
from armillary.missions.simulated.sampling import Sampling
from armillary.model import Interval, Parameter, Product

#: Changes when the same seed gives other numbers.
GENERATOR: Final = "1"
_LICENCE: Final = "CC0-1.0"
_OURS: Final = "Simulated by Armillary"
_WIND: Final = f"{_OURS} after Parker (1958), Lopez (1987), Lundquist (1950), Zurbuchen and Richardson (2006)"
_SENTRY: Final = f"{_OURS} after Shue et al. (1998), Farris and Russell (1994), Zwan and Wolf (1976)"
_IONS: Final = f"{_SENTRY}; instrument after Pollock et al. (2016)"
_STARS: Final = f"{_OURS} after Kroupa (2001), Cardelli, Clayton and Mathis (1989), Lada (1987)"
_SKY: Final = f"{_OURS}; columns as in Gaia DR3 (Gaia Collaboration 2023), 2MASS and AllWISE"
_TILE: Final = f"{_OURS} after Beck et al. (2006), Ulaby et al. (1986)"
_PACKETS: Final = f"{_OURS} after CCSDS 133.0-B-2, CCSDS 301.0-B-4, ECSS-E-ST-70-41C"

_N: Final = Parameter(
    name="n", type="int", default=star_field.DEFAULT_ROWS, low=1, high=star_field.MOST_ROWS,
    description="Number of stars in the whole field; each cell of a larger field begins with the same stars",
)  # fmt: skip
_M: Final = Parameter(
    name="n", type="int", default=whole_sky.DEFAULT_ROWS, low=1, high=whole_sky.MOST_ROWS,
    description="Number of sources of the whole sky; a larger one begins with the same sources",
)  # fmt: skip


def leaves(name: str, seed: int) -> tuple[Product, ...]:
    """Give the products of an observatory of this name and seed."""
    version = f"{GENERATOR}.{seed}"
    found = (*_wind(), *_sentry(), *_stars(), *_sky(), *_tile(), *_instrument())
    return tuple(_named(one, name, version) for one in found)


def _named(one: Product, name: str, version: str) -> Product:
    from dataclasses import replace

    path = f"{name}/{one.path}"
    return replace(one, path=path, address=one.path, source=name, version=version, licence=_LICENCE)


def _sampled(
    path: str, title: str, kind: str, units: str, sampling: Sampling, row_bytes: int, about: str, cite: str
) -> Product:
    return Product(
        path=path, title=title, kind=kind, units=units, coverage=sampling.span, cadence=sampling.seconds,
        row_bytes=row_bytes, shape=_shape(kind, row_bytes), description=about, citation=cite,
    )  # fmt: skip


def _shape(kind: str, row_bytes: int) -> tuple[int, ...] | None:
    """Give the components of a series, of eight bytes each."""
    return None if kind != "series" else (row_bytes // 8,) if row_bytes > 8 else ()


def _events(path: str, title: str, span: Interval, about: str, cite: str) -> Product:
    return Product(
        path=path, title=title, kind="events", coverage=span, row_bytes=120, description=about, citation=cite
    )


def _wind() -> tuple[Product, ...]:
    where, ours = solar_wind.SAMPLING, _WIND
    return (
        _sampled("wind/b_gse", "Magnetic field of the solar wind", "series", "nT", where, 24,
                 "Three components in GSE at the nose of the bow shock, every minute", ours),
        _sampled("wind/v_gse", "Velocity of the solar wind", "series", "km/s", where, 24,
                 "Three components in GSE; Earth's own motion is left out", ours),
        _sampled("wind/density", "Proton density of the solar wind", "series", "cm^-3", where, 8,
                 "Protons; there are no other ions in the simulation", ours),
        _sampled("wind/temperature", "Proton temperature of the solar wind", "series", "K", where, 8,
                 "Isotropic; electrons are as warm", ours),
        _sampled("wind/pressure", "Dynamic pressure of the solar wind", "series", "nPa", where, 8,
                 "Of the protons, m n v^2", ours),
        _events("wind/truth/icme", "Interplanetary coronal mass ejections", where.span,
                "Each flux rope that passes: its times, speed, strength, handedness, axis and impact parameter", ours),
        _events("wind/truth/shocks", "Interplanetary shocks", where.span,
                "Each shock: time, normal, speed, fast Mach number, angle to the field, and the Rankine-Hugoniot jumps",
                ours),
    )  # fmt: skip


def _sentry() -> tuple[Product, ...]:
    slow, fast, skymaps = crossings.MOMENTS, crossings.FIELD, distributions.SAMPLING
    noisy = "Moments as the instrument gives them, with the noise of counting"
    exact = "What the instrument should have measured, without noise"
    return (
        _sampled("sentry/position_gse", "Position of the sentry", "series", "R_E", slow, 24,
                 "GSE, Earth radii of 6371.2 km; orbit of 1.2 by 16 Earth radii", _SENTRY),
        _sampled("sentry/b_gse", "Magnetic field at the sentry", "series", "nT", fast, 24,
                 "GSE, eight samples a second", _SENTRY),
        _sampled("sentry/ion_density", "Ion density at the sentry", "series", "cm^-3", slow, 8, noisy, _IONS),
        _sampled("sentry/ion_velocity_gse", "Ion velocity at the sentry", "series", "km/s", slow, 24, noisy, _IONS),
        _sampled("sentry/ion_temperature", "Ion temperature at the sentry", "series", "eV", slow, 16,
                 f"Parallel and perpendicular to the field. {noisy}", _IONS),
        _sampled("sentry/ion_omni", "Ion energy flux over all directions", "spectrogram", "eV/(cm^2 s sr eV)", slow,
                 128, "Differential energy flux of all directions, counted by accumulators of its own", _IONS),
        _sampled("sentry/ion_skymap", "Ion distributions at the sentry", "distribution", "s^3/cm^6", skymaps, 98304,
                 "Phase space density and counts by azimuth, polar angle (of flight, GSE) and energy; one count is "
                 "given for each energy", _IONS),
        _sampled("sentry/region", "Region of the sentry", "series", "", slow, 1,
                 "Truth: 0 solar wind, 1 magnetosheath, 2 magnetosphere", _SENTRY),
        _sampled("sentry/truth/density", "True ion density", "series", "cm^-3", slow, 8, exact, _SENTRY),
        _sampled("sentry/truth/velocity_gse", "True ion velocity", "series", "km/s", slow, 24, exact, _SENTRY),
        _sampled("sentry/truth/temperature", "True ion temperature", "series", "eV", slow, 16, exact, _SENTRY),
        _sampled("sentry/truth/boundaries", "Distance outside magnetopause and bow shock", "series", "R_E", slow, 16,
                 "Along the line to the Earth, positive outside; where it is 0 the sentry crosses", _SENTRY),
        _events("sentry/truth/crossings", "Crossings of bow shock and magnetopause", slow.span,
                "Each lies between two moments (start, stop); time is where the distance is 0", _SENTRY),
    )  # fmt: skip


def _stars() -> tuple[Product, ...]:
    def one(path: str, title: str, row_bytes: int, about: str, columns: tuple[str, ...]) -> Product:
        return Product(
            path=path, title=title, kind="sources", parameters=(_N,), selects=("box", "cone", "rows"),
            rows=star_field.DEFAULT_ROWS, row_bytes=row_bytes, columns=("source_id", "ra", "dec", *columns),
            description=about, citation=_STARS,
        )  # fmt: skip

    light = tuple(f"{band.name}_mag{end}" for band in star_field.BANDS for end in ("", "_error"))
    body = ("class", "teff", "radius", "distance", "a_v", "disc_temperature", "disc_ratio")

    return (
        one("stars/photometry", "Stars in ten bands", 130,
            "A field of 10 by 10 degrees with a star-forming cloud: parallax, and Vega magnitudes in Gaia, 2MASS and "
            "WISE bands with errors; too faint, too bright and lost ones are null",
            ("parallax", "parallax_error", *light)),
        one("stars/truth", "What the stars are", 80,
            "Class, temperature, radius, distance, extinction and dust of each star", body),
    )  # fmt: skip


def _sky() -> tuple[Product, ...]:
    def one(path: str, title: str, row_bytes: int, about: str, *, truth: bool) -> Product:
        return Product(
            path=path, title=title, kind="sources", parameters=(_M,), selects=("box", "cone", "rows"),
            rows=whole_sky.DEFAULT_ROWS, row_bytes=row_bytes, columns=whole_sky.column_names(truth=truth),
            description=about, citation=_SKY,
        )  # fmt: skip

    return (
        one("sky/photometry", "The sky in ten bands", 420,
            "Eight classes over the whole sky as Gaia, 2MASS and AllWISE see them: flags, gaps and errors, columns of "
            "the archive", truth=False),
        one("sky/truth", "What the sources of the sky are", 110,
            "Class, temperature, distance, dust, slope and redshift of each source", truth=True),
    )  # fmt: skip


def _tile() -> tuple[Product, ...]:
    def one(path: str, title: str, units: str, when: Sampling | None, line: int, about: str) -> Product:
        scenes = (when.stop - when.start) // when.step if when else 1
        return Product(
            path=path, title=title, kind="raster", units=units, coverage=when.span if when else None,
            selects=("time", "box", "rows") if when else ("box", "rows"), cadence=when.seconds if when else None,
            rows=tile_series.SIZE, row_bytes=line * tile_series.SIZE * scenes, keep=False,
            description=f"{about}; {tile_series.SIZE} x {tile_series.SIZE} pixels of 20 m, {tile_series.CRS}",
            citation=_TILE,
        )  # fmt: skip

    optical, radar = tile_series.OPTICAL, tile_series.RADAR
    return (
        one("tile/optical", "Surface reflectance", "1", optical, 40,
            "Ten bands, every five days, clouds and shadows included"),
        one("tile/mask", "Scene classification", "", optical, 1,
            "0 clear, 1 cloud, 2 shadow, as a processor found them: not all thin clouds, some roofs taken for clouds"),
        one("tile/sar", "Radar backscatter", "1", radar, 8,
            "Sigma naught of VV and VH, linear, 4.4 looks, every six days"),
        one("tile/truth/land_cover", "True land cover", "", None, 1,
            "0 water, 1 town, 2 forest, 3 meadow, 4 winter wheat, 5 maize, 6 sunflower"),
        one("tile/truth/cloud", "True clouds", "1", optical, 8,
            "Optical thickness of clouds and depth of their shadows"),
        one("tile/truth/greenness", "True plant cover", "1", optical, 4, "Share of each pixel covered by green plants"),
    )  # fmt: skip


def _instrument() -> tuple[Product, ...]:
    when = telemetry.SAMPLING
    decoded = "Decoded from the packets whose checksum is right"
    return (
        _sampled("instrument/packets", "Space packets of the instrument", "packets", "", when, 180,
                 "APID 100 housekeeping, 101 spectra, 102 texts; octets beyond the length are zero", _PACKETS),
        *(
            _sampled(f"instrument/{one.name}", one.title, "series", one.unit, when, 8, decoded, _PACKETS)
            for one in telemetry.CHANNELS
        ),
        _sampled("instrument/spectrum", "Gamma-ray spectra", "spectrogram", "counts", when._replace(step=8 * when.step),
                 128, f"64 energies, every eight seconds. {decoded}", _PACKETS),
        _events("instrument/truth/anomalies", "Planted anomalies", when.span,
                "Spikes, drifts, stuck values, dropouts, limit violations and corrupted packets", _PACKETS),
    )  # fmt: skip

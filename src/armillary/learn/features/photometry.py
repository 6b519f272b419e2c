"""What photometry says of a source: colours, slopes, excess over the photosphere, brightness at a known distance.

A column is made of a fixed set of bands and is missing if one of them is; so a row that lacks a band looks like a
copied row from which the ``dropout`` of a model took it. Its feature group says both: ``slope@Ks|W4`` is physics
``slope`` made of the bands Ks and W4.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.features import Features
from armillary.learn.samples import column

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.photometry.seds import Seds

Array = np.ndarray[Any, np.dtype[Any]]
Made = Iterator[tuple[str, str, Array]]
#: What can be told, in the order of the columns.
TOLD: Final = ("colours", "chain", "unreddened", "slope", "excess", "luminosity", "motion", "crowding", "gaps")
#: Two bands whose slope is told, and bands through which a line is laid.
_PAIRS: Final = (("Ks", "W2"), ("Ks", "W3"), ("Ks", "W4"), ("W1", "W3"), ("W1", "W4"), ("W3", "W4"))
_LINES: Final = ("Ks W1 W2 W3", "Ks W1 W2 W3 W4")
#: Colours that tell how much dust there is.
_REDDENED: Final = (("J", "H"), ("RP", "J"))
#: The photosphere, and where light beyond it is looked for.
_STELLAR: Final = ("J", "H", "Ks")
_BEYOND: Final = ("W1", "W2", "W3", "W4")
_GAIA: Final = ("G", "BP", "RP")
#: A parallax below so many errors gives no absolute magnitude.
_LEAST: Final = 5.0
_ROWS: Final = 20_000


class _Light(NamedTuple):
    """A block of rows: magnitudes, errors and limits of `bands`, and whatever other columns are there."""

    bands: tuple[str, ...]
    magnitudes: Array
    errors: Array
    limits: Array
    others: Mapping[str, Array]

    def band(self, name: str) -> Array:
        """Give the magnitudes of one band."""
        return self.magnitudes[:, self.bands.index(name)]

    def has(self, names: Sequence[str]) -> bool:
        """Say whether all these bands are among the columns."""
        return set(names) <= set(self.bands)


def photometry(
    samples: "xr.Dataset",
    columns: Mapping[str, str] | None = None,
    bands: Sequence[str] = (),
    tell: Sequence[str] = ("colours", "slope", "excess"),
    limits: str = "missing",
    prefix: str = "",
) -> Features:
    """Tell colours, slopes, excess and luminosity of sources.

    Parameters
    ----------
    samples : xarray.Dataset
        Columns by the names of the Gaia archive, of VizieR, or of Armillary's own tables.
    columns : mapping of str to str
        Columns that are called otherwise, by what they are for: ``{J = "jmag", J_error = "e_jmag", parallax = "plx"}``.
    bands : sequence of str
        Which bands; all that are found if empty.
    tell : sequence of str
        Of `TOLD`. ``colours`` of all pairs, or ``chain``: of neighbours and against G; ``unreddened``: colours of
        neighbours less what dust does to them as told by J-H, and by RP-J; ``slope``: spectral indices;
        ``excess`` beyond a black body through J, H and Ks, in magnitudes and in errors; ``luminosity``: absolute
        magnitudes where the parallax is known to a fifth, and what a parallax of any sign says; ``motion``: reduced
        proper motion; ``crowding``: C* and RUWE; ``gaps``: what was not measured.
    limits : str
        ``missing``: an infrared magnitude without an error is an upper limit and not used; ``value``: it is.
    prefix : str

    Notes
    -----
    Only ``luminosity`` and ``motion`` know the distance, and nothing the position. Work O(n), blocks of 20 000 rows.

    Raises
    ------
    BadParameter
        If a word is unknown, or fewer than two bands are found.
    """
    from armillary.science.photometry.columns import find_columns

    unknown = [one for one in tell if one not in TOLD]
    if unknown or not tell or limits not in {"missing", "value"}:
        problem = f"{unknown[0]!r} cannot be told" if unknown else f"tell = {list(tell)} with limits = {limits!r}"
        raise BadParameter(f"photometry: {problem}", f"tell of {', '.join(TOLD)}; limits are missing or value")
    found = find_columns(samples, dict(columns or {}))
    there = tuple(band.name for band in found.bands if not bands or band.name in bands)
    lost = sorted(set(bands) - set(there))
    if lost or len(there) < 2:
        what = f"no column holds the band {lost[0]!r}" if lost else "fewer than two bands are found"
        raise BadParameter(f"photometry: {what}", 'name columns, such as columns = {J = "jmag"}')
    count = samples.sizes["sample"]
    parts = [
        list(_told(_light(samples, found, there, slice(at, at + _ROWS), limits), tell))
        for at in range(0, max(count, 1), _ROWS)
    ]
    names = tuple(f"{prefix}{name}" for name, _, _ in parts[0])
    if not names:
        raise BadParameter(f"photometry: the bands {', '.join(there)} tell nothing of {list(tell)}", "tell colours")
    matrix = np.concatenate([np.column_stack([values for _, _, values in part]) for part in parts])
    return Features(np.where(np.isfinite(matrix), matrix, np.nan), names, tuple(group for _, group, _ in parts[0]))


def _light(samples: "xr.Dataset", found: Any, there: tuple[str, ...], rows: slice, limits: str) -> _Light:
    """Take one block of rows; limits are flagged, and missing unless their values are wanted."""
    from armillary.science.photometry.columns import light_of

    part = samples.isel(sample=rows)
    magnitudes, errors, flagged = light_of(part, found)
    names = [band.name for band in found.bands]
    at = [names.index(name) for name in there]
    magnitudes, errors, flagged = magnitudes[:, at], errors[:, at], flagged[:, at]
    measured_by = np.array([f"{name}_error" in found.names and name not in _GAIA for name in there])
    flagged = flagged | (measured_by & np.isfinite(magnitudes) & ~(errors > 0))
    if limits == "missing":
        magnitudes = np.where(flagged, np.nan, magnitudes)
    others = {role: column(part, name) for role, name in found.names.items() if not _of_band(role)}
    numbers = {role: values.astype(float) for role, values in others.items() if values.dtype.kind in "fiu"}
    if (magnitudes[np.isfinite(magnitudes)] > 90).any():
        raise BadData("photometry: magnitudes of 90 and more are no magnitudes", "give them to the layout as missing")
    return _Light(there, magnitudes, errors, flagged, numbers)


def _of_band(role: str) -> bool:
    name = role.removesuffix("_error").removesuffix("_snr")
    return name in {*_GAIA, *_STELLAR, *_BEYOND}


def _told(light: _Light, tell: Sequence[str]) -> Made:
    makers = {
        "colours": _colours, "chain": _chain, "unreddened": _unreddened, "slope": _slopes, "excess": _excess,
        "luminosity": _luminosity, "motion": _motion, "crowding": _crowding, "gaps": _gaps,
    }  # fmt: skip
    for one in TOLD:
        if one in tell:
            yield from makers[one](light)


def _colours(light: _Light) -> Made:
    yield from _differences(light, list(combinations(light.bands, 2)))


def _chain(light: _Light) -> Made:
    against_g = [("G", name) for name in light.bands[2:]] if light.bands[0] == "G" else []
    yield from _differences(light, list(dict.fromkeys([*pairwise(light.bands), *against_g])))


def _differences(light: _Light, pairs: Sequence[tuple[str, str]]) -> Made:
    for one, other in pairs:
        yield f"{one}-{other}", f"colour@{one}|{other}", light.band(one) - light.band(other)


def _unreddened(light: _Light) -> Made:
    """Give colours that dust does not change: of neighbours, less a colour of reference as far as both redden."""
    from armillary.science.photometry.extinction import extinction

    dust = dict(zip(light.bands, extinction(" ".join(light.bands)), strict=True))
    for blue, red in _REDDENED:
        for one, other in pairwise(light.bands):
            if not light.has((blue, red)) or (one, other) == (blue, red):
                continue
            ratio = (dust[one] - dust[other]) / (dust[blue] - dust[red])
            group = f"unreddened@{'|'.join(dict.fromkeys((one, other, blue, red)))}"
            free = light.band(one) - light.band(other) - ratio * (light.band(blue) - light.band(red))
            yield f"{one}-{other}~{blue}-{red}", group, free


def _slopes(light: _Light) -> Made:
    """Give indices between two bands, and of lines through all of several bands."""
    from armillary.science.photometry.alpha import index_between, index_fit

    seds = _seds(light)
    for one, other in _PAIRS:
        if light.has((one, other)):
            yield f"alpha_{one}_{other}", f"slope@{one}|{other}", index_between(seds, one, other).alpha
    for line in _LINES:
        names = line.split()
        if light.has(names):
            index, group = index_fit(seds, names, least=len(names)), f"slope@{'|'.join(names)}"
            yield f"alpha_{names[0]}..{names[-1]}", group, index.alpha
            yield f"alpha_{names[0]}..{names[-1]}_error", group, index.error


def _excess(light: _Light) -> Made:
    from armillary.science.photometry.photospheres import black_bodies, excess, fit_templates

    if not light.has(_STELLAR):
        return
    seds = _seds(light)
    models = black_bodies(np.geomspace(700, 15_000, 90))
    fit = fit_templates(seds, models.flux, models.bands, use=" ".join(_STELLAR))
    heat = np.where(fit.template >= 0, models.teff[fit.template], np.nan)
    yield "log_body", f"photosphere@{'|'.join(_STELLAR)}", np.log10(heat)
    photosphere: Any = _Body(fit.model)
    sigma, magnitudes = excess(seds, photosphere)
    for name in _BEYOND:
        if name in light.bands:
            at, group = seds.column(name), f"excess@{'|'.join((*_STELLAR, name))}"
            yield f"excess_{name}", group, magnitudes[:, at]
            yield f"excess_{name}_sigma", group, np.arcsinh(sigma[:, at])


class _Body(NamedTuple):
    """What `excess` asks of a photosphere."""

    f_lambda: Array


def _luminosity(light: _Light) -> Made:
    """Give absolute magnitudes; and parallax times 10^(0.2 m), which needs no parallax above zero."""
    if "parallax" not in light.others or "parallax_error" not in light.others:
        return
    parallax, error = light.others["parallax"], light.others["parallax_error"]
    with np.errstate(divide="ignore", invalid="ignore"):
        modulus = np.where(parallax / error >= _LEAST, 5 * np.log10(parallax / 100), np.nan)
        yield "parallax_sigma", "luminosity@parallax", np.arcsinh(parallax / error)
    for name in ("G", "Ks"):
        if name in light.bands:
            near = 10 ** (0.2 * light.band(name) - 2)
            yield f"M_{name}", f"luminosity@{name}|parallax", light.band(name) + modulus
            yield f"abl_{name}", f"luminosity@{name}|parallax", parallax * near
            yield f"abl_{name}_error", f"luminosity@{name}|parallax", error * near
    from armillary.science.photometry.luminosity import luminosity

    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(np.isfinite(modulus), 1000 / np.maximum(parallax, 1e-9), np.nan)
        yield "log_l", "luminosity@parallax", np.log10(luminosity(_seds(light), distance).solar)


def _motion(light: _Light) -> Made:
    if "pmra" not in light.others or "pmdec" not in light.others:
        return
    speed = np.hypot(light.others["pmra"], light.others["pmdec"])
    for name in ("G", "Ks"):
        if name in light.bands:
            with np.errstate(divide="ignore"):
                reduced = light.band(name) + 5 * np.log10(speed) - 10
            yield f"H_{name}", f"motion@{name}|pm", reduced


def _crowding(light: _Light) -> Made:
    """Give C* in its scatter, and RUWE."""
    from armillary.science.photometry.excess import corrected_excess, excess_sigma

    factor, ruwe = (light.others.get(name) for name in ("phot_bp_rp_excess_factor", "ruwe"))
    if factor is not None and light.has(_GAIA):
        excess = corrected_excess(light.band("BP") - light.band("RP"), factor) / excess_sigma(light.band("G"))
        yield "c_star_sigma", "crowding@BP|G|RP", np.arcsinh(excess)
    if ruwe is not None:
        yield "log_ruwe", "crowding@ruwe", np.log10(np.maximum(ruwe, 0.1))


def _gaps(light: _Light) -> Made:
    for name in light.bands:
        yield f"no_{name}", f"gaps@{name}", np.isnan(light.band(name)).astype(float)


def _seds(light: _Light) -> "Seds":
    """Build energy distributions; of a magnitude whose error nobody gave the error is one of 5 %."""
    from armillary.science.photometry.seds import build

    errors = np.where(light.errors > 0, light.errors, 0.05)
    return build(light.magnitudes, errors, " ".join(light.bands))

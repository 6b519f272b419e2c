"""All about one source: its columns, its energy distribution with a fitted photosphere, what the distribution says."""

from typing import Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.model.kinds import column_unit
from armillary.model.ucds import ucd_of
from armillary.services.object_tables import ObjectTable, seds_of

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: Standard errors above the photosphere from which light counts as an excess.
EXCESS: Final = 3.0
#: Alpha from which an excess is that of a disc (Greene et al. 1994).
_DISC: Final = -1.6
_NEIGHBOURS: Final = 8
#: Arcseconds within which sources are near, and bands that two must share to be alike.
_REACH: Final = 120.0
_BANDS: Final = 4
_CURVE: Final = np.geomspace(0.3, 30.0, 120)
_FAR: Final = ("W3", "W4")


def tell_source(table: ObjectTable, row: int) -> Record:
    """Tell all about one row of a table, as JSON values.

    Returns
    -------
    dict
        ``id row ra dec columns`` (name, value, unit, ucd, about), ``sed`` (see :func:`sed_of`), what
        :func:`checks_of` says of it; ``near``: the nearest on the sky within 2 arcmin (id, arcsec); ``alike``: those of
        the most alike energy distribution (id, mean difference in mag); ``links`` to archives (title, href).
    """
    ra, dec = table.places()
    return {
        "id": table.ids([row])[0], "row": int(row), "ra": _plain(ra[row]), "dec": _plain(dec[row]),
        "columns": _columns(table, row), **_light(table, row),
        "near": _near(table, row), "links": _links(ra[row], dec[row]),
    }  # fmt: skip


def _light(table: ObjectTable, row: int) -> Record:
    """Give energy distribution, checks and alike sources; where the photometry cannot be, say why in ``note``."""
    try:
        checks = {name: _plain(one[0]) for name, one in checks_of(table, np.array([row])).items()}
        return {"sed": sed_of(table, row), **checks, "alike": _alike(table, row), "note": ""}
    except BadData as wrong:
        nothing: Record = {"bands": [], "photosphere": None}
        unknown: Record = {"alpha": None, "alpha_error": None, "lada": "", "check": "not measured", "alike": []}
        return {"sed": nothing, **unknown, "note": wrong.problem}


def sed_of(table: ObjectTable, row: int) -> Record:
    """Give the energy distribution of one row: bands with lambda F_lambda (W m-2), and the photosphere under it.

    The photosphere is a black body without dust, fitted to G to Ks; its curve has 120 points.
    """
    from armillary.science.photometry.photospheres import excess, fit_photosphere

    seds = seds_of(table, np.array([row]))
    body = fit_photosphere(seds)
    above = excess(seds, body)[0][0]
    bands = [
        {"name": band.name, "wavelength": float(seds.wavelength[at]), "power": _plain(seds.power[0, at]),
         "error": _plain(seds.power_error[0, at]), "limit": bool(seds.limit[0, at]), "excess": _plain(above[at])}
        for at, band in enumerate(seds.bands) if np.isfinite(seds.power[0, at])
    ]  # fmt: skip
    return {"bands": bands, "photosphere": _body(body)}


def checks_of(table: ObjectTable, rows: Array) -> dict[str, Array]:
    """Say what the energy distributions of some rows tell without any model: alpha, its error, Lada class, excess.

    ``check`` is ``infrared excess``, ``no infrared excess`` or ``not measured``: W3 or W4, 3 standard errors above the
    photosphere fitted to G to Ks, or alpha above -1.6.
    """
    from armillary.science.photometry.alpha import classes, index_fit
    from armillary.science.photometry.photospheres import excess, fit_photosphere

    index = index_fit(seds_of(table, rows, corrected=True))
    seds = seds_of(table, rows)
    above = excess(seds, fit_photosphere(seds))[0][:, [seds.column(one) for one in _FAR]]
    far = seds.measured[:, [seds.column(one) for one in _FAR]] & np.isfinite(above)
    with np.errstate(invalid="ignore"):
        shines = (far & (above > EXCESS)).any(axis=1) | (index.alpha > _DISC)
    check = np.where(shines, "infrared excess", np.where(far.any(axis=1), "no infrared excess", "not measured"))
    return {"alpha": index.alpha, "alpha_error": index.error, "lada": classes(index.alpha), "check": check}


def _body(body: Any) -> Record | None:
    from armillary.science.photometry.light import LIGHT, planck

    if not np.isfinite(body.teff[0]):
        return None
    f_lambda = np.pi * planck(_CURVE, body.teff[0]) * body.scale[0] * 1e-20 * LIGHT / _CURVE**2
    return {
        "teff": _plain(body.teff[0]), "teff_error": _plain(body.teff_error[0]), "a_v": _plain(body.a_v[0]),
        "chi2": _plain(body.chi2[0]), "wavelength": [round(float(one), 4) for one in _CURVE],
        "power": [float(f"{one:.5g}") for one in _CURVE * f_lambda],
    }  # fmt: skip


def _near(table: ObjectTable, row: int) -> list[Record]:
    ra, dec = (np.radians(one) for one in table.places())
    if not np.isfinite(ra[row] + dec[row]):
        return []
    half = np.sin((dec - dec[row]) / 2) ** 2 + np.cos(dec) * np.cos(dec[row]) * np.sin((ra - ra[row]) / 2) ** 2
    away = np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))) * 3600
    away[row] = np.nan
    order = [int(one) for one in np.argsort(away)[:_NEIGHBOURS] if away[one] <= _REACH]
    return [{"id": name, "arcsec": round(float(away[at]), 2)} for name, at in zip(table.ids(order), order, strict=True)]


def _alike(table: ObjectTable, row: int) -> list[Record]:
    """Compare colours: magnitudes less their mean, in the bands that both have, of which there are four or more."""
    from armillary.science.photometry.columns import light_of

    try:
        magnitudes, _, limits = light_of(table.data, table.columns)
    except BadData:  # of another row; this one is shown all the same
        return []
    known = np.where(limits, np.nan, magnitudes)
    both = np.isfinite(known) & np.isfinite(known[row])
    count = np.maximum(both.sum(axis=1), 1)
    shift = np.where(both, known - known[row], 0.0)
    mean = shift.sum(axis=1) / count
    away = np.sqrt(np.where(both, (shift - mean[:, None]) ** 2, 0.0).sum(axis=1) / count)
    away = np.where(both.sum(axis=1) >= min(_BANDS, int(np.isfinite(known[row]).sum()) or 99), away, np.nan)
    away[row] = np.nan
    order = [int(one) for one in np.argsort(away)[:_NEIGHBOURS] if np.isfinite(away[one])]
    return [{"id": name, "mag": round(float(away[at]), 4)} for name, at in zip(table.ids(order), order, strict=True)]


def _links(ra: float, dec: float) -> list[Record]:
    """Give where archives tell about this place; nothing is asked of them here."""
    if not np.isfinite(ra + dec):
        return []
    place = f"{ra:.6f}{dec:+.6f}".replace("+", "%2B")
    return [
        {
            "title": "SIMBAD",
            "href": f"https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={place}&Radius=5&Radius.unit=arcsec",
        },
        {"title": "VizieR", "href": f"https://vizier.cds.unistra.fr/viz-bin/VizieR-4?-c={place}&-c.rs=5"},
        {"title": "Aladin Lite", "href": f"https://aladin.cds.unistra.fr/AladinLite/?target={place}&fov=0.1"},
    ]


def _columns(table: ObjectTable, row: int) -> list[Record]:
    told = []
    for one in table.data.schema:
        said = {key.decode(): value.decode() for key, value in (one.metadata or {}).items()}
        value = table.data.column(one.name)[row].as_py()
        told.append({
            "name": one.name, "value": str(value) if one.name == table.identity else _plain(value),
            "unit": column_unit(one), "ucd": said.get("ucd") or ucd_of(one.name), "about": said.get("description", ""),
        })  # fmt: skip
    return told


def _plain(value: Any) -> Any:
    """Give a value that JSON can write; None for what is not finite."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, bool | int | str) or value is None else str(value)

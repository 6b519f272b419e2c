"""Spectral energy distributions of every table of sources with magnitudes, and colours."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.missions.gaia.tables import (
    A_V,
    COLUMNS,
    LAW,
    TWO_BANDS,
    flags,
    identity_of,
    numbers,
    table_of,
)
from armillary.model import Parameter, recipe
from armillary.science.photometry.bands import TABLE_VERSION
from armillary.science.photometry.columns import Columns, find_columns, seds_of
from armillary.science.photometry.distance import invert
from armillary.science.photometry.extinction import deredden, extinction
from armillary.science.photometry.seds import Seds
from armillary.science.plasma import Array

if TYPE_CHECKING:
    import pyarrow as pa

_QUANTITIES: Final = {
    "power": ("W m-2", "lambda F_lambda", "phot.flux"),
    "f_nu": ("Jy", "F_nu", "phot.flux.density"),
    "f_lambda": ("W m-2 um-1", "F_lambda", "phot.flux.density"),
}
_COLOURS: Final = (
    ("BP", "RP"), ("G", "RP"), ("G", "J"), ("J", "H"), ("H", "Ks"), ("J", "Ks"), ("Ks", "W1"), ("W1", "W2"),
    ("W2", "W3"), ("W3", "W4"), ("Ks", "W4"),
)  # fmt: skip
#: Bands of which an absolute magnitude is given.
_ABSOLUTE: Final = ("G", "Ks", "W1")
CORRECTION: Final = Parameter(
    name="colour_correction", type="str", default="none", choices=("none", "table", "interpolated"),
    description="of WISE bands, by their colours: the flux at the reference wavelength instead of the mean of the band",
)  # fmt: skip


@recipe(
    "{input}/sed",
    inputs={"table": TWO_BANDS},
    title="Energy distributions of {title}",
    kind="sources",
    parameters=(
        Parameter(name="quantity", type="str", default="power", choices=tuple(_QUANTITIES),
                  description="power is lambda F_lambda (W m-2), f_nu Jy, f_lambda W m-2 um-1"),
        CORRECTION,
        Parameter(name="w4_red", type="str", default="none", choices=("none", "brown", "supplement"),
                  description="what is done about red sources in W4"),
        Parameter(name="floors", type="bool", default=False,
                  description="add the error of each band's absolute calibration"),
        A_V, LAW, COLUMNS,
    ),
    block="row",
)  # fmt: skip
def sed(
    table: "pa.Table", quantity: str, colour_correction: Any, w4_red: Any, floors: bool, a_v: float, law: Any,
    columns: str,
) -> "pa.Table":  # fmt: skip
    """Fluxes of up to ten bands (G BP RP J H Ks W1 W2 W3 W4) with errors; upper limits are flagged."""
    found = find_columns(table, columns)
    seds = seds_of(table, found, colour_correction=colour_correction, w4_red=w4_red, floors=floors)
    seds = deredden(seds, a_v, name=law) if a_v else seds
    unit, symbol, ucd = _QUANTITIES[quantity]
    made = identity_of(table)
    for band in found.bands:
        at, small = seds.column(band.name), band.name.lower()
        flux, error = getattr(seds, quantity)[:, at], getattr(seds, f"{quantity}_error")[:, at]
        about = f"{symbol} in {band.name} at {seds.wavelength[at]:.5g} um"
        made.append(numbers(f"{small}_flux", flux, unit, about, ucd))
        made.append(numbers(f"{small}_flux_error", error, unit, f"Error of {small}_flux", f"stat.error;{ucd}"))
        made.append(flags(f"{small}_limit", seds.limit[:, at], f"Whether {small}_flux is an upper limit"))
    return table_of(made, _about(seds, found) | {"quantity": quantity, "a_v": a_v})


@recipe(
    "{input}/colours",
    inputs={"table": TWO_BANDS},
    title="Colours and absolute magnitudes of {title}",
    kind="sources",
    parameters=(
        Parameter(name="least", type="float", default=5.0, low=3.0, high=100.0,
                  description="parallax over error that an absolute magnitude needs"),
        A_V, LAW, COLUMNS,
    ),
    block="row",
)  # fmt: skip
def colours(table: "pa.Table", least: float, a_v: float, law: Any, columns: str) -> "pa.Table":
    """Colours with errors, and absolute magnitudes in G, Ks and W1 from good parallaxes; limits have none."""
    found = find_columns(table, columns)
    seds = seds_of(table, found)
    names = [band.name for band in seds.bands]
    light = np.array([band.zero_point for band in seds.bands])
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(seds.measured, -2.5 * np.log10(seds.f_nu / light), np.nan)
        errors = 2.5 / np.log(10) * seds.f_nu_error / seds.f_nu
    values = values - a_v * extinction(seds.bands, law)
    made = identity_of(table)
    for blue, red in _COLOURS:
        if found.has(blue, red):
            one, other = names.index(blue), names.index(red)
            name, difference = f"{blue}_{red}".lower(), values[:, one] - values[:, other]
            error = np.where(np.isnan(difference), np.nan, np.hypot(errors[:, one], errors[:, other]))
            made.append(numbers(name, difference, "mag", f"{blue} - {red}", "phot.color"))
            made.append(numbers(f"{name}_error", error, "mag", f"Error of {name}", "stat.error;phot.color"))
    made += _absolute(table, found, values, names, least)
    return table_of(made, {"a_v": a_v, "columns": dict(found.names)})


RECIPES: Final = (sed, colours)


def _about(seds: Seds, found: Columns) -> dict[str, Any]:
    return {
        "bands": [band.name for band in found.bands],
        "wavelengths_um": [round(float(seds.wavelength[seds.column(band.name)]), 6) for band in found.bands],
        "band_table": TABLE_VERSION,
        "columns": dict(found.names),
    }


def _absolute(table: "pa.Table", found: Columns, values: Array, names: list[str], least: float) -> list[Any]:
    if not found.has("parallax", "parallax_error"):
        return []
    parallax, error = (found.values(table, one) for one in ("parallax", "parallax_error"))
    modulus = 5 * np.log10(invert(parallax, error, least=least).pc) - 5
    return [
        numbers(f"{name.lower()}_absolute", values[:, names.index(name)] - modulus, "mag",
                f"Absolute magnitude in {name}", "phys.magAbs")
        for name in _ABSOLUTE
        if found.has(name)
    ]  # fmt: skip

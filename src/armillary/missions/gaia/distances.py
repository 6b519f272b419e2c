"""Distances from parallaxes or from the columns of Bailer-Jones, and luminosities."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.missions.gaia.tables import A_V, COLUMNS, LAW, identity_of, numbers, table_of, tables_with
from armillary.model import Parameter, recipe
from armillary.model.recipe import Fits
from armillary.science.photometry.columns import NAMES, Columns, find_columns, seds_of
from armillary.science.photometry.distance import Distance, bailer_jones, combined, invert, parallax_zero_point
from armillary.science.photometry.extinction import deredden
from armillary.science.photometry.luminosity import bolometric, luminosity

if TYPE_CHECKING:
    import pyarrow as pa

CITATION: Final = (
    "Lindegren et al. (2021), doi:10.1051/0004-6361/202039653; Bailer-Jones et al. (2021), doi:10.3847/1538-3881/abd806"
)
_ZERO_POINT: Final = ("G", "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat", "astrometric_params_solved")
_KINDS: Final = ("photogeo", "geo")
BY: Final = Parameter(
    name="distance", type="str", default="auto", choices=("auto", "parallax", *_KINDS),
    description="photogeo and geo are the columns of Bailer-Jones; auto takes the first of them that is there, and "
    "parallaxes where there is none",
)  # fmt: skip
LEAST: Final = Parameter(
    name="least", type="float", default=5.0, low=3.0, high=100.0, description="parallax over error that is inverted"
)
OUTSIDE: Final = Parameter(
    name="most_outside",
    type="float",
    default=0.7,
    low=0.0,
    high=1.0,
    description="no flux and no luminosity where a larger share of it lies beyond the measured bands",
)
_ANY: Final = tuple(NAMES["parallax"]) + tuple(name for kind in _KINDS for name in NAMES[f"r_med_{kind}"])


@recipe(
    "{input}/luminosity",
    inputs={"table": Fits(kinds=("sources",), columns=(*tables_with("G BP J W1", "RP H Ks W2").columns, _ANY))},
    title="Distances and luminosities of {title}",
    kind="sources",
    parameters=(
        BY, LEAST,
        Parameter(name="zero_point", type="bool", default=True,
                  description="take out the zero point of Gaia DR3 parallaxes where its columns are there"),
        OUTSIDE, A_V, LAW, COLUMNS,
    ),
    block="row",
    citation=CITATION,
)  # fmt: skip
def luminosities(
    table: "pa.Table",
    distance: str,
    least: float,
    zero_point: bool,
    most_outside: float,
    a_v: float,
    law: Any,
    columns: str,
) -> "pa.Table":
    """Distance with its interval of 68 %, bolometric flux and luminosity, and how much of it no band saw."""
    found = find_columns(table, columns)
    far = distances(table, found, distance, least, zero_point=zero_point)
    seds = seds_of(table, found)
    seds = deredden(seds, a_v, name=law) if a_v else seds
    total = bolometric(seds)
    light = luminosity(seds, far.pc, (far.high - far.low) / 2, total=total)
    seen = np.where(total.outside <= most_outside, 1.0, np.nan)
    made = [
        *identity_of(table),
        numbers("distance", far.pc, "pc", "Distance", "pos.distance"),
        numbers("distance_low", far.low, "pc", "Lower end of the interval of 68 %", "pos.distance;stat.min"),
        numbers("distance_high", far.high, "pc", "Upper end of the interval of 68 %", "pos.distance;stat.max"),
        numbers("bolometric_flux", total.flux * seen, "W m-2", "Flux over all wavelengths", "phot.flux.bol"),
        numbers("bolometric_flux_error", total.error * seen, "W m-2", "Error of bolometric_flux",
                "stat.error;phot.flux.bol"),
        numbers("luminosity", light.solar * seen, "solLum", "Luminosity if it shines alike in all directions",
                "phys.luminosity"),
        numbers("luminosity_error", light.error * seen, "solLum", "Error of luminosity", "stat.error;phys.luminosity"),
        numbers("outside", light.outside, "", "Share of the flux at wavelengths beyond the measured bands"),
    ]  # fmt: skip
    told = {"distance": distance, "parallax_zero_point": _zero_point_told(found, on=zero_point)}
    return table_of(made, {**told, "a_v": a_v, "columns": dict(found.names)})


RECIPES: Final = (luminosities,)


def distances(table: "pa.Table", found: Columns, by: str, least: float, *, zero_point: bool) -> Distance:
    """Give distances in the way that is asked for.

    Raises
    ------
    BadParameter
        If the columns for it are missing.
    """
    ways = [by] if by != "auto" else [*_KINDS, "parallax"]
    able = [way for way in ways if found.has(*_needed(way))]
    if not able:
        raise BadParameter(f"there are no columns for distances by {by}", f"name them by columns: {_needed(ways[-1])}")
    first, *rest = [_by(table, found, way, least, zero_point=zero_point) for way in able]
    for other in rest:
        first = combined(first, other)
    return first


def _zero_point_told(found: Columns, *, on: bool) -> str:
    lost = [one for one in _ZERO_POINT if not found.has(one)]
    if not on or not found.has("parallax"):
        return "not asked for" if not on else "no parallax"
    return f"not taken out: there is no column for {', '.join(lost)}" if lost else "taken out (Lindegren et al. 2021)"


def _needed(way: str) -> tuple[str, ...]:
    if way == "parallax":
        return ("parallax", "parallax_error")
    return tuple(f"r_{end}_{way}" for end in ("med", "lo", "hi"))


def _by(table: "pa.Table", found: Columns, way: str, least: float, *, zero_point: bool) -> Distance:
    values = [found.values(table, one) for one in _needed(way)]
    if way != "parallax":
        return bailer_jones(values[0], values[1], values[2])
    zero = np.zeros(len(values[0]))
    if zero_point and found.has(*_ZERO_POINT):
        zero = parallax_zero_point(*(found.values(table, one) for one in _ZERO_POINT))
    return invert(values[0], values[1], zero, least=least)

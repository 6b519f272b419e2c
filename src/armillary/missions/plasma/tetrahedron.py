"""Four spacecraft as one instrument: MMS and Cluster."""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.missions.plasma.canonical import XYZ
from armillary.missions.plasma.generic.reading import at_times, series, vector_of
from armillary.model import Recipe

if TYPE_CHECKING:
    import xarray as xr

_CRAFT: Final = "1234"
CITATION: Final = (
    "Dunlop et al. (1988), Adv. Space Res. 8, 273, doi:10.1016/0273-1177(88)90141-X; "
    "Chanteur (1998), ISSI Sci. Rep. SR-001, ch. 14"
)


def curlometer_recipe(output: str, field: str, place: str, title: str, citation: str) -> Recipe:
    """Make the recipe of the current between four spacecraft.

    Parameters
    ----------
    output : str
        Path of the product.
    field, place : str
        Paths of field and position in GSE, nT and km, with ``#`` for the spacecraft's number.
    """
    fields = {f"b{n}": field.replace("#", n) for n in _CRAFT}
    places = {f"r{n}": place.replace("#", n) for n in _CRAFT}
    return Recipe(
        output=output, inputs=fields | places, function=current_density, title=title, kind="series", units="nA/m^2",
        shape=(3,), block="time", pad=65.0, citation=f"{CITATION}; {citation}",
        description=current_density.__doc__ or "",
    )  # fmt: skip


def current_density(
    b1: "xr.Dataset", b2: "xr.Dataset", b3: "xr.Dataset", b4: "xr.Dataset",
    r1: "xr.Dataset", r2: "xr.Dataset", r3: "xr.Dataset", r4: "xr.Dataset",
) -> "xr.Dataset":  # fmt: skip
    """Give the current inside the tetrahedron, GSE, on the times of craft 1; ``quality`` is ``|div B| / |curl B|``.

    The other three fields and all positions are brought to these times by straight lines; what the lines miss of the
    orbits is the same for all four within metres.
    """
    from armillary.science.fields.multipoint import curlometer

    time = b1["time"].to_numpy()
    field = np.stack([vector_of(b1), *(at_times(one, time) for one in (b2, b3, b4))], 1)
    place = np.stack([at_times(one, time) for one in (r1, r2, r3, r4)], 1)
    found = curlometer(place, field)
    return series(b1, {
        "current": (("time", "component"), found.current, _told("Current density, GSE", "j", "nA/m^2", frame="GSE")),
        "divergence": (("time",), found.divergence, _told("Divergence of B", "div B", "nT/km")),
        "quality": (("time",), found.quality, _told("|div B| / |curl B|", "quality", "")),
        "field": (("time", "component"), found.field, _told("Mean field, GSE", "B", "nT", frame="GSE")),
    }, component=list(XYZ))  # fmt: skip


def _told(title: str, label: str, units: str, frame: str = "") -> dict[str, str]:
    attrs = {"units": units, "long_name": title, "LABLAXIS": label, "DISPLAY_TYPE": "time_series"}
    return attrs | ({"COORDINATE_SYSTEM": frame, "LABL_PTR_1": "component"} if frame else {})

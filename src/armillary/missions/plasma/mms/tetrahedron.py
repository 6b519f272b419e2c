"""The four spacecraft as one instrument."""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.missions.plasma.canonical import XYZ
from armillary.missions.plasma.generic.reading import at_times, series, vector_of
from armillary.missions.plasma.mms.fields import FGM_CITATION
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

_CRAFT: Final = "1234"
CITATION: Final = (
    "Dunlop et al. (1988), Adv. Space Res. 8, 273, doi:10.1016/0273-1177(88)90141-X; "
    "Chanteur (1998), ISSI Sci. Rep. SR-001, ch. 14"
)


@recipe(
    "mms/curlometer/{rate}",
    inputs={f"b{n}": f"mms/mms{n}/fgm/{{rate}}/b_gse" for n in _CRAFT}
    | {f"r{n}": f"mms/mms{n}/mec/r_gse" for n in _CRAFT},
    title="MMS current density from the curl of B ({rate})",
    kind="series",
    units="nA/m^2",
    shape=(3,),
    block="time",
    pad=65.0,
    citation=f"{CITATION}; {FGM_CITATION}",
)
def curlometer(
    b1: "xr.Dataset", b2: "xr.Dataset", b3: "xr.Dataset", b4: "xr.Dataset",
    r1: "xr.Dataset", r2: "xr.Dataset", r3: "xr.Dataset", r4: "xr.Dataset",
) -> "xr.Dataset":  # fmt: skip
    """Give the current inside the tetrahedron, GSE, on the times of MMS1; ``quality`` is ``|div B| / |curl B|``.

    The other three fields and all positions (30 s) are brought to these times by straight lines; what the lines miss of
    the orbits is the same for all four within metres.
    """
    from armillary.science.fields.multipoint import curlometer as current_of

    time = b1["time"].to_numpy()
    field = np.stack([vector_of(b1), *(at_times(one, time) for one in (b2, b3, b4))], 1)
    place = np.stack([at_times(one, time) for one in (r1, r2, r3, r4)], 1)
    found = current_of(place, field)
    return series(b1, {
        "current": (("time", "component"), found.current, _told("Current density, GSE", "j", "nA/m^2", frame="GSE")),
        "divergence": (("time",), found.divergence, _told("Divergence of B", "div B", "nT/km")),
        "quality": (("time",), found.quality, _told("|div B| / |curl B|", "quality", "")),
        "field": (("time", "component"), found.field, _told("Mean field, GSE", "B", "nT", frame="GSE")),
    }, component=list(XYZ))  # fmt: skip


def _told(title: str, label: str, units: str, frame: str = "") -> dict[str, str]:
    attrs = {"units": units, "long_name": title, "LABLAXIS": label, "DISPLAY_TYPE": "time_series"}
    return attrs | ({"COORDINATE_SYSTEM": frame, "LABL_PTR_1": "component"} if frame else {})


RECIPES: Final = (curlometer,)

"""The hourly OMNI 2: ``OMNI2_H0_MRG1HR``, whose variables end in 1800 because their time is the half hour."""

from typing import TYPE_CHECKING, Final

from armillary.missions.plasma.canonical import composed_recipe, scalar_recipe
from armillary.missions.plasma.generic.reading import main_of, series
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

CITATION: Final = "King and Papitashvili (2005), J. Geophys. Res. 110, A02104, doi:10.1029/2004JA010649"
_H0: Final = "**/OMNI2_H0_MRG1HR"


@recipe(
    "omni/hourly/kp",
    inputs={"raw": f"{_H0}/KP1800"},
    title="Kp index (hourly)",
    kind="series",
    units="1",
    block="time",
    citation=CITATION,
)
def kp(raw: "xr.Dataset") -> "xr.Dataset":
    """Kp from 0 to 9 in thirds; OMNI writes ten times that, rounded (3, 7, 10, 13, ... for 0+, 1-, 1, 1+)."""
    values = main_of(raw, 0).to_numpy().astype(float) / 10
    return series(
        raw, {"kp": (("time",), (values * 3).round() / 3, {"units": "1", "long_name": "Kp", "LABLAXIS": "Kp"})}
    )


RECIPES: Final = (
    kp,
    composed_recipe("omni/hourly/b_gse", (f"{_H0}/BX_GSE1800", f"{_H0}/BY_GSE1800", f"{_H0}/BZ_GSE1800"),
                    "OMNI magnetic field, GSE (hourly)", "nT", frame="GSE", citation=CITATION),
    composed_recipe("omni/hourly/b_gsm", (f"{_H0}/BX_GSE1800", f"{_H0}/BY_GSM1800", f"{_H0}/BZ_GSM1800"),
                    "OMNI magnetic field, GSM (hourly)", "nT", frame="GSM", citation=CITATION),
    scalar_recipe("omni/hourly/density", f"{_H0}/N1800", "OMNI ion density (hourly)", "cm^-3", label="n",
                  citation=CITATION),
    scalar_recipe("omni/hourly/speed", f"{_H0}/V1800", "OMNI flow speed (hourly)", "km/s", label="V",
                  citation=CITATION),
    scalar_recipe("omni/hourly/temperature", f"{_H0}/T1800", "OMNI proton temperature (hourly)", "eV", label="T",
                  silent="K", citation=CITATION),
    scalar_recipe("omni/hourly/pressure", f"{_H0}/Pressure1800", "OMNI flow pressure (hourly)", "nPa", label="P",
                  citation=CITATION),
    scalar_recipe("omni/hourly/dst", f"{_H0}/DST1800", "Dst index (hourly)", "nT", label="Dst", citation=CITATION),
    scalar_recipe("omni/hourly/ae", f"{_H0}/AE1800", "AE index (hourly)", "nT", label="AE", citation=CITATION),
)  # fmt: skip

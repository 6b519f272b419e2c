"""Moments of ions from the 3-D plasma analyser 3DP.

WI_PLSP_3DP (PESA low, protons "P" and alphas "A") tells in ``MOM.P.*``: DENSITY, VELOCITY (km/s, GSE), PTENS (pressure,
eV cm^-3, ``xx yy zz xy xz yz`` in GSE), MAGF (nT, GSE), AVGTEMP (eV), MAGT3 (temperatures turned to the field, the last
one along it), T3 (eigenvalues of P/n) with their symmetry axis SYMM, and VALID (0 where they are not). Its files say no
units and no frame. WI_PM_3DP has the moments made on board each spin.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.missions.plasma.canonical import (
    in_units,
    same_times,
    scalar_recipe,
    symmetric,
    tensor_recipe,
    vector_recipe,
)
from armillary.missions.plasma.generic.reading import main_of, scalar_of, series, vector_of
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

CITATION: Final = "Lin et al. (1995), Space Sci. Rev. 71, 125, doi:10.1007/BF00751328"
_PLSP: Final = "**/wi_plsp_3dp"
_MOM: Final = f"{_PLSP}/MOM.{{species}}"
_OUT: Final = "wind/3dp/{species}"
_PM: Final = "**/wi_pm_3dp/{species}"
_SPIN: Final = "wind/3dp/{species}_spin"


@recipe(
    f"{_OUT}/temperature_along_field",
    inputs={
        "pressure": f"{_MOM}.PTENS",
        "density": f"{_MOM}.DENSITY",
        "field": f"{_MOM}.MAGF",
        "valid": f"{_MOM}.VALID",
    },
    optional=("valid",),
    title="3DP {species}: temperatures along and across the field",
    kind="series",
    units="eV",
    block="time",
    citation=CITATION,
)
def temperature_along_field(
    pressure: "xr.Dataset", density: "xr.Dataset", field: "xr.Dataset", valid: "xr.Dataset | None"
) -> "xr.Dataset":
    """``b.P.b / n`` and half of the rest of the trace, NaN where the instrument's team calls the moments invalid."""
    same_times(pressure, density, field, valid)
    matrices = symmetric(main_of(pressure, 1).to_numpy().astype(float))
    b = vector_of(field)
    n = scalar_of(density)
    good = (n > 0) & (np.linalg.norm(b, axis=1) > 0)
    if valid is not None:
        good &= scalar_of(valid) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        b = b / np.linalg.norm(b, axis=1, keepdims=True)
        along = np.where(good, np.einsum("ti,tij,tj->t", b, matrices, b) / n, np.nan)
        across = np.where(good, (np.einsum("tii->t", matrices) / n - along) / 2, np.nan)
    both = np.stack([along, across], 1)
    attrs = {"units": "eV", "long_name": "Temperature along and across the field", "LABLAXIS": "T",
             "LABL_PTR_1": "part"}  # fmt: skip
    return series(pressure, {"temperature": (("time", "part"), both, attrs)}, part=["along", "across"])


@recipe(
    f"{_OUT}/valid",
    inputs={"raw": f"{_MOM}.VALID"},
    title="3DP {species}: 1 where the moments are valid",
    kind="series",
    units="1",
    block="time",
    citation=CITATION,
)
def valid(raw: "xr.Dataset") -> "xr.Dataset":
    """Give the flag of the instrument's team."""
    values = in_units(main_of(raw, 0).to_numpy(), "", "1")
    return series(raw, {"valid": (("time",), values, {"units": "1", "long_name": "Moments are valid"})})


RECIPES: Final = (
    temperature_along_field,
    valid,
    scalar_recipe(f"{_OUT}/density", f"{_MOM}.DENSITY", "3DP {species}: density", "cm^-3", label="n",
                  citation=CITATION),
    scalar_recipe(f"{_OUT}/temperature", f"{_MOM}.AVGTEMP", "3DP {species}: temperature", "eV", label="T",
                  citation=CITATION),
    vector_recipe(f"{_OUT}/velocity_gse", f"{_MOM}.VELOCITY", "3DP {species}: velocity, GSE", "km/s", frame="GSE",
                  citation=CITATION),
    vector_recipe(f"{_OUT}/b_gse", f"{_MOM}.MAGF", "Magnetic field at 3DP ({species}), GSE", "nT", frame="GSE",
                  citation=CITATION),
    tensor_recipe(f"{_OUT}/pressure_gse", f"{_MOM}.PTENS", "3DP {species}: pressure tensor, GSE", "nPa", frame="GSE",
                  silent="eV/cm^3", citation=CITATION),
    scalar_recipe(f"{_SPIN}/density", f"{_PM}_DENS", "3DP {species} each spin: density", "cm^-3", label="n",
                  citation=CITATION),
    scalar_recipe(f"{_SPIN}/temperature", f"{_PM}_TEMP", "3DP {species} each spin: temperature", "eV", label="T",
                  citation=CITATION),
    vector_recipe(f"{_SPIN}/velocity_gse", f"{_PM}_VELS", "3DP {species} each spin: velocity, GSE", "km/s",
                  frame="GSE", citation=CITATION),
)  # fmt: skip

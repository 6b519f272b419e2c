"""Moments and spectra of PAS as its team gives them: made on ground (level 2) and on board (level 1)."""

from typing import TYPE_CHECKING, Final

from armillary.missions.plasma.canonical import RTN, in_units, scalar_recipe, tensor_recipe, vector_recipe
from armillary.missions.plasma.energy_axes import energies_of, spectrum
from armillary.missions.plasma.generic.reading import main_of
from armillary.missions.plasma.solo.pas import CITATION
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

_GROUND: Final = "**/solo_L2_swa-pas-grnd-mom"
_BOARD: Final = "**/solo_L1_swa-pas-mom"
_SRF: Final = "SOLO_SRF"


@recipe(
    "solo/pas/energy_flux",
    inputs={"raw": "**/solo_L2_swa-pas-eflux/eflux"},
    title="PAS ions: energy flux",
    kind="spectrogram",
    units="eV/(cm^2 s sr eV)",
    block="time",
    citation=CITATION,
)
def energy_flux(raw: "xr.Dataset") -> "xr.Dataset":
    """Omnidirectional differential energy flux of ions, as the PAS team gives it, energies rising."""
    main = main_of(raw, 1)
    units = "eV/(cm^2 s sr eV)"
    values = in_units(main.to_numpy(), str(main.attrs["units"]), units, "eflux")
    return spectrum(raw, values, energies_of(raw, main, 1), "energy_flux", units, "Ion energy flux")


RECIPES: Final = (
    energy_flux,
    scalar_recipe("solo/pas/density", f"{_GROUND}/N", "PAS ions: density", "cm^-3", label="n", citation=CITATION),
    scalar_recipe("solo/pas/temperature", f"{_GROUND}/T", "PAS ions: temperature", "eV", label="T", citation=CITATION),
    scalar_recipe(
        "solo/pas/quality_factor", f"{_GROUND}/quality_factor", "PAS ions: quality factor, good below 0.2", "1",
        label="quality", citation=CITATION,
    ),
    vector_recipe(
        "solo/pas/velocity_rtn", f"{_GROUND}/V_RTN", "PAS ions: velocity in RTN", "km/s", frame="RTN", labels=RTN,
        citation=CITATION,
    ),
    vector_recipe(
        "solo/pas/velocity_srf", f"{_GROUND}/V_SRF", "PAS ions: velocity in the spacecraft's frame", "km/s",
        frame=_SRF, citation=CITATION,
    ),
    vector_recipe(
        "solo/pas/spacecraft_velocity_rtn", f"{_GROUND}/V_SOLO_RTN", "Velocity of Solar Orbiter in RTN", "km/s",
        frame="RTN", labels=RTN, citation=CITATION,
    ),
    tensor_recipe(
        "solo/pas/pressure_rtn", f"{_GROUND}/P_RTN", "PAS ions: pressure tensor in RTN", "nPa", frame="RTN",
        labels=RTN, silent="J/cm^3", citation=CITATION,
    ),
    tensor_recipe(
        "solo/pas/pressure_srf", f"{_GROUND}/P_SRF", "PAS ions: pressure tensor in the spacecraft's frame", "nPa",
        frame=_SRF, silent="J/cm^3", citation=CITATION,
    ),
    scalar_recipe(
        "solo/pas/onboard/density", f"{_BOARD}/density", "PAS on board: density", "cm^-3", label="n", citation=CITATION,
    ),
    scalar_recipe(
        "solo/pas/onboard/temperature", f"{_BOARD}/temperature", "PAS on board: temperature", "eV", label="T",
        citation=CITATION,
    ),
    vector_recipe(
        "solo/pas/onboard/velocity", f"{_BOARD}/velocity", "PAS on board: velocity in the instrument's frame", "km/s",
        frame="SOLO_SWA_PAS", citation=CITATION,
    ),
    tensor_recipe(
        "solo/pas/onboard/pressure", f"{_BOARD}/pressure", "PAS on board: pressure tensor in the instrument's frame",
        "nPa", frame="SOLO_SWA_PAS", citation=CITATION,
    ),
)  # fmt: skip

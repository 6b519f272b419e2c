"""Moments and spectra of SPAN-i as its team gives them (level 3), of protons (sf00, af00) and alphas (sf0a)."""

from typing import TYPE_CHECKING, Final

from armillary.missions.plasma.canonical import RTN, in_units, scalar_recipe, tensor_recipe, vector_recipe
from armillary.missions.plasma.energy_axes import energies_of, spectrum
from armillary.missions.plasma.generic.reading import main_of
from armillary.missions.plasma.psp.spani import CITATION, FRAME
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

_MOM: Final = "**/psp_swp_spi_{product}_L3_mom"
_OUT: Final = "psp/spi/{product}"
_FLUX: Final = "eV/(cm^2 s sr eV)"


@recipe(
    f"{_OUT}/energy_flux",
    inputs={"raw": f"{_MOM}/EFLUX_VS_ENERGY", "energies": f"{_MOM}/ENERGY_VALS"},
    optional=("energies",),
    title="SPAN-i {product}: energy flux",
    kind="spectrogram",
    units=_FLUX,
    block="time",
    citation=CITATION,
)
def energy_flux(raw: "xr.Dataset", energies: "xr.Dataset | None") -> "xr.Dataset":
    """Differential energy flux summed over the directions in view, as the SPAN-i team gives it, energies rising."""
    main = main_of(raw, 1)
    values = in_units(main.to_numpy(), str(main.attrs["units"]), _FLUX, str(main.name))
    return spectrum(raw, values, energies_of(raw, main, 1, energies), "energy_flux", _FLUX, "Energy flux")


RECIPES: Final = (
    energy_flux,
    scalar_recipe(f"{_OUT}/density", f"{_MOM}/DENS", "SPAN-i {product}: density, of the part in view", "cm^-3",
                  label="n", citation=CITATION),
    scalar_recipe(f"{_OUT}/temperature", f"{_MOM}/TEMP", "SPAN-i {product}: temperature", "eV", label="T",
                  citation=CITATION),
    vector_recipe(f"{_OUT}/velocity_rtn", f"{_MOM}/VEL_RTN_SUN", "SPAN-i {product}: velocity in RTN seen from the Sun",
                  "km/s", frame="RTN", labels=RTN, citation=CITATION),
    vector_recipe(f"{_OUT}/velocity_sc", f"{_MOM}/VEL_SC", "SPAN-i {product}: velocity in the spacecraft's frame",
                  "km/s", frame="PSP_SC", citation=CITATION),
    vector_recipe(f"{_OUT}/velocity_inst", f"{_MOM}/VEL_INST", "SPAN-i {product}: velocity in the instrument's frame",
                  "km/s", frame=FRAME, citation=CITATION),
    vector_recipe(f"{_OUT}/b_sc", f"{_MOM}/MAGF_SC", "Magnetic field at SPAN-i ({product}) in the spacecraft's frame",
                  "nT", frame="PSP_SC", citation=CITATION),
    vector_recipe(f"{_OUT}/b_inst", f"{_MOM}/MAGF_INST", "Magnetic field at SPAN-i ({product}) in its frame", "nT",
                  frame=FRAME, citation=CITATION),
    tensor_recipe(f"{_OUT}/temperature_tensor", f"{_MOM}/T_TENSOR_INST",
                  "SPAN-i {product}: temperature tensor in its frame", "eV", frame=FRAME, citation=CITATION),
)  # fmt: skip

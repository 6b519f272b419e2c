"""Wind: the magnetic field of MFI, the plasma of 3DP."""

from typing import Final

from armillary.missions.plasma.wind import mfi, threedp_moments, threedp_spectra
from armillary.model import Mission

MISSION: Final = Mission(
    name="wind",
    title="Wind",
    description="The magnetic field of MFI; moments, spectra and pitch-angle distributions of the 3-D plasma analyser; "
    "from CDAWeb (WI_*_MFI, WI_*_3DP).",
    recipes=(*mfi.RECIPES, *threedp_moments.RECIPES, *threedp_spectra.RECIPES),
    citations=(
        mfi.CITATION,
        threedp_moments.CITATION,
        "Wilson et al. (2021), Rev. Geophys. 59, e2020RG000714, doi:10.1029/2020RG000714",
    ),
)

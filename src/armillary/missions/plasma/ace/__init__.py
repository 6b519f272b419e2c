"""ACE: the magnetic field of MAG, the solar wind of SWEPAM, energetic particles of EPAM."""

from typing import Final

from armillary.missions.plasma.ace import epam, mag, swepam
from armillary.model import Mission

MISSION: Final = Mission(
    name="ace",
    title="ACE",
    description="Magnetic field, solar wind and energetic particles at L1; from CDAWeb (AC_*_MFI, AC_*_SWE, EPM).",
    recipes=(*mag.RECIPES, *swepam.RECIPES, *epam.RECIPES),
    citations=(
        "Stone et al. (1998), Space Sci. Rev. 86, 1, doi:10.1023/A:1005082526237",
        mag.CITATION,
        swepam.CITATION,
        epam.CITATION,
    ),
)

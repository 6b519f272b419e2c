"""Solar Orbiter: SWA-PAS, MAG and EPD-EPT."""

from typing import Final

from armillary.missions.plasma.solo import ept, mag, pas, pas_moments
from armillary.model import Mission

MISSION: Final = Mission(
    name="solo",
    title="Solar Orbiter",
    description="Ion distributions and moments of SWA-PAS, the magnetic field of MAG, energetic particles of EPD-EPT; "
    "from ESA's archive or CDAWeb (SOLO_L2_*).",
    recipes=(*pas.RECIPES, *pas_moments.RECIPES, *mag.RECIPES, *ept.RECIPES),
    citations=(
        "Müller et al. (2020), Astron. Astrophys. 642, A1, doi:10.1051/0004-6361/202038467",
        pas.CITATION,
        mag.CITATION,
        ept.CITATION,
    ),
)

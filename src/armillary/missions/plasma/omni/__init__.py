"""OMNI: the solar wind at the nose of the bow shock, and geomagnetic indices."""

from typing import Final

from armillary.missions.plasma.omni import high_resolution, hourly
from armillary.model import Mission

MISSION: Final = Mission(
    name="omni",
    title="OMNI",
    description="Solar wind magnetic field and plasma shifted to the Earth's bow shock, and indices; from CDAWeb "
    "(OMNI_HRO_*, OMNI_HRO2_*, OMNI2_H0_MRG1HR).",
    recipes=(*high_resolution.RECIPES, *hourly.RECIPES),
    citations=(hourly.CITATION, high_resolution.CITATION),
)

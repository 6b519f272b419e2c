"""Parker Solar Probe: SWEAP's SPAN-i, FIELDS' magnetometer, ISOIS' EPI-Lo."""

from typing import Final

from armillary.missions.plasma.psp import epilo, fields, spani, spani_moments
from armillary.model import Mission

MISSION: Final = Mission(
    name="psp",
    title="Parker Solar Probe",
    description="Proton distributions and moments of SPAN-i, the magnetic field of FIELDS, energetic ions of EPI-Lo; "
    "from the teams' archives or CDAWeb (PSP_*).",
    recipes=(*spani.RECIPES, *spani_moments.RECIPES, *fields.RECIPES, *epilo.RECIPES),
    citations=(
        "Fox et al. (2016), Space Sci. Rev. 204, 7, doi:10.1007/s11214-015-0211-6",
        "Kasper et al. (2016), Space Sci. Rev. 204, 131, doi:10.1007/s11214-015-0206-3",
        spani.CITATION,
        fields.CITATION,
        epilo.CITATION,
        "Hill et al. (2017), J. Geophys. Res. 122, 1513, doi:10.1002/2016JA022614",
    ),
)

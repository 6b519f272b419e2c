"""Van Allen Probes (RBSP): HOPE and EMFISIS."""

from typing import Final

from armillary.missions.plasma.rbsp import emfisis, hope
from armillary.model import Mission

MISSION: Final = Mission(
    name="rbsp",
    title="Van Allen Probes",
    description="Pitch-angle distributions of HOPE and the magnetic field of EMFISIS; from the teams' archives or "
    "CDAWeb (RBSPA_REL04_ECT-HOPE-PA-L3, RBSP-A_MAGNETOMETER_*).",
    recipes=(*hope.RECIPES, *emfisis.RECIPES),
    citations=(
        "Mauk et al. (2013), Space Sci. Rev. 179, 3, doi:10.1007/s11214-012-9908-y",
        hope.CITATION,
        "Spence et al. (2013), Space Sci. Rev. 179, 311, doi:10.1007/s11214-013-0007-5",
        emfisis.CITATION,
    ),
)

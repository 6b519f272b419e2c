"""Cassini: electrons by CAPS-ELS."""

from typing import Final

from armillary.missions.plasma.cassini import els
from armillary.model import Mission

MISSION: Final = Mission(
    name="cassini",
    title="Cassini",
    description="Electron spectra of CAPS-ELS, from files in JPL's onboard format (.pim with its .meta).",
    recipes=els.RECIPES,
    citations=(
        els.CITATION,
        "Linder et al. (1998), Geophys. Monogr. 102, 257, doi:10.1029/GM102p0257",
        "Wagstaff et al. (2019), JPL's library for onboard science, https://github.com/JPLMLIA/libeos",
    ),
)

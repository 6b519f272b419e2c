"""THEMIS: five spacecraft (A to E, B and C at the Moon as ARTEMIS), since 2007."""

from typing import Final

from armillary.missions.plasma.themis import esa, fields
from armillary.model import EventClass, Mission

MISSION: Final = Mission(
    name="themis",
    title="THEMIS",
    description="Velocity distributions and moments of ESA, the fields of FGM and SCM, orbits and spin axes, from "
    "level 2 files or from CDAWeb.",
    recipes=esa.RECIPES + fields.RECIPES,
    event_classes=(
        EventClass(name="substorm onset", title="Onset of a substorm", colour="#e7298a"),
        EventClass(name="magnetopause", title="Crossing of the magnetopause", colour="#2c7bb6"),
        EventClass(name="bow shock", title="Crossing of the bow shock", colour="#fdae61"),
        EventClass(name="jet", title="Fast flow", colour="#1b9e77"),
    ),
    citations=(fields.STATE_CITATION, esa.CITATION, fields.FGM_CITATION, fields.SCM_CITATION),
)

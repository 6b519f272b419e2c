"""Cluster: four spacecraft in a tetrahedron, 2000 to 2024."""

from typing import Final

from armillary.missions.plasma.cluster import distributions, fields
from armillary.model import EventClass, Mission

MISSION: Final = Mission(
    name="cluster",
    title="Cluster",
    description="Velocity distributions of CIS and PEACE, moments of CIS-HIA, field and position of FGM, and the "
    "current between the four spacecraft, from files of the Cluster Science Archive, its HAPI server, or CDAWeb.",
    recipes=distributions.RECIPES + fields.RECIPES,
    event_classes=(
        EventClass(name="magnetopause", title="Crossing of the magnetopause", colour="#2c7bb6"),
        EventClass(name="bow shock", title="Crossing of the bow shock", colour="#fdae61"),
        EventClass(name="current sheet", title="Crossing of a current sheet", colour="#7b3294"),
    ),
    citations=(
        "Escoubet et al. (2001), Ann. Geophys. 19, 1197, doi:10.5194/angeo-19-1197-2001",
        fields.FGM_CITATION,
        distributions.CIS_CITATION,
        distributions.PEACE_CITATION,
        "Laakso et al. (2010), The Cluster Active Archive, Springer, doi:10.1007/978-90-481-3499-1",
    ),
)

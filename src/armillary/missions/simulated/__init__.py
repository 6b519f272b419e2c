"""The simulated observatory: honest physics with known truth, the same for everybody, without a network."""

from typing import Final

from armillary.missions.simulated.recipes import RECIPES
from armillary.model import Archive, EventClass, Mission

MISSION: Final = Mission(
    name="simulated",
    title="Simulated observatory",
    description="Solar wind, a spacecraft at the Earth's boundaries, stars, a tile of land, an instrument's packets, "
    "and the truth of each. Everything can be tried with it offline.",
    archives=(
        Archive(
            name="simulated",
            protocol="armillary.missions.simulated.source:Observatory",
            address="seed=1",
            title="Simulated observatory",
        ),
    ),
    recipes=RECIPES,
    event_classes=(
        EventClass(name="icme", title="Interplanetary coronal mass ejection", colour="#7b3294"),
        EventClass(name="shock", title="Interplanetary shock", colour="#d7191c"),
        EventClass(name="bow shock", title="Crossing of the bow shock", colour="#fdae61"),
        EventClass(name="magnetopause", title="Crossing of the magnetopause", colour="#2c7bb6"),
        EventClass(name="anomaly", title="Anomaly in telemetry", colour="#1a9641"),
    ),
    citations=(
        "Shue et al. (1998), J. Geophys. Res. 103, 17691, doi:10.1029/98JA01103",
        "Farris and Russell (1994), J. Geophys. Res. 99, 17681, doi:10.1029/94JA01020",
        "Lopez (1987), J. Geophys. Res. 92, 11189, doi:10.1029/JA092iA10p11189",
        "Cardelli, Clayton and Mathis (1989), Astrophys. J. 345, 245, doi:10.1086/167900",
        "Beck et al. (2006), Remote Sens. Environ. 100, 321, doi:10.1016/j.rse.2005.10.021",
    ),
)

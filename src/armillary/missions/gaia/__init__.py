"""Gaia with 2MASS and AllWISE: energy distributions, indices, distances and photospheres of any table of sources."""

from typing import Final

from armillary.missions.gaia import distances, energy, indices, photospheres, quality
from armillary.missions.gaia.shipped import QUERIES
from armillary.model import EventClass, Mission

MISSION: Final = Mission(
    name="gaia",
    title="Gaia, 2MASS and AllWISE",
    description="Energy distributions, spectral indices, luminosities, photospheres and cuts of quality under every "
    "table of sources with magnitudes; the query that joins the three catalogues.",
    recipes=(*energy.RECIPES, *indices.RECIPES, *distances.RECIPES, *photospheres.RECIPES, *quality.RECIPES),
    event_classes=(
        EventClass(name="main sequence", title="Main-sequence star", colour="#4d79a8"),
        EventClass(name="giant", title="Giant", colour="#c0392b"),
        EventClass(name="white dwarf", title="White dwarf", colour="#7f8c8d"),
        EventClass(name="ultracool dwarf", title="Ultracool dwarf", colour="#6e4b2a"),
        EventClass(name="young stellar object", title="Young stellar object", colour="#e67e22"),
        EventClass(name="agb star", title="AGB star", colour="#8e2c6b"),
        EventClass(name="quasar", title="Quasar", colour="#27ae60"),
        EventClass(name="galaxy", title="Galaxy", colour="#2c3e50"),
    ),
    queries=QUERIES,
    citations=(
        "Gaia Collaboration, Prusti et al. (2016), A&A 595, A1; Vallenari et al. (2023), A&A 674, A1",
        "Skrutskie et al. (2006), AJ 131, 1163 (2MASS)",
        "Wright et al. (2010), AJ 140, 1868; Cutri et al. (2013), AllWISE (VizieR II/328)",
        "Marrese et al. (2019), A&A 621, A144 (cross-match with other catalogues)",
    ),
)

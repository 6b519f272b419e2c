"""MMS, the Magnetospheric Multiscale mission: four spacecraft in a tetrahedron, since 2015."""

from typing import Final

from armillary.missions.plasma.mms import fields, fpi
from armillary.missions.plasma.tetrahedron import curlometer_recipe
from armillary.model import EventClass, Mission

_CURLOMETER: Final = curlometer_recipe(
    "mms/curlometer/{rate}",
    "mms/mms#/fgm/{rate}/b_gse",
    "mms/mms#/mec/r_gse",
    "MMS: current density from the curl of B ({rate})",
    fields.FGM_CITATION,
)

MISSION: Final = Mission(
    name="mms",
    title="Magnetospheric Multiscale (MMS)",
    description="Velocity distributions and moments of FPI, the fields of FGM, SCM and EDP, orbits and attitudes of "
    "MEC, and the current between the four spacecraft, from level 2 files or from CDAWeb.",
    recipes=(*fpi.RECIPES, *fields.RECIPES, _CURLOMETER),
    event_classes=(
        EventClass(name="electron diffusion region", title="Electron diffusion region", colour="#e7298a"),
        EventClass(name="magnetopause", title="Crossing of the magnetopause", colour="#2c7bb6"),
        EventClass(name="bow shock", title="Crossing of the bow shock", colour="#fdae61"),
        EventClass(name="jet", title="Fast flow", colour="#1b9e77"),
    ),
    citations=(
        fields.MEC_CITATION,
        fpi.CITATION,
        fields.FGM_CITATION,
        fields.SCM_CITATION,
        fields.EDP_CITATION,
        "Torbert et al. (2016), Space Sci. Rev. 199, 105, doi:10.1007/s11214-014-0109-8",
        "Gershman et al. (2017), J. Geophys. Res. Space Physics 122, 11548, doi:10.1002/2017JA024518",
    ),
)

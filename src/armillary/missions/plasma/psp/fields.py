"""The magnetometer of FIELDS: vectors in RTN and in the spacecraft's frame, in each cadence it is given in."""

from typing import Final

from armillary.missions.plasma.canonical import RTN, vector_recipe
from armillary.model import Recipe

CITATION: Final = "Bale et al. (2016), Space Sci. Rev. 204, 49, doi:10.1007/s11214-016-0244-5"
#: The end of the dataset's name -> the end of ours. The hole takes "1min"; four samples a cycle are about 0.22 s.
_CADENCES: Final = {"": "", "_{cadence}": "_{cadence}", "_4_Sa_per_Cyc": "_4_sa_per_cyc"}


def _field(frame: str, theirs: str, ours: str) -> Recipe:
    rtn = frame == "RTN"
    name = f"psp_fld_l2_mag_{frame}{theirs}"
    return vector_recipe(
        f"psp/fields/b_{frame.lower()}{ours}", f"**/{name}/{name}",
        f"Magnetic field in {'RTN' if rtn else 'the spacecraft frame'}{ours.replace('_', ' ')}", "nT",
        frame="RTN" if rtn else "PSP_SC", labels=RTN if rtn else ("x", "y", "z"), citation=CITATION,
    )  # fmt: skip


RECIPES: Final = tuple(_field(frame, *ends) for frame in ("RTN", "SC") for ends in _CADENCES.items())

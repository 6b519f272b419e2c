"""The magnetometer of EMFISIS: ``RBSP-A_MAGNETOMETER_<cadence>-<frame>_EMFISIS-L3``, variable ``Mag``."""

from typing import Final

from armillary.missions.plasma.canonical import vector_recipe
from armillary.model import Recipe

CITATION: Final = "Kletzing et al. (2013), Space Sci. Rev. 179, 127, doi:10.1007/s11214-013-9993-6"
_FRAMES: Final = ("GSE", "GSM", "SM", "GEO", "GEI")


def _field(frame: str) -> Recipe:
    return vector_recipe(
        f"rbsp/{{craft}}/emfisis/{{cadence}}/b_{frame.lower()}",
        f"**/rbsp-{{craft}}_magnetometer_{{cadence}}-{frame}_emfisis-L3/Mag",
        f"RBSP {{craft}}: magnetic field, {frame} ({{cadence}})", "nT", frame=frame, citation=CITATION,
    )  # fmt: skip


RECIPES: Final = tuple(map(_field, _FRAMES))

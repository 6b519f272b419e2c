"""The magnetometer MFI: WI_H0_MFI has vectors of 3 s, 1 min and 1 h in one dataset, WI_H2_MFI those of 0.09 s."""

from typing import Final

from armillary.missions.plasma.canonical import scalar_recipe, vector_recipe
from armillary.model import Recipe

CITATION: Final = "Lepping et al. (1995), Space Sci. Rev. 71, 207, doi:10.1007/BF00751330"
#: Ours -> the dataset and the begin of the variable's name.
_CADENCES: Final = {"": ("h0", "B"), "_3s": ("h0", "B3"), "_1h": ("h0", "B1"), "_11hz": ("h2", "B")}


def _field(ours: str, dataset: str, theirs: str, frame: str) -> Recipe:
    title = f"Magnetic field, {frame}{ours.replace('_', ', ')}"
    return vector_recipe(
        f"wind/mfi/b_{frame.lower()}{ours}", f"**/wi_{dataset}_mfi/{theirs}{frame}", title, "nT", frame=frame,
        citation=CITATION,
    )  # fmt: skip


RECIPES: Final = (
    *(_field(ours, *theirs, frame) for ours, theirs in _CADENCES.items() for frame in ("GSE", "GSM")),
    scalar_recipe("wind/mfi/b_total", "**/wi_h0_mfi/BF1", "Magnitude of the magnetic field, average of 1 min", "nT",
                  label="|B|", citation=CITATION),
)  # fmt: skip

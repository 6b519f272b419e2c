"""The magnetometer MAG: vectors in RTN and in the spacecraft's frame, in every mode that has a dataset of its own."""

from typing import Final

from armillary.missions.plasma.canonical import RTN, vector_recipe

CITATION: Final = "Horbury et al. (2020), Astron. Astrophys. 642, A9, doi:10.1051/0004-6361/201937257"

RECIPES: Final = (
    vector_recipe(
        "solo/mag/{mode}/b_rtn", "**/solo_L2_mag-rtn-{mode}/B_RTN", "Magnetic field in RTN, {mode}", "nT",
        frame="RTN", labels=RTN, citation=CITATION,
    ),
    vector_recipe(
        "solo/mag/{mode}/b_srf", "**/solo_L2_mag-srf-{mode}/B_SRF", "Magnetic field in the spacecraft's frame, {mode}",
        "nT", frame="SOLO_SRF", citation=CITATION,
    ),
)  # fmt: skip

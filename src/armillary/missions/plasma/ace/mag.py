"""The magnetometer MAG: every level of AC_*_MFI (H3 1 s, H0 16 s, H1 4 min, H2 1 h, K* key parameters)."""

from typing import Final

from armillary.missions.plasma.canonical import RTN, scalar_recipe, vector_recipe

CITATION: Final = "Smith et al. (1998), Space Sci. Rev. 86, 613, doi:10.1023/A:1005092216668"
_MFI: Final = "**/ac_{level}_mfi"

RECIPES: Final = (
    vector_recipe("ace/mfi/{level}/b_gse", f"{_MFI}/BGSEc", "ACE magnetic field, GSE ({level})", "nT", frame="GSE",
                  citation=CITATION),
    vector_recipe("ace/mfi/{level}/b_gsm", f"{_MFI}/BGSM", "ACE magnetic field, GSM ({level})", "nT", frame="GSM",
                  citation=CITATION),
    vector_recipe("ace/mfi/{level}/b_rtn", f"{_MFI}/BRTN", "ACE magnetic field, RTN ({level})", "nT", frame="RTN",
                  labels=RTN, citation=CITATION),
    scalar_recipe("ace/mfi/{level}/b_total", f"{_MFI}/Magnitude", "ACE magnetic field, magnitude ({level})", "nT",
                  label="|B|", citation=CITATION),
)  # fmt: skip

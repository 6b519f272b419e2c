"""The solar wind by SWEPAM: AC_*_SWE (H0 64 s, H2 1 h, K0 key parameters); temperatures in eV, they come in kelvin."""

from typing import Final

from armillary.missions.plasma.canonical import RTN, scalar_recipe, vector_recipe

CITATION: Final = "McComas et al. (1998), Space Sci. Rev. 86, 563, doi:10.1023/A:1005040232597"
_SWE: Final = "**/ac_{level}_swe"

RECIPES: Final = (
    scalar_recipe("ace/swepam/{level}/density", f"{_SWE}/Np", "ACE protons: density ({level})", "cm^-3", label="n",
                  citation=CITATION),
    scalar_recipe("ace/swepam/{level}/speed", f"{_SWE}/Vp", "ACE protons: speed ({level})", "km/s", label="V",
                  citation=CITATION),
    scalar_recipe("ace/swepam/{level}/radial_temperature", f"{_SWE}/Tpr", "ACE protons: radial temperature ({level})",
                  "eV", label="T", silent="K", citation=CITATION),
    vector_recipe("ace/swepam/{level}/velocity_gse", f"{_SWE}/V_GSE", "ACE solar wind: velocity, GSE ({level})",
                  "km/s", frame="GSE", citation=CITATION),
    vector_recipe("ace/swepam/{level}/velocity_gsm", f"{_SWE}/V_GSM", "ACE solar wind: velocity, GSM ({level})",
                  "km/s", frame="GSM", citation=CITATION),
    vector_recipe("ace/swepam/{level}/velocity_rtn", f"{_SWE}/V_RTN", "ACE solar wind: velocity, RTN ({level})",
                  "km/s", frame="RTN", labels=RTN, citation=CITATION),
)  # fmt: skip

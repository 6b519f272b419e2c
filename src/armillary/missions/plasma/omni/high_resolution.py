"""OMNI of high resolution: ``OMNI_HRO_1MIN``, ``OMNI_HRO_5MIN`` and the same of ``OMNI_HRO2``."""

from typing import Final

from armillary.missions.plasma.canonical import composed_recipe, scalar_recipe

CITATION: Final = "Papitashvili and King (2020), OMNI 1-min data, doi:10.48322/45bb-8792"
_HRO: Final = "**/OMNI_{set}_{cadence}"
_OUT: Final = "omni/{set}/{cadence}"

RECIPES: Final = (
    composed_recipe(f"{_OUT}/b_gse", (f"{_HRO}/BX_GSE", f"{_HRO}/BY_GSE", f"{_HRO}/BZ_GSE"),
                    "OMNI magnetic field, GSE ({cadence})", "nT", frame="GSE", citation=CITATION),
    composed_recipe(f"{_OUT}/b_gsm", (f"{_HRO}/BX_GSE", f"{_HRO}/BY_GSM", f"{_HRO}/BZ_GSM"),
                    "OMNI magnetic field, GSM ({cadence})", "nT", frame="GSM", citation=CITATION),
    composed_recipe(f"{_OUT}/velocity_gse", (f"{_HRO}/Vx", f"{_HRO}/Vy", f"{_HRO}/Vz"),
                    "OMNI velocity, GSE ({cadence})", "km/s", frame="GSE", citation=CITATION),
    scalar_recipe(f"{_OUT}/density", f"{_HRO}/proton_density", "OMNI proton density ({cadence})", "cm^-3", label="n",
                  citation=CITATION),
    scalar_recipe(f"{_OUT}/temperature", f"{_HRO}/T", "OMNI proton temperature ({cadence})", "eV", label="T",
                  silent="K", citation=CITATION),
    scalar_recipe(f"{_OUT}/speed", f"{_HRO}/flow_speed", "OMNI flow speed ({cadence})", "km/s", label="V",
                  citation=CITATION),
    scalar_recipe(f"{_OUT}/pressure", f"{_HRO}/Pressure", "OMNI flow pressure ({cadence})", "nPa", label="P",
                  citation=CITATION),
    scalar_recipe(f"{_OUT}/sym_h", f"{_HRO}/SYM_H", "SYM-H index ({cadence})", "nT", label="SYM-H", citation=CITATION),
    scalar_recipe(f"{_OUT}/ae", f"{_HRO}/AE_INDEX", "AE index ({cadence})", "nT", label="AE", citation=CITATION),
)  # fmt: skip

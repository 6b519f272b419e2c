"""Fields, positions and moments of Cluster.

FGM (Balogh et al. 2001): ``B_vec_xyz_gse`` and ``sc_pos_xyz_gse`` of ``C?_CP_FGM_SPIN``, ``_5VPS`` and ``_FULL``, nT
and km; the same in ISR2 in ``C?_CP_FGM_SPIN_ISR2``. Moments of HIA (Reme et al. 2001) are made on board once a spin.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from armillary.missions.plasma.canonical import scalar_recipe, vector_recipe
from armillary.missions.plasma.cluster.distributions import CIS_CITATION
from armillary.missions.plasma.cluster.names import NAMES, Names
from armillary.missions.plasma.tetrahedron import curlometer_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from armillary.model import Recipe

FGM_CITATION: Final = "Balogh et al. (2001), Ann. Geophys. 19, 1207, doi:10.5194/angeo-19-1207-2001"
_HIA: Final = "c{n}_cp_cis-hia_onboard_moments"


def _fields(names: Names) -> "Iterator[Recipe]":
    fgm, top = "c{n}_cp_fgm_{rate}", f"{names.top}/c{{n}}/fgm/{{rate}}"
    yield _titled(vector_recipe(
        f"{top}/b_gse", names.of(fgm, "b_vec_xyz_gse"), "Magnetic field, GSE", "nT", frame="GSE", citation=FGM_CITATION,
    ), " ({rate})")  # fmt: skip
    yield _titled(vector_recipe(
        f"{top}/b_isr2", names.of(f"{fgm}_isr2", "b_vec_xyz_isr2"), "Magnetic field, ISR2", "nT", frame="ISR2",
        citation=FGM_CITATION,
    ), " ({rate})")  # fmt: skip
    yield _titled(vector_recipe(
        f"{top}/r_gse", names.of(fgm, "sc_pos_xyz_gse"), "Position, GSE", "km", frame="GSE", citation=FGM_CITATION,
    ), " ({rate})")  # fmt: skip
    yield curlometer_recipe(
        f"{names.top}/curlometer/{{rate}}", f"{names.top}/c#/fgm/{{rate}}/b_gse", f"{names.top}/c#/fgm/{{rate}}/r_gse",
        "Cluster: current density from the curl of B ({rate})", FGM_CITATION,
    )  # fmt: skip


def _moments(names: Names) -> "Iterator[Recipe]":
    top = f"{names.top}/c{{n}}/hia"
    yield _titled(scalar_recipe(
        f"{top}/density", names.of(_HIA, "density"), "Ion density (HIA)", "cm^-3", label="n", citation=CIS_CITATION,
    ))  # fmt: skip
    for frame in ("gse", "isr2"):
        yield _titled(vector_recipe(
            f"{top}/velocity_{frame}", names.of(_HIA, f"velocity_{frame}"), f"Ion velocity (HIA), {frame.upper()}",
            "km/s", frame=frame.upper(), citation=CIS_CITATION,
        ))  # fmt: skip


def _titled(made: "Recipe", more: str = "") -> "Recipe":
    return replace(made, title=f"Cluster-{{n}}: {made.title}{more}")


RECIPES: Final = tuple(one for names in NAMES for make in (_fields, _moments) for one in make(names))

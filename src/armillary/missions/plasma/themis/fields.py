"""The fields of THEMIS, and what the state files say of orbit and attitude.

- FGM (Auster et al. 2008): ``fgs`` once a spin, ``fgl`` 4 or 16 and ``fgh`` 64 or 128 vectors a second; DSL, GSE, GSM.
- SCM (Roux et al. 2008): ``scf`` 8, ``scp`` 128 and ``scw`` 8192 or 16384 vectors a second, in DSL and GSE.
- STATE: position every minute, and the right ascension and declination of the spin axis (GEI). DSL has z along the axis
  and x towards the Sun as far as that is across it.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.missions.plasma.canonical import same_times, vector_recipe
from armillary.missions.plasma.generic.reading import scalar_of, series
from armillary.model import Parameter, Recipe, recipe
from armillary.science.align import align
from armillary.science.coordinates.quaternions import nearest_rotations

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

FGM_CITATION: Final = "Auster et al. (2008), Space Sci. Rev. 141, 235, doi:10.1007/s11214-008-9365-9"
SCM_CITATION: Final = "Roux et al. (2008), Space Sci. Rev. 141, 265, doi:10.1007/s11214-008-9455-8"
STATE_CITATION: Final = "Angelopoulos (2008), Space Sci. Rev. 141, 5, doi:10.1007/s11214-008-9336-1"
#: Seconds between records of the state files.
_STATE_STEP: Final = 60.0
_SECOND: Final = 1_000_000_000


@recipe(
    "themis/th{p}/dsl_to_gse",
    inputs={"ascension": "**/th{p}/l1/state/th{p}_spinras", "declination": "**/th{p}/l1/state/th{p}_spindec"},
    title="THEMIS-{p}: matrix from DSL to GSE",
    kind="series",
    shape=(3, 3),
    block="time",
    pad=_STATE_STEP + 5,
    parameters=(
        Parameter(
            name="step", type="float", default=1.0, low=0.1, high=60.0, units="s", description="Between matrices"
        ),
    ),
    cadence="step",
    citation=STATE_CITATION,
)
def dsl_to_gse(ascension: "xr.Dataset", declination: "xr.Dataset", step: float) -> "xr.Dataset":
    """Give the matrix that turns vectors of the despun system into GSE, at whole multiples of the step since 1970."""
    from armillary.science.coordinates.frames import matrices

    same_times(ascension, declination)
    times = ascension["time"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    every = round(step * _SECOND)
    want = np.arange(-(-times[0] // every), times[-1] // every + 1) * every if len(times) else times
    axis = align(times, _axis(scalar_of(ascension), scalar_of(declination)), want, 3 * _STATE_STEP)
    to_gse = matrices(want, "GEI", "GSE")
    # The rows of to_gse are the axes of GSE in GEI, the first of them the Sun.
    values = nearest_rotations(to_gse @ np.swapaxes(despun_axes(axis, to_gse[:, 0]), -1, -2))
    attrs = {"units": "", "long_name": "matrix from DSL to GSE", "LABLAXIS": "R", "COORDINATE_SYSTEM": "GSE"}
    found = {"dsl_to_gse": (("time", "gse", "xyz"), values, attrs)}
    return series(ascension, found, time=want.astype("datetime64[ns]"))


def despun_axes(spin: "Array", sun: "Array") -> "Array":
    """Give the axes of a despun system as rows: z the spin axis, x the direction to the Sun as far as it is across.

    Parameters
    ----------
    spin, sun : array, shape (t, 3)
        In one frame, of any length.

    Returns
    -------
    array, shape (t, 3, 3)

    Examples
    --------
    >>> despun_axes(np.array([[0, 0, 1.0]]), np.array([[1, 1.0, 0.2]]))[0].round(3)[0, :2].tolist()
    [0.707, 0.707]
    """
    z = spin / np.linalg.norm(spin, axis=-1, keepdims=True)
    y = np.cross(z, sun)
    y /= np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([np.cross(y, z), y, z], -2)


def _axis(ascension: "Array", declination: "Array") -> "Array":
    alpha, delta = np.radians(ascension), np.radians(declination)
    return np.stack([np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)], -1)


def _field(instrument: str, frame: str, citation: str, words: str) -> Recipe:
    made = vector_recipe(
        f"themis/th{{p}}/{instrument}/{{rate}}/b_{frame}",
        f"**/th{{p}}/l2/{instrument}/th{{p}}_{{rate}}_{frame}",
        f"{words}, {frame.upper()}", "nT", frame=frame.upper(), citation=citation,
    )  # fmt: skip
    return replace(made, title=f"THEMIS-{{p}}: {made.title} ({{rate}})")


def _orbit(frame: str) -> Recipe:
    output, template = f"themis/th{{p}}/r_{frame}", f"**/th{{p}}/l1/state/th{{p}}_pos_{frame}"
    made = vector_recipe(
        output, template, f"Position, {frame.upper()}", "km", frame=frame.upper(), citation=STATE_CITATION
    )
    return replace(made, title=f"THEMIS-{{p}}: {made.title}")


RECIPES: Final = (
    *(_field("fgm", frame, FGM_CITATION, "Magnetic field") for frame in ("dsl", "gse", "gsm")),
    *(_field("scm", frame, SCM_CITATION, "Magnetic fluctuations") for frame in ("dsl", "gse")),
    *(_orbit(frame) for frame in ("gse", "gsm")),
    dsl_to_gse,
)

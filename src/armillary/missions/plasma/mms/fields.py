"""The fields of MMS: FGM, SCM and EDP, and what MEC says of orbit and attitude.

- FGM (Russell et al. 2016): ``b_gse, b_gsm, b_dmpa, b_bcs``, nT, the strength as a fourth component; 8 or 16 vectors a
  second in survey, 128 in burst. Samples with a flag are bad or doubtful.
- SCM (Le Contel et al. 2016): ``acb_gse``, nT, the fluctuations above 0.5 to 1 Hz; 32 (scsrvy), 8192 (scb),
  16384 (schb) vectors a second.
- EDP (Ergun et al. 2016; Lindqvist et al. 2016): ``dce_gse, dce_dsl``, mV/m, and the spacecraft potential, V;
  ``quality`` is 0 for bad data to 3 for good.
- MEC, the ephemeris and coordinates files: position and velocity every 30 s, and quaternions from ECI (J2000) that turn
  vectors, scalar last; files of version 1 have those that turn the axes, the conjugates.
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import same_times, scalar_recipe, vector_recipe, vectors
from armillary.missions.plasma.generic.reading import main_of, scalar_of, series
from armillary.model import Parameter, Recipe, recipe
from armillary.science.align import align
from armillary.science.coordinates.quaternions import nearest_rotations, rotation_matrices

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

FGM_CITATION: Final = "Russell et al. (2016), Space Sci. Rev. 199, 189, doi:10.1007/s11214-014-0057-3"
SCM_CITATION: Final = "Le Contel et al. (2016), Space Sci. Rev. 199, 257, doi:10.1007/s11214-014-0096-9"
EDP_CITATION: Final = (
    "Ergun et al. (2016), Space Sci. Rev. 199, 167, doi:10.1007/s11214-014-0115-x; "
    "Lindqvist et al. (2016), Space Sci. Rev. 199, 137, doi:10.1007/s11214-014-0116-9"
)
MEC_CITATION: Final = "Burch et al. (2016), Space Sci. Rev. 199, 5, doi:10.1007/s11214-015-0164-9"
#: Seconds between quaternions of the survey files, and what is needed around them.
_ATTITUDE_STEP: Final = 30.0
_SECOND: Final = 1_000_000_000
_CHOOSE: Final = "use a leaf of MMS L2 files"


@recipe(
    "mms/mms{n}/fgm/{rate}/b_{frame}",
    inputs={
        "b": "**/mms{n}/fgm/{rate}/l2/mms{n}_fgm_b_{frame}_{rate}_l2",
        "flags": "**/mms{n}/fgm/{rate}/l2/mms{n}_fgm_flag_{rate}_l2",
    },
    optional=("flags",),
    parameters=(
        Parameter(
            name="keep_flagged", type="bool", default=False, description="Keep samples that FGM flags, not as NaN"
        ),
    ),
    title="MMS{n}: magnetic field, {frame} ({rate})",
    kind="series",
    units="nT",
    shape=(3,),
    block="time",
    citation=FGM_CITATION,
)
def fgm(b: "xr.Dataset", flags: "xr.Dataset | None", keep_flagged: bool) -> "xr.Dataset":
    """Magnetic field of FGM, the three components; flagged samples are NaN."""
    frame = _frame(b)
    values = _three(b)
    if flags is not None and not keep_flagged:
        same_times(b, flags)
        values[scalar_of(flags) != 0] = np.nan
    return vectors(b, values, f"b_{frame.lower()}", "nT", f"Magnetic field, {frame}", frame=frame)


@recipe(
    "mms/mms{n}/scm/{rate}/{mode}/acb_gse",
    inputs={"acb": "**/mms{n}/scm/{rate}/l2/{mode}/mms{n}_scm_acb_gse_{mode}_{rate}_l2"},
    title="MMS{n}: fluctuations of the magnetic field, gse ({mode}, {rate})",
    kind="series",
    units="nT",
    shape=(3,),
    block="time",
    citation=SCM_CITATION,
)
def scm(acb: "xr.Dataset") -> "xr.Dataset":
    """Fluctuations of the magnetic field from the search coils; they have no steady part."""
    return vectors(acb, _three(acb), "acb_gse", "nT", "Magnetic fluctuations, GSE", frame="GSE")


@recipe(
    "mms/mms{n}/edp/{rate}/e_{frame}",
    inputs={
        "e": "**/mms{n}/edp/{rate}/l2/dce/mms{n}_edp_dce_{frame}_{rate}_l2",
        "quality": "**/mms{n}/edp/{rate}/l2/dce/mms{n}_edp_quality_{rate}_l2",
    },
    optional=("quality",),
    parameters=(
        Parameter(name="lowest_quality", type="int", default=1, low=0, high=3,
                  description="Samples of a lower quality are NaN: 0 bad, 1 with caution, 2 fair, 3 good"),
    ),
    title="MMS{n}: electric field, {frame} ({rate})",
    kind="series",
    units="mV/m",
    shape=(3,),
    block="time",
    citation=EDP_CITATION,
)  # fmt: skip
def edp(e: "xr.Dataset", quality: "xr.Dataset | None", lowest_quality: int) -> "xr.Dataset":
    """Electric field of EDP; samples of low quality are NaN."""
    frame = _frame(e)
    values = _three(e)
    if quality is not None:
        same_times(e, quality)
        values[~(scalar_of(quality) >= lowest_quality)] = np.nan
    return vectors(e, values, f"e_{frame.lower()}", "mV/m", f"Electric field, {frame}", frame=frame)


@recipe(
    "mms/mms{n}/mec/dbcs_to_gse",
    inputs={
        "to_dbcs": "**/mms{n}/mec/srvy/l2/{model}/mms{n}_mec_quat_eci_to_dbcs",
        "to_gse": "**/mms{n}/mec/srvy/l2/{model}/mms{n}_mec_quat_eci_to_gse",
    },
    title="MMS{n}: matrix from DBCS to GSE",
    kind="series",
    shape=(3, 3),
    block="time",
    pad=_ATTITUDE_STEP + 5,
    parameters=(
        Parameter(
            name="step", type="float", default=1.0, low=0.1, high=30.0, units="s", description="Between matrices"
        ),
    ),
    cadence="step",
    citation=MEC_CITATION,
)
def dbcs_to_gse(to_dbcs: "xr.Dataset", to_gse: "xr.Dataset", step: float) -> "xr.Dataset":
    """Matrix that turns vectors of the despun body system into GSE, at whole multiples of the step since 1970."""
    same_times(to_gse, to_dbcs)
    matrices = _turns(to_gse) @ np.swapaxes(_turns(to_dbcs), -1, -2)
    times = to_gse["time"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    every = round(step * _SECOND)
    want = np.arange(-(-times[0] // every), times[-1] // every + 1) * every if len(times) else times
    values = nearest_rotations(align(times, matrices, want, 3 * _ATTITUDE_STEP))
    attrs = {"units": "", "long_name": "matrix from DBCS to GSE", "LABLAXIS": "R", "COORDINATE_SYSTEM": "GSE"}
    return series(to_gse, {"dbcs_to_gse": (("time", "gse", "xyz"), values, attrs)}, time=want.astype("datetime64[ns]"))


def _turns(data: "xr.Dataset") -> "Array":
    """Give the matrices that turn vectors, whichever sense the quaternions of this version have."""
    main = main_of(data, 1)
    if main.shape[1] != 4:
        raise BadData(f"{main.name} has the shape {main.shape}, which are no quaternions", _CHOOSE)
    found = rotation_matrices(main.to_numpy())
    first = re.match(r"v?(\d+)\.", str(data.attrs.get("Data_version", "")).strip())
    return np.swapaxes(found, -1, -2) if first and int(first[1]) < 2 else found


def _three(data: "xr.Dataset") -> "Array":
    """Give the components; FGM and MEC L2 have the length as a fourth one."""
    main = main_of(data, 1)
    if main.shape[1] not in {3, 4}:
        raise BadData(f"{main.name} has the shape {main.shape}, which are no vectors", _CHOOSE)
    return main.to_numpy()[:, :3].astype(float)


def _frame(data: "xr.Dataset") -> str:
    """Read the frame from the variable's name; whoever named it knew."""
    name = str(main_of(data, 1).name)
    found = re.search(r"_(?:b|dce)_([a-z0-9]+)_\w+_l2", name.lower())
    if not found:
        raise BadData(f"the name {name!r} does not tell its frame", _CHOOSE)
    return found[1].upper()


def _orbit(name: str, words: str, units: str) -> Recipe:
    frame = name.rpartition("_")[2].upper()
    made = vector_recipe(
        f"mms/mms{{n}}/mec/{name}", f"**/mms{{n}}/mec/srvy/l2/{{model}}/mms{{n}}_mec_{name}",
        f"{words}, {frame}", units, frame=frame, citation=MEC_CITATION,
    )  # fmt: skip
    return replace(made, title=f"MMS{{n}}: {made.title}")


_POTENTIAL: Final = scalar_recipe(
    "mms/mms{n}/edp/{rate}/potential", "**/mms{n}/edp/{rate}/l2/scpot/mms{n}_edp_scpot_{rate}_l2",
    "Spacecraft potential", "V", label="V", citation=EDP_CITATION,
)  # fmt: skip

RECIPES: Final = (
    fgm,
    scm,
    edp,
    replace(_POTENTIAL, title="MMS{n}: spacecraft potential ({rate})"),
    _orbit("r_gse", "Position", "km"),
    _orbit("r_gsm", "Position", "km"),
    _orbit("v_gse", "Velocity of the spacecraft", "km/s"),
    dbcs_to_gse,
)

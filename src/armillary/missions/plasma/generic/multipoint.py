"""What four spacecraft see together: currents and gradients, the tetrahedron, planar structures timed through it."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.generic.beside import (
    GAP,
    chosen,
    in_units,
    scalar_at,
    units_of,
    usual_units,
    vector_beside,
    vectors,
)
from armillary.missions.plasma.generic.fields import KM_PER_S, NT, PER_CC
from armillary.missions.plasma.generic.filtering import first_series
from armillary.missions.plasma.generic.reading import main_of, scalar_of, series, vector_of
from armillary.missions.plasma.generic.turning import UNDECLARED, frame_told
from armillary.model import Fits, Parameter, Recipe, recipe

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from armillary.science.plasma import Array

_LENGTH: Final = ("km", "R_E", "Re", "m")
_FIELDS: Final = tuple(
    chosen(f"field_{n}", f"Path of the magnetic field of spacecraft {n}, nT; it is turned into the frame of the first")
    for n in (2, 3, 4)
)
_PLACES: Final = tuple(
    chosen(f"position_{n}", f"Path of the position of spacecraft {n}, turned into the frame of the field")
    for n in (1, 2, 3, 4)
)
_OTHERS: Final = tuple(chosen(f"other_{n}", f"Path of the same of spacecraft {n}") for n in (2, 3, 4))
_XYZ: Final = ["x", "y", "z"]
_CITED: Final = "Chanteur (1998), ISSI SR-001, ch. 14; Dunlop et al. (1988), Adv. Space Res. 8, 273"


@recipe("{input}/curlometer", inputs={"field_1": Fits(kinds=("series",), shapes=((3,),), units=NT)},
        parameters=(*_FIELDS, *_PLACES, UNDECLARED, GAP), title="{title}: current by curlometer", kind="series",
        units="nA/m^2", block="time", shape=(3,), pad="largest_gap", citation=_CITED)  # fmt: skip
def curlometer(
    field_1: "xr.Dataset", field_2: "xr.Dataset | None", field_3: "xr.Dataset | None", field_4: "xr.Dataset | None",
    position_1: "xr.Dataset | None", position_2: "xr.Dataset | None", position_3: "xr.Dataset | None",
    position_4: "xr.Dataset | None", undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Electric current density curl B / mu_0 inside the tetrahedron, with div B, their ratio, and the mean field.

    The ratio |div B| / |curl B| is the usual estimate of the error; above 0.3 or so do not trust the current.
    """
    from armillary.science.fields import multipoint

    b = _fields(field_1, (field_2, field_3, field_4), largest_gap, undeclared)
    where = _places((position_1, position_2, position_3, position_4), field_1, largest_gap, undeclared)
    found = multipoint.curlometer(where, b)
    made = vectors(field_1, found.current, "current", "nA/m^2", "Current density", frame=frame_told(field_1).name)
    return made.assign(
        quality=(("time",), found.quality, {"units": "", "long_name": "|div B| / |curl B|"}),
        divergence=(("time",), found.divergence, {"units": "nT/km", "long_name": "div B", "VAR_TYPE": "support_data"}),
        field=(
            ("time", "component"),
            found.field,
            {"units": "nT", "long_name": "Mean field", "VAR_TYPE": "support_data"},
        ),
    )


@recipe("{input}/gradient", inputs={"first": Fits(kinds=("series",), shapes=((), (3,)),
                                                  units=(*NT, *KM_PER_S, *PER_CC, "mV/m"))},
        parameters=(*_OTHERS, *_PLACES, UNDECLARED, GAP), title="{title}: gradient between four spacecraft",
        kind="series", units="({units})/km", block="time", pad="largest_gap", citation=_CITED)  # fmt: skip
def gradient(
    first: "xr.Dataset", other_2: "xr.Dataset | None", other_3: "xr.Dataset | None", other_4: "xr.Dataset | None",
    position_1: "xr.Dataset | None", position_2: "xr.Dataset | None", position_3: "xr.Dataset | None",
    position_4: "xr.Dataset | None", undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Gradient inside the tetrahedron, exact where it is linear: of a number a vector, of a vector d v_j / d x_i.

    That of a number is in the frame of the first position.
    """
    from armillary.science.fields import multipoint

    main = first_series(first)
    units, how = usual_units(str(main.attrs.get("units", "")), str(main.name)), (largest_gap, undeclared)
    like = first if main.ndim == 2 or position_1 is None else _with_frame(first, position_1)
    others = (other_2, other_3, other_4)
    values = _vectors_of(first, others, units, how) if main.ndim == 2 else _numbers_of(first, others, units, how)
    where = _places((position_1, position_2, position_3, position_4), like, *how)
    found = multipoint.gradient(where, values)
    told = {"units": f"{units}/km" if units.isalpha() else f"({units})/km",
            "long_name": f"Gradient of {main.attrs.get('long_name') or main.name}",
            "LABLAXIS": "grad", "COORDINATE_SYSTEM": frame_told(like).name, "LABL_PTR_1": "along"}  # fmt: skip
    if main.ndim == 1:
        return series(first, {"gradient": (("time", "along"), found, told)}, along=_XYZ)
    told |= {"LABL_PTR_2": "component"}
    return series(first, {"gradient": (("time", "along", "component"), found, told)}, along=_XYZ, component=_XYZ)


@recipe("{input}/curvature", inputs={"field_1": Fits(kinds=("series",), shapes=((3,),), units=NT)},
        parameters=(*_FIELDS, *_PLACES, UNDECLARED, GAP), title="{title}: curvature of the field lines", kind="series",
        units="1/km", block="time", shape=(3,), pad="largest_gap",
        citation="Shen et al. (2003), doi:10.1029/2002JA009612")  # fmt: skip
def curvature(
    field_1: "xr.Dataset", field_2: "xr.Dataset | None", field_3: "xr.Dataset | None", field_4: "xr.Dataset | None",
    position_1: "xr.Dataset | None", position_2: "xr.Dataset | None", position_3: "xr.Dataset | None",
    position_4: "xr.Dataset | None", undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Curvature (b . grad) b of field lines between four spacecraft, and its radius."""
    from armillary.science.fields import multipoint

    b = _fields(field_1, (field_2, field_3, field_4), largest_gap, undeclared)
    where = _places((position_1, position_2, position_3, position_4), field_1, largest_gap, undeclared)
    found = multipoint.curvature(where, b)
    size = np.linalg.norm(found, axis=1)
    radius = np.divide(1.0, size, out=np.full(len(size), np.nan), where=size > 0)
    told = {"units": "km", "long_name": "Radius of curvature", "LABLAXIS": "R_c", "SCALETYP": "log"}
    made = vectors(field_1, found, "curvature", "1/km", "Curvature of the field lines", frame=frame_told(field_1).name)
    return made.assign(radius=(("time",), radius, told))


@recipe("{input}/tetrahedron", inputs={"position_1": Fits(kinds=("series",), shapes=((3,),), units=_LENGTH)},
        parameters=(*_PLACES[1:], UNDECLARED, GAP), title="{title}: shape of the tetrahedron", kind="series",
        block="time", shape=(4,), pad="largest_gap", citation="Robert et al. (1998), ISSI SR-001, ch. 13")  # fmt: skip
def tetrahedron(
    position_1: "xr.Dataset", position_2: "xr.Dataset | None", position_3: "xr.Dataset | None",
    position_4: "xr.Dataset | None", undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Elongation, planarity, Q_GM and volume against the regular tetrahedron, and the size in km."""
    from armillary.science.fields import multipoint

    first = in_units(vector_of(position_1), units_of(position_1, 1), "km", "position_1")
    others = _places((position_2, position_3, position_4), position_1, largest_gap, undeclared, first=2)
    found = multipoint.shape(np.concatenate([first[:, None], others], 1))
    both = np.stack([found.elongation, found.planarity, found.quality, found.volume_ratio], 1)
    told = {"LABL_PTR_1": "measure", "long_name": "Shape of the tetrahedron"}
    size = {"units": "km", "long_name": "Characteristic size of the tetrahedron"}
    return series(position_1, {"shape": (("time", "measure"), both, told), "size": (("time",), found.size, size)},
                  measure=["elongation", "planarity", "Q_GM", "volume ratio"])  # fmt: skip


@recipe("{input}/timing", inputs={"field_1": Fits(kinds=("series",), shapes=((3,),), units=NT)},
        parameters=(*_FIELDS, *_PLACES, UNDECLARED, GAP,
                    Parameter(name="longest", type="float", default=10.0, low=1e-3, high=3600.0, units="s",
                              description="Longest lag between two spacecraft")),
        title="{title}: timing of a planar structure", kind="samples",
        citation="Harvey (1998), ISSI SR-001, ch. 12")  # fmt: skip
def timing(
    field_1: "xr.Dataset", field_2: "xr.Dataset | None", field_3: "xr.Dataset | None", field_4: "xr.Dataset | None",
    position_1: "xr.Dataset | None", position_2: "xr.Dataset | None", position_3: "xr.Dataset | None",
    position_4: "xr.Dataset | None", undeclared: str, largest_gap: float, longest: float,
) -> "pa.Table":  # fmt: skip
    """Motion of the planar structure of the asked interval, from lags of the most varying component; one row."""
    from armillary.science.fields import multipoint
    from armillary.science.fields.variance import minimum_variance

    time = field_1["time"].to_numpy()
    b = _fields(field_1, (field_2, field_3, field_4), largest_gap, undeclared)
    where = _places((position_1, position_2, position_3, position_4), field_1, largest_gap, undeclared)
    along = b @ minimum_variance(b.reshape(-1, 3)).axes[0]
    ns = time.astype(np.int64)
    steps = np.diff(ns) / 1e9
    if not len(steps) or steps.max() > 1.5 * np.median(steps):
        raise BadData("the field has a gap in this interval", "ask for an interval with evenly spaced data")
    arrival, worst = multipoint.arrival_times(along.T, float(np.median(steps)), longest)
    # Where each one was when the structure passed it, counted from the middle of the interval.
    middle = (ns - ns[0]) / 1e9 - (ns[-1] - ns[0]) / 2e9
    passed = np.stack([[np.interp(arrival[one], middle, where[:, one, axis]) for axis in range(3)] for one in range(4)])
    return _row(multipoint.timing(passed, arrival), arrival, worst, frame_told(field_1).name)


RECIPES: Final[tuple[Recipe, ...]] = (curlometer, gradient, curvature, tetrahedron, timing)


def _fields(
    first: "xr.Dataset", others: "tuple[xr.Dataset | None, ...]", largest_gap: float, undeclared: str
) -> "Array":
    """Give the fields of all four at the times and in the frame of the first, nT, shape (t, 4, 3)."""
    return _vectors_of(first, others, "nT", (largest_gap, undeclared), "field")


def _vectors_of(
    first: "xr.Dataset", others: "tuple[xr.Dataset | None, ...]", units: str, how: tuple[float, str],
    name: str = "other",
) -> "Array":  # fmt: skip
    rest = [vector_beside(first, one, f"{name}_{n}", units, *how) for n, one in enumerate(others, 2)]
    return np.stack([in_units(vector_of(first), units_of(first, 1), units, f"{name}_1"), *rest], 1)


def _numbers_of(
    first: "xr.Dataset", others: "tuple[xr.Dataset | None, ...]", units: str, how: tuple[float, str]
) -> "Array":
    time = first["time"].to_numpy()
    rest = [scalar_at(one, f"other_{n}", units, time, how[0]) for n, one in enumerate(others, 2)]
    return np.stack([in_units(scalar_of(first), units_of(first, 0), units, "the first"), *rest], 1)


def _with_frame(data: "xr.Dataset", position: "xr.Dataset") -> "xr.Dataset":
    """Give positions, at the times of other data, to stand for these where they have no frame of their own."""
    main = main_of(position, 1)
    return main.to_dataset(name=str(main.name)).isel(time=np.zeros(data.sizes["time"], int)).assign_coords(
        time=data["time"]).assign_attrs(position.attrs)  # fmt: skip


def _places(
    positions: "tuple[xr.Dataset | None, ...]", like: "xr.Dataset", largest_gap: float, undeclared: str, first: int = 1
) -> "Array":
    """Give positions in km at the times and in the frame of other vectors, shape (t, spacecraft, 3)."""
    found = [vector_beside(like, one, f"position_{n}", "km", largest_gap, undeclared)
             for n, one in enumerate(positions, first)]  # fmt: skip
    return np.stack(found, 1)


def _row(plane: Any, arrival: "Array", worst: float, frame: str) -> "pa.Table":
    import pyarrow as pa

    from armillary.model.kinds import column, with_table_attrs

    columns: dict[str, tuple[float, str, str]] = {
        "n_x": (plane.normal[0], "", "Normal, along the motion"), "n_y": (plane.normal[1], "", "Normal"),
        "n_z": (plane.normal[2], "", "Normal"), "speed": (plane.speed, "km/s", "Along the normal"),
        "correlation": (worst, "", "Of the pair of spacecraft that agrees least"),
        "misfit": (plane.misfit, "s", "Of the times; rounding only with four spacecraft"),
    }  # fmt: skip
    columns |= {f"t_{n}": (one, "s", "Arrival, against the mean of all") for n, one in enumerate(arrival, 1)}
    schema = pa.schema([column(name, pa.float64(), unit, about) for name, (_, unit, about) in columns.items()])
    made = pa.table([pa.array([float(one)]) for one, _, _ in columns.values()], schema=schema)
    return with_table_attrs(made, {"frame": frame})

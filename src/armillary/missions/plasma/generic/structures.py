"""Current sheets, moving structures and boundaries: variance axes, de Hoffmann-Teller frames, shocks, models."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic.beside import (
    GAP,
    chosen,
    in_units,
    scalar_at,
    units_of,
    vector_at,
    vector_beside,
    vectors,
)
from armillary.missions.plasma.generic.fields import KM_PER_S, NT
from armillary.missions.plasma.generic.reading import at_times, main_of, series, vector_of
from armillary.missions.plasma.generic.turning import UNDECLARED, Frame, frame_told, turned_into
from armillary.missions.plasma.unit_spellings import EARTH_RADIUS
from armillary.model import Fits, Interval, Parameter, Recipe, parse_time, recipe
from armillary.science import plasma

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from armillary.science.fields.shock_normals import Sides
    from armillary.science.fields.variance import Variance
    from armillary.science.plasma import Array

_SONNERUP: Final = "Sonnerup and Scheible (1998), ISSI SR-001, ch. 8"
_KHRABROV: Final = "Khrabrov and Sonnerup (1998), ISSI SR-001, ch. 9"
_SCHWARTZ: Final = "Schwartz (1998), ISSI SR-001, ch. 10"
_SHUE: Final = "Shue et al. (1998), doi:10.1029/98JA01103; Farris and Russell (1994), doi:10.1029/94JA01020"
_LMN: Final = ("L", "M", "N")
_XYZ: Final = ("x", "y", "z")
#: Below this ratio of eigenvalues the normal is hardly determined.
_DOUBTFUL: Final = 3.0

_BEGIN: Final = Parameter(name="begin", type="str", default="",
                          description="Start of the part that the axes are found in; empty for all")  # fmt: skip
_END: Final = Parameter(name="end", type="str", default="",
                        description="End of the part that the axes are found in; empty for all")  # fmt: skip
_CONSTRAINT: Final = Parameter(
    name="constraint", type="str", default="none", choices=("none", "no normal field"),
    description="'no normal field' keeps N across the mean field, for tangential discontinuities",
)  # fmt: skip
#: Units by which what is given for a pressure is known to be a temperature.
_OF_TEMPERATURE: Final = frozenset({"ev", "kev", "k", "degk", "deg k", "kelvin"})
_FIELD: Final = chosen("field", "Path of the magnetic field, nT; it is turned into the frame of these vectors")
_DENSITY: Final = chosen("density", "Path of the density, cm^-3")


@recipe("{input}/lmn", inputs={"vector": Fits(kinds=("series",), shapes=((3,),))},
        parameters=(chosen("field", "Path of the field whose variance gives the axes; empty for the vector itself"),
                    _BEGIN, _END, _CONSTRAINT, UNDECLARED),
        title="{title}: LMN by minimum variance", kind="series", units="{units}", shape=(3,),
        citation=_SONNERUP)  # fmt: skip
def lmn(
    vector: "xr.Dataset", field: "xr.Dataset | None", begin: str, end: str, constraint: str, undeclared: str
) -> "xr.Dataset":
    """Turn a vector into the axes of most (L), middle (M) and least (N) variance of a field in the asked interval."""
    found = _axes_of(vector if field is None else _turned_to(vector, field, undeclared), begin, end, constraint)
    turned = vectors(vector, vector_of(vector) @ found.axes.T, "lmn", units_of(vector, 1), "In LMN", frame="LMN",
                     labels=_LMN)  # fmt: skip
    label = str(main_of(vector, 1).attrs.get("LABLAXIS") or "")
    told = {f"axis_{name}": axis.tolist() for name, axis in zip("lmn", found.axes, strict=True)}
    told |= {"eigenvalues": found.eigenvalues.tolist(), "LABLAXIS": label, "axes_frame": frame_told(vector).name}
    turned["lmn"].attrs |= told
    return turned


@recipe("{input}/mva", inputs={"vector": Fits(kinds=("series",), shapes=((3,),))},
        parameters=(_BEGIN, _END, _CONSTRAINT), title="{title}: minimum variance analysis", kind="samples",
        citation=_SONNERUP)  # fmt: skip
def mva(vector: "xr.Dataset", begin: str, end: str, constraint: str) -> "pa.Table":
    """Axes L, M, N of the asked interval as rows, with variances, their ratios and statistical angular errors."""
    from armillary.science.fields.variance import angular_errors, normal_field_error, ratio

    found = _axes_of(vector, begin, end, constraint)
    units, errors = units_of(vector, 1), angular_errors(found)
    along, frame = found.axes @ found.mean, frame_told(vector).name or "the frame of the vector"
    columns: dict[str, tuple[Any, str, str]] = {
        "axis": (list(_LMN), "", "Most, middle and least variance"),
        **{name: (found.axes[:, n], "", f"Component of the axis in {frame}")
           for n, name in enumerate(_XYZ)},
        "variance": (found.eigenvalues, f"({units})^2", "Eigenvalue"),
        "mean": (along, units, "Mean of the vector along the axis"),
        "mean_error": ([None, None, float(normal_field_error(found))], units, "Statistical error of the mean along N"),
        "error_to_next": ([errors[0], errors[2], errors[1]], "deg", "Statistical error: L to M, M to N, N to L"),
    }  # fmt: skip
    told = {"ratio": float(ratio(found)), "samples": int(found.samples), "constraint": constraint,
            "doubtful": bool(ratio(found) < _DOUBTFUL)}  # fmt: skip
    return _table(columns, told)


@recipe("{input}/sliding_mva", inputs={"vector": Fits(kinds=("series",), shapes=((3,),))},
        parameters=(
            Parameter(name="window", type="float", default=60.0, low=1e-3, high=86400.0, units="s",
                      description="Length of a window"),
            Parameter(name="step", type="float", default=15.0, low=1e-3, high=86400.0, units="s",
                      description="From window to window; windows begin at whole multiples of it since 1970")),
        title="{title}: sliding minimum variance", kind="series", block="time", pad="window", cadence="step",
        shape=(3,), citation=_SONNERUP)  # fmt: skip
def sliding_mva(vector: "xr.Dataset", window: float, step: float) -> "xr.Dataset":
    """Give the normal N of each window, with all axes, eigenvalues, the ratio middle / least, errors and samples.

    Missing where a window has fewer than four vectors or they do not vary; its time is the middle of the window.
    """
    from armillary.science.fields.variance import angular_errors, normal_field_error, ratio, sliding_variance

    ns, length, every = vector["time"].to_numpy().astype(np.int64), round(window * 1e9), round(step * 1e9)
    starts = _anchored(ns, length, every)
    found = sliding_variance(ns, vector_of(vector), starts, length)
    units = units_of(vector, 1)
    normal = {"LABLAXIS": "N", "long_name": "Direction of least variance", "LABL_PTR_1": "component",
              "COORDINATE_SYSTEM": frame_told(vector).name, "DISPLAY_TYPE": "time_series"}  # fmt: skip
    beside = {"VAR_TYPE": "support_data"}
    return series(vector, {
        "normal": (("time", "component"), found.axes[:, 2], normal),
        "ratio": (("time",), ratio(found), {"LABLAXIS": "l2/l3", "SCALETYP": "log", "long_name": "Middle over least"}),
        "eigenvalues": (("time", "axis"), found.eigenvalues,
                        {"units": f"({units})^2", "SCALETYP": "log", "LABL_PTR_1": "axis"}),
        "axes": (("time", "axis", "component"), found.axes, beside | {"long_name": "Axes as rows"}),
        "normal_mean": (("time",), np.einsum("ti,ti->t", found.axes[:, 2], found.mean), beside | {"units": units}),
        "normal_mean_error": (("time",), normal_field_error(found), beside | {"units": units}),
        "normal_error": (("time", "towards"), angular_errors(found)[:, 1:], beside | {"units": "deg"}),
        "samples": (("time",), found.samples, beside | {"long_name": "Vectors in the window"}),
    }, time=(starts + length // 2).astype("datetime64[ns]"), component=list(_XYZ), axis=list(_LMN),
       towards=["L", "M"])  # fmt: skip


@recipe("{input}/de_hoffmann_teller", inputs={"velocity": Fits(kinds=("series",), shapes=((3,),), units=KM_PER_S)},
        parameters=(_FIELD, _BEGIN, _END, UNDECLARED, GAP,
                    Parameter(name="accelerated", type="bool", default=False,
                              description="Whether the frame may be accelerated evenly")),
        title="{title}: de Hoffmann-Teller frame", kind="samples", citation=_KHRABROV)  # fmt: skip
def de_hoffmann_teller(
    velocity: "xr.Dataset",
    field: "xr.Dataset | None",
    begin: str,
    end: str,
    undeclared: str,
    largest_gap: float,
    accelerated: bool,
) -> "pa.Table":
    """Frame in which the convection electric field of the asked interval is least, with its quality; one row."""
    part = _between(velocity, begin, end)
    frame, _, _ = _frame_of(part, field, (largest_gap, undeclared), accelerated)
    return _table(_frame_columns(frame), {"accelerated": accelerated, "frame": frame_told(velocity).name})


@recipe("{input}/walen", inputs={"velocity": Fits(kinds=("series",), shapes=((3,),), units=KM_PER_S)},
        parameters=(_FIELD, _DENSITY, _BEGIN, _END, UNDECLARED, GAP,
                    chosen("pressure", "Path of the parallel and perpendicular pressure (two numbers, nPa) or "
                           "temperature (eV) of the ions; empty for isotropic plasma"),
                    chosen("parallel", "Path of the parallel pressure (nPa) or temperature (eV) where both are leaves "
                           "of their own, as of MMS FPI; give perpendicular too"),
                    chosen("perpendicular", "Path of the perpendicular pressure or temperature; give parallel too")),
        title="{title}: Walen test", kind="samples", citation=f"{_KHRABROV}; Paschmann and Sonnerup (2008), SR-008"
        )  # fmt: skip
def walen(
    velocity: "xr.Dataset", field: "xr.Dataset | None", density: "xr.Dataset | None", begin: str, end: str,
    undeclared: str, largest_gap: float, pressure: "xr.Dataset | None", parallel: "xr.Dataset | None",
    perpendicular: "xr.Dataset | None",
) -> "pa.Table":  # fmt: skip
    """Slope and correlation of the flow in the de Hoffmann-Teller frame against the Alfven velocity; one row."""
    from armillary.science.fields.moving_frames import alfven_velocity, anisotropy_factor, walen_test

    part = _between(velocity, begin, end)
    time = part["time"].to_numpy()
    number = scalar_at(density, "density", "cm^-3", time, largest_gap)
    frame, v, b = _frame_of(part, field, (largest_gap, undeclared), accelerated=False)
    both = _pressures(pressure, parallel, perpendicular, number, time, largest_gap)
    factor = 1.0 if both is None else anisotropy_factor(*both, np.linalg.norm(b, axis=1))
    line = walen_test(v, frame.velocity, alfven_velocity(b, number, anisotropy=factor))
    told = {
        "slope": ([line.slope], "", "Of v - V against the Alfven velocity, all components"),
        "intercept": ([line.intercept], "km/s", "Of that line"),
        "correlation": ([line.correlation], "", "Of that line"),
        "pairs": ([line.samples], "", "Pairs of components"),
    }
    return _table(
        told | _frame_columns(frame), {"corrected_for_anisotropy": both is not None, "frame": frame_told(velocity).name}
    )


@recipe("{input}/faraday_residue", inputs={"electric": Fits(kinds=("series",), shapes=((3,),), units=("mV/m",))},
        parameters=(_FIELD, _BEGIN, _END, UNDECLARED, GAP), title="{title}: normal by least Faraday residue",
        kind="samples", citation="Khrabrov and Sonnerup (1998), doi:10.1029/98GL51784")  # fmt: skip
def faraday_residue(
    electric: "xr.Dataset", field: "xr.Dataset | None", begin: str, end: str, undeclared: str, largest_gap: float
) -> "pa.Table":
    """Planar structure that moves along its normal, from both fields of the asked interval; one row."""
    from armillary.science.fields.variance import minimum_faraday_residue

    part = _between(electric, begin, end)
    b = vector_beside(part, field, "field", "nT", largest_gap, undeclared)
    found = minimum_faraday_residue(vector_of(part), b)
    values = found.eigenvalues
    columns: dict[str, tuple[Any, str, str]] = {
        f"n_{name}": ([found.normal[n]], "", "Normal") for n, name in enumerate(_XYZ)
    }
    columns["speed"] = ([found.speed], "km/s", "Along the normal")
    columns["ratio"] = ([float(values[1] / values[0]) if values[0] > 0 else None], "", "Second over least eigenvalue")
    return _table(columns, {"eigenvalues": values.tolist(), "frame": frame_told(electric).name})


@recipe("{input}/shock_normal", inputs={"b": Fits(kinds=("series",), shapes=((3,),), units=NT)},
        parameters=(
            chosen("velocity", "Path of the ion velocity, km/s; it is turned into the frame of the field"), _DENSITY,
            Parameter(name="upstream", type="str", default="", description="start/stop of quiet upstream plasma"),
            Parameter(name="downstream", type="str", default="", description="start/stop of quiet downstream plasma"),
            chosen("temperature", "Path of the sum of ion and electron temperature; empty for no sonic Mach number"),
            UNDECLARED, GAP),
        title="{title}: shock normal", kind="samples", citation=_SCHWARTZ)  # fmt: skip
def shock_normal(
    b: "xr.Dataset", velocity: "xr.Dataset | None", density: "xr.Dataset | None", upstream: str, downstream: str,
    temperature: "xr.Dataset | None", undeclared: str, largest_gap: float,
) -> "pa.Table":  # fmt: skip
    """Shock normal by coplanarity and mixed modes from the means of both sides; one row a method."""
    time = b["time"].to_numpy()
    up, down = (_inside(time, *_interval(text, name)) for text, name in
                ((upstream, "upstream"), (downstream, "downstream")))  # fmt: skip
    v = vector_beside(b, velocity, "velocity", "km/s", largest_gap, undeclared)
    number = scalar_at(density, "density", "cm^-3", time, largest_gap)
    warmth = np.full(len(time), np.nan)
    if temperature is not None:
        warmth = scalar_at(temperature, "temperature", "eV", time, largest_gap)
    return _shock_table((vector_of(b), v, number, warmth), up, down, frame_told(b).name)


@recipe("{input}/boundaries", inputs={"position": Fits(kinds=("series",), shapes=((3,),),
                                                       units=("km", "R_E", "Re", "m"))},
        parameters=(
            Parameter(name="pressure", type="float", default=2.0, low=0.01, high=200.0, units="nPa",
                      description="Dynamic pressure of the solar wind"),
            Parameter(name="bz", type="float", default=0.0, low=-200.0, high=200.0, units="nT",
                      description="North component of its field, GSM"),
            Parameter(name="mach", type="float", default=8.0, low=1.3, high=100.0,
                      description="Fast magnetosonic Mach number of the solar wind"),
            chosen("pressure_of", "Path of the dynamic pressure, nPa, instead of one number"),
            chosen("bz_of", "Path of the north component, GSM, or of the vector, nT, instead of one number"),
            UNDECLARED, GAP),
        title="{title}: distance to magnetopause and bow shock", kind="series", units="R_E", block="time", shape=(2,),
        pad="largest_gap", citation=_SHUE)  # fmt: skip
def boundaries(
    position: "xr.Dataset", pressure: float, bz: float, mach: float, pressure_of: "xr.Dataset | None",
    bz_of: "xr.Dataset | None", undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Distance outside the model magnetopause and bow shock along the line to the Earth, and the model normals.

    Positions in other frames than GSE and GSM are turned into GSE, and so the normals are in GSE then. The aberration
    by the Earth's motion is left out.
    """
    from armillary.science import boundaries as model

    time, told = position["time"].to_numpy(), frame_told(position)
    frame = told if told.name == "GSM" else Frame("GSE")
    where = in_units(vector_of(position), units_of(position, 1), "km", "the position") / EARTH_RADIUS
    where = turned_into(frame, told, where, time, "the position", undeclared=undeclared)
    wind = (
        np.full(len(time), pressure) if pressure_of is None
        else scalar_at(pressure_of, "pressure_of", "nPa", time, largest_gap)
    )  # fmt: skip
    radius = np.linalg.norm(where, axis=1)
    cosine = where[:, 0] / radius
    standoff, flaring = model.magnetopause_shape(wind, _north(bz_of, bz, time, largest_gap, undeclared))
    nose = model.bow_shock_standoff(standoff, mach)
    distance = np.stack([radius - model.magnetopause_distance(cosine, standoff, flaring),
                         radius - model.bow_shock_distance(cosine, nose)], 1)  # fmt: skip
    away = {"units": "R_E", "LABLAXIS": "distance", "LABL_PTR_1": "boundary", "long_name": "Distance outside"}
    normal = {"COORDINATE_SYSTEM": frame.name, "LABL_PTR_1": "component", "VAR_TYPE": "support_data"}
    slopes = model.magnetopause_slope(cosine, flaring), model.bow_shock_slope(cosine)
    return series(position, {
        "distance": (("time", "boundary"), distance, away),
        "magnetopause_normal": (("time", "component"), model.normal(where, slopes[0]), normal),
        "bow_shock_normal": (("time", "component"), model.normal(where, slopes[1]), normal),
    }, boundary=["magnetopause", "bow shock"], component=list(_XYZ))  # fmt: skip


RECIPES: Final[tuple[Recipe, ...]] = (
    lmn, mva, sliding_mva, de_hoffmann_teller, walen, faraday_residue, shock_normal, boundaries,
)  # fmt: skip


def _axes_of(data: "xr.Dataset", begin: str, end: str, constraint: str) -> "Variance":
    from armillary.science.fields.variance import finite_rows, minimum_variance

    field = finite_rows(vector_of(_between(data, begin, end)))
    across = field.mean(0) if constraint == "no normal field" and len(field) else None
    return minimum_variance(field, tangential=across)


def _turned_to(own: "xr.Dataset", field: "xr.Dataset", undeclared: str) -> "xr.Dataset":
    """Give a field at its own times, in the frame of other vectors."""
    main, time = main_of(field, 1), field["time"].to_numpy()
    found = turned_into(frame_told(own), frame_told(field), vector_of(field), time, "field", undeclared=undeclared)
    return field.assign({str(main.name): (main.dims, found, main.attrs)})


def _between(data: "xr.Dataset", begin: str, end: str) -> "xr.Dataset":
    """Give the part of a dataset between two times, each of which may be left empty.

    Raises
    ------
    BadParameter
        If nothing lies between them.
    """
    if not (begin or end):
        return data
    time = data["time"].to_numpy().astype(np.int64)
    first = np.searchsorted(time, parse_time(begin)) if begin else 0
    stop = np.searchsorted(time, parse_time(end)) if end else len(time)
    if stop <= first:
        problem = f"there are no data from {begin or 'the start'} to {end or 'the end'}"
        raise BadParameter(problem, "give begin and end inside the interval that you ask for")
    return data.isel(time=slice(int(first), int(stop)))


def _anchored(ns: "Array", length: int, every: int) -> "Array":
    """Give the starts, multiples of `every`, of the windows that hold a sample."""
    if not len(ns):
        return np.empty(0, np.int64)
    starts = np.arange((int(ns[0]) - length) // every + 1, int(ns[-1]) // every + 1, dtype=np.int64) * every
    return starts[np.searchsorted(ns, starts) < np.searchsorted(ns, starts + length)]


def _frame_of(
    part: "xr.Dataset", field: "xr.Dataset | None", how: tuple[float, str], accelerated: bool
) -> tuple[Any, "Array", "Array"]:
    from armillary.missions.plasma.generic.reading import seconds_of
    from armillary.science.fields.moving_frames import convection_field, de_hoffmann_teller

    v, b = vector_of(part), vector_beside(part, field, "field", "nT", *how)
    seconds = seconds_of(part) if accelerated else None
    return de_hoffmann_teller(convection_field(v, b), b, seconds=seconds), v, b


def _frame_columns(frame: Any) -> dict[str, tuple[Any, str, str]]:
    found: dict[str, tuple[Any, str, str]] = {}
    for n, name in enumerate(_XYZ):
        found[f"v_{name}"] = ([frame.velocity[n]], "km/s", "Velocity of the de Hoffmann-Teller frame")
    for n, name in enumerate(_XYZ):
        found[f"v_{name}_error"] = ([frame.error[n]], "km/s", "Its standard error")
    for n, name in enumerate(_XYZ):
        found[f"a_{name}"] = ([frame.acceleration[n]], "km/s^2", "Its acceleration")
    return found | {
        "frame_correlation": ([frame.correlation], "", "Of -v x B with -V x B"),
        "frame_slope": ([frame.slope], "", "Of -v x B against -V x B"),
        "frame_residue": ([frame.residue], "", "Mean square of the electric field left over that before"),
        "samples": ([frame.samples], "", "Samples used"),
    }


def _pressures(
    pressure: "xr.Dataset | None", parallel: "xr.Dataset | None", perpendicular: "xr.Dataset | None", density: "Array",
    time: "Array", largest_gap: float,
) -> "tuple[Array, Array] | None":  # fmt: skip
    """Give parallel and perpendicular pressure, nPa, from one leaf or from two; None if none was chosen."""
    if parallel is None and perpendicular is None:
        return None if pressure is None else _both_of(pressure, density, time, largest_gap)
    if parallel is None or perpendicular is None or pressure is not None:
        problem = "the anisotropy of the pressure is given twice or by half"
        raise BadParameter(problem, "give parallel and perpendicular, or pressure with both of them in one leaf")
    first, second = (
        _pressure(at_times(main_of(one, 0).to_dataset(name="p"), time, largest_gap), units_of(one, 0), density)
        for one in (parallel, perpendicular)
    )
    return first, second


def _both_of(pressure: "xr.Dataset", density: "Array", time: "Array", largest_gap: float) -> "tuple[Array, Array]":
    main = main_of(pressure, 1)
    if main.shape[1] != 2:
        raise BadData(f"pressure ({main.name}) has {main.shape[1]} components, not 2", "give parallel, perpendicular")
    found = at_times(main.to_dataset(name="p"), time, largest_gap)
    both = _pressure(found, units_of(pressure, 1), density[:, None])
    return both[:, 0], both[:, 1]


def _pressure(values: "Array", units: str, density: "Array") -> "Array":
    """Give nPa from pressure, or from temperature and density (cm^-3)."""
    if units.lower() in _OF_TEMPERATURE:
        return plasma.thermal_pressure(density, in_units(values, units, "eV", "temperature"))
    return in_units(values, units, "nPa", "pressure")


def _north(bz_of: "xr.Dataset | None", bz: float, time: "Array", largest_gap: float, undeclared: str) -> "Array":
    if bz_of is None:
        return np.full(len(time), bz)
    if any(one.ndim == 2 and one.shape[1] == 3 for one in bz_of.data_vars.values()):
        found = vector_at(bz_of, "bz_of", "nT", time, largest_gap, frame=Frame("GSM"), undeclared=undeclared)
        return found[:, 2]
    return scalar_at(bz_of, "bz_of", "nT", time, largest_gap)


def _interval(text: str, name: str) -> tuple[int, int]:
    start, slash, stop = text.partition("/")
    if not slash:
        raise BadParameter(f"parameter {name!r} cannot be {text!r}", f"give {name} as start/stop, two times")
    found = Interval.of(start, stop)
    return found.start, found.stop


def _inside(time: "Array", start: int, stop: int) -> "Array":
    ns = time.astype(np.int64)
    return np.flatnonzero((ns >= start) & (ns < stop))


def _shock_table(values: tuple["Array", ...], up: "Array", down: "Array", frame: str) -> "pa.Table":
    from armillary.science.fields import shock_normals as shocks

    means = [[np.nanmean(one[part], axis=0) if np.isfinite(one[part]).any() else one[:1].mean(0) * np.nan
              for one in values] for part in (up, down)]  # fmt: skip
    if not all(np.isfinite(one).all() for side in means for one in side[:3]):
        problem = "upstream or downstream has no field, velocity or density"
        raise BadData(problem, "give times inside the interval that you ask for")
    (b1, v1, n1, t1), (b2, v2, n2, _) = means
    sides = shocks.Sides(b1, b2, v1, v2)
    rows = [_shock_row(sides, method, (n1, n2, t1)) for method in shocks.METHODS]
    units = {"speed": "km/s", "theta_bn": "deg"}
    about = {"n_x": "Normal, towards upstream", "n_y": "Normal, towards upstream", "n_z": "Normal, towards upstream",
             "speed": "Of the shock along its normal", "theta_bn": "Normal to upstream field",
             "alfven_mach": "Of the upstream flow", "fast_mach": "Of the upstream flow",
             "method": "Coplanarity of what"}  # fmt: skip
    columns = {name: ([row[name] for row in rows], units.get(name, ""), about[name]) for name in rows[0]}
    return _table(columns, {"density_ratio": float(n2 / n1), "frame": frame})


def _shock_row(sides: "Sides", method: str, scalars: tuple["Array", ...]) -> dict[str, Any]:
    from armillary.science.fields import shock_normals as shocks

    along = shocks.normal(sides, method)
    moving = shocks.speed(sides, scalars[0], scalars[1], along)
    strength = shocks.strength(sides, scalars[0], scalars[2], along, moving)
    numbers = {"n_x": along[0], "n_y": along[1], "n_z": along[2], "speed": moving, "theta_bn": strength.theta,
               "alfven_mach": strength.alfven, "fast_mach": strength.fast}  # fmt: skip
    return {"method": method} | {name: float(one) if np.isfinite(one) else None for name, one in numbers.items()}


def _table(columns: dict[str, tuple[Any, str, str]], told: dict[str, Any]) -> "pa.Table":
    import pyarrow as pa

    from armillary.model.kinds import column, with_table_attrs

    arrays = [pa.array(list(values)) for values, _, _ in columns.values()]
    schema = pa.schema([column(name, array.type, unit, about)
                        for (name, (_, unit, about)), array in zip(columns.items(), arrays, strict=True)])  # fmt: skip
    return with_table_attrs(pa.table(arrays, schema=schema), told)

"""Slices, reduced distributions, cuts and volumes of any velocity distribution, in any basis."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from armillary.errors import BadParameter
from armillary.missions.plasma.generic.reading import series
from armillary.missions.plasma.generic.skymaps import (
    AXES,
    BASIS,
    FIELD,
    GAP,
    POSITION,
    VELOCITY,
    axes_of,
    field_of,
    velocity_of,
)
from armillary.missions.plasma.generic.turning import UNDECLARED
from armillary.model import Fits, Parameter, recipe
from armillary.science.particles import projections, slices, volumes
from armillary.science.particles.datasets import PSD_UNITS, from_dataset, vector
from armillary.science.particles.interpolation import METHODS, Method
from armillary.science.particles.moments import moments
from armillary.science.plasma import ELEMENTARY_CHARGE

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from armillary.science.particles.skymap import Skymap
    from armillary.science.plasma import Array

_SKYMAP: Final = Fits(kinds=("skymap",))
#: eV; what is shown if nobody says how far: the same for every piece of a record, which the data are not.
_USUAL: Final = 10_000.0
#: eV in the middle of a plane with logarithmic axes.
_LEAST: Final = 10.0
_PLANES: Final = {"zx": (2, 0, 1), "zy": (2, 1, 0), "xy": (0, 1, 2), "xz": (0, 2, 1), "yx": (1, 0, 2), "yz": (1, 2, 0)}
_AXIS: Final = {"x": (0, 1, 2), "y": (1, 2, 0), "z": (2, 0, 1)}
_FRAMES: Final = frozenset({"instrument", "gse", "gsm", "sm", "rtn", "custom"})
_NAMES: Final = {
    "b_v": ("v perp (V)", "v perp (-E)", "v par"), "b_exb": ("v perp (ExB)", "v perp (E)", "v par"),
    "perp1_perp2": ("v perp1", "v perp2", "v par"),
}  # fmt: skip

_WINDOW: Final = Parameter(
    name="window", type="float", default=0.0, low=0.0, high=86400.0, units="s",
    description="Mean over windows of this length, each time in its own basis; 0 for every time by itself",
)  # fmt: skip
_METHOD: Final = Parameter(
    name="method", type="str", default="cubic", choices=METHODS,
    description="The cell's value, or ln f between cells interpolated in ln E and angles",
)  # fmt: skip
_FRAME: Final = Parameter(
    name="frame", type="str", default="spacecraft", choices=("spacecraft", "plasma"),
    description="Whose velocities: as measured, or with the bulk velocity taken away",
)  # fmt: skip
_PLANE: Final = Parameter(
    name="plane", type="str", default="zx", choices=tuple(_PLANES),
    description="Axes of the basis that lie to the right and up; z is along the field in those that have it",
)  # fmt: skip
_LIMIT: Final = Parameter(
    name="limit", type="float", default=0.0, low=0.0,
    description="How far the axes reach, km/s (eV for those of energy); 0 for what 10 keV are",
)  # fmt: skip
_SEEN: Final = (BASIS, AXES, _FRAME, FIELD, VELOCITY, POSITION, UNDECLARED, GAP)


class _Seen(NamedTuple):
    """What all of these recipes take."""

    window: float
    basis: str
    axes: str
    frame: str
    field: "xr.Dataset | None"
    velocity: "xr.Dataset | None"
    position: "xr.Dataset | None"
    undeclared: str
    largest_gap: float


class _View(NamedTuple):
    """Cells at t times with the axes (t, 3, 3) to look along and the velocity (t, 3) to look from."""

    cells: "Skymap"
    axes: "Array"
    centre: "Array | None"
    arrows: "dict[str, tuple[Array, str, str]]"
    names: tuple[str, str, str]


def _size(default: int, high: int, what: str) -> Parameter:
    return Parameter(name="size", type="int", default=default, low=2, high=high, description=what)


@recipe("{input}/slice", inputs={"distribution": _SKYMAP}, units=PSD_UNITS, pad="largest_gap", block="time",
        title="{title}: slice", kind="plane", sizes=("size", "size"), parameters=(
            _PLANE, _METHOD, _size(150, 600, "Pixels along each side"), _LIMIT,
            Parameter(name="scale", type="str", default="velocity", choices=slices.AXES,
                      description="What the distance from the middle is"),
            Parameter(name="thickness", type="float", default=0.0, low=0.0, high=180.0, units="deg",
                      description="Mean over a slab: directions within half of this elevation from the plane"),
            _WINDOW, *_SEEN))  # fmt: skip
def plane_slice(
    distribution: "xr.Dataset", *, plane: str, method: str, size: int, limit: float, scale: str, thickness: float,
    window: float, basis: str, axes: str, frame: str, field: "xr.Dataset | None",
    velocity: "xr.Dataset | None", position: "xr.Dataset | None", undeclared: str,
    largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Value of f on a plane through the origin, or through the bulk velocity."""
    view = _view(
        distribution,
        _PLANES[plane],
        _Seen(window, basis, axes, frame, field, velocity, position, undeclared, largest_gap),
    )
    pixels = slices.centres(_reach(view.cells, limit, scale), size)
    wanted = slices.plane_velocities(pixels, pixels, cast("slices.Axes", scale), view.cells.mass, _LEAST)
    values = slices.slices(
        view.cells, view.axes, wanted, method=cast("Method", method), centre=view.centre, thickness=thickness
    )
    return _plane(distribution, values.astype(np.float32), pixels, view, scale, window, PSD_UNITS, "f")


@recipe("{input}/cuts", inputs={"distribution": _SKYMAP}, units=PSD_UNITS, pad="largest_gap", block="time",
        title="{title}: cut", kind="spectrogram", parameters=(
            Parameter(name="axis", type="str", default="z", choices=tuple(_AXIS), description="Of the basis"),
            _METHOD, _size(200, 2000, "Points of the line"), _LIMIT, _WINDOW, *_SEEN))  # fmt: skip
def cuts(
    distribution: "xr.Dataset", *, axis: str, method: str, size: int, limit: float,
    window: float, basis: str, axes: str, frame: str, field: "xr.Dataset | None",
    velocity: "xr.Dataset | None", position: "xr.Dataset | None", undeclared: str,
    largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Value of f along one axis of the basis; beside it those along the two others."""
    view = _view(
        distribution, _AXIS[axis], _Seen(window, basis, axes, frame, field, velocity, position, undeclared, largest_gap)
    )
    speeds = slices.centres(_reach(view.cells, limit), size)
    values = slices.cuts(view.cells, view.axes, speeds, method=cast("Method", method), centre=view.centre)
    lines = [
        _line(distribution, values[:, number], speeds, view, window, PSD_UNITS, f"f along {name}", number)
        for number, name in enumerate(view.names)
    ]
    return lines[0].merge(lines[1][["f_2"]]).merge(lines[2][["f_3"]])


@recipe("{input}/reduced_1d", inputs={"distribution": _SKYMAP}, units="s cm^-4", pad="largest_gap", block="time",
        title="{title}: reduced to one axis", kind="spectrogram", parameters=(
            Parameter(name="axis", type="str", default="z", choices=tuple(_AXIS), description="Of the basis"),
            _size(200, 2000, "Bins"), _LIMIT,
            Parameter(name="low_across", type="float", default=0.0, low=0.0, units="km/s",
                      description="Least speed across the axis that counts"),
            Parameter(name="high_across", type="float", default=0.0, low=0.0, units="km/s",
                      description="Largest speed across the axis that counts; 0 for all"),
            _WINDOW, *_SEEN))  # fmt: skip
def reduced_1d(
    distribution: "xr.Dataset", *, axis: str, size: int, limit: float, low_across: float, high_across: float,
    window: float, basis: str, axes: str, frame: str, field: "xr.Dataset | None",
    velocity: "xr.Dataset | None", position: "xr.Dataset | None", undeclared: str,
    largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Integral of f over the two directions across an axis."""
    view = _view(
        distribution, _AXIS[axis], _Seen(window, basis, axes, frame, field, velocity, position, undeclared, largest_gap)
    )
    reach = _reach(view.cells, limit)
    bins = projections.Bins(-reach, reach, size)
    across = (low_across or -np.inf, high_across or np.inf)
    found = projections.project(view.cells, view.axes, (bins,), centre=view.centre, across=across)
    made = _line(distribution, found.values, bins.middles, view, window, "s cm^-4", f"f reduced to {view.names[0]}")
    return _with_density(made, distribution, found, window)


@recipe("{input}/reduced_2d", inputs={"distribution": _SKYMAP}, units="s^2 cm^-5", pad="largest_gap", block="time",
        title="{title}: reduced to a plane", kind="plane", sizes=("size", "size"), parameters=(
            _PLANE, _size(100, 600, "Bins along each side"), _LIMIT,
            Parameter(name="high_across", type="float", default=0.0, low=0.0, units="km/s",
                      description="Largest speed across the plane that counts, to both sides; 0 for all"),
            _WINDOW, *_SEEN))  # fmt: skip
def reduced_2d(
    distribution: "xr.Dataset", *, plane: str, size: int, limit: float, high_across: float,
    window: float, basis: str, axes: str, frame: str, field: "xr.Dataset | None",
    velocity: "xr.Dataset | None", position: "xr.Dataset | None", undeclared: str,
    largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Integral of f over the direction across a plane."""
    view = _view(
        distribution,
        _PLANES[plane],
        _Seen(window, basis, axes, frame, field, velocity, position, undeclared, largest_gap),
    )
    reach = _reach(view.cells, limit)
    bins, far = projections.Bins(-reach, reach, size), high_across or np.inf
    found = projections.project(view.cells, view.axes, (bins, bins), centre=view.centre, across=(-far, far))
    values = found.values.astype(np.float32)
    made = _plane(distribution, values, bins.middles, view, "velocity", window, "s^2 cm^-5", "F")
    return _with_density(made, distribution, found, window)


@recipe("{input}/volume", inputs={"distribution": _SKYMAP}, units=PSD_UNITS, pad="largest_gap", block="time",
        title="{title}: volume", kind="volume", sizes=("size", "size", "size"),
        parameters=(_METHOD, _size(32, 96, "Cells along each side"), _LIMIT, _WINDOW, *_SEEN))  # fmt: skip
def volume(
    distribution: "xr.Dataset", *, method: str, size: int, limit: float,
    window: float, basis: str, axes: str, frame: str, field: "xr.Dataset | None",
    velocity: "xr.Dataset | None", position: "xr.Dataset | None", undeclared: str,
    largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """F on a cubic grid of velocities, for surfaces and clouds; 0 beyond the energies of the instrument."""
    view = _view(
        distribution, (0, 1, 2), _Seen(window, basis, axes, frame, field, velocity, position, undeclared, largest_gap)
    )
    axis = slices.centres(_reach(view.cells, limit), size)
    values = volumes.volume(view.cells, view.axes, axis, method=cast("Method", method), centre=view.centre)
    coords = {
        name: (name, axis, {"units": "km/s", "long_name": label, "LABLAXIS": label})
        for name, label in zip(("vx", "vy", "vz"), view.names, strict=True)
    }
    attrs = {"long_name": "Phase space density", "LABLAXIS": "f", "SCALETYP": "log", "DISPLAY_TYPE": "volume",
             "units": PSD_UNITS, "DEPEND_1": "vx", "DEPEND_2": "vy", "DEPEND_3": "vz"}  # fmt: skip
    made = _at_windows(distribution, "f", ("vx", "vy", "vz"), values, attrs, window, coords)
    return _with_arrows(made, distribution, view, 3, "xyz", window)


def _view(distribution: "xr.Dataset", order: tuple[int, int, int], seen: _Seen) -> _View:
    """Gather what all of these recipes need; `order` puts the axes of the basis in the order they are used."""
    gap, field, velocity = seen.largest_gap, seen.field, seen.velocity
    if seen.window > 2 * gap:
        raise BadParameter(
            f"a window of {seen.window:g} s is more than twice largest_gap, {gap:g} s", "raise largest_gap"
        )
    cells = from_dataset(distribution)
    by_moment = velocity is None and "bulk_velocity" not in distribution
    if by_moment:
        distribution = distribution.assign(bulk_velocity=(("time", "xyz"), moments(cells).velocity, {"units": "km/s"}))
    axes = axes_of(
        distribution, seen.basis, field=field, velocity=velocity, position=seen.position, axes=seen.axes,
        largest_gap=gap, undeclared=seen.undeclared,
    )[:, list(order)]  # fmt: skip
    bulk = velocity_of(distribution, velocity, gap, seen.undeclared)
    moving = seen.frame == "plasma"
    arrows = (
        {} if moving else {"bulk_velocity": (bulk, "km/s", f"bulk velocity{', moment of these cells' * by_moment}")}
    )
    if field is not None or "magnetic_field" in distribution:
        arrows["magnetic_field"] = (field_of(distribution, field, gap, seen.undeclared), "nT", "magnetic field")
    if "electric_field" in distribution:
        arrows["electric_field"] = (vector(distribution, "electric_field", ""), "mV/m", "electric field")
    usual = ("vx", "vy", "vz") if seen.basis in _FRAMES else ("v perp x", "v perp y", "v par")
    names = _NAMES.get(seen.basis, usual)
    return _View(cells, axes, bulk if moving else None, arrows, (names[order[0]], names[order[1]], names[order[2]]))


def _reach(cells: "Skymap", limit: float, scale: str = "velocity") -> float:
    if scale == "velocity":
        return limit or 1e-3 * float(np.sqrt(2 * ELEMENTARY_CHARGE / cells.mass * _USUAL))
    energy = limit or _USUAL
    if scale == "log_energy" and energy <= _LEAST:
        raise BadParameter(f"logarithmic axes begin at {_LEAST:g} eV and cannot end at {energy:g} eV", "raise limit")
    return energy if scale == "energy" else float(np.log10(energy / _LEAST))


def _plane(
    like: "xr.Dataset", values: "Array", pixels: "Array", view: _View, scale: str, window: float, units: str, label: str
) -> "xr.Dataset":
    told = {
        "velocity": ("km/s", ""), "energy": ("eV", ", distance is E"),
        "log_energy": ("", f", distance is log10(E / {_LEAST:g} eV)"),
    }[scale]  # fmt: skip
    coords = {
        name: (name, pixels, {"units": told[0], "long_name": axis + told[1], "LABLAXIS": axis})
        for name, axis in zip(("v1", "v2"), view.names, strict=False)
    }
    attrs = {"units": units, "long_name": "Phase space density" if label == "f" else "Reduced phase space density",
             "LABLAXIS": label, "SCALETYP": "log", "DISPLAY_TYPE": "plane",
             "DEPEND_1": "v1", "DEPEND_2": "v2"}  # fmt: skip
    made = _at_windows(like, "f", ("v1", "v2"), values, attrs, window, coords)
    return _with_arrows(made, like, view, 2, "plane_axis", window)


def _line(
    like: "xr.Dataset", values: "Array", speeds: "Array", view: _View, window: float, units: str, title: str,
    number: int = 0,
) -> "xr.Dataset":  # fmt: skip
    """Give values along one of the axes, each of which has a coordinate of its own: it says what the speed is along."""
    ending, label = f"_{number + 1}" if number else "", view.names[number]
    name, speed = f"f{ending}", f"v{ending}"
    axis = {"units": "km/s", "long_name": label, "LABLAXIS": label, "SCALETYP": "linear"}
    attrs = {"units": units, "long_name": title, "LABLAXIS": "f", "SCALETYP": "log", "DISPLAY_TYPE": "spectrogram",
             "DEPEND_1": speed}  # fmt: skip
    return _at_windows(like, name, (speed,), values, attrs, window, {speed: (speed, speeds, axis)})


def _at_windows(
    like: "xr.Dataset", name: str, dims: tuple[str, ...], values: "Array", attrs: dict[str, Any], window: float,
    coords: dict[str, Any],
) -> "xr.Dataset":  # fmt: skip
    time, means, counts = _means(like, window)(values)
    variables = {name: (("time", *dims), means, attrs)}
    if window:
        told = {"units": "", "long_name": "Times in the window", "LABLAXIS": "times"}
        variables["times_in_window"] = (("time",), counts, told)
    return series(like, variables, time=time, **coords)


def _means(like: "xr.Dataset", window: float) -> "Callable[[Array], tuple[Array, Array, Array]]":
    """Give the function that turns values (t, ...) into those of windows, with their times and how many they are of."""
    time = like["time"].to_numpy()

    def mean(values: "Array") -> "tuple[Array, Array, Array]":
        if not window:
            return time, values, np.ones(len(time), int)
        means, middles, counts = slices.window_means(values, time.astype("datetime64[ns]").astype(np.int64), window)
        return middles.astype("datetime64[ns]"), means.astype(values.dtype), counts

    return mean


def _with_arrows(
    made: "xr.Dataset", like: "xr.Dataset", view: _View, size: int, dim: str, window: float
) -> "xr.Dataset":
    """Add the vectors beside the distribution, along the axes that are shown."""
    for name, (vectors, units, title) in view.arrows.items():
        along = np.einsum("tij,tj->ti", view.axes, vectors)[:, :size]
        told = {"units": units, "long_name": title, "LABLAXIS": {"b": "V", "m": "B", "e": "E"}[name[0]]}
        made[f"arrow_{name}"] = (("time", dim), _means(like, window)(along)[1], told)
    return made


def _with_density(made: "xr.Dataset", like: "xr.Dataset", found: projections.Projection, window: float) -> "xr.Dataset":
    """Add what the whole distribution holds, and what of it is not in the bins."""
    told = {
        "density": (found.density, "Density of all cells", "n"),
        "outside": (found.outside, "Density outside the bins", "n outside"),
    }
    for name, (values, title, label) in told.items():
        attrs = {"units": "cm^-3", "long_name": title, "LABLAXIS": label}
        made[name] = (("time",), _means(like, window)(values)[1], attrs)
    return made


RECIPES: Final = (plane_slice, reduced_1d, reduced_2d, cuts, volume)

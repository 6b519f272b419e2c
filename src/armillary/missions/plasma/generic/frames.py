"""Of any vector itself in another frame; of any position near the Earth the model field and its field line."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.generic.beside import (
    GAP,
    chosen,
    in_units,
    units_of,
    vector_at,
    vectors,
)
from armillary.missions.plasma.generic.reading import at_times, main_of, series, vector_of
from armillary.missions.plasma.generic.turning import Frame, frame_told
from armillary.missions.plasma.unit_spellings import EARTH_RADIUS
from armillary.model import Fits, Parameter, Recipe, recipe
from armillary.science import boundaries
from armillary.science.coordinates import geomagnetic, local, tracing
from armillary.science.coordinates.frames import FRAMES, matrices, transform
from armillary.science.coordinates.quaternions import nearest_rotations

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

_TURNS: Final = Fits(kinds=("series",), shapes=((3,), (3, 3)))
_POSITION: Final = Fits(kinds=("series",), shapes=((3,),), units=("km", "m", "Re", "R_E", "Earth radii"))
_OPENS: Final = ("closed", "open in the north", "open in the south", "open at both ends", "not traced")

_FRAME: Final = Parameter(
    name="frame", type="str", default="", choices=("", *FRAMES, "RTN"),
    description="Frame that the vectors are in; empty if their metadata or their name tell it",
)  # fmt: skip
_PRESSURE: Final = Parameter(
    name="pressure", type="float", default=2.0, low=0.01, high=200.0, units="nPa",
    description="Dynamic pressure of the solar wind, for the magnetopause",
)  # fmt: skip
_BZ: Final = Parameter(
    name="bz", type="float", default=0.0, low=-100.0, high=100.0, units="nT",
    description="North component of the solar wind's field in GSM, for the magnetopause",
)  # fmt: skip
_MODEL: Final = Parameter(
    name="model", type="str", default="igrf+t89", choices=geomagnetic.MODELS, description="Model of the magnetic field"
)
_KP: Final = Parameter(name="kp", type="float", default=2.0, low=0.0, high=9.0, description="Kp index, for T89")


@recipe("{input}/in_frame", inputs={"vector": _TURNS}, title="{title}: in another frame", kind="series",
        units="{units}", block="time", pad="largest_gap", citation="doi:10.1016/0032-0633(92)90012-D",
        parameters=(Parameter(name="to", type="str", default="GSM", choices=(*FRAMES, "RTN", "LMN"),
                              description="Frame to turn the vectors into"),
                    _FRAME, chosen("position", "Path of the spacecraft's position from the Earth, for RTN and LMN"),
                    chosen("matrix", "Path of the matrices that turn a frame of the spacecraft's own into GSE, such as "
                           "mms/mms1/mec/dbcs_to_gse"),
                    _PRESSURE, _BZ, GAP))  # fmt: skip
def in_frame(
    vector: "xr.Dataset", to: str, frame: str, position: "xr.Dataset | None", matrix: "xr.Dataset | None",
    pressure: float, bz: float, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Vector or tensor turned into another geocentric frame, RTN, or LMN of the magnetopause of Shue et al. (1998).

    The origin is not moved: a position stays one from the Earth, a velocity stays one in the same rest frame. A tensor,
    (3, 3), is turned at both of its axes: R P R^T.
    """
    if matrix is not None:
        vector = _by_attitude(vector, matrix, largest_gap)
    given = _to_turn(vector)
    source, time = told_frame(vector, frame, local_too=True), vector["time"].to_numpy()
    labels = list({"RTN": "RTN", "LMN": "LMN"}.get(to, "xyz"))
    title, units = f"{given.attrs.get('long_name') or 'Vector'}, {to}", str(given.attrs.get("units", ""))
    values = given.to_numpy().astype(float)
    if values.ndim == 3:
        turn = np.eye(3) if source == to else _turns(time, source, to, position, (pressure, bz), largest_gap)
        return _tensor(vector, np.asarray(turn @ values @ np.swapaxes(turn, -1, -2)), units, title, to, labels)
    if source == to:
        found = values
    elif {source, to} & {"RTN", "LMN"}:
        turn = _turns(time, source, to, position, (pressure, bz), largest_gap)
        found = np.einsum("tij,tj->ti", turn, values)
    else:
        found = transform(values, time, source, to)
    return vectors(vector, found, "vector", units, title, frame=to, labels=labels)


@recipe("{input}/geomagnetic_field", inputs={"position": _POSITION}, title="{title}: model magnetic field",
        kind="series", units="nT", block="time", shape=(3,),
        citation="doi:10.5281/zenodo.14012302; doi:10.1016/0032-0633(89)90066-4",
        parameters=(_MODEL, _KP, _FRAME, _PRESSURE, _BZ))  # fmt: skip
def geomagnetic_field(
    position: "xr.Dataset", model: str, kp: float, frame: str, pressure: float, bz: float
) -> "xr.Dataset":  # fmt: skip
    """Model field at the position, in the frame of the position: dipole or IGRF-14, with or without T89.

    ``inside_magnetopause`` is 0 where the position lies outside the magnetopause of Shue et al. (1998), which T89 does
    not know: there its numbers mean nothing.
    """
    source, time = told_frame(position, frame), position["time"].to_numpy()
    place = earth_radii(position)
    found = geomagnetic.magnetic_field(place, time, frame=source, model=model, kp=kp)
    made = vectors(position, found, "geomagnetic_field", "nT", f"Magnetic field of {model}", frame=source)
    made["inside_magnetopause"] = _inside(transform(place, time, source, "GSM"), pressure, bz)
    return made


@recipe("{input}/footpoint", inputs={"position": _POSITION}, title="{title}: foot of the field line", kind="series",
        units="deg", block="time", shape=(2,), pad="every", cadence="every",
        citation="doi:10.5281/zenodo.14012302; doi:10.1016/0032-0633(89)90066-4",
        parameters=(Parameter(name="every", type="float", default=60.0, low=1.0, high=86400.0, units="s",
                              description="One position in so many seconds is traced"),
                    _MODEL, _KP, _FRAME, _PRESSURE, _BZ,
                    Parameter(name="outer", type="float", default=60.0, low=2.0, high=70.0, units="Re",
                              description="A line that goes farther is open")))  # fmt: skip
def footpoint(
    position: "xr.Dataset", every: float, model: str, kp: float, frame: str, pressure: float, bz: float, outer: float
) -> "xr.Dataset":
    """Where the field line through the position meets the ionosphere, 110 km up, and the magnetic equator.

    Feet are geocentric latitudes and east longitudes; ``line`` says whether the line is closed, and where not; a foot
    that is not reached is missing. ``inside_magnetopause`` is as in the model field: where it is 0, T89 means nothing.
    """
    source = told_frame(position, frame)
    ns = position["time"].to_numpy().astype(np.int64)
    window = ns // round(every * 1e9)
    picked = position.isel(time=np.flatnonzero(np.diff(window, prepend=window[:1] - 1)))
    time = picked["time"].to_numpy()
    gsm = transform(earth_radii(picked), time, source, "GSM")
    lines = tracing.field_lines(geomagnetic.field_at(time, model, kp), gsm, outer=outer)
    made = series(picked, _feet(lines, time), angle=["latitude", "longitude"])
    made["inside_magnetopause"] = _inside(gsm, pressure, bz)
    return made.assign_attrs(model=model, kp=kp)


def told_frame(data: "xr.Dataset", frame: str, *, local_too: bool = False) -> str:
    """Give the frame that vectors are in: as asked, or as their metadata or their name tell.

    Raises
    ------
    BadData
        If nothing tells it, or it is one that needs more than the time (a spacecraft's own).
    """
    if frame:
        return frame
    told = frame_told(data).name
    if told not in FRAMES and not (local_too and told in {"RTN", "LMN"}):
        name = next(iter(data.data_vars))
        problem = f"{name} is in the frame {told!r}" if told else f"nothing tells the frame of {name}"
        raise BadData(f"{problem}, which cannot be turned", f"give frame=..., one of {', '.join(FRAMES)}")
    return told


def earth_radii(position: "xr.Dataset") -> "Array":
    """Give positions in Earth radii of 6371.2 km, shape (t, 3), from km, m or Earth radii."""
    return in_units(vector_of(position), units_of(position, 1), "km", "position") / EARTH_RADIUS


def _to_turn(data: "xr.Dataset") -> "xr.DataArray":
    """Give the first variable that is a vector or a tensor on time.

    Raises
    ------
    BadData
        If there is none, or it is a matrix that turns vectors, which lies in two frames.
    """
    for one in data.data_vars.values():
        if one.dims[:1] == ("time",) and one.shape[1:] == (3, 3) and not one.attrs.get("units"):
            raise BadData(f"{one.name} has no units: a matrix of a turn, no tensor", "choose a leaf of a tensor")
        if one.dims[:1] == ("time",) and one.shape[1:] in {(3,), (3, 3)} and one.dtype.kind in "iuf":
            return one
    raise BadData(f"there is neither vector nor tensor among {', '.join(map(str, data.data_vars))}",
                  "choose another leaf")  # fmt: skip


def _by_attitude(data: "xr.Dataset", matrix: "xr.Dataset", largest_gap: float) -> "xr.Dataset":
    """Turn what is in a spacecraft's own frame into GSE by its matrices, each the nearest rotation to a straight line.

    Raises
    ------
    BadData
        If it is in another frame already, or the matrices do not lead to GSE.
    """
    given, own = _to_turn(data), frame_told(data).name
    if own in FRAMES:
        raise BadData(f"{given.name} is in {own} already, which needs no matrix", "leave matrix out")
    main = main_of(matrix, 2)
    if main.shape[1:] != (3, 3) or frame_told(matrix).name != "GSE":
        raise BadData(f"matrix ({main.name}) holds no matrices to GSE", "choose one such as mms/mms1/mec/dbcs_to_gse")
    turn = at_times(main.to_dataset(name="matrix"), data["time"].to_numpy(), largest_gap)
    known = np.isfinite(turn).all((1, 2))
    turn[known] = nearest_rotations(turn[known])
    values = given.to_numpy().astype(float)[..., None] if given.ndim == 2 else given.to_numpy().astype(float)
    found = turn @ values if given.ndim == 2 else turn @ values @ np.swapaxes(turn, 1, 2)
    attrs = {name: one for name, one in given.attrs.items() if name.lower() != "frame"} | {"COORDINATE_SYSTEM": "GSE"}
    return data.assign({str(given.name): (given.dims, found.reshape(given.shape), attrs)})


def _tensor(like: "xr.Dataset", values: "Array", units: str, title: str, frame: str, labels: list[str]) -> "xr.Dataset":
    attrs = {"units": units, "long_name": title, "LABLAXIS": "tensor", "COORDINATE_SYSTEM": frame,
             "LABL_PTR_1": "row", "LABL_PTR_2": "column"}  # fmt: skip
    return series(like, {"tensor": (("time", "row", "column"), values, attrs)}, row=labels, column=labels)


def _turns(
    time: "Array", source: str, to: str, position: "xr.Dataset | None", wind: tuple[float, float], largest_gap: float
) -> "Array":
    """Give the matrices from one frame to another, shape (t, 3, 3)."""
    if {source, to} & {"RTN", "LMN"}:
        return _local_matrices(time, source, to, position, wind, largest_gap)
    return matrices(time, source, to)


def _local_matrices(
    time: "Array", source: str, to: str, position: "xr.Dataset | None", wind: tuple[float, float], largest_gap: float
) -> "Array":
    if source == "LMN" or {source, to} == {"RTN", "LMN"}:
        raise BadData(f"vectors in {source} cannot be turned into {to}", "choose a leaf in GSE or GSM")
    geocentric = source if source != "RTN" else to
    here = vector_at(position, "position", "km", time, largest_gap, frame=Frame("GSM"))
    if to == "LMN":
        return np.asarray(local.lmn_axes(here, *wind) @ matrices(time, source, "GSM"))
    turn = local.rtn_matrices(time, "GSM", here) @ matrices(time, geocentric, "GSM")
    return np.asarray(turn if to == "RTN" else np.swapaxes(turn, 1, 2))


def _inside(gsm: "Array", pressure: float, bz: float) -> tuple[str, "Array", dict[str, str]]:
    standoff, flaring = boundaries.magnetopause_shape(pressure, bz)
    radius = np.linalg.norm(gsm, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = radius < boundaries.magnetopause_distance(gsm[:, 0] / radius, standoff, flaring)
    return "time", inside.astype(np.int8), {"units": "", "long_name": "Inside the model magnetopause"}


def _feet(lines: tracing.Lines, time: "Array") -> dict[str, Any]:
    """Give the variables of `footpoint`."""
    found: dict[str, Any] = {}
    for name, end in (("north", lines.north), ("south", lines.south)):
        foot = np.where((end.state == tracing.FOOT)[:, None], end.position, np.nan)
        x, y, z = transform(foot, time, "GSM", "GEO").T
        angles = np.degrees(np.stack([np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)], axis=1))
        told = {"units": "deg", "long_name": f"Foot in the {name}", "LABLAXIS": f"{name} foot", "LABL_PTR_1": "angle",
                "DISPLAY_TYPE": "time_series", "COORDINATE_SYSTEM": "GEO"}  # fmt: skip
        found[f"{name}_foot"] = (("time", "angle"), angles, told)
    away = np.linalg.norm(lines.equator, axis=1)
    hours = geomagnetic.magnetic_local_time(lines.equator, time)
    length = np.where(lines.closed, lines.north.length + lines.south.length, np.nan)
    for name, values, units, title in (
        ("equator_distance", away, "Re", "Distance of the magnetic equator on the line"),
        ("equator_local_time", hours, "h", "Magnetic local time of the equator on the line"),
        ("equator_field", lines.equator_field, "nT", "Weakest field on the line"),
        ("line_length", length, "Re", "Length of the line"),
    ):
        found[name] = (("time",), values, {"units": units, "long_name": title, "LABLAXIS": name.replace("_", " ")})
    state = _state(lines)
    flags = {
        "flag_values": list(range(len(_OPENS))),
        "flag_meanings": " ".join(one.replace(" ", "_") for one in _OPENS),
    }
    found["line"] = (("time",), state, {"units": "", "long_name": "Whether the field line is closed", **flags})
    return found


def _state(lines: tracing.Lines) -> "Array":
    north, south = lines.north.state, lines.south.state
    lost = (north == tracing.NOWHERE) | (south == tracing.NOWHERE)
    opened = (north != tracing.FOOT) + 2 * (south != tracing.FOOT)
    return np.asarray(np.where(lost, _OPENS.index("not traced"), opened).astype(np.int8))


RECIPES: Final[tuple[Recipe, ...]] = (in_frame, geomagnetic_field, footpoint)

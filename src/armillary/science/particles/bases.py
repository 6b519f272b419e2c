"""Bases for velocity distributions: three right-handed unit axes at every time, in the frame of the skymap.

===========  =======================  ================================================================================
name         needs                    its axes
===========  =======================  ================================================================================
instrument                            those of the skymap's own frame
gse          to_gse                   those of GSE
gsm, sm      to_gse, from_gse         those of the frame that from_gse turns GSE vectors into
rtn          to_rtn                   those of RTN: away from the Sun, along its rotation, northward
x_gse        b, to_gse                z along b, y along z x X of GSE; x is the sunward axis across the field
r_geo        b, to_gse, position      z along b, y along z x r (eastward at the equator), x outwards
mr_geo       b, to_gse, position      the same with -r: x inwards, y westward
phi_geo      b, to_gse, from_gse,     z along b, x along phi x z (outwards), y the eastward phi across the field
             position
mphi_geo     as phi_geo               the same with -phi: x inwards, y westward
b_v          b, v                     z along b, x the bulk velocity across the field, y along -E = v x b
b_exb        b, and e or v            z along b, x the drift E x b, y the electric field across b; without e, E = -v x b
perp1_perp2  b                        z along b, x (perp1) the frame's x across the field, y (perp2) along z x perp1
custom       custom                   three rows, or x along a first vector and y towards a second one
===========  =======================  ================================================================================

The field-aligned ones are those of SPEDAS (``fac_matrix_make``; Angelopoulos et al. 2019, Space Sci. Rev. 215, 9,
doi:10.1007/s11214-018-0576-4), perp1_perp2 that of irfu (``irf_convert_fac`` with the reference 1, 0, 0), GSE, GSM
and SM those of Hapgood (1992, Planet. Space Sci. 40, 711, doi:10.1016/0032-0633(92)90012-D). A vector's components in
a basis are ``basis @ vector``. To take the bulk velocity away is no rotation: shift the velocities beside the basis.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from armillary.errors import BadParameter
from armillary.science.plasma import Array

if TYPE_CHECKING:
    import xarray as xr

#: What `basis_matrix` knows, for the choices of a parameter.
BASES: Final = (
    "instrument", "gse", "gsm", "sm", "rtn", "x_gse", "r_geo", "mr_geo", "phi_geo", "mphi_geo", "b_v", "b_exb",
    "perp1_perp2", "custom",
)  # fmt: skip
_NEEDS: Final = {
    "instrument": (), "gse": ("to_gse",), "gsm": ("to_gse", "from_gse"), "sm": ("to_gse", "from_gse"),
    "rtn": ("to_rtn",), "x_gse": ("b", "to_gse"), "r_geo": ("b", "to_gse", "position"),
    "mr_geo": ("b", "to_gse", "position"),
    "phi_geo": ("b", "to_gse", "from_gse", "position"), "mphi_geo": ("b", "to_gse", "from_gse", "position"),
    "b_v": ("b", "v"), "b_exb": ("b",), "perp1_perp2": ("b",), "custom": ("custom",),
}  # fmt: skip
_MEANING: Final = {
    "b": "the magnetic field", "v": "the bulk velocity", "e": "the electric field", "to_gse": "a matrix to GSE",
    "to_rtn": "a matrix to RTN",
    "from_gse": "a matrix from GSE (to GSM, SM or GEO)", "position": "the position in GSE", "custom": "your own axes",
}  # fmt: skip
#: Sine of the angle below which two directions span no plane.
_PARALLEL: Final = 1e-6


class _Given(NamedTuple):
    """What may define a basis, one for each time; NaN where it was not given."""

    b: Array
    v: Array
    e: Array
    to_gse: Array
    to_rtn: Array
    from_gse: Array
    position: Array


def basis_matrix(
    name: str, *, steps: int, b: Array | None = None, v: Array | None = None, e: Array | None = None,
    to_gse: Array | None = None, to_rtn: Array | None = None, from_gse: Array | None = None,
    position: Array | None = None, custom: Array | None = None,
) -> Array:  # fmt: skip
    """Give the axes of a basis at every time.

    Parameters
    ----------
    name : str
        One of `BASES`.
    steps : int
        Number of times, t.
    b, v, e : array, shape (3,) or (t, 3), optional
        Magnetic field, bulk velocity and electric field in the skymap's frame, any units.
    to_gse, to_rtn : array, shape (3, 3) or (t, 3, 3), optional
        Matrix that turns vectors of the skymap's frame into GSE, into RTN.
    from_gse : array, shape (3, 3) or (t, 3, 3), optional
        Matrix that turns GSE into the named frame; for phi_geo and mphi_geo into GEO.
    position : array, shape (3,) or (t, 3), optional
        Of the spacecraft in GSE, any units.
    custom : array, shape (3, 3), (t, 3, 3) or (2, 3), optional
        Three axes as rows, or two directions: x along the first, y in their plane on the side of the second.

    Returns
    -------
    array, shape (t, 3, 3)
        Rows are the unit axes x, y, z in the skymap's frame, right-handed. NaN at times when they are not defined:
        something needed is missing or zero, or the two directions are parallel; see `is_defined`.

    Raises
    ------
    BadParameter
        If the name is unknown, something that it needs was not given at all, or has another shape.

    Examples
    --------
    >>> basis_matrix("b_v", steps=1, b=np.array([0.0, 0, 5]), v=np.array([0.0, 400, 100])).tolist()
    [[[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    given = {"b": b, "v": v, "e": e, "to_gse": to_gse, "to_rtn": to_rtn, "from_gse": from_gse, "position": position,
             "custom": custom}  # fmt: skip
    _check_given(name, given)
    if name == "custom" and custom is not None:
        return _custom(np.asarray(custom, float), steps)
    vectors = {one: _spread(one, given[one], (3,), steps) for one in ("b", "v", "e", "position")}
    matrices = {one: _spread(one, given[one], (3, 3), steps) for one in ("to_gse", "to_rtn", "from_gse")}
    made = _BUILT[name](_Given(**vectors, **matrices))
    # Adding 0 turns -0 into 0.
    return np.where(is_defined(made)[:, None, None], made + 0.0, np.nan)


def is_defined(basis: Array) -> Array:
    """Say at which times a basis is defined, shape (t,)."""
    return np.asarray(np.isfinite(basis).all((1, 2)))


def basis_of(
    data: "xr.Dataset", name: str, *, from_gse: Array | None = None, position: Array | None = None,
    custom: Array | None = None, field: Array | None = None, velocity: Array | None = None,
) -> Array:  # fmt: skip
    """Give the axes of a basis for a dataset of the kind "skymap", from what lies beside its psd.

    Parameters
    ----------
    field, velocity : array, shape (t, 3), optional
        In place of what lies beside psd.

    Raises
    ------
    BadParameter
        As `basis_matrix`.
    """
    beside = {"b": "magnetic_field", "v": "bulk_velocity", "e": "electric_field", "to_gse": "to_gse",
              "to_rtn": "to_rtn"}  # fmt: skip
    found = {one: data[name].to_numpy().astype(float) for one, name in beside.items() if name in data}
    found |= {one: values for one, values in (("b", field), ("v", velocity)) if values is not None}
    own = str(data["psd"].attrs.get("COORDINATE_SYSTEM", "")).lower()
    if own in {"gse", "rtn"}:
        found.setdefault(f"to_{own}", np.eye(3))
    return basis_matrix(
        name, steps=data.sizes["time"], from_gse=from_gse, position=position, custom=custom, **found
    )  # fmt: skip


def read_axes(text: str) -> Array | None:
    """Read the axes that a user typed, six or nine numbers; None if there is no text.

    Raises
    ------
    BadParameter
        If they are not.

    Examples
    --------
    >>> read_axes("1 0 0; 0 1 1").tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
    """
    if not text.strip():
        return None
    try:
        numbers = [float(word) for word in text.replace(";", " ").replace(",", " ").split()]
    except ValueError:
        numbers = []
    if len(numbers) not in {6, 9}:
        raise BadParameter(f"{text!r} are no axes", "write two or three vectors, such as '1 0 0; 0 1 0'")
    return np.array(numbers).reshape(-1, 3)


def _check_given(name: str, given: dict[str, Array | None]) -> None:
    if name not in _NEEDS:
        raise BadParameter(f"there is no basis {name!r}", f"choose one of {', '.join(BASES)}")
    there = {one for one, values in given.items() if values is not None}
    missing = _missing(name, there)
    if missing:
        lacks = ", ".join(_MEANING[one] for one in missing)
        # Matrices from GSE depend on the time only, and are made for the basis that was asked for.
        possible = [one for one in BASES if not _missing(one, {*there, "from_gse", "custom"})]
        problem = f"the basis {name!r} needs {lacks}, which is not there"
        raise BadParameter(problem, f"give it or choose another basis: here are {', '.join(possible)}")


def _missing(name: str, there: set[str]) -> list[str]:
    drift = ["v"] if name == "b_exb" and not {"e", "v"} & there else []
    return [one for one in _NEEDS[name] if one not in there] + drift


def _spread(name: str, values: Array | None, size: tuple[int, ...], steps: int) -> Array:
    if values is None:
        return np.full((steps, *size), np.nan)
    found = np.asarray(values, float)
    if found.shape not in {size, (steps, *size)}:
        raise BadParameter(
            f"{_MEANING[name]} has the shape {found.shape} at {steps} times", f"give it as {size} or {(steps, *size)}"
        )
    return np.broadcast_to(found, (steps, *size))


def _custom(axes: Array, steps: int) -> Array:
    if axes.shape == (2, 3):
        first, second = _unit(axes[0]), _unit(axes[1])
        z = _unit(np.cross(first, second), _PARALLEL)
        axes = np.stack([first, np.cross(z, first), z])
        if not np.isfinite(axes).all():
            raise BadParameter("the two vectors of the basis are parallel or zero", "give two that span a plane")
    axes = _spread("custom", axes, (3, 3), steps)
    known = axes[is_defined(axes)]
    square = known @ known.transpose(0, 2, 1) - np.eye(3)
    if (np.abs(square) > _PARALLEL).any() or (np.linalg.det(known) < 0).any():
        raise BadParameter("these axes are no right-handed unit vectors across each other", "give two vectors instead")
    return np.where(is_defined(axes)[:, None, None], axes, np.nan)


def _unit(vector: Array, shortest: float = 0.0) -> Array:
    """Give the direction of vectors; NaN if not longer than `shortest`, or not finite."""
    with np.errstate(invalid="ignore", divide="ignore"):
        # Scaled first, so that no square is too large or too small.
        size = np.abs(vector).max(-1, keepdims=True)
        scaled = vector / size
        long = np.sqrt((scaled**2).sum(-1, keepdims=True))
        return np.asarray(np.where(size * long > shortest, scaled / long, np.nan))


def _along(z: Array, near: Array) -> Array:
    """Give the basis with that z, whose x is as near as can be to a direction."""
    up, ahead = _unit(z), _unit(near)
    y = _unit(np.cross(up, ahead), _PARALLEL)
    return np.stack([np.cross(y, up), y, up], axis=1)


def _in_frame(to_gse: Array, vector: Array) -> Array:
    return np.asarray(np.einsum("tji,tj->ti", to_gse, vector))


def _radial(given: _Given, sign: float) -> Array:
    return _along(given.b, sign * _in_frame(given.to_gse, _unit(given.position)))


def _azimuthal(given: _Given, sign: float) -> Array:
    east = _unit(np.cross(given.from_gse[:, 2], _unit(given.position)), _PARALLEL)
    return _along(given.b, _unit(np.cross(sign * _in_frame(given.to_gse, east), _unit(given.b)), _PARALLEL))


def _drift(given: _Given) -> Array:
    if np.isnan(given.e).all():
        return _along(given.b, given.v)
    return _along(given.b, _unit(np.cross(_unit(given.e), _unit(given.b)), _PARALLEL))


_BUILT: Final[dict[str, Callable[[_Given], Array]]] = {
    "instrument": lambda given: np.broadcast_to(np.eye(3), given.to_gse.shape),
    "gse": lambda given: given.to_gse,
    "rtn": lambda given: given.to_rtn,
    "gsm": lambda given: given.from_gse @ given.to_gse,
    "sm": lambda given: given.from_gse @ given.to_gse,
    "x_gse": lambda given: _along(given.b, given.to_gse[:, 0]),
    "r_geo": lambda given: _radial(given, 1.0),
    "mr_geo": lambda given: _radial(given, -1.0),
    "phi_geo": lambda given: _azimuthal(given, 1.0),
    "mphi_geo": lambda given: _azimuthal(given, -1.0),
    "b_v": lambda given: _along(given.b, given.v),
    "b_exb": _drift,
    "perp1_perp2": lambda given: _along(given.b, np.broadcast_to(np.eye(3)[0], given.b.shape)),
}

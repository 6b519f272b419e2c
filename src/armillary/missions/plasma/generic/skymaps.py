"""What recipes of skymaps need beside psd: field, velocity and bases, in the frame of the skymap, or a clear error."""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.generic.beside import DESPUN, chosen, vector_at
from armillary.missions.plasma.generic.frames import told_frame
from armillary.missions.plasma.generic.reading import frame_of
from armillary.model import Parameter
from armillary.science.coordinates.frames import frame_named, matrices, transform
from armillary.science.particles.bases import BASES, basis_of, read_axes
from armillary.science.particles.datasets import vector

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

FIELD: Final = chosen(
    "field", "Path of a magnetic field (nT) to use instead of the one beside the distribution; turned into its frame"
)
VELOCITY: Final = chosen(
    "velocity",
    "Path of a bulk velocity (km/s) to use instead of the one beside the distribution; turned into its frame",
)
POSITION: Final = chosen(
    "position",
    "Path of the position from the Earth (GSE if nothing tells its frame), for r_geo, phi_geo and the like",
)
BASIS: Final = Parameter(
    name="basis",
    type="str",
    default="b_v",
    choices=BASES,
    description="Axes: x, y across and z along the field, or those of a frame",
)
AXES: Final = Parameter(
    name="axes",
    type="str",
    default="",
    description="For the basis custom: two or three vectors, such as '1 0 0; 0 1 0'",
)
#: The frame that a basis needs to be turned into from GSE.
_FROM_GSE: Final = {"gsm": "GSM", "sm": "SM", "phi_geo": "GEO", "mphi_geo": "GEO"}


def field_of(distribution: "xr.Dataset", field: "xr.Dataset | None", largest_gap: float) -> "Array":
    """Give the magnetic field at the times of a skymap and in its frame, nT, shape (t, 3); NaN in gaps.

    Raises
    ------
    BadData
        If none was chosen and none lies beside psd, or the chosen one is in a frame that cannot be turned.
    """
    if field is None:
        return vector(distribution, "magnetic_field", "give the path of a magnetic field as the parameter field")
    return turned(distribution, field, vector_at(field, "field", "nT", distribution["time"].to_numpy(), largest_gap))


def velocity_of(distribution: "xr.Dataset", velocity: "xr.Dataset | None", largest_gap: float) -> "Array":
    """Give the bulk velocity at the times of a skymap and in its frame, km/s, shape (t, 3); errors as `field_of`."""
    if velocity is None:
        return vector(distribution, "bulk_velocity", "give the path of a bulk velocity as the parameter velocity")
    there = vector_at(velocity, "velocity", "km/s", distribution["time"].to_numpy(), largest_gap)
    return turned(distribution, velocity, there)


def turned(distribution: "xr.Dataset", other: "xr.Dataset", vectors: "Array") -> "Array":
    """Turn vectors of another product, already at these times, into the frame of a skymap.

    A product whose frame nobody tells, neither its metadata nor its name, is taken to be in the frame of the skymap.

    Raises
    ------
    BadData
        If there is no way from the one frame to the other.
    """
    own, given = str(distribution["psd"].attrs.get("COORDINATE_SYSTEM", "")), _told(other)
    if not given or given.upper() == own.upper() or {given.upper(), own.upper()} <= DESPUN:
        return vectors
    time, to_gse = distribution["time"].to_numpy(), distribution.get("to_gse")
    if frame_named(given) and frame_named(own):
        return transform(vectors, time, frame_named(given), frame_named(own))
    if frame_named(given) and to_gse is not None:
        there = transform(vectors, time, frame_named(given), "GSE")
        return np.asarray(np.einsum("tji,tj->ti", to_gse.to_numpy(), there))
    if given.upper() == "RTN" and "to_rtn" in distribution:
        return np.asarray(np.einsum("tji,tj->ti", distribution["to_rtn"].to_numpy(), vectors))
    raise BadData(
        f"vectors in {given} cannot be turned into the {own} of the distribution", f"choose a product in {own}"
    )


def axes_of(
    distribution: "xr.Dataset", basis: str, *, field: "xr.Dataset | None" = None, velocity: "xr.Dataset | None" = None,
    position: "xr.Dataset | None" = None, axes: str = "", largest_gap: float = 60.0,
) -> "Array":  # fmt: skip
    """Give the axes of a basis at each time of a skymap, shape (t, 3, 3); see `armillary.science.particles.bases`.

    Raises
    ------
    BadParameter
        If something that the basis needs is not there.
    """
    time = distribution["time"].to_numpy()
    place = None if position is None else vector_at(position, "position", "km", time, largest_gap)
    if position is not None and place is not None:
        told = _told(position) or "GSE"
        place = transform(place, time, frame_named(told) or told, "GSE")
    return basis_of(
        distribution, basis, custom=read_axes(axes), position=place,
        field=None if field is None else field_of(distribution, field, largest_gap),
        velocity=None if velocity is None else velocity_of(distribution, velocity, largest_gap),
        from_gse=matrices(time, "GSE", _FROM_GSE[basis]) if basis in _FROM_GSE else None,
    )  # fmt: skip


def _told(data: "xr.Dataset") -> str:
    """Give the frame that a product's metadata or name tell, "" if they tell none."""
    if frame_of(data):
        return frame_of(data)
    try:
        return told_frame(data, "", local_too=True)
    except BadData:
        return ""

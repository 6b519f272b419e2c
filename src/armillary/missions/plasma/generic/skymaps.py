"""What recipes of skymaps need beside psd: field, velocity and bases, in the frame of the skymap, or a clear error."""

from typing import TYPE_CHECKING, Final

from armillary.missions.plasma.generic.beside import chosen, vector_at
from armillary.missions.plasma.generic.reading import craft_of
from armillary.missions.plasma.generic.turning import Frame
from armillary.model import Parameter
from armillary.science.coordinates.frames import matrices
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
    "Path of the position from the Earth, for r_geo, phi_geo and the like",
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
GAP: Final = Parameter(
    name="largest_gap", type="float", default=5.0, low=0.001, high=86400.0, units="s",
    description="Longest step that is bridged between samples of a chosen product, and half of the longest window",
)  # fmt: skip
#: The frame that a basis needs to be turned into from GSE.
_FROM_GSE: Final = {"gsm": "GSM", "sm": "SM", "phi_geo": "GEO", "mphi_geo": "GEO"}


def field_of(
    distribution: "xr.Dataset", field: "xr.Dataset | None", largest_gap: float, undeclared: str = "refuse"
) -> "Array":
    """Give the magnetic field at the times of a skymap and in its frame, nT, shape (t, 3); NaN in gaps.

    Where the skymap tells how long it was counted, it is the mean over that time.

    Raises
    ------
    BadData
        If none was chosen and none lies beside psd, or the chosen one is in a frame that cannot be turned.
    """
    if field is None:
        return vector(distribution, "magnetic_field", "give the path of a magnetic field as the parameter field")
    return _chosen(distribution, field, ("field", "nT"), largest_gap, undeclared)


def velocity_of(
    distribution: "xr.Dataset", velocity: "xr.Dataset | None", largest_gap: float, undeclared: str = "refuse"
) -> "Array":
    """Give the bulk velocity at the times of a skymap and in its frame, km/s, shape (t, 3); errors as `field_of`."""
    if velocity is None:
        return vector(distribution, "bulk_velocity", "give the path of a bulk velocity as the parameter velocity")
    return _chosen(distribution, velocity, ("velocity", "km/s"), largest_gap, undeclared)


def accumulation_of(distribution: "xr.Dataset") -> float:
    """Give how many seconds from its time on a skymap was counted; 0 if its time stands for all of it."""
    return float(distribution["psd"].attrs.get("accumulation", 0.0))


def axes_of(
    distribution: "xr.Dataset", basis: str, *, field: "xr.Dataset | None" = None, velocity: "xr.Dataset | None" = None,
    position: "xr.Dataset | None" = None, axes: str = "", largest_gap: float = 60.0, undeclared: str = "refuse",
) -> "Array":  # fmt: skip
    """Give the axes of a basis at each time of a skymap, shape (t, 3, 3); see `armillary.science.particles.bases`.

    Raises
    ------
    BadParameter
        If something that the basis needs is not there.
    """
    time = distribution["time"].to_numpy()
    place = None if position is None else vector_at(
        position, "position", "km", time, largest_gap, frame=Frame("GSE"), undeclared=undeclared)  # fmt: skip
    return basis_of(
        distribution, basis, custom=read_axes(axes), position=place,
        field=None if field is None else field_of(distribution, field, largest_gap, undeclared),
        velocity=None if velocity is None else velocity_of(distribution, velocity, largest_gap, undeclared),
        from_gse=matrices(time, "GSE", _FROM_GSE[basis]) if basis in _FROM_GSE else None,
    )  # fmt: skip


def _chosen(
    distribution: "xr.Dataset", other: "xr.Dataset", called: tuple[str, str], largest_gap: float, undeclared: str
) -> "Array":
    """Give chosen vectors in the frame of a skymap: what it would have beside psd, if these lay there."""
    own = Frame(str(distribution["psd"].attrs.get("COORDINATE_SYSTEM", "")).upper(), craft_of(distribution))
    time = distribution["time"].to_numpy()
    return vector_at(other, *called, time, largest_gap, frame=own, undeclared=undeclared, beside=distribution,
                     accumulation=accumulation_of(distribution))  # fmt: skip

"""From datasets to the arrays that `armillary.science` works on, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

#: Attributes of the data that still hold for what is made from them.
_KEPT: Final = ("citation", "licence", "Acknowledgement", "DOI", "Rules_of_use")
#: Attributes, capitals apart, that tell a frame: of ISTP, of others, of HAPI.
_FRAMES: Final = ("coordinate_system", "frame", "coordinatesystemname")


def main_of(data: "xr.Dataset", components: int) -> "xr.DataArray":
    """Give the first variable with so many dimensions after time.

    Raises
    ------
    BadData
        If there is none.
    """
    for one in data.data_vars.values():
        if one.dims[:1] == ("time",) and one.ndim == components + 1 and one.dtype.kind in "iufb":
            return one
    shapes = ", ".join(f"{name}{one.dims}" for name, one in data.data_vars.items())
    raise BadData(f"there is no variable with {components} dimensions after time among {shapes}", "choose another leaf")


def vector_of(data: "xr.Dataset") -> "Array":
    """Give the vectors of a series, float64, shape (t, 3); NaN where a component is missing.

    Raises
    ------
    BadData
        If it has no variable ``(time, 3)``.
    """
    found = main_of(data, 1)
    if found.shape[1] != 3:
        raise BadData(f"{found.name} has {found.shape[1]} components, not 3", "choose a leaf with three components")
    return found.to_numpy().astype(float)


def scalar_of(data: "xr.Dataset") -> "Array":
    """Give the numbers of a series, float64, shape (t,)."""
    return main_of(data, 0).to_numpy().astype(float)


def seconds_of(data: "xr.Dataset") -> "Array":
    """Give the times as seconds since the first one, float64."""
    ns = data["time"].to_numpy().astype(np.int64)
    return np.asarray((ns - (ns[0] if ns.size else 0)) / 1e9)


def frame_of(data: "xr.Dataset") -> str:
    """Give the name of the frame that the attributes of a variable tell, or those of all; "" if they tell none."""
    for attrs in (*(one.attrs for one in data.data_vars.values()), data.attrs):
        told = {str(name).lower(): value for name, value in attrs.items()}
        for name in _FRAMES:
            if told.get(name):
                return str(told[name])
    return ""


def craft_of(data: "xr.Dataset") -> str:
    """Give the name of the spacecraft that the metadata tell, in capitals as in MMS1 or THA; "" if they tell none."""
    source, logical = (str(data.attrs.get(name, "")) for name in ("Source_name", "Logical_source"))
    told = source.partition(">")[0].strip().upper()
    # Files that were written here tell who wrote them, and in their logical source what they are of.
    return logical.partition("_")[0].strip().upper() if told in {"", "ARMILLARY"} else told


def kept_attrs(data: "xr.Dataset") -> dict[str, Any]:
    """Give the attributes of data that hold for what is made from them: credits, and whose data they are."""
    craft = craft_of(data)
    return {name: data.attrs[name] for name in _KEPT if name in data.attrs} | ({"Source_name": craft} if craft else {})


def at_times(data: "xr.Dataset", time: "Array", largest_gap: float | None = None) -> "Array":
    """Give the main variable at other times, datetime64[ns]; see `armillary.science.align.align`."""
    from armillary.science.align import align

    main = next(one for one in data.data_vars.values() if one.dims[:1] == ("time",) and one.dtype.kind in "iufb")
    have, want = (np.asarray(one).astype("datetime64[ns]").astype(np.int64) for one in (data["time"].to_numpy(), time))
    return align(have, main.to_numpy(), want, largest_gap)


def series(
    like: "xr.Dataset", variables: Mapping[str, tuple[tuple[str, ...], "Array", Mapping[str, Any]]], **coords: Any
) -> "xr.Dataset":
    """Make a dataset on the times of another, or on ``time=`` if that is among the coordinates.

    Parameters
    ----------
    variables : mapping
        Name -> (dimensions, values, attributes); the first is the one that is drawn.
    **coords : array or (dimensions, values, attributes)
        Further coordinates.
    """
    import xarray as xr

    given: dict[str, Any] = {"time": like["time"].to_numpy(), **coords}
    given["time"] = np.asarray(given["time"]).astype("datetime64[ns]")
    return xr.Dataset({name: (dims, values, {"units": "", **told}) for name, (dims, values, told) in variables.items()},
                      given, kept_attrs(like))  # fmt: skip

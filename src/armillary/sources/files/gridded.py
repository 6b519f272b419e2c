"""Arrays with named dimensions into the kinds of the tree: which dimension is time, which are the map's."""

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.sources.files import instants

if TYPE_CHECKING:
    import xarray as xr

_DOWN: Final = ("y", "lat", "latitude", "nav_lat", "northing", "yc")
_ACROSS: Final = ("x", "lon", "longitude", "long", "nav_lon", "easting", "xc")
_DEGREES: Final = frozenset({"lat", "latitude", "lon", "longitude", "long"})
#: Attributes that ISTP writes in capitals and others in their own way.
_ISTP: Final = (
    "DISPLAY_TYPE", "SCALETYP", "LABLAXIS", "VALIDMIN", "VALIDMAX", "CATDESC", "FIELDNAM", "VAR_TYPE",
)  # fmt: skip
_DEPEND: Final = re.compile(r"depend_(\d)", re.IGNORECASE)
#: A dimension with fewer numbers along it than this is components, not a spectrum.
_SPECTRUM: Final = 4


def decoded(dataset: "xr.Dataset") -> "xr.Dataset":
    """Find the variables that are times and give them as ``datetime64[ns]``."""
    found: dict[str, Any] = {}
    for name, one in dataset.variables.items():
        if one.ndim != 1 or one.size == 0:
            continue
        units = text(_look(one.attrs, "units"))
        if (
            " since " in units
            or instants.plain(_last_word(str(name))) in instants.NAMES
            or _names_axis(dataset, str(name))
        ):
            times = instants.decode(one.to_numpy(), units, _time_name(str(name)))
            if times is not None:
                found[str(name)] = (one.dims, times, {})
    return dataset.assign(found).set_coords(list(found))


def shape(dataset: "xr.Dataset", name: str) -> "xr.Dataset":
    """Give one variable, lazily, with its dimensions and coordinates under their promised names."""
    import xarray as xr

    array = dataset[name]
    axis = _time_of(dataset, array)
    coords: dict[Any, Any] = {}
    attrs = _attributes(array.attrs, name)
    rename: dict[Any, str] = {}
    if axis:
        rename[dataset[axis].dims[0]] = "time"
    map_ = _map_of(array)
    rename |= dict(zip(map_, ("y", "x"), strict=True)) if map_ else {}
    for number, dim in enumerate(array.dims):
        label = _axis_name(dataset, array, number, dim)
        if label and dim != (dataset[axis].dims[0] if axis else None):
            one = dataset[label].variable
            coords[rename.get(dim, label if one.dims == (dim,) else f"{label}")] = one
            if number and dim not in (map_ or ()):
                attrs[f"DEPEND_{number}"] = rename.get(dim, label)
    clean = array.variable.copy(deep=False)
    clean.attrs = attrs
    lone = xr.Dataset({name: clean}, {key: _bare(one) for key, one in coords.items() if key not in rename})
    lone = lone.rename({old: new for old, new in rename.items() if old in lone.dims and old != new})
    lone = lone.assign_coords({key: one.to_numpy() for key, one in coords.items() if key in {"y", "x"}})
    if axis:
        lone = lone.assign_coords(time=("time", dataset[axis].to_numpy()))
        rest = [dim for dim in lone[name].dims if dim != "time"]
        lone[name] = lone[name].transpose("time", *rest)
    return lone.assign_attrs(_map_attrs(dataset, array, map_))


def kind(lazy: "xr.Dataset", name: str) -> str:
    """Say what kind a shaped variable is, "" if it has no place in the tree."""
    array = lazy[name]
    if array.dtype.kind not in "iufb" or array.size == 0:
        return ""
    if array.dims[-2:] == ("y", "x") and array.ndim <= 4 and (array.dims[0] == "time" or array.ndim <= 3):
        return "raster"
    if array.dims[:1] != ("time",):
        return ""
    numeric = [_is_numeric(array, number) for number in range(1, array.ndim)]
    if array.ndim == 2 and numeric[0] and array.shape[1] >= _SPECTRUM:
        return "spectrogram"
    return {3: "plane", 4: "distribution"}.get(array.ndim, "series") if all(numeric) else "series"


def axes(lazy: "xr.Dataset", name: str) -> tuple[str, ...]:
    """Give name and titles of a shaped variable's axes after time; nothing unless each dimension has one."""
    told = []
    for number in range(1, lazy[name].ndim):
        axis = str(lazy[name].attrs.get(f"DEPEND_{number}", ""))
        if axis not in lazy.variables:
            return ()
        titles = (text(_look(lazy[axis].attrs, one)) for one in ("long_name", "fieldnam", "lablaxis"))
        told.append(" ".join(dict.fromkeys(filter(None, [axis, *titles]))))
    return tuple(told)


def settle(loaded: "xr.Dataset") -> "xr.Dataset":
    """Put loaded data in time order and drop samples without a time."""
    if "time" not in loaded.dims:
        return loaded
    times = loaded["time"].to_numpy()
    good = ~np.isnat(times)
    if not good.all():
        loaded, times = loaded.isel(time=good), times[good]
    return loaded.isel(time=np.argsort(times, kind="stable")) if (times[1:] < times[:-1]).any() else loaded


def text(value: Any) -> str:
    """Give an attribute as text, whatever the file made of it."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray | list | tuple):
        return ", ".join(text(one) for one in np.asarray(value).ravel().tolist()[:20])
    return str(value)


def _time_of(dataset: "xr.Dataset", array: "xr.DataArray") -> str:
    """Name the variable of times along one dimension of an array, "" if there is none."""
    times = {str(name): one for name, one in dataset.coords.items() if one.dtype.kind == "M" and one.ndim == 1}
    named = text(_look(array.attrs, "depend_0"))
    if named in times and times[named].dims[0] in array.dims:
        return named
    for dim in array.dims:
        if str(dim) in times and times[str(dim)].dims == (dim,):
            return str(dim)
    fitting = [name for name, one in times.items() if one.dims[0] in array.dims[:1]]
    return min(fitting, key=lambda name: (instants.plain(name) not in instants.NAMES, len(name)), default="")


def _map_of(array: "xr.DataArray") -> tuple[Any, Any] | None:
    if array.ndim < 2:
        return None
    down, across = array.dims[-2:]
    fits = str(down).lower() in _DOWN and str(across).lower() in _ACROSS
    known = all(dim in array.coords and array.coords[dim].dtype.kind in "iuf" for dim in (down, across))
    return (down, across) if fits and known else None


def _axis_name(dataset: "xr.Dataset", array: "xr.DataArray", number: int, dim: Any) -> str:
    """Name the variable along a dimension: ISTP's ``DEPEND_n``, or CF's variable of the dimension's own name."""
    named = text(_look(array.attrs, f"depend_{number}"))
    if named in dataset.variables and named != array.name and set(dataset[named].dims) <= {dim, *array.dims[:1]}:
        return named if dim in dataset[named].dims else ""
    return str(dim) if dim in dataset.variables and dataset[dim].dims == (dim,) else ""


def _map_attrs(dataset: "xr.Dataset", array: "xr.DataArray", map_: tuple[Any, Any] | None) -> dict[str, str]:
    if map_ is None:
        return {}
    crs = _crs(dataset, array) or ("EPSG:4326" if {str(dim).lower() for dim in map_} <= _DEGREES else "")
    return {"crs": crs} if crs else {"crs": "", "coordinates_note": "the file does not name its projection"}


def _crs(dataset: "xr.Dataset", array: "xr.DataArray") -> str:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    mapping = text(_look(array.attrs, "grid_mapping") or array.encoding.get("grid_mapping"))
    cards = dataset[mapping].attrs if mapping in dataset.variables else {}
    told = [cards.get("crs_wkt"), cards.get("spatial_ref"), _look(array.attrs, "crs"), _look(dataset.attrs, "crs")]
    for one in told:
        try:
            value = int(one) if isinstance(one, np.integer | int) else text(one)
            if value:
                return str(CRS.from_user_input(value).to_string())
        except (CRSError, ValueError):
            continue
    return ""


def _attributes(attrs: dict[Any, Any], name: str) -> dict[str, Any]:
    """Keep what the kinds promise: units, a long name, ISTP's hints; nothing that only the file needs."""
    kept: dict[str, Any] = {"units": text(_look(attrs, "units"))}
    kept["long_name"] = (
        text(_look(attrs, "long_name") or _look(attrs, "standard_name") or _look(attrs, "catdesc")) or name
    )
    for key in _ISTP:
        value = _look(attrs, key.lower())
        if value is not None:
            kept[key] = float(value) if isinstance(value, np.number) else text(value)
    if _look(attrs, "standard_name"):
        kept["standard_name"] = text(_look(attrs, "standard_name"))
    return kept


def _bare(one: "xr.Variable") -> "xr.Variable":
    copy = one.copy(deep=False)
    copy.attrs = {"units": text(_look(one.attrs, "units")), "long_name": text(_look(one.attrs, "long_name"))}
    return copy


def _look(attrs: dict[Any, Any], name: str) -> Any:
    return next((value for key, value in attrs.items() if str(key).lower() == name), None)


def _is_numeric(array: "xr.DataArray", number: int) -> bool:
    named = str(array.attrs.get(f"DEPEND_{number}", array.dims[number]))
    return named in array.coords and array.coords[named].dtype.kind in "iuf"


def _names_axis(dataset: "xr.Dataset", name: str) -> bool:
    return any(text(_look(one.attrs, "depend_0")) == name for one in dataset.variables.values())


def _last_word(name: str) -> str:
    return name.rpartition("_")[2] if not name.lower().startswith("time") else name


def _time_name(name: str) -> str:
    """Let counts be believed when something else than their name says that they are times."""
    return "time" if "mjd" not in name.lower() and not re.search(r"(?<![a-z])jd(?![a-z])", name.lower()) else "mjd"

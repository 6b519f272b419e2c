"""Files as scenes: what the house reads as rasters, NetCDF and Zarr by lines, and cubes of MATLAB."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, DamagedFile, one_line
from armillary.learn.rasters.scene import Scene, scene_of
from armillary.model import Extent, Rows, silent

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
_HINT: Final = "a map is .tif, .jp2, .hdr (ENVI), .nc, .zarr or .mat"


def open_scene(path: Path, variables: Sequence[str] = ()) -> Scene:
    """Open a file as a scene; no pixel is kept in memory but of ``.mat``.

    Parameters
    ----------
    path : Path
        GeoTIFF, JPEG 2000, ENVI header, NetCDF, HDF5, Zarr, or ``.mat`` (MATLAB up to 7).
    variables : sequence of str
        Which variables of NetCDF, Zarr and ``.mat`` to take; all images if empty.

    Raises
    ------
    BadData, BadParameter, DamagedFile, MissingExtra
    """
    from armillary.sources import files

    if path.suffix.lower() == ".mat":
        return _of_arrays(path, arrays_of(path), variables)
    if path.is_dir():
        if not ((path / "zarr.json").exists() or (path / ".zgroup").exists()):
            raise BadParameter(f"{path.name} is a folder, and no map in it is named", 'give the option image = "x.tif"')
        return _of_dataset(path, variables, "zarr")
    family = files.family(path)
    if family == "netcdf":
        return _of_dataset(path, variables, "h5netcdf" if _is_hdf(path) else "scipy")
    if family not in {"rasters", "envi"}:
        raise BadParameter(f"{path.name} is no map that is known here", _HINT)
    about = files.describe(path)
    height = about.variables[0].rows if about else None
    if not height:
        raise DamagedFile(f"{path.name} does not say how many lines it has", "fetch it again")

    def read(first: int, last: int) -> "xr.Dataset":
        found: Any = files.read(path, "", Extent(rows=Rows(first, last)), silent)
        return found  # type: ignore[no-any-return]

    return scene_of(path.name, height, read)


def arrays_of(path: Path) -> dict[str, Array]:
    """Read the arrays of numbers of a ``.mat`` file; nothing else in it is looked at.

    Raises
    ------
    DamagedFile
    """
    from scipy.io import loadmat

    try:
        found = loadmat(path)
    except Exception as failed:  # of a file that is cut scipy raises anything
        hint = "give a MATLAB file of version 7 or older: save -v7"
        raise DamagedFile(f"cannot read {path.name}: {one_line(str(failed))}", hint) from failed
    return {name: one for name, one in found.items() if isinstance(one, np.ndarray) and one.dtype.kind in "iufb"}


def _of_arrays(path: Path, arrays: dict[str, Array], variables: Sequence[str]) -> Scene:
    import xarray as xr

    images = {name: one for name, one in arrays.items() if one.ndim in {2, 3} and min(one.shape) > 1}
    names = list(variables) or [max(images, key=lambda name: images[name].size, default="")]
    lost = [name for name in names if name not in images]
    if lost:
        there = ", ".join(f"{name} {one.shape}" for name, one in arrays.items()) or "no arrays"
        raise BadParameter(f"{path.name} has no image {lost[0]!r}", f"name one with 'variables'; it has {there}")
    cubes = {name: _upright(name, images[name], images) for name in names}
    shapes = {one.shape[1:] for one in cubes.values()}
    if len(shapes) > 1:
        raise BadData(f"the images {', '.join(names)} of {path.name} differ in size", "name those of one size")
    (height, width) = shapes.pop()
    data = {name: ((f"band_of_{name}", "y", "x"), one) for name, one in cubes.items()}
    whole = xr.Dataset(data, {"y": np.arange(height, dtype=float), "x": np.arange(width, dtype=float)})
    whole = whole.rename({f"band_of_{names[0]}": "band"}).assign_coords(band=np.arange(1, len(cubes[names[0]]) + 1))
    return scene_of(path.name, height, lambda first, last: whole.isel(y=slice(first, last)))


def _upright(name: str, one: Array, others: dict[str, Array]) -> Array:
    """Give an image as (band, y, x): MATLAB keeps cubes as (y, x, band), or flat as (band, column after column)."""
    if one.ndim == 3:
        return np.moveaxis(one, 2, 0)
    shapes = {other.shape[:2] for key, other in others.items() if key != name and other.ndim == 3}
    flat = [shape for shape in shapes if one.shape[1] == shape[0] * shape[1] and one.shape != shape]
    if flat:
        return np.stack([line.reshape(flat[0], order="F") for line in one])
    return one[None]


def _of_dataset(path: Path, variables: Sequence[str], engine: str) -> Scene:
    """Open NetCDF or Zarr: lines are read from the disk when they are asked for."""
    import xarray as xr

    from armillary.sources.files import gridded

    try:
        opened = xr.open_dataset(path, engine=engine, decode_times=False, cache=False)
    except (OSError, ValueError, KeyError) as failed:
        raise DamagedFile(f"cannot read {path.name}: {one_line(str(failed))}", _HINT) from failed
    whole = gridded.decoded(opened)
    shaped = {str(name): gridded.shape(whole, str(name)) for name in whole.data_vars}
    images = {name: one for name, one in shaped.items() if one[name].dims[-2:] == ("y", "x")}
    names = list(variables) or list(images)
    lost = [name for name in names if name not in images]
    if lost or not names:
        problem = f"{path.name} has no map {lost[0]!r}" if lost else f"{path.name} has no map"
        raise BadParameter(problem, f"it has {', '.join(images) or 'no image with coordinates y and x'}")
    found = xr.merge([images[name][[name]] for name in names], join="exact", combine_attrs="drop_conflicts")
    for name in names:
        found[name].attrs |= {key: one for key, one in whole[name].attrs.items() if key.startswith("flag_")}
    return scene_of(path.name, found.sizes["y"], lambda a, b: found.isel(y=slice(a, b)), found["y"].values)


def _is_hdf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"

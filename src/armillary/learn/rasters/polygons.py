"""Areas drawn on a map: read from GeoJSON or GeoPackage, put on a grid, and filled pixel by pixel."""

import json
import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, DamagedFile, one_line
from armillary.learn.rasters.scene import Scene

Array = np.ndarray[Any, np.dtype[Any]]
#: Longitude and latitude, the only CRS of GeoJSON (RFC 7946).
DEGREES: Final = "EPSG:4326"
#: Octets of the envelope of a GeoPackage geometry, by the code in its flags (OGC 12-128r18, clause 2.1.3).
_ENVELOPES: Final = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_POLYGON: Final = 3
_MULTIPOLYGON: Final = 6


@dataclass(frozen=True, slots=True)
class Area:
    """One area.

    Parameters
    ----------
    name : str
        Pixels of one area stay together.
    class_ : str
        "" if it is not known.
    rings : tuple of array, (n, 2)
        Outer and inner rings of all its parts; a point inside an odd number of them lies in it.
    crs : str
        "" for the coordinates of the scene itself.
    """

    name: str
    class_: str
    rings: tuple[Array, ...]
    crs: str = DEGREES


def read_areas(path: Path, attribute: str = "class") -> list[Area]:
    """Read the areas of a GeoJSON or GeoPackage file.

    Parameters
    ----------
    path : Path
    attribute : str
        The property that says the class.

    Raises
    ------
    DamagedFile
        If it cannot be read.
    BadParameter
        If no feature has that property; if there is no polygon.
    """
    try:
        found = list(_of_package(path) if path.suffix.lower() == ".gpkg" else _of_geojson(path))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, struct.error, sqlite3.Error) as failed:
        hint = "give a FeatureCollection of polygons, or a .gpkg"
        raise DamagedFile(f"cannot read the areas of {path.name}: {one_line(str(failed))}", hint) from None
    if not found:
        raise BadParameter(f"{path.name} holds no polygon", "give a file with areas")
    names = sorted({name for _, properties, _, _ in found for name in properties})
    if attribute not in names:
        raise BadParameter(f"the areas of {path.name} have no property {attribute!r}", f"they have {', '.join(names)}")
    return [
        Area(name, "" if properties.get(attribute) is None else str(properties[attribute]), rings, crs)
        for name, properties, rings, crs in found
    ]


def rings_of(geometry: Mapping[str, Any]) -> tuple[Array, ...]:
    """Give the rings of a GeoJSON geometry; nothing for points and lines.

    Examples
    --------
    >>> len(rings_of({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}))
    1
    """
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        return tuple(ring for one in geometry["geometries"] for ring in rings_of(one))
    parts = {"Polygon": [geometry.get("coordinates")], "MultiPolygon": geometry.get("coordinates")}.get(str(kind)) or []
    return tuple(np.array([place[:2] for place in ring], np.float64) for part in parts for ring in part or ())


def on_grid(areas: Sequence[Area], scene: Scene) -> list[tuple[Array, ...]]:
    """Give the rings of areas in the coordinates of a scene.

    Raises
    ------
    BadData
        If the scene has no projection and the areas do.
    """
    if not scene.crs and any(one.crs for one in areas):
        hint = 'name it in the file, or write "crs": null into the GeoJSON for areas in pixels, x and y from 0'
        raise BadData(f"{scene.title} has no projection, so no area has a place on it", hint)
    return [tuple(_moved(ring, one.crs, scene.crs) for ring in one.rings) for one in areas]


def burnt(rings: Sequence[Array], y: Array, x: Array) -> tuple[slice, slice, Array] | None:
    """Say which pixel centres lie inside rings, by the even-odd rule.

    Parameters
    ----------
    rings : sequence of array, (n, 2)
        Corners x, y; closed or not.
    y, x : array of float
        Pixel centres, rising or falling.

    Returns
    -------
    tuple or None
        Lines and columns of the part that the rings touch, and a mask of it; None if they hold no centre.

    Notes
    -----
    O(lines x corners + pixels) time: of each line the places where edges cross it.

    Examples
    --------
    >>> square = np.array([[0.5, 0.5], [2.5, 0.5], [2.5, 1.5], [0.5, 1.5]])
    >>> burnt([square], np.arange(3.0), np.arange(4.0))[:2]
    (slice(1, 2, None), slice(1, 3, None))
    """
    corners = np.concatenate(list(rings)) if rings else np.zeros((0, 2))
    if not len(corners) or not np.isfinite(corners).all():
        return None
    across, down = (_touched(centres, corners[:, at]) for at, centres in ((0, x), (1, y)))
    if across is None or down is None:
        return None
    start = np.concatenate([np.asarray(ring) for ring in rings])
    stop = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    mask = np.array([_inside(line, x[across], start, stop) for line in y[down]])
    return (down, across, mask) if mask.any() else None


def _inside(y: float, x: Array, start: Array, stop: Array) -> Array:
    crossing = (start[:, 1] > y) != (stop[:, 1] > y)
    a, b = start[crossing], stop[crossing]
    places = np.sort(a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
    return np.asarray(np.searchsorted(places, x) % 2 == 1)


def _touched(centres: Array, corners: Array) -> slice | None:
    inside = np.flatnonzero((centres >= corners.min()) & (centres <= corners.max()))
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else None


def _moved(ring: Array, own: str, wanted: str) -> Array:
    if not own or own == wanted:
        return ring
    from pyproj import Transformer

    x, y = Transformer.from_crs(own, wanted, always_xy=True).transform(ring[:, 0], ring[:, 1])
    return np.column_stack([x, y])


_Found = Iterator[tuple[str, Mapping[str, Any], tuple[Array, ...], str]]


def _of_geojson(path: Path) -> _Found:
    record = json.loads(path.read_text("utf-8"))
    features = record["features"] if record["type"] == "FeatureCollection" else [record]
    crs = _crs_of(record)
    for number, one in enumerate(features):
        rings = rings_of(one["geometry"] or {})
        if rings:
            yield str(one.get("id", f"area {number}")), dict(one.get("properties") or {}), rings, crs


def _crs_of(record: Mapping[str, Any]) -> str:
    """Read the member ``crs`` of GeoJSON 2008, which many programs still write; null is for pixels."""
    if "crs" not in record:
        return DEGREES
    return str(record["crs"]["properties"]["name"]) if record["crs"] else ""


def _of_package(path: Path) -> _Found:
    """Read the first table of areas of a GeoPackage, which is an SQLite file."""
    if not path.is_file():
        raise BadParameter(f"there is no file {path.name}", "look at the name")
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
        file.row_factory = sqlite3.Row
        table, shape, srs = file.execute("SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns").fetchone()
        place = "SELECT organization, organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?"
        crs = ":".join(str(part) for part in file.execute(place, (srs,)).fetchone())
        name = str(table).replace('"', '""')
        for number, row in enumerate(file.execute(f'SELECT * FROM "{name}"')):
            rings = tuple(_of_blob(row[shape])) if row[shape] else ()
            properties = {key: row[key] for key in row.keys() if key != shape}  # noqa: SIM118 - a row is no mapping
            if rings:
                yield f"area {number}", properties, rings, crs


def _of_blob(blob: bytes) -> Iterator[Array]:
    if blob[:2] != b"GP":
        raise DamagedFile("a geometry of the GeoPackage has no header", "write the file again")
    yield from _of_wkb(memoryview(blob)[8 + _ENVELOPES[blob[3] >> 1 & 7] :])[0]


def _of_wkb(data: memoryview) -> tuple[list[Array], int]:
    """Read polygons of well-known binary (ISO 13249-3); give the rings and the octets that were read."""
    order = "<" if data[0] else ">"
    kind, count = struct.unpack_from(f"{order}II", data, 1)
    size, at = 2 + (kind // 1000 % 4 in {1, 2}) + 2 * (kind // 1000 == 3), 9
    rings: list[Array] = []
    for _ in range(count if kind % 1000 in {_POLYGON, _MULTIPOLYGON} else 0):
        if kind % 1000 == _MULTIPOLYGON:
            part, used = _of_wkb(data[at:])
            rings, at = rings + part, at + used
            continue
        (corners,) = struct.unpack_from(f"{order}I", data, at)
        ring = np.frombuffer(data, f"{order}f8", corners * size, at + 4).reshape(corners, size)
        rings.append(ring[:, :2].astype(np.float64))
        at += 4 + 8 * corners * size
    return rings, at

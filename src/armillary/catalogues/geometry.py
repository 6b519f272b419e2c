"""Check of GeoJSON geometries (RFC 7946), so that nothing enters a catalogue that no map can draw."""

import math
from collections.abc import Mapping
from typing import Any, Final

from armillary.errors import BadExtent

#: How deep the positions lie in ``coordinates``.
_DEPTH: Final = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
_HINT: Final = 'give e.g. {"type": "Polygon", "coordinates": [[[13, 45], [14, 45], [14, 46], [13, 45]]]}'


def check_geometry(geometry: Any) -> None:
    """See that a value is a GeoJSON geometry in degrees.

    Raises
    ------
    BadExtent
        Saying what is wrong with it.

    Examples
    --------
    >>> check_geometry({"type": "Point", "coordinates": [13.7, 45.6]})
    """
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind == "GeometryCollection" and isinstance(geometry.get("geometries"), list):
        for one in geometry["geometries"]:
            check_geometry(one)
        return
    if kind not in _DEPTH:
        raise BadExtent(f"{str(geometry)[:60]!r} is not a GeoJSON geometry", _HINT)
    _check_positions(geometry.get("coordinates"), _DEPTH[kind])
    rings = geometry["coordinates"] if kind == "Polygon" else []
    rings = [ring for part in geometry["coordinates"] for ring in part] if kind == "MultiPolygon" else rings
    for ring in rings:
        _check_ring(ring)


def _check_positions(part: Any, depth: int) -> None:
    if not isinstance(part, list | tuple) or not part:
        raise BadExtent(f"the coordinates {str(part)[:60]!r} are not a list", _HINT)
    if depth:
        for one in part:
            _check_positions(one, depth - 1)
    elif not _is_position(part):
        raise BadExtent(f"{part!r} is not a longitude and latitude in degrees", _HINT)


def _is_position(part: Any) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in part)
    return numbers and 2 <= len(part) <= 4 and abs(part[0]) <= 360 and abs(part[1]) <= 90


def _check_ring(ring: Any) -> None:
    if len(ring) < 4 or list(ring[0]) != list(ring[-1]):
        raise BadExtent(f"the ring {str(ring)[:60]} is not closed", "repeat its first position as its last")

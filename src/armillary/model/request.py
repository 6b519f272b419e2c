"""The one question. A Python call, a URL query, a CLI line, a cache key and a cluster payload are all a request."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from armillary.errors import BadRequest
from armillary.model.extent import Box, Cone, Extent, Interval, Rows
from armillary.model.times import format_time

#: What a parameter's value may be: a JSON scalar.
Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Request:
    """Which product, which part of it, made how.

    Parameters
    ----------
    product : str
        Path of a leaf of the tree.
    extent : Extent
        The part asked for.
    params : mapping of str to scalar
        Values for the product's parameters; kept sorted by name, so that order never matters.

    Examples
    --------
    >>> a = Request("simulated/wind/b_gse", Extent(), {"frame": "gsm", "n": 2})
    >>> a == Request.from_json(a.to_json()) == Request("simulated/wind/b_gse", Extent(), {"n": 2, "frame": "gsm"})
    True
    >>> a.key[:12]
    '82c2cd7531f5'
    """

    product: str
    extent: Extent = Extent()  # noqa: RUF009 - frozen
    params: Mapping[str, Scalar] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.product or not isinstance(self.product, str):
            raise BadRequest("the request names no product", "give the path of a leaf, see `armillary tree`")
        clean = {}
        for name, value in sorted(dict(self.params).items()):
            if not isinstance(value, str | int | float | bool | None):
                raise BadRequest(f"parameter {name!r} is not a plain value", "give a text, a number or true/false")
            clean[name] = value
        object.__setattr__(self, "params", clean)

    def __hash__(self) -> int:
        return int(self.key[:15], 16)

    @property
    def key(self) -> str:
        """SHA-256 of the canonical JSON: the same in every process and on every version of Python."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {"product": self.product, "extent": self.extent.to_record(), "params": dict(self.params)}

    def to_json(self) -> str:
        """Write the canonical JSON: sorted names, no spaces, shortest numbers, ASCII."""
        return json.dumps(self.to_record(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_record` wrote."""
        try:
            extent = Extent.from_record(record.get("extent") or {})
            return cls(record["product"], extent, record.get("params") or {})
        except (KeyError, TypeError, AttributeError) as broken:
            raise BadRequest(f"this is not a request: {broken!r}", "give product, extent and params") from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote."""
        try:
            record = json.loads(text)
        except ValueError as broken:
            raise BadRequest(f"this is not JSON: {broken}", "give product, extent and params as JSON") from None
        return cls.from_record(record)

    def to_query(self) -> str:
        """Write as a URL query, e.g. ``product=a%2Fb&start=...&stop=...&param.n=2``."""
        pairs: list[tuple[str, str]] = [("product", self.product)]
        extent = self.extent
        if extent.time:
            pairs += [("start", format_time(extent.time.start)), ("stop", format_time(extent.time.stop))]
        if extent.box:
            box = extent.box
            pairs.append(("bbox", f"{box.west!r},{box.south!r},{box.east!r},{box.north!r}"))
        if extent.cone:
            pairs.append(("cone", f"{extent.cone.ra!r},{extent.cone.dec!r},{extent.cone.radius!r}"))
        if extent.where:
            pairs.append(("where", extent.where))
        if extent.rows:
            pairs.append(("rows", f"{extent.rows.start},{extent.rows.stop}"))
        pairs += [(f"param.{name}", json.dumps(value)) for name, value in self.params.items()]
        return urlencode(pairs)

    @classmethod
    def from_query(cls, query: str | Mapping[str, str]) -> Self:
        """Read what :meth:`to_query` wrote; a bare word is taken as text."""
        asked = dict(parse_qsl(query)) if isinstance(query, str) else dict(query)
        params = {name[6:]: _scalar(value) for name, value in asked.items() if name.startswith("param.")}
        return cls(asked.get("product", ""), read_extent(asked), params)


def read_extent(asked: Mapping[str, str | None]) -> Extent:
    """Read an extent from texts named ``start stop bbox cone where rows``, as the CLI and URLs give them.

    Raises
    ------
    BadRequest
        If only one of start and stop is given, or one of the texts is wrong.
    """
    start, stop = asked.get("start"), asked.get("stop")
    if bool(start) != bool(stop):
        raise BadRequest("start and stop belong together", "give both, or neither for all there is")
    bbox, cone, rows = asked.get("bbox"), asked.get("cone"), asked.get("rows")
    return Extent(
        time=Interval.of(start, stop) if start and stop else None,
        box=Box.of(bbox) if bbox else None,
        cone=Cone.of(cone) if cone else None,
        where=asked.get("where") or None,
        rows=Rows.of(rows) if rows else None,
    )


def _scalar(text: str) -> Scalar:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str | int | float | bool | None) else text

"""What is drawn for one time: which time that is, and the short interval that has to be asked for."""

from dataclasses import replace

from armillary.model import Interval, Product, Request
from armillary.plots import AT_CURSOR


def cursor_of(interval: Interval | None, at: int | None) -> int | None:
    """Give the time (ns) that planes and volumes are drawn for: the one asked for, else the middle of what is shown."""
    return at if at is not None or interval is None else (interval.start + interval.stop) // 2


def narrowed(request: Request, product: Product, cursor: int | None) -> Request:
    """Ask only for the samples around the cursor, where one time of a product is drawn.

    Nothing changes for other kinds, for a product that cannot be cut, or where nobody knows how far apart samples are.
    """
    span = request.extent.time or product.coverage
    if product.kind not in AT_CURSOR or product.whole or not product.cadence or span is None:
        return request
    middle = cursor if cursor is not None else (span.start + span.stop) // 2
    reach = round(product.cadence * 1e9)
    near = Interval(middle - reach, middle + reach + 1) & (product.coverage or span)
    return replace(request, extent=replace(request.extent, time=near or span))

"""All sorts of sources over the whole sky, in the columns of Gaia's archive joined to 2MASS and AllWISE."""

from typing import Any, Final

from armillary.model import Extent, Progress
from armillary.science import simulated_sky
from armillary.science.trim import trim

DEFAULT_ROWS: Final = 100_000
MOST_ROWS: Final = 20_000_000
#: Rows that are simulated at a time, so that a box or cone of a large sky needs no more memory than what it holds.
_AT_A_TIME: Final = 50_000


def table(seed: int, rows: int, extent: Extent, progress: Progress, *, truth: bool) -> Any:
    """Give the sources of an extent: what was measured, or what is true of the same rows.

    A larger sky begins with the same rows. Every row up to the last one asked for is simulated: O(rows).
    """
    import pyarrow as pa

    low, high = (extent.rows.start, min(extent.rows.stop, rows)) if extent.rows else (0, rows)
    made = [_part(seed, 0, 0, extent, truth=truth)]
    for first in range(low, high, _AT_A_TIME):
        progress((first - low) / (high - low), "simulating sources")
        made.append(_part(seed, first, min(first + _AT_A_TIME, high), extent, truth=truth))
    return pa.concat_tables(made).combine_chunks()


def column_names(*, truth: bool) -> tuple[str, ...]:
    """Give the names of the columns."""
    return tuple(one.name for one in (simulated_sky.TRUTH if truth else simulated_sky.FLAT))


def _part(seed: int, start: int, stop: int, extent: Extent, *, truth: bool) -> Any:
    measured = simulated_sky.simulated_sky(seed, start, stop)
    chosen = trim(measured, extent.only("box", "cone"))
    if not truth:
        return chosen
    exact = simulated_sky.simulated_truth(seed, start, stop)
    if chosen.num_rows == measured.num_rows:
        return exact
    import pyarrow.compute as pc

    return exact.filter(pc.is_in(exact["source_id"], chosen["source_id"].combine_chunks()))

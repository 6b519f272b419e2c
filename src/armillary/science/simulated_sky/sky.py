"""Rows of the simulated sky: from a seed and a range of rows to tables."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from armillary.errors import BadParameter
from armillary.model.kinds import with_table_attrs
from armillary.science.simulated_sky.bodies import CLASSES, Bodies, bodies
from armillary.science.simulated_sky.columns import FLAT, TRUTH, Described, field_of
from armillary.science.simulated_sky.draws import BLOCK, Array, Draws, draws_of_block
from armillary.science.simulated_sky.measuring import measure
from armillary.science.simulated_sky.places import REGIONS, Places, places

if TYPE_CHECKING:
    import pyarrow as pa

#: The mix of classes of a large part of the sky.
SHARES: Final[Mapping[str, float]] = {
    "main sequence": 0.760, "giant": 0.165, "white dwarf": 0.012, "ultracool dwarf": 0.006,
    "young stellar object": 0.010, "agb star": 0.007, "quasar": 0.020, "galaxy": 0.020,
}  # fmt: skip
#: The last row that has an identifier of its own.
MOST_ROWS: Final = 1 << 28


class Block(NamedTuple):
    """Sources that follow each other: what is true and what was measured, by column."""

    rows: Array
    kind: Array
    bodies: Bodies
    places: Places
    measured: dict[str, Array]


def blocks(seed: int, start: int, stop: int, shares: Mapping[str, float] = SHARES) -> Iterator[Block]:
    """Make rows block by block.

    Parameters
    ----------
    seed : int
    start, stop : int
        Rows ``start <= row < stop``.
    shares : mapping of str to float
        The mix of classes, by name; it need not sum to one. Another mix is another sky.

    Raises
    ------
    BadParameter
        For rows or classes that do not exist.
    """
    if not 0 <= start <= stop <= MOST_ROWS:
        raise BadParameter(f"there are no rows {start} to {stop}", f"ask for rows from 0 to {MOST_ROWS}")
    edges = _edges(shares)
    for block in range(start // BLOCK, -(-stop // BLOCK)):
        first = block * BLOCK
        part = slice(max(start - first, 0), min(stop - first, BLOCK))
        # The last bits of exp and log depend on the length of the array: a block is always made whole.
        yield _cut(_block(draws_of_block(seed, block), np.arange(first, first + BLOCK), edges), part)


def simulated_sky(seed: int, start: int, stop: int, shares: Mapping[str, float] = SHARES) -> "pa.Table":
    """Give what was measured, one row a source, as the archive's join of the three catalogues does.

    Parameters
    ----------
    seed, start, stop, shares
        As of :func:`blocks`.

    Returns
    -------
    pyarrow.Table
        Names, units and UCDs of Gaia's archive; missing values are null. Where two catalogues share a name it begins
        with ``tmass_`` or ``allwise_``.

    Examples
    --------
    >>> sky = simulated_sky(1, 0, 10)
    >>> sky.num_rows, sky.equals(simulated_sky(1, 0, 20).slice(0, 10))
    (10, True)
    """
    made = (identity(one) | one.measured for one in blocks(seed, start, stop, shares))
    return table(FLAT, made, "Simulated Gaia, 2MASS and AllWISE photometry")


def simulated_truth(seed: int, start: int, stop: int, shares: Mapping[str, float] = SHARES) -> "pa.Table":
    """Give what is true of the same rows: class, subclass of young stars, temperature, distance, dust, slope.

    Returns
    -------
    pyarrow.Table
        Null where a column has no meaning for a class.
    """
    made = (truth_columns(one) for one in blocks(seed, start, stop, shares))
    return table(TRUTH, made, "Truth of the simulated sky")


def identity(block: Block) -> dict[str, Array]:
    """Give the identifiers of a block's sources."""
    from armillary.science.healpix import cell_of_sky

    cell = cell_of_sky(block.measured["ra"], block.measured["dec"], 12)
    return {"source_id": (cell.astype(np.int64) << 35) | (block.rows << 7) | 1, "random_index": block.rows}


def truth_columns(block: Block) -> dict[str, Array]:
    """Give what is true of a block's sources."""
    regions = np.array([*REGIONS, ""])
    made, where = block.bodies, block.places
    return identity(block) | {
        "class": np.array(CLASSES)[block.kind],
        "subclass": made.subclass,
        "region": regions[where.region],
        "teff": made.temperature,
        "distance": np.where(np.isfinite(where.distance), where.distance, np.nan),
        "a_v": np.asarray(where.a_v),
        "alpha": made.alpha,
        "redshift": made.redshift,
        "clouded": block.measured["clouded"],
        "blended": block.measured["blended"],
    }


def table(columns: tuple[Described, ...], made: Iterator[dict[str, Array]], title: str) -> "pa.Table":
    """Put the parts of columns together as a table; NaN and empty texts are null."""
    import pyarrow as pa

    schema = pa.schema([field_of(one) for one in columns])
    batches = [pa.record_batch([_array(part[one.name], one) for one in columns], schema=schema) for part in made]
    return with_table_attrs(pa.Table.from_batches(batches, schema).combine_chunks(), {"title": title, "frame": "ICRS"})


def _block(draws: Draws, rows: Array, edges: Array) -> Block:
    kind = np.searchsorted(edges, draws.u("kind"), side="right").clip(0, len(CLASSES) - 1)
    made = bodies(kind, draws)
    where = places(kind, made, draws)
    return Block(rows, kind, made, where, measure(kind, where, draws))


def _cut(block: Block, part: slice) -> Block:
    """Give some of a block's sources."""
    return Block(
        block.rows[part],
        block.kind[part],
        Bodies(*(one[..., part] for one in block.bodies)),
        Places(*(one[..., part] for one in block.places)),
        {name: values[part] for name, values in block.measured.items()},
    )


def _edges(shares: Mapping[str, float]) -> Array:
    unknown = sorted(set(shares) - set(CLASSES))
    amounts = np.array([float(shares.get(name, 0.0)) for name in CLASSES])
    if unknown or not np.isfinite(amounts).all() or (amounts < 0).any() or amounts.sum() <= 0:
        raise BadParameter(f"shares {dict(shares)} are no mix of classes", f"give numbers for {', '.join(CLASSES)}")
    return np.asarray(np.cumsum(amounts) / amounts.sum())


def _array(values: Array, one: Described) -> Any:
    import pyarrow as pa

    kind = field_of(one).type
    if values.dtype.kind == "f":
        gone = np.isnan(values)
        return pa.array(np.where(gone, 0, values).astype(kind.to_pandas_dtype()), kind, mask=gone)
    if values.dtype.kind == "U":
        return pa.array(values, kind, mask=values == "")
    return pa.array(values, kind)

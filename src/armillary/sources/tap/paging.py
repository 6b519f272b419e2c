"""Cutting a large selection into pages: consecutive ranges of one numeric column."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from armillary.errors import BadAnswer, BadRequest
from armillary.sources.tap.asking import Selection
from armillary.sources.tap.tables import Column, quoted

#: A page has at most so many rows and octets.
PAGE_ROWS: Final = 200_000
PAGE_BYTES: Final = 32 * 2**20
#: A range is halved at most so often.
_DEEPEST: Final = 70
_UNIFORM: Final = "random_index"

#: Asks for sums of a selection, ``COUNT(*)`` and others, and gives their values.
Sum = Callable[[Selection, Sequence[str]], list[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """A half-open range ``low <= column < high``; without bounds the rows that have no value.

    Examples
    --------
    >>> Page.read(str(Page("random_index", 0, 100)))
    Page(column='random_index', low=0, high=100)
    """

    column: str
    low: int | float | None = None
    high: int | float | None = None

    def __str__(self) -> str:
        return f"{self.column} {self.low!r} {self.high!r}"

    @classmethod
    def read(cls, text: str) -> "Page":
        """Read what `str` wrote.

        Raises
        ------
        BadRequest
            If it is no page.
        """
        column, _, bounds = text.rpartition(" ")
        column, _, low = column.rpartition(" ")
        try:
            return cls(column, _number(low), _number(bounds))
        except ValueError:
            raise BadRequest(f"{text!r} is not a page of a table", "leave the page out") from None

    @property
    def test(self) -> str:
        """The condition of its rows."""
        name = quoted(self.column)
        if self.low is None or self.high is None:
            return f"{name} IS NULL"
        return f"{name} >= {self.low!r} AND {name} < {self.high!r}"

    def halves(self) -> "tuple[Page, Page] | None":
        """Give its two halves, None if it holds one value only."""
        if self.low is None or self.high is None:
            return None
        middle = (self.low + self.high) // 2 if isinstance(self.low, int) else self.low + (self.high - self.low) / 2
        if not self.low < middle < self.high:
            return None
        return Page(self.column, self.low, middle), Page(self.column, middle, self.high)


def page_rows(selection: Selection, hard: int | None) -> int:
    """Say how many rows a page should have."""
    return max(1, min(PAGE_ROWS, PAGE_BYTES // max(selection.row_bytes, 1), hard or PAGE_ROWS))


def page_column(columns: Sequence[Column]) -> Column | None:
    """Choose the column to cut by: ``random_index``, else ``source_id``, else an indexed identifier or number.

    Every numeric column would be right; one with an index is quick.
    """
    numbers = [one for one in columns if one.is_integer or one.is_real]
    ranks: list[Callable[[Column], bool]] = [
        lambda one: one.bare.lower() == _UNIFORM and one.is_integer,
        lambda one: one.bare.lower() == "source_id" and one.is_integer,
        lambda one: one.indexed and one.is_integer and one.ucd.lower().startswith("meta.id"),
        lambda one: one.indexed and one.is_integer,
        lambda one: one.indexed,
        lambda one: one.ucd.lower() == "pos.eq.dec;meta.main",
    ]
    return next((one for fits in ranks for one in numbers if fits(one)), None)


def cut(selection: Selection, column: Column, most: int, summed: Sum) -> tuple[list[Page], int]:
    """Cut a selection into pages of at most `most` rows.

    Returns
    -------
    pages : list of Page
        Empty if all of it is one page.
    rows : int
        Of all pages together.

    Notes
    -----
    Pages of ``random_index`` are equal ranges, since it is uniform; else a range with too many rows is halved, one
    count each time: two counts a page.
    """
    name = quoted(column.name)
    rows, known, low, high = summed(selection, ("COUNT(*)", f"COUNT({name})", f"MIN({name})", f"MAX({name})"))
    rows, known = int(rows or 0), int(known or 0)
    if rows <= most or known == 0:
        return [], rows
    whole = _whole(column, low, high)
    if column.bare.lower() == _UNIFORM:
        pages = _equal(whole, math.ceil(1.1 * known / most))
    else:
        pages = list(_halved(selection, whole, known, most, summed))
    return [*pages, *([Page(column.name)] if known < rows else [])], rows


def _whole(column: Column, low: Any, high: Any) -> Page:
    if low is None or high is None:
        raise BadAnswer(f"the server gives no range of {column.bare!r}", "ask for less: --cone, --bbox or --where")
    if column.is_integer:
        return Page(column.name, int(low), int(high) + 1)
    # a number of single precision may be larger than what it is shown as
    return Page(
        column.name,
        float(low) - 1e-6 * abs(float(low)),
        math.nextafter(float(high), math.inf) + 1e-6 * abs(float(high)),
    )


def _equal(whole: Page, number: int) -> list[Page]:
    assert isinstance(whole.low, int) and isinstance(whole.high, int)  # noqa: S101, PT018 - random_index is an integer
    low, length = whole.low, whole.high - whole.low
    edges = sorted({low + length * place // number for place in range(number + 1)})
    return [Page(whole.column, first, last) for first, last in pairwise(edges)]


def _halved(selection: Selection, page: Page, rows: int, most: int, summed: Sum, depth: int = 0) -> Iterator[Page]:
    halves = page.halves() if rows > most and depth < _DEEPEST else None
    if halves is None:
        yield page
        return
    first = int(summed(selection.also(halves[0].test), ("COUNT(*)",))[0] or 0)
    for half, count in zip(halves, (first, rows - first), strict=True):
        if count:
            yield from _halved(selection, half, count, most, summed, depth + 1)


def _number(text: str) -> int | float | None:
    if text == "None":
        return None
    return int(text) if text.lstrip("-").isdigit() else float(text)

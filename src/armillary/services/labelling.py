"""The human loop: a model proposes what it is unsure of, a person decides, and the decisions are labels."""

import heapq
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.catalogues import Entry, Store
from armillary.catalogues.proposals import proposals_of, propose
from armillary.catalogues.sets import times
from armillary.errors import BadRequest, NoData
from armillary.learn.querying import POOL, choose, uncertainty_of
from armillary.science.intervals import overlapping
from armillary.services.applying import Wanted, event_of, found_marks, kind_of, object_of, table_of

if TYPE_CHECKING:
    from armillary.learn.applying import Applied

Array = np.ndarray[Any, np.dtype[Any]]
#: In what order proposals are made: the most uncertain and unlike, or the most probable first.
ORDERS: Final = ("uncertain", "probable")
#: One row that may be proposed: the row, how urgent it is, and where it lies.
Candidate = tuple[Entry, float, Array]


def propose_rows(
    store: Store, name: str, applied: "Applied", count: int, by: str = "uncertain", wanted: Wanted | None = None
) -> list[Entry]:
    """Put what a person should look at next into the proposals of a catalogue, and give these rows.

    What overlaps a row of the catalogue, or anything that was proposed before, is left out: a rejected row does not
    come back.

    Parameters
    ----------
    applied : Applied
        With points, see :func:`armillary.learn.applying.apply`.
    count : int
        How many at most.
    by : str
        One of `ORDERS`.

    Raises
    ------
    BadRequest
        If the answers have no probabilities.
    NoData
        If there is nothing left to propose.
    """
    if by not in ORDERS:
        raise BadRequest(f"there is no order {by!r}", f"give one of {', '.join(ORDERS)}")
    if not applied.run.classes or next(applied.answers()).answer.ndim == 1:
        raise BadRequest("a model that answers with numbers is not unsure of anything", "use one of classes or events")
    kind, wanted = kind_of(applied), wanted or Wanted()
    made = _marks(applied, wanted) if kind == "events" else _objects(applied, wanted, POOL * count)
    some = _unseen(store, name, kind, list(made))
    if not some:
        raise NoData("there is nothing new to propose", "apply the model to another interval, or lower --least")
    urgency = np.array([one[1] if by == "uncertain" else one[0].attributes.get("probability", 0.0) for one in some])
    points = np.stack([one[2] for one in some])
    order = choose(urgency, points if by == "uncertain" else points[:, :0], count)
    rows = [_marked(*some[at][:2]) for at in order]
    ids = propose(store, name, kind, rows)
    return [replace(row, id=one) for row, one in zip(rows, ids, strict=True)]


def _marked(row: Entry, urgency: float) -> Entry:
    return replace(row, attributes={**row.attributes, "uncertainty": round(urgency, 6)})


def _marks(applied: "Applied", wanted: Wanted) -> Iterator[Candidate]:
    """Give intervals that were found, and with events those that nearly were."""
    for mark in found_marks(applied, likely=True):
        if wanted(mark.class_, mark.probability) and np.isfinite(mark.probability):
            # of many classes, one with less than half of the probability is as unsure as can be
            sure = mark.probability if applied.run.decoder else max(mark.probability, 0.5)
            yield event_of(applied.run, mark), float(uncertainty_of(np.array([sure]))[0]), mark.point


def _objects(applied: "Applied", wanted: Wanted, most: int) -> list[Candidate]:
    """Give the most uncertain rows of a table, in the memory of so many."""
    best: list[tuple[float, int, Candidate]] = []
    number = 0
    for answers in applied.answers():
        known = np.flatnonzero(np.isfinite(answers.answer).all(axis=1))
        urgency = np.full(len(answers), np.nan)
        urgency[known] = uncertainty_of(answers.answer[known])
        columns = {name: one.tolist() for name, one in table_of(applied.run, answers).items()}
        for at in known[np.argsort(-urgency[known], kind="stable")][:most]:
            row = object_of(applied.run, {name: one[at] for name, one in columns.items()})
            number += 1
            if wanted(row.class_, float(row.attributes.get("probability", 0.0))):  # type: ignore[arg-type]
                heapq.heappush(best, (float(urgency[at]), number, (row, float(urgency[at]), answers.points[at])))
        best = heapq.nlargest(most, best)
        heapq.heapify(best)
    return [one[2] for one in sorted(best, reverse=True)]


def _unseen(store: Store, name: str, kind: str, some: list[Candidate]) -> list[Candidate]:
    """Leave out what a person has labelled, or was asked about."""
    names = {one.name for one in store.catalogues()}
    seen = [row for one in (name, proposals_of(name)) if one in names for row in store.rows(one)]
    if not seen or not some:
        return some
    if kind == "events":
        old = overlapping(times([one[0] for one in some], 1), times(seen, 1))
        return [one for one, known in zip(some, old, strict=True) if not known]
    known = {_place(one) for one in seen}
    return [one for one in some if _place(one[0]) not in known]


def _place(row: Entry) -> tuple[Any, ...]:
    return (row.source_id,) if row.source_id else (row.ra, row.dec)

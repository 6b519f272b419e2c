"""What every source promises to the rest of the house, as tests to inherit."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from unittest.mock import patch

from armillary.errors import Cancelled
from armillary.model import Archive, Data, Product, Request, Source, silent
from armillary.model.kinds import KINDS, check
from armillary.testing.battery import Battery, promise
from armillary.testing.cases import (
    Case,
    choose,
    differs,
    digest,
    inside,
    is_timed,
    put_together,
    size_of,
    times_of,
    with_rows,
    with_time,
)
from armillary.testing.travel import seen_elsewhere

if TYPE_CHECKING:
    from armillary.model.request import Scalar

_PARTS = {"time", "box", "cone", "where", "rows"}
_DAY = 86_400 * 10**9


class SourceContract(Battery):
    """Tests for a source; a subclass says which archive it is made from.

    Attributes
    ----------
    archive : Archive
        What the source is made from. Override `opened` instead where something must run meanwhile.
    requests : sequence of Request
        Questions to ask; the others are made up from the inventory.
    per_kind : int
        How many leaves of each kind are asked.
    lacks : frozenset of str
        "time" if no leaf is cut in time, "rows" if none is cut in rows.
    """

    archive: ClassVar[Archive]
    requests: ClassVar[Sequence[Request]] = ()
    per_kind: ClassVar[int] = 3
    promises: ClassVar[int] = 12
    source: ClassVar[Source]
    leaves: ClassVar[tuple[Product, ...]] = ()
    cases: ClassVar[tuple[Case, ...]] = ()
    state: ClassVar[Path]

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[Archive]:
        """Give the archive while what it needs is running; `state` is an empty folder."""
        del state
        yield cls.archive

    @classmethod
    @contextmanager
    def prepared(cls, state: Path) -> Iterator[None]:
        """Make the source and choose what to ask it."""
        from armillary.sources.connect import connect

        with cls.opened(state) as archive:
            cls.archive, cls.state = archive, state
            with _no_network():
                cls.source = connect(archive, state)
            cls.leaves = tuple(cls.source.inventory(silent))
            cls.cases = tuple(choose(cls.leaves, cls.requests, cls.per_kind))
            yield

    @promise()
    def test_the_stamp_is_quiet_and_stable(self) -> int:
        """Ask no network for the stamp, get the same again, also from a source made anew."""
        from armillary.sources.connect import connect

        with _no_network():
            stamps = {self.source.stamp(), self.source.stamp(), connect(self.archive, self.state).stamp()}
        assert len(stamps) == 1, f"the stamp changes though nothing else did: {stamps}"
        assert isinstance(self.source, Source)
        return len(stamps)

    @promise()
    def test_every_leaf_is_well_formed(self) -> int:
        """Look at every leaf of the inventory: path, kind, title, selects, parameters, and its JSON."""
        paths = [one.path for one in self.leaves]
        assert len(set(paths)) == len(paths), f"paths occur twice: {sorted({p for p in paths if paths.count(p) > 1})}"
        for leaf in self.leaves:
            problem = leaf_problem(leaf)
            assert not problem, f"{leaf.path}: {problem}"
        return len(paths)

    @promise()
    def test_the_inventory_is_the_same_twice(self) -> int:
        """List again."""
        assert tuple(self.source.inventory(silent)) == self.leaves
        return len(self.leaves)

    @promise()
    def test_every_answer_keeps_the_promise_of_its_kind(self) -> int:
        """Fetch, look at names, types and coordinates, and find something in every kind."""
        sizes: dict[str, int] = {}
        for case in self.cases:
            data = check(case.product.kind, fetch(self.source, case), case.product.path)
            sizes[case.product.kind] = sizes.get(case.product.kind, 0) + size_of(inside(data, case.request))
        assert all(sizes.values()), f"nothing but empty answers: {sizes}; name fuller times in `requests`"
        return len(self.cases)

    @promise()
    def test_the_same_question_has_the_same_answer(self) -> int:
        """Fetch twice and compare every bit."""
        for case in self.cases:
            found = differs(fetch(self.source, case), fetch(self.source, case))
            assert not found, f"{case.product.path} answers differently: {found}"
        return len(self.cases)

    @promise("time")
    def test_time_is_half_open_and_nothing_is_left_out(self) -> int:
        """Ask from one sample to another: the first is in, the last is not, and all between are there."""
        looked = 0
        for case, whole in timed(self.source, self.cases):
            times = times_of(whole)
            start, stop = int(times[len(times) // 4]), int(times[3 * len(times) // 4])
            if start == stop:
                continue
            asked = with_time(case, start, stop)
            part = inside(fetch(self.source, case, asked), asked)
            wanted = int(((times >= start) & (times < stop)).sum())
            found = len(times_of(part))
            assert found == wanted, f"{case.product.path} gives {found} of {wanted} samples in {asked.extent.time}"
            looked += 1
        return looked

    @promise("time")
    def test_consecutive_pieces_join_to_the_whole(self) -> int:
        """Ask for two halves and put them together."""
        looked = 0
        for case, whole in timed(self.source, self.cases):
            middle = int(times_of(whole)[len(times_of(whole)) // 2])
            span = case.request.extent.time
            if span is None or not span.start < middle < span.stop:
                continue
            asked = (with_time(case, span.start, middle), with_time(case, middle, span.stop))
            pieces = [inside(fetch(self.source, case, one), one) for one in asked]
            found = differs(put_together(case.product, pieces), whole)
            assert not found, f"{case.product.path}: its halves are not the whole: {found}"
            looked += 1
        return looked

    @promise("rows")
    def test_rows_join_to_the_whole(self) -> int:
        """Ask for the first and the other rows and put them together."""
        looked = 0
        for case in self.cases:
            rows = case.request.extent.rows
            if rows is None or rows.stop - rows.start < 2:
                continue
            cut = (rows.start + rows.stop) // 3 or 1
            asked = (with_rows(case, rows.start, cut), with_rows(case, cut, rows.stop))
            joined = put_together(case.product, [fetch(self.source, case, one) for one in asked])
            found = differs(joined, fetch(self.source, case))
            assert not found, f"{case.product.path}: its rows put together are not the whole: {found}"
            looked += 1
        return looked

    @promise("time")
    def test_outside_of_the_coverage_is_an_empty_answer(self) -> int:
        """Ask after the end: no sample, and the same variables."""
        looked = 0
        for case, whole in timed(self.source, self.cases):
            cover = case.product.coverage
            if cover is None:
                continue
            asked = with_time(case, cover.stop + 30 * _DAY, cover.stop + 31 * _DAY)
            empty = inside(check(case.product.kind, fetch(self.source, case, asked), case.product.path), asked)
            assert size_of(empty) == 0, f"{case.product.path} has samples after its coverage"
            assert {*empty.data_vars} == {*whole.data_vars}, f"{case.product.path}: empty, it has other variables"
            looked += 1
        return looked

    @promise()
    def test_a_stop_passes_through(self) -> int:
        """Raise Cancelled from the progress: it comes out, and the next answer is whole."""
        for case in self.cases:
            before = fetch(self.source, case)
            _stop(self.source, case)
            found = differs(fetch(self.source, case), before)
            assert not found, f"{case.product.path} is not the same after a stop: {found}"
        return len(self.cases)

    @promise()
    def test_threads_may_share_it(self) -> int:
        """Ask all questions in four threads at once."""
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(partial(fetch, self.source), self.cases))
        for case, data in zip(self.cases, together, strict=True):
            assert not differs(data, fetch(self.source, case)), f"{case.product.path} answers differently in a thread"
        return len(together)

    @promise()
    def test_another_process_gets_the_same(self) -> int:
        """Make the source anew from its archive in a new process, as a job does."""
        asked = [replace(case.request, params=_params(case)) for case in self.cases]
        seen = seen_elsewhere(self.archive, self.state, asked)
        for case, request in zip(self.cases, asked, strict=True):
            ours = digest(fetch(self.source, case, request))
            assert seen[request.key] == ours, f"{case.product.path} is different in another process"
        return len(seen)

    def test_the_contract_is_kept_in_full(self) -> None:
        """Count the tests."""
        self.count()


def leaf_problem(leaf: Product) -> str:
    """Say what is wrong with a leaf as a value, or nothing."""
    knobs = [one.name for one in leaf.parameters if one.read(one.default) != one.default]
    record = json.loads(json.dumps(leaf.to_record()))
    rules = {
        "its path has an empty segment": not all(leaf.path.split("/")),
        f"there is no kind {leaf.kind!r}": leaf.kind not in KINDS,
        "it has no title": not leaf.title.strip(),
        "it names no source": not leaf.source,
        f"selects may hold {sorted(_PARTS)}": not {*leaf.selects} <= _PARTS,
        f"the default of {knobs} is not allowed": bool(knobs),
        "its JSON does not bring it back": Product.from_record(record) != leaf,
    }
    return "; ".join(problem for problem, broken in rules.items() if broken)


def fetch(source: Source, case: Case, request: Request | None = None) -> Data:
    """Ask a source a case's question, or another about its leaf, with all parameters filled in."""
    asked = request or case.request
    return source.fetch(case.product, replace(asked, params=_params(case)), silent)


def timed(source: Source, cases: Iterable[Case]) -> Iterator[tuple[Case, Data]]:
    """Give the questions cut in time that have at least four samples, with their answers."""
    for case in cases:
        if is_timed(case):
            whole = inside(fetch(source, case), case.request)
            if len(times_of(whole)) >= 4:
                yield case, whole


def _params(case: Case) -> "dict[str, Scalar]":
    return case.product.read_params(dict(case.request.params))


def _stop(source: Source, case: Case) -> None:
    def stop(fraction: float, message: str = "") -> None:
        assert 0 <= fraction <= 1, f"{case.product.path}: progress of {fraction} {message}"
        raise Cancelled("the contract asked to stop", "ask again")

    try:
        source.fetch(case.product, case.request, stop)
    except Cancelled:
        return
    raise AssertionError(f"{case.product.path} cannot be stopped: call progress between steps and let Cancelled pass")


@contextmanager
def _no_network() -> Iterator[None]:
    """Let every connection fail meanwhile."""
    refused = AssertionError("the network was asked, where it must not be")
    with patch("socket.socket.connect", side_effect=refused), patch("socket.getaddrinfo", side_effect=refused):
        yield

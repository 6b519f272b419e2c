"""The promises of `Cache.serve`, against a brute-force model and in every kind of data."""

import gc
import itertools
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.cache import Cache, claims, neighbours, tally
from armillary.errors import BadData, Cancelled, Conflict, SourceDown
from armillary.model import Box, Extent, Interval, Product, Request
from armillary.model.kinds import column, with_table_attrs

TOP = 60
spans = st.tuples(st.integers(0, TOP - 1), st.integers(1, TOP)).map(lambda s: (min(s), max(s) + (s[0] == s[1])))


@settings(max_examples=40, deadline=None)
@given(asked=st.lists(spans, min_size=1, max_size=9), step=st.integers(1, 9), more=st.integers(0, 5))
def test_every_answer_is_exact_and_nothing_is_fetched_twice(
    asked: list[tuple[int, int]],
    step: int,
    more: int,
    tmp_path_factory: pytest.TempPathFactory,
    make_source: Callable[..., Any],
    ask: Callable[..., Request],
    times_of: Callable[[xr.Dataset], list[int]],
    series: Product,
) -> None:
    source, covered = make_source(step, more), set[int]()
    cache = Cache(tmp_path_factory.mktemp("model"))
    for start, stop in asked:
        before = len(source.asked)
        answer = cache.serve(series, ask(start, stop), source)
        assert times_of(answer) == [t for t in range(start, stop) if t % step == 0]
        assert answer["b"].to_numpy().tolist() == [t * 3.0 for t in times_of(answer)]
        fetched = source.asked[before:]
        brought = [t for low, high in fetched for t in range(low, high)]
        assert sorted(brought) == sorted(set(range(start, stop)) - covered)
        assert len(fetched) == sum(t - 1 not in brought for t in brought)
        covered |= set(brought)
        want = [t for t in range(TOP + 2) if t in covered]
        whole = cache.stored(series, ask(0, TOP + 2))
        assert [t for one in whole for t in range(one.start, one.stop)] == want
        assert all(a.stop < b.start for a, b in itertools.pairwise(whole))
        # pieces that touch became one
        assert cache.totals()["entries"] == len(whole)
    assert cache.verify() == []


FORMS: tuple[Callable[[xr.Dataset], xr.Dataset], ...] = (
    lambda data: data,
    lambda data: data.assign_attrs(run="b"),
    lambda data: data.assign(b=data["b"].astype(np.float32)),
    lambda data: data.assign(gain=((), np.nan, {"units": "1"})),
    lambda data: data.assign(gain=((), 2.0, {"units": "1"})),
    lambda data: data.assign(note=("time", data["b"].to_numpy().astype(str).astype(object), {"units": ""})),
)


@settings(max_examples=30, deadline=None)
@given(
    asked=st.lists(st.tuples(spans, st.integers(0, len(FORMS) - 1)), min_size=2, max_size=8),
    small=st.sampled_from([200, 1000, 2**18]),
)
def test_what_became_one_piece_answers_as_the_pieces_would(
    asked: list[tuple[tuple[int, int], int]],
    small: int,
    tmp_path_factory: pytest.TempPathFactory,
    make_source: Callable[..., Any],
    ask: Callable[..., Request],
    series: Product,
) -> None:
    source = make_source(2)
    one, apart = (Cache(tmp_path_factory.mktemp(name)) for name in ("one", "apart"))
    for (start, stop), form in asked:

        def fetch(request: Request, progress: Any, form: int = form) -> xr.Dataset:
            return FORMS[form](source(request, progress))

        answers = []
        for cache, size in ((one, small), (apart, -1)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(neighbours, "SMALL", size)
                answers.append(outcome(cache, series, ask(start, stop), fetch))
        if isinstance(answers[0], xr.Dataset) and isinstance(answers[1], xr.Dataset):
            assert_same(*answers)
        else:
            assert answers[0] == answers[1]
    assert one.totals()["entries"] <= apart.totals()["entries"]
    assert one.verify() == apart.verify() == []


def outcome(cache: Cache, product: Product, request: Request, fetch: Any) -> Any:
    """Give the answer, or the problem where pieces of these forms cannot be joined."""
    try:
        return cache.serve(product, request, fetch)
    except BadData as broken:
        return broken.problem


def test_neighbours_are_together_larger_than_small(
    cache: Cache, counting: Any, ask: Callable[..., Request], series: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "SMALL", 100 * 16)
    edges = np.cumsum(np.random.default_rng(1).integers(1, 60, 120))
    for at in np.random.default_rng(2).permutation(119):
        cache.serve(series, ask(int(edges[at]), int(edges[at + 1])), counting)
    with cache._database.reading() as db:
        lengths = [stop - start for start, stop in db.execute("SELECT start, stop FROM piece ORDER BY start")]
    assert sum(lengths) == edges[-1] - edges[0]
    assert max(lengths) <= 100
    assert all(one + other > 100 for one, other in itertools.pairwise(lengths))


def test_neighbours_with_time_as_second_axis_become_one(
    cache: Cache, counting: Any, ask: Callable[..., Request], series: Product
) -> None:
    def fetch(request: Request, progress: Any) -> xr.Dataset:
        data: xr.Dataset = counting(request, progress)
        return data.assign(wide=(("x", "time"), np.arange(2)[:, None] * data["b"].to_numpy(), {"units": ""}))

    for start, stop in ((10, 20), (0, 10), (20, 23)):
        cache.serve(series, ask(start, stop), fetch)
    assert cache.totals()["entries"] == 1
    assert fetch(ask(0, 23), lambda *_: None).identical(cache.read(series, ask(0, 23)))


def test_a_damaged_neighbour_is_left_alone(
    cache: Cache, counting: Any, ask: Callable[..., Request], series: Product
) -> None:
    cache.serve(series, ask(0, 10), counting)
    with cache._database.writing() as db:
        db.execute("UPDATE block SET crc = crc + 1 WHERE part = 0")
    cache.serve(series, ask(10, 20), counting)
    assert cache.totals()["entries"] == 2
    assert cache.serve(series, ask(0, 20), counting).identical(counting.data(0, 20))
    assert counting.asked == [(0, 10), (10, 20), (0, 10)]


def test_hits_write_at_most_once_a_second(
    cache: Cache, counting: Any, ask: Callable[..., Request], series: Product
) -> None:
    begun = time.monotonic()
    cache.serve(series, ask(0, 10), counting)
    (link,) = cache._database._idle
    said: list[str] = []
    link.db.set_trace_callback(said.append)
    for _ in range(60):
        cache.serve(series, ask(0, 10), counting)
    assert said.count("BEGIN ") + said.count("BEGIN") == 60
    assert said.count("BEGIN IMMEDIATE") <= time.monotonic() - begun
    link.db.set_trace_callback(None)
    assert cache.totals()["hits"] == 60


def test_hits_do_not_wait_for_a_long_write_and_are_counted_after_it(
    tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "PAUSE", 0.0)
    Cache(tmp_path).serve(series, ask(0, 10), counting)
    cache, other = Cache(tmp_path), Cache(tmp_path)
    with other._database.writing() as db:
        db.execute("INSERT INTO meta VALUES ('a', 'long write')")
        for _ in range(7):
            assert cache.serve(series, ask(0, 10), counting).sizes["time"] == 10
            assert cache.has(series, ask(0, 10))
    del cache
    gc.collect()
    assert other.totals()["hits"] == 7


@settings(max_examples=20, deadline=None)
@given(asked=st.lists(spans, min_size=2, max_size=12), limit=st.integers(1500, 6000))
def test_with_eviction_answers_stay_exact_and_the_size_bounded(
    asked: list[tuple[int, int]],
    limit: int,
    tmp_path_factory: pytest.TempPathFactory,
    make_source: Callable[..., Any],
    ask: Callable[..., Request],
    times_of: Callable[[xr.Dataset], list[int]],
    series: Product,
) -> None:
    source = make_source(1, 3)
    cache = Cache(tmp_path_factory.mktemp("small"), limit=limit)
    for start, stop in asked:
        known = {t for one in cache.stored(series, ask(0, TOP + 2)) for t in range(one.start, one.stop)}
        before = len(source.asked)
        assert times_of(cache.serve(series, ask(start, stop), source)) == list(range(start, stop))
        assert not known & {t for low, high in source.asked[before:] for t in range(low, high)}
        assert cache.totals()["bytes"] <= limit
    assert cache.verify() == []


def test_the_least_recently_used_goes_first(
    tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product
) -> None:
    one_entry = Cache(tmp_path / "probe")
    one_entry.serve(series, ask(0, 100), counting)
    cache = Cache(tmp_path / "cache", limit=int(one_entry.totals()["bytes"] * 2.5))
    for start in (0, 1000, 0, 2000):
        cache.serve(series, ask(start, start + 100), counting)
    kept = [one.start for one in cache.stored(series, ask(0, 5000))]
    assert kept == [0, 2000]


def test_what_is_larger_than_the_cache_is_served_and_not_kept(
    tmp_path: Path, counting: Any, ask: Callable[..., Request], series: Product, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(tmp_path, limit=100)
    assert cache.serve(series, ask(0, 50), counting).sizes["time"] == 50
    assert cache.stored(series, ask(0, 50)) == []
    assert "larger than the whole cache" in caplog.text


def rich_dataset(start: int, stop: int) -> xr.Dataset:
    times = np.arange(start, stop)
    rows = len(times)
    rng = np.random.default_rng(start)
    units = {"units": "1"}
    return xr.Dataset(
        {
            "flux": (("time", "energy"), rng.random((rows, 8), np.float32), units | {"DEPEND_1": "energy_t"}),
            "count": ("time", rng.integers(-5, 5, rows, np.int16), units),
            "flag": ("time", rng.random(rows) > 0.5, units),
            "mode": ("time", np.array([f"mode ü{t % 3}" for t in times]), units),
            "note": ("time", np.array([None if t % 2 else f"n{t}" for t in times], object), units),
            "epoch": ("time", times.astype("datetime64[ns]"), units),
            "wait": ("time", times.astype("timedelta64[ns]"), units),
            "wave": ("time", rng.random(rows) + 1j * rng.random(rows), units),
            "big": ("time", rng.random(rows).astype(">f8"), units),
            "gain": ((), np.float32(2.5), units),
        },
        {
            "time": ("time", times.astype("datetime64[ns]"), {"long_name": "time"}),
            "energy_t": (("time", "energy"), rng.random((rows, 8)), units),
            "channel": ("energy", np.array([f"c{n}" for n in range(8)]), units),
        },
        {"list": [1, "b", 2.5], "scalar": np.float32(1.5), "pair": (1, 2), "array": np.array([1, 2], np.int16),
         "nested": {"a": [np.int64(3)]}, "when": np.datetime64("2020-01-01", "ns"), "octets": b"\x00\xff"},
    )  # fmt: skip


def assert_same(got: xr.Dataset, want: xr.Dataset) -> None:
    xr.testing.assert_identical(got, want)
    assert {name: one.dtype for name, one in got.variables.items()} == {
        name: one.dtype for name, one in want.variables.items()
    }
    assert list(got.variables) == list(want.variables)
    for name, value in want.attrs.items():
        assert type(got.attrs[name]) is type(value)


def test_types_attributes_and_varying_axes_come_back_as_they_were(cache: Cache, ask: Callable[..., Request]) -> None:
    product = Product(path="test/rich", title="t", kind="spectrogram")
    made = rich_dataset(0, 50)
    assert_same(cache.serve(product, ask(0, 50, product), lambda *_: made), made)
    assert_same(cache.serve(product, ask(0, 50, product), lambda *_: pytest.fail("fetched again")), made)
    part = cache.read(product, ask(10, 20, product))
    assert isinstance(part, xr.Dataset)
    assert_same(part, made.isel(time=slice(10, 20)))
    part["count"].to_numpy()[:] = 7  # what is given may be written


def test_an_empty_answer_is_stored_with_its_structure(cache: Cache, ask: Callable[..., Request]) -> None:
    product = Product(path="test/rich", title="t", kind="spectrogram")
    empty = rich_dataset(0, 5).isel(time=slice(0, 0))
    cache.serve(product, ask(0, 50, product), lambda *_: empty)
    assert_same(cache.serve(product, ask(5, 9, product), lambda *_: pytest.fail("fetched again")), empty)


def test_long_entries_are_read_by_the_blocks_that_overlap(cache: Cache, series: Product, make_source: Any) -> None:
    source = make_source()
    span = Request(series.path, Extent(time=Interval(0, 300_000)))
    cache.serve(series, span, source)
    for start, stop in ((65_535, 65_537), (0, 1), (299_999, 300_000), (131_072, 196_608), (1000, 250_000)):
        part = cache.read(series, Request(series.path, Extent(time=Interval(start, stop))))
        assert isinstance(part, xr.Dataset)
        xr.testing.assert_identical(part, source.data(start, stop))


def test_equal_times_across_blocks_are_all_given(cache: Cache, series: Product, ask: Callable[..., Request]) -> None:
    times = np.repeat([1, 2, 3], 70_000)
    made = xr.Dataset({"b": ("time", np.arange(210_000), {"units": ""})}, {"time": times.astype("datetime64[ns]")})
    cache.serve(series, ask(0, 10), lambda *_: made)
    part = cache.read(series, ask(2, 3))
    assert isinstance(part, xr.Dataset)
    assert part["b"].to_numpy().tolist() == list(range(70_000, 140_000))


def test_tables_are_whole_entries_by_exact_key(cache: Cache) -> None:
    product = Product(path="test/stars", title="t", kind="sources", selects=("box",))
    fields = [column("ra", pa.float64(), "deg"), column("dec", pa.float64(), "deg"), column("name", pa.string())]
    table = pa.table([[1.0, 2.0], [3.0, None], ["å", None]], schema=pa.schema(fields))
    table = with_table_attrs(table, {"query": "all"})
    asked: list[Request] = []

    def fetch(request: Request, _: Any) -> pa.Table:
        asked.append(request)
        return table

    small, large = (Request(product.path, Extent(box=Box(0, 0, 1, top))) for top in (1, 2))
    for request in (small, small, large, small):
        assert cache.serve(product, request, fetch).equals(table, check_metadata=True)
    assert asked == [small, large]
    assert cache.has(product, small)
    assert not cache.has(product, Request(product.path))
    assert cache.stored(product, small) == []


def test_a_large_table_is_cut_and_comes_back(cache: Cache) -> None:
    product = Product(path="test/large", title="t", kind="samples")
    table = pa.table({"x": np.random.default_rng(0).random(2_000_000)})
    cache.serve(product, Request(product.path), lambda *_: table)
    assert cache.serve(product, Request(product.path), lambda *_: pytest.fail("again")).equals(table)


def test_rasters_and_requests_without_time_are_whole_entries(cache: Cache, series: Product, make_source: Any) -> None:
    raster = Product(path="test/dem", title="t", kind="raster")
    made = xr.Dataset({"z": (("y", "x"), np.ones((3, 4), np.uint8), {"units": "m"})}, attrs={"crs": "EPSG:4326"})
    request = Request(raster.path, Extent(time=Interval(0, 5)))
    cache.serve(raster, request, lambda *_: made)
    assert cache.serve(raster, request, lambda *_: pytest.fail("again")).identical(made)
    everything = make_source().data(0, 20)
    cache.serve(series, Request(series.path), lambda *_: everything)
    assert cache.read(series, Request(series.path)).identical(everything)


@pytest.mark.parametrize("change", [{"version": "2"}, {"path": "test/other"}])
def test_another_version_or_product_is_another_entry(
    change: dict[str, str], cache: Cache, counting: Any, series: Product, ask: Callable[..., Request]
) -> None:
    import dataclasses

    cache.serve(series, ask(0, 5), counting)
    assert cache.has(series, ask(0, 5))
    assert not cache.has(dataclasses.replace(series, **change), ask(0, 5))
    assert not cache.has(series, Request(series.path, Extent(time=Interval(0, 5)), {"n": 1}))


def test_a_product_not_worth_keeping_is_not_kept(cache: Cache, counting: Any, ask: Callable[..., Request]) -> None:
    product = Product(path="test/quick", title="t", kind="series", keep=False)
    for _ in range(2):
        cache.serve(product, ask(0, 5, product), counting)
    assert len(counting.asked) == 2
    assert cache.totals()["entries"] == 0


def test_counts_are_kept_and_clear_forgets_by_pattern(
    tmp_path: Path, counting: Any, series: Product, ask: Callable[..., Request]
) -> None:
    def slow(request: Request, progress: Any) -> xr.Dataset:
        time.sleep(0.02)
        data: xr.Dataset = counting(request, progress)
        return data

    first = Cache(tmp_path)
    for stop in (10, 5, 20):
        first.serve(series, ask(0, stop), slow)
    first.close()
    (row,) = Cache(tmp_path).show()
    assert (row["path"], row["hits"], row["misses"], row["entries"]) == ("test/b", 1, 2, 1)
    assert row["intervals"] == [["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000020Z"]]
    assert 0.03 <= row["seconds_saved"] <= 10
    assert first.totals()["bytes"] == row["bytes"] > 0
    assert first.clear("other/*") == 0
    assert first.clear("test/*") == 1
    assert first.totals() == {**first.totals(), "hits": 1, "entries": 0, "bytes": 0}


def test_a_failed_or_cancelled_fetch_stores_nothing_and_frees_its_claim(
    cache: Cache, counting: Any, series: Product, ask: Callable[..., Request]
) -> None:
    for error in (SourceDown("no answer", "try later"), Cancelled("stopped", "start again"), ZeroDivisionError()):

        def fail(*_: Any, error: Exception = error) -> xr.Dataset:
            raise error

        with pytest.raises(type(error)):
            cache.serve(series, ask(0, 10), fail)
    assert cache.serve(series, ask(0, 10), counting).sizes["time"] == 10


def test_a_wrong_kind_is_refused_and_not_stored(cache: Cache, series: Product, ask: Callable[..., Request]) -> None:
    with pytest.raises(BadData, match="test/b is not a series"):
        cache.serve(series, ask(0, 10), lambda *_: pa.table({"x": [1]}))
    assert cache.totals()["entries"] == 0


def test_what_cannot_be_stored_safely_is_served(
    cache: Cache, series: Product, ask: Callable[..., Request], caplog: pytest.LogCaptureFixture
) -> None:
    odd = xr.Dataset(
        {"b": ("time", np.array([{"a": 1}], object), {"units": ""})}, {"time": np.array([3], "datetime64[ns]")}
    )
    assert cache.serve(series, ask(0, 10), lambda *_: odd).identical(odd)
    assert "cannot be kept" in caplog.text
    assert cache.totals()["entries"] == 0


def test_threads_fetch_each_sample_once(
    cache: Cache, counting: Any, series: Product, ask: Callable[..., Request], times_of: Callable[..., list[int]]
) -> None:
    wrong: list[Any] = []

    def slow(request: Request, progress: Any) -> xr.Dataset:
        time.sleep(0.02)
        data: xr.Dataset = counting(request, progress)
        return data

    def work(start: int) -> None:
        if times_of(cache.serve(series, ask(start, start + 50), slow)) != list(range(start, start + 50)):
            wrong.append(start)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 20, 40, 0, 30, 60, 20, 0)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []
    brought = [t for low, high in counting.asked for t in range(low, high)]
    assert sorted(brought) == list(range(110))


def test_a_waiting_request_can_be_cancelled_and_takes_over_from_the_dead(
    cache: Cache, counting: Any, series: Product, ask: Callable[..., Request]
) -> None:
    from armillary.cache.serve import entry_of

    request = ask(0, 10)
    claim = claims.take(cache._database, entry_of(series, request).key, [Interval(0, 10)])
    assert claim is not None

    def stop(_: float, message: str = "") -> None:
        raise Cancelled(message, "start again")

    with pytest.raises(Cancelled, match="another is fetching"):
        cache.serve(series, request, counting, stop)
    with cache._database.writing() as db:
        db.execute("UPDATE claim SET beat = beat - ?", (claims.DEAD_AFTER + 1,))
    assert cache.serve(series, request, counting).sizes["time"] == 10


def test_a_heartbeat_keeps_a_claim(
    cache: Cache, series: Product, ask: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    from armillary.cache.serve import entry_of

    monkeypatch.setattr(claims, "BEAT", 0.01)
    key = entry_of(series, ask(0, 10)).key
    claim = claims.take(cache._database, key, [Interval(0, 10)])
    assert claim is not None
    with cache._database.writing() as db:
        db.execute("UPDATE claim SET beat = 0")
    with claim:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with cache._database.reading() as db:
                beat = db.execute("SELECT beat FROM claim").fetchone()[0]
            if beat > 0:
                break
            time.sleep(0.01)
        assert time.time() - beat < 60
        assert claims.take(cache._database, key, [Interval(0, 10)]) is None
    with cache._database.reading() as db:
        assert db.execute("SELECT count(*) FROM claim").fetchone() == (0,)


def test_a_newer_form_is_a_clear_error_and_an_older_is_cleared(
    tmp_path: Path, counting: Any, series: Product, ask: Callable[..., Request]
) -> None:
    cache = Cache(tmp_path)
    cache.serve(series, ask(0, 10), counting)
    cache.close()

    def set_form(form: int) -> None:
        with sqlite3.connect(tmp_path / "cache.sqlite") as db:
            db.execute("UPDATE meta SET value = ?", (form,))
        db.close()

    set_form(99)
    with pytest.raises(Conflict, match="newer Armillary"):
        Cache(tmp_path).serve(series, ask(0, 10), counting)
    set_form(0)
    assert Cache(tmp_path).totals()["entries"] == 0


def test_the_file_does_not_grow_without_bound(
    tmp_path: Path, series: Product, ask: Callable[..., Request], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    cache = Cache(tmp_path, limit=400_000)
    noise = np.random.default_rng(0)

    def fetch(request: Request, _: Any) -> xr.Dataset:
        assert request.extent.time
        times = np.arange(request.extent.time.start, request.extent.time.stop)
        values = {"b": ("time", noise.random(len(times)), {"units": ""})}
        return xr.Dataset(values, {"time": times.astype("datetime64[ns]")})

    for start in range(0, 400_000, 10_000):
        cache.serve(series, ask(start, start + 10_000), fetch)
    cache.close()
    assert (tmp_path / "cache.sqlite").stat().st_size < 1_200_000
    cache.clear()
    assert (tmp_path / "cache.sqlite").stat().st_size < 300_000

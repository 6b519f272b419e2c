"""What the store keeps, refuses and gives back."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from armillary.catalogues import Entry, Store
from armillary.catalogues.store import find_rows, versions
from armillary.errors import BadExtent, BadParameter, BadPredicate, BadRequest, Conflict, UnknownCatalogue
from armillary.model import Interval
from armillary.model.kinds import check

DAY = 86_400_000_000_000


def event(start: int = 0, stop: int = 10, **others: object) -> Entry:
    return Entry(start=start, stop=stop, **others)  # type: ignore[arg-type]


def test_a_row_comes_back_as_it_was(store: Store) -> None:
    given = Entry(
        start=5, stop=9, class_="icme", tags=("seen", "é"), rating=4, model="net", model_version="2.1", author="eva",
        attributes={
            "i": -3, "f": 0.1, "b": True, "s": "a'b\"", "t": np.datetime64("2015-10-17T01:02:03.000000004", "ns"),
            "l": ("x", 1, 2.5, False), "big": 2**62,
        },
    )  # fmt: skip
    store.new("icme", description="d", tags=("t",))
    (id_,) = store.add("icme", [given])
    (row,) = store.rows("icme")
    assert row.content() == given.content()
    assert {name: type(value) for name, value in row.attributes.items()} == {
        "i": int, "f": float, "b": bool, "s": str, "t": np.datetime64, "l": tuple, "big": int,
    }  # fmt: skip
    assert (row.id, row.version) == (id_, 1)
    assert row.created == row.modified > 0
    assert store.get("icme").rows == 1
    assert (store.get("icme").description, store.get("icme").tags) == ("d", ("t",))


def test_objects_and_areas_come_back(store: Store) -> None:
    square = {"type": "Polygon", "coordinates": [[[13.0, 45.0], [14.0, 45.0], [14.0, 46.0], [13.0, 45.0]]]}
    store.new("stars", "objects")
    store.new("fields", "areas")
    store.add("stars", [Entry(ra=1.5, dec=-3.25, source_id="Gaia DR3 1"), Entry(source_id="only a name")])
    store.add("fields", [Entry(geometry=square, start=0, stop=DAY)])
    assert next((row.ra, row.dec, row.source_id) for row in store.rows("stars")) == (1.5, -3.25, "Gaia DR3 1")
    assert store.rows("fields")[0].geometry == square
    assert store.rows("fields", Interval(DAY - 1, 2 * DAY)) != []
    assert store.rows("fields", Interval(DAY, 2 * DAY)) == []


@pytest.mark.parametrize(
    ("kind", "row"),
    [("events", Entry(ra=1.0, dec=1.0)), ("objects", event()), ("areas", event())],
)
def test_a_row_must_suit_the_kind(store: Store, kind: str, row: Entry) -> None:
    store.new("c", kind)
    with pytest.raises(BadRequest, match="lacks its place"):
        store.add("c", [row])
    assert store.rows("c") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 3}, {"start": 3, "stop": 2}, {"ra": 1.0}, {"ra": 360.0, "dec": 0.0}, {"ra": 0.0, "dec": 91.0},
        {"geometry": {"type": "Blob"}}, {"geometry": {"type": "Point", "coordinates": [1]}},
        {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}},
        {"geometry": {"type": "Point", "coordinates": [float("nan"), 0]}},
    ],
)  # fmt: skip
def test_a_row_with_a_broken_place_cannot_be_made(wrong: dict[str, object]) -> None:
    with pytest.raises(BadExtent):
        Entry(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [{"start": 1}, {"class": "x"}, {"": 1}, {"a\nb": 1}, {"x": float("inf")}, {"x": 2**63}, {"x": [[1]]},
     {"x": {"a": 1}}, {"x": [datetime(2020, 1, 1, tzinfo=UTC)]}],
)  # fmt: skip
def test_attributes_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(BadParameter):
        event(attributes=wrong)


def test_an_attribute_keeps_its_type_in_a_catalogue(store: Store) -> None:
    store.new("a")
    store.new("b")
    ids = store.add("a", [event(attributes={"n": 1, "s": "x"})])
    store.add("a", [event(attributes={"n": 1.5})])
    store.add("b", [event(attributes={"s": 3})])
    with pytest.raises(BadParameter, match="'s' is str in this catalogue, not int"):
        store.add("a", [event(attributes={"s": 3})])
    with pytest.raises(BadParameter, match="'s' is int"):
        store.add("b", [find_rows(store, ids)[0]])
    with pytest.raises(BadParameter):
        store.edit(ids, attributes={"n": "many"})
    store.edit(ids, attributes={"s": 3})  # no other row holds it, so it may become a number
    assert store.rows("a", where="s = 3")[0].id == ids[0]
    with pytest.raises(BadParameter):
        store.add("a", [event(attributes={"z": 1}), event(attributes={"z": "1"})])


def test_one_row_may_be_in_many_catalogues(store: Store) -> None:
    store.new("a")
    store.new("b")
    (id_,) = store.add("a", [event(attributes={"n": 1})])
    assert store.add("b", store.rows("a")) == [id_]
    store.edit(id_, rating=5)
    assert [store.rows(name)[0].rating for name in "ab"] == [5, 5]
    store.remove([id_], "a")
    assert (store.rows("a"), len(store.rows("b"))) == ([], 1)
    store.remove([id_], "b")
    with pytest.raises(UnknownCatalogue):
        find_rows(store, [id_])
    assert [one.version for one in versions(store, id_)] == [1, 2]


def test_a_known_id_with_other_content_is_refused(store: Store) -> None:
    store.new("a")
    (id_,) = store.add("a", [event()])
    with pytest.raises(Conflict, match="other content"):
        store.add("a", [event(1, 2, id=id_)])
    with pytest.raises(Conflict, match="two different rows"):
        store.add("a", [event(id="x"), event(1, 2, id="x")])
    assert store.add("a", [event(id="x"), event(id="x")]) == ["x", "x"]
    assert store.get("a").rows == 2


def test_an_edit_of_a_row_that_changed_meanwhile_is_refused(store: Store) -> None:
    store.new("a")
    store.add("a", [event(attributes={"n": 1, "m": 2})])
    mine = yours = store.rows("a")[0]
    (edited,) = store.edit(mine, class_="shock", attributes={"n": None, "k": "v"})
    assert (edited.class_, dict(edited.attributes), edited.version) == ("shock", {"m": 2, "k": "v"}, 2)
    with pytest.raises(Conflict, match="changed by somebody else"):
        store.edit(yours, class_="sheath")
    with pytest.raises(Conflict):
        store.edit(mine.id, version=1, class_="sheath")
    assert store.rows("a") == [edited]
    with pytest.raises(BadRequest, match="no field 'colour'"):
        store.edit(mine.id, colour="red")
    with pytest.raises(BadExtent):
        store.edit(mine.id, stop=-5)


def test_names_are_checked(store: Store) -> None:
    store.new("a")
    with pytest.raises(Conflict, match="already"):
        store.new("a")
    for wrong in ("", " a", "a\nb", "x" * 201):
        with pytest.raises(BadRequest):
            store.new(wrong)
    with pytest.raises(BadRequest, match="kind"):
        store.new("b", "things")
    with pytest.raises(UnknownCatalogue):
        store.rows("b")
    assert [one.name for one in store.catalogues()] == ["a"]


def test_a_dynamic_catalogue_has_what_its_predicate_finds(store: Store) -> None:
    store.new("a")
    store.new("b")
    store.new("good", where="proba > 0.9")
    store.new("good of b", where="proba > 0.9", of=["b"])
    store.new("best", where="proba > 0.95 AND class = 'x'", of=["good"])
    assert store.rows("good") == []
    store.add("a", [event(0, 1, class_="x", attributes={"proba": p}) for p in (0.5, 0.91, 0.99)])
    store.add("b", [event(5, 6, attributes={"proba": 1.0})])
    assert [row.attributes["proba"] for row in store.rows("good")] == [0.91, 0.99, 1.0]
    assert [row.attributes["proba"] for row in store.rows("good of b")] == [1.0]
    assert [row.attributes["proba"] for row in store.rows("best")] == [0.99]
    assert [row.attributes["proba"] for row in store.rows("good", Interval(4, 6), "proba < 2")] == [1.0]
    assert store.get("good").rows is None
    with pytest.raises(BadRequest, match="has the rows that"):
        store.add("good", [event()])
    with pytest.raises(BadPredicate):
        store.new("c", where="proba >")
    with pytest.raises(UnknownCatalogue):
        store.new("c", where="true", of=["nope"])
    with pytest.raises(BadRequest, match="made of itself"):
        store.alter("good", of=["best"])
    assert store.get("good").of == ()


def test_a_catalogue_can_be_renamed_and_dropped(store: Store) -> None:
    store.new("a")
    store.new("b")
    shared, own = store.add("a", [event(), event(3, 4)])
    store.add("b", find_rows(store, [shared]))
    store.alter("a", name="c", description="new")
    assert (store.get("c").description, store.get("c").rows) == ("new", 2)
    store.alter("c", drop=True)
    assert [one.name for one in store.catalogues()] == ["b"]
    assert len(store.rows("b")) == 1
    with pytest.raises(UnknownCatalogue):
        find_rows(store, [own])
    store.undo()
    assert len(store.rows("c")) == 2


def test_every_write_changes_the_revision(store: Store) -> None:
    seen = [store.revision()]
    store.new("a")
    seen.append(store.revision())
    (id_,) = store.add("a", [event()])
    seen.append(store.revision())
    store.edit(id_, rating=1)
    seen.append(store.revision())
    store.remove([id_])
    seen.append(store.revision())
    store.undo()
    seen.append(store.revision())
    assert seen == sorted(set(seen))
    store.rows("a")
    with pytest.raises(UnknownCatalogue):
        store.add("nope", [event()])
    assert store.revision() == seen[-1]


def test_tables_keep_the_promise_of_their_kind(store: Store) -> None:
    store.new("a")
    store.new("o", "objects")
    times = {"t": np.datetime64("2020-01-01", "ns")}
    store.add("a", [event(1, 2, attributes={"n": 1, "l": (1, 2), **times}), event(2, 3, attributes={"n": 1.5})])
    store.add("o", [Entry(ra=1.0, dec=2.0)])
    table = check("events", store.as_table("a"))
    assert isinstance(table, pa.Table)
    assert table["n"].to_pylist() == [1.0, 1.5]
    assert table["l"].to_pylist() == ["[1, 2]", None]
    assert table["start"].cast(pa.int64()).to_pylist() == [1, 2]
    check("sources", store.as_table("o"))
    check("events", store.as_table("a", where="n > 5"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(-40, 40), st.integers(0, 30)), max_size=12),
    st.tuples(st.integers(-45, 45), st.integers(1, 40)),
)
def test_an_interval_finds_exactly_the_rows_that_share_time(
    tmp_path: Path, rows: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    store = Store(tmp_path / "p.sqlite", "ada")
    if "c" in {one.name for one in store.catalogues()}:
        store.alter("c", drop=True)
    store.new("c")
    store.add("c", [event(start, start + length) for start, length in rows])
    found = store.rows("c", Interval(asked[0], sum(asked)))
    moments = set(range(asked[0], sum(asked)))
    wanted = sorted((a, a + n) for a, n in rows if moments & set(range(a, a + max(n, 1))))
    assert sorted((row.start, row.stop) for row in found) == wanted
    assert [row.start for row in found] == sorted(row.start or 0 for row in found)
    store.pool.close()

"""The SQL of a predicate finds what `armillary.model.predicate.mask` finds."""

import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.catalogues import Entry, Store
from armillary.errors import BadPredicate
from armillary.model.predicate import mask, parse

NUMBERS = st.one_of(st.none(), st.integers(-3, 3), st.floats(-3, 3, allow_nan=False))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "x": NUMBERS,
            "y": NUMBERS,
            "flag": st.one_of(st.none(), st.booleans()),
            "s": st.sampled_from([None, "a", "Ab"]),
        }
    ),
    min_size=1,
    max_size=8,
)
SUMS = st.recursive(
    st.sampled_from(["x", "y", "1", "0.5", "-2"]),
    lambda part: st.builds("({} {} {})".format, part, st.sampled_from("+-*"), part),
    max_leaves=3,
)
LEAVES = st.one_of(
    st.builds("{} {} {}".format, SUMS, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), SUMS),
    st.builds("{} IS {}NULL".format, st.sampled_from("xys"), st.sampled_from(["", "NOT "])),
    st.builds("{} {}IN ({}, {})".format, st.sampled_from("xy"), st.sampled_from(["", "NOT "]), SUMS, SUMS),
    st.builds("x {}BETWEEN {} AND {}".format, st.sampled_from(["", "NOT "]), SUMS, SUMS),
    st.sampled_from(
        ["flag", "flag = true", "NOT flag", "s = 'a'", "s LIKE 'a%'", "s NOT LIKE '_b'", "s IN ('a', 'z')"]
    ),
)
PREDICATES = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.builds("({} {} {})".format, part, st.sampled_from(["AND", "OR"]), part), st.builds("(NOT {})".format, part)
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("where") / "c.sqlite", "ada")


@settings(max_examples=150, deadline=None)
@given(ROWS, PREDICATES)
def test_sql_and_mask_agree(filled: Store, rows: list[dict[str, object]], text: str) -> None:
    name = f"c{filled.revision()}"
    filled.new(name)
    every = {"x": 0.0, "y": 0.0, "flag": True, "s": "a"}  # so that each column exists
    entries = [Entry(start=at, stop=at + 1, attributes=row) for at, row in enumerate([every, *rows])]  # type: ignore[arg-type]
    filled.add(name, entries)
    found = {row.start for row in filled.rows(name, where=text)}
    columns = {
        column: np.array([row[column] for row in [every, *rows]], object if column in {"s", "flag"} else float)
        for column in every
    }
    assert found == set(np.flatnonzero(mask(parse(text), columns)).tolist())
    filled.pool.close()


@pytest.fixture
def mixed(store: Store) -> Store:
    store.new("c")
    store.add("c", [
        Entry.event("2015-01-01", "2015-01-02", class_="icme", tags=("a", "b"), attributes={
            "when": np.datetime64("2015-03-01", "ns"), "l": (1, "x"), "q": 7, "exact": 0.1 + 0.2}),
        Entry.event("2016-01-01", "2016-01-03", rating=4, attributes={"q": 2}),
    ])  # fmt: skip
    store.new("d")
    store.add("d", [Entry(start=0, stop=1, attributes={"q": "text"})])
    return store


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("start >= '2015-06-01'", [2016]),
        ("start = '2015-01-01T00:00:00Z'", [2015]),
        ("duration > 86400", [2016]),
        ("stop - start > 86400", [2016]),
        ("class = 'icme' AND class_ != 'x'", [2015]),
        ("tags = 'a'", [2015]),
        ("tags IN ('z', 'b')", [2015]),
        ("tags LIKE 'A'", [2015]),
        ("NOT tags = 'a'", [2016]),
        ("when > '2015-02-01' AND when < '2015-03-02'", [2015]),
        ("when > '2015-02-01' OR when <= '2015-02-01'", [2015]),
        ("l = 1", [2015]),
        ("l = 'x'", [2015]),
        ("l != 'x'", []),
        ("q / 2 = 3.5", [2015]),
        ("exact = 0.30000000000000004", [2015]),
        ("exact = 0.3", []),
        ("rating IS NOT NULL", [2016]),
        ("author = 'ada' AND version = 1 AND modified > '2020-01-01'", [2015, 2016]),
        ("true", [2015, 2016]),
        ("q IN (1, 2, 3)", [2016]),
        ("q > 99999999999999999999999", []),
    ],
)
def test_fields_times_lists_and_numbers(mixed: Store, text: str, years: list[int]) -> None:
    found = [np.datetime64(row.start, "ns").astype("datetime64[Y]").item().year for row in mixed.rows("c", where=text)]
    assert found == years


@pytest.mark.parametrize(
    "text", ["nope > 1", "class > 3", "start + 1 > 2", "tags > 3", "'a'", "class", "when LIKE 'a'", "l > 1",
             " OR ".join(["q = 1"] * 400), "q = 1; DROP TABLE entry", "q >"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(mixed: Store, text: str) -> None:
    with pytest.raises(BadPredicate):
        mixed.rows("c", where=text)


def test_texts_are_bound_never_part_of_the_sql(mixed: Store) -> None:
    assert mixed.rows("c", where="class = 'x'' OR 1=1 --'") == []
    nasty = 'q"; DROP TABLE entry; --'
    mixed.add("c", [Entry(start=0, stop=1, attributes={nasty: 1})])
    quoted = nasty.replace('"', '""')
    assert len(mixed.rows("c", where=f'"{quoted}" = 1')) == 1
    with sqlite3.connect(mixed.path) as connection:
        assert connection.execute("SELECT count(*) FROM entry").fetchone() == (4,)
    connection.close()


def test_a_list_of_choices_may_be_long(mixed: Store) -> None:
    assert len(mixed.rows("c", where=f"q IN ({', '.join(map(str, range(5000)))})")) == 2

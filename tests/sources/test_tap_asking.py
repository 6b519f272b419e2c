"""From requests to ADQL, and looking at ADQL before it is sent: pure text, no server."""

import sqlite3
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadExtent, BadParameter, BadPredicate, BadRequest
from armillary.model import Box, Cone, Extent
from armillary.science.trim import trim
from armillary.sources.tap.adql import canonical, check_query, divisible, tokens_of, top_of
from armillary.sources.tap.asking import box_test, choose, select, where_test
from armillary.sources.tap.known import tap_archive
from armillary.sources.tap.login import login_of
from armillary.sources.tap.paging import Page, cut, page_column
from armillary.sources.tap.refusals import locate
from armillary.sources.tap.tables import Column, Table, naming, place_of, product_of, quoted, quoted_table

COLUMNS = (
    Column(name="recno", datatype="int", indexed=True, ucd="meta.record"),
    Column(name="RAJ2000", datatype="double", unit="deg", ucd="pos.eq.ra;meta.main"),
    Column(name="DEJ2000", datatype="double", unit="deg", ucd="pos.eq.dec;meta.main"),
    Column(name='"B-V"', datatype="float", unit="mag"),
    Column(name="size", datatype="int"),
    Column(name="n", datatype="int"),
    Column(name="Name", datatype="char", arraysize="*"),
    Column(name="var", datatype="boolean"),
)
NAMES = naming(COLUMNS)


def test_the_main_position_is_ra_and_dec_here() -> None:
    text = select("I/239/hip_main", NAMES, Extent(cone=Cone(10, -5, 0.1)), "ra,B-V").text()
    assert text == (
        'SELECT RAJ2000 AS ra, "B-V" FROM "I/239/hip_main"'
        " WHERE (1 = CONTAINS(POINT('ICRS', RAJ2000, DEJ2000), CIRCLE('ICRS', 10.0, -5.0, 0.1)))"
    )


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("ra > 1 AND raj2000 < 2", "(RAJ2000 > 1 AND RAJ2000 < 2)"),
        ('"B-V" != 0.5', '"B-V" <> 0.5'),
        ("size / n > 2", '(1.0 * "size" / n) > 2'),
        ("ra / n > 2", "(RAJ2000 / n) > 2"),
        ("name LIKE 'V%' OR name IS NULL", "(LOWER(Name) LIKE 'v%' OR Name IS NULL)"),
        ("NOT var AND n IN (1, -2)", "(NOT (var = 'true') AND n IN (1, -2))"),
        ("name = 'O''Neil; DROP TABLE x --'", "Name = 'O''Neil; DROP TABLE x --'"),
        ("n BETWEEN 1 AND 2", "(n >= 1 AND n <= 2)"),
    ],
)  # fmt: skip
def test_a_predicate_becomes_adql(where: str, wanted: str) -> None:
    assert where_test(where, NAMES) == wanted


@given(st.text(max_size=40))
def test_no_text_leaves_its_quotes(text: str) -> None:
    where = "name = '" + text.replace("'", "''") + "'"
    try:
        written = where_test(where, NAMES)
    except BadPredicate:
        return
    kinds = [one.kind for one in tokens_of(written) if one.kind != "space"]
    assert kinds == ["name", "mark", "text"]


@given(st.text(max_size=30))
def test_whatever_a_predicate_is_it_is_one_condition_or_refused(text: str) -> None:
    try:
        written = where_test(text, NAMES)
    except BadPredicate:
        return
    assert check_query(f"SELECT n FROM t WHERE ({written})")


@pytest.mark.parametrize("where", ["n", "1", "n + 1", "nn > 1", "(n > 1) > 2", "COUNT(*) > 1", "n > 1; DROP TABLE t"])
def test_what_is_no_condition_is_refused(where: str) -> None:
    with pytest.raises(BadPredicate):
        where_test(where, NAMES)


@given(
    st.floats(-360, 360, allow_nan=False), st.floats(-90, 89), st.floats(-360, 360, allow_nan=False), st.floats(0.1, 90)
)
def test_a_box_means_what_it_means_here(west: float, south: float, east: float, height: float) -> None:
    try:
        box = Box(west, south, east, min(90.0, south + height))
    except BadExtent:
        return
    rng = np.random.default_rng(1)
    rows = pa.table({"ra": rng.random(200) * 360, "dec": np.degrees(np.arcsin(rng.random(200) * 2 - 1))})
    wanted = trim(rows, Extent(box=box))
    text = box_test(box, NAMES).replace("RAJ2000", "ra").replace("DEJ2000", "dec")
    assert _sqlite(text, rows) == wanted.num_rows


def _sqlite(condition: str, rows: pa.Table) -> int:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (ra REAL, dec REAL)")
        db.executemany("INSERT INTO t VALUES (?, ?)", zip(*rows.to_pydict().values(), strict=True))
        return int(db.execute(f"SELECT count(*) FROM t WHERE {condition}").fetchone()[0])


def test_columns_are_found_in_any_case_and_near_ones_named() -> None:
    assert [one.bare for one in choose(NAMES, "NAME, dec")] == ["Name", "DEJ2000"]
    with pytest.raises(BadParameter, match="did you mean name"):
        choose(NAMES, "nme")
    with pytest.raises(BadExtent):
        select("t", naming(COLUMNS[3:]), Extent(cone=Cone(1, 1, 1)))


def test_another_column_called_ra_steps_aside() -> None:
    both = naming([*COLUMNS, Column(name="ra", datatype="double", unit="deg"), Column(name="time", datatype="double")])
    assert both.given == NAMES.given | {"ra": "ra_other", "time": "time_value"}
    assert both.need("ra").bare == "RAJ2000"
    assert not naming([Column(name="RAJ2000", unit="h:m:s", ucd="pos.eq.ra;meta.main")]).placed
    assert not naming([Column(name="ra", unit="h"), Column(name="dec", unit="deg")]).placed
    assert naming([Column(name="ra"), Column(name="dec", unit="deg")]).placed


def test_leaves_of_tables() -> None:
    leaf = product_of("vizier", "http://x", Table(name="I/239/hip_main", schema="viz1", description="A. B."), COLUMNS)
    assert (leaf.path, leaf.kind, leaf.title) == ("vizier/I/239/hip_main", "sources", "A")
    lazy = product_of("vizier", "http://x", Table(name="I/239/hip_main", placed=False), None)
    assert lazy.kind == "samples"
    assert place_of(Table(name="tap_schema.tables", schema="tap_schema")) == "tap_schema/tables"
    assert [quoted("date"), quoted("e_Plx"), quoted_table("a.b c")] == ['"date"', "e_Plx", '"a.b c"']


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("-- nothing", "is empty"),
        ("DELETE FROM t", "begins with 'DELETE FROM t', line 1, column 1"),
        ("SELECT 1; SELECT 2", "more than one statement, at '; SELECT 2', line 1, column 9"),
        ("SELECT *\n INTO x FROM t", "has 'INTO x FROM t', line 2, column 2"),
        ("SELECT 'a", "quote that is not closed"),
        ("SELECT (1", "not closed"),
        ("SELECT 1)", "not open"),
        ("SELECT 1 /* a", "comment that is not closed"),
    ],
)
def test_what_is_no_single_select_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(BadRequest) as told:
        check_query(text)
    assert problem in str(told.value)


def test_texts_and_comments_may_hold_anything() -> None:
    text = "select a from t where b = 'drop; table' -- delete from t;\n and \"into\" > 1;"
    assert check_query(text) == text[:-1]
    assert canonical(text) == "select a from t where b = 'drop; table' and \"into\" > 1"
    assert canonical("SELECT  A FROM T\tWHERE b='X'") == "select a from t where b = 'X'"
    assert canonical("SELECT a FROM t WHERE b='x'") != canonical("SELECT a FROM t WHERE b='X'")
    assert canonical('SELECT "A" FROM t') != canonical('SELECT "a" FROM t')


def test_bounds_and_parts() -> None:
    assert top_of("select all top 5 * from t") == 5
    assert top_of("select * from (select top 5 * from t) as s") is None
    assert divisible("SELECT u.a FROM TAP_UPLOAD.u AS u LEFT JOIN t ON t.a = u.a", "u")
    for text in (
        "SELECT u.a FROM t LEFT JOIN TAP_UPLOAD.u AS u ON t.a = u.a",
        "SELECT DISTINCT u.a FROM TAP_UPLOAD.u AS u",
        "SELECT a FROM t WHERE a NOT IN (SELECT a FROM TAP_UPLOAD.u)",
        "SELECT TOP 3 a FROM TAP_UPLOAD.u",
        "SELECT 'TAP_UPLOAD.u' FROM t",
    ):
        assert not divisible(text, "u")


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=60), st.integers(1, 20))
def test_pages_hold_every_row_once(values: list[int], most: int) -> None:
    column = Column(name="source_id", datatype="long")

    def summed(part: object, sums: object) -> list[int]:
        del sums
        tests = part.tests  # type: ignore[attr-defined]
        inside = [one for one in values if all(_holds(test, one) for test in tests)]
        return [len(inside), len(inside), min(values), max(values)]

    pages, rows = cut(select("t", naming([column]), Extent()), column, most, summed)
    assert rows == len(values)
    assert bool(pages) == (len(values) > most)
    for value in values if pages else ():
        assert sum(_holds(page.test, value) for page in pages) == 1
    for page in pages:
        assert sum(_holds(page.test, one) for one in values) <= max(most, *map(values.count, values))


def _holds(test: str, value: int) -> bool:
    low, high = (part.split()[-1] for part in test.split(" AND "))
    return int(low) <= value < int(high)


def test_the_column_to_cut_by() -> None:
    assert page_column(COLUMNS).bare == "recno"  # type: ignore[union-attr]
    assert page_column(COLUMNS[1:]).bare == "DEJ2000"  # type: ignore[union-attr]
    assert page_column(COLUMNS[3:]) is None
    assert Page.read(str(Page('"B V"', -0.5, 1e20))) == Page('"B V"', -0.5, 1e20)


def test_places_of_refusals() -> None:
    text = "SELECT *\nFROM starz"
    assert locate("unknown table [l.2 c.6 - l.2 c.11]", text) == "at line 2, column 6: 'starz'"
    assert locate("syntax error at position 14", text) == "at line 2, column 6: 'starz'"
    assert locate("it is late", text) == ""


def test_logins_come_from_the_environment_and_go_to_their_host_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadRequest, match="ARMILLARY_TAP") as told:
        tap_archive("https://me:secret@host.org/tap")
    assert "secret" not in str(told.value)
    monkeypatch.setenv("ARMILLARY_TAP_MY_ARCHIVE_USER", "me")
    monkeypatch.setenv("ARMILLARY_TAP_MY_ARCHIVE_PASSWORD", "hush")
    login = login_of("my-archive", "https://host.org/tap")
    assert login.headers("https://host.org/tap/async/7") == {"authorization": "Basic bWU6aHVzaA=="}
    assert login.headers("https://other.org/tap") == {}
    assert login.headers("http://host.org/tap") == {}
    assert "hush" not in repr(login)
    assert "bWU6aHVzaA" not in repr(login)
    with pytest.raises(BadRequest, match="unprotected"):
        login_of("my-archive", "http://host.org/tap")
    assert login_of("other", "https://host.org/tap").headers("https://host.org/tap") == {}


def test_known_services() -> None:
    assert tap_archive("Gaia", {"gaia"}).name == "gaia-2"
    assert tap_archive("https://host.org/tap/sync").address == "https://host.org/tap"
    with pytest.raises(BadRequest, match="did you mean vizier"):
        tap_archive("viziar")

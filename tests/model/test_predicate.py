"""The where language agrees with SQLite, which knows the three-valued logic by heart."""

import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadPredicate
from armillary.model.predicate import mask, names, parse

NUMBERS = st.none() | st.integers(-3, 3)
TEXTS = st.none() | st.sampled_from(["icme", "shock", "it's", "A_b%"])
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, TEXTS), min_size=1, max_size=12)

NUMERIC = st.sampled_from(["a", "b", "1", "-2", "0.5", "a + b", "a * 2 - b", "(a - 1) * b"])
ATOMS = st.one_of(
    st.tuples(NUMERIC, st.sampled_from(["=", "!=", "<>", "<", "<=", ">", ">="]), NUMERIC).map(" ".join),
    st.tuples(NUMERIC, st.sampled_from(["IS NULL", "IS NOT NULL", "IN (1, 2)", "NOT IN (0)", "BETWEEN -1 AND 2"])).map(
        " ".join
    ),
    st.sampled_from(["c = 'icme'", "c <> 'it''s'", "c IS NULL"]),
    st.sampled_from(["c LIKE '%C%'", "c NOT LIKE 's_ock'", "c IN ('shock', 'icme')"]),
)  # fmt: skip
PREDICATES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda p: f"NOT ({p})"),
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
    ),
    max_leaves=5,
)


@given(ROWS, PREDICATES)
def test_the_same_rows_as_sqlite(rows: list[tuple[int | None, int | None, str | None]], text: str) -> None:
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE t (a REAL, b REAL, c TEXT)")
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        expected = [bool(found) for (found,) in db.execute(f"SELECT ({text}) FROM t")]
    db.close()
    a, b, c = zip(*rows, strict=True)
    columns = {"a": np.array(a, float), "b": np.array(b, float), "c": np.array(c, object)}
    assert mask(parse(text), columns).tolist() == expected
    assert names(parse(text)) <= {"a", "b", "c"}


@pytest.mark.parametrize(
    "text",
    ["", "a >", "a > 1 2", "(a > 1", "a LIKE b", "a IN ()", "a; DROP TABLE t", "a > 'x", "NOT", "a NOT b", "(" * 99],
)
def test_what_is_not_a_predicate(text: str) -> None:
    with pytest.raises(BadPredicate, match="Next step"):
        parse(text)


def test_columns_that_do_not_fit() -> None:
    with pytest.raises(BadPredicate, match="no column 'z'"):
        mask(parse("z > 1"), {"a": np.zeros(2)})
    with pytest.raises(BadPredicate, match="do not fit"):
        mask(parse("a > 'x'"), {"a": np.zeros(2)})
    with pytest.raises(BadPredicate, match="do not fit"):
        mask(parse("t > 'soon'"), {"t": np.zeros(2, "datetime64[ns]")})


def test_times_compare_with_texts() -> None:
    times = np.array(["2020-01-01", "2020-01-03", "NaT"], "datetime64[ns]")
    assert mask(parse("t >= '2020-01-02T00:00:00Z'"), {"t": times}).tolist() == [False, True, False]

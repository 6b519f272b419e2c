"""VOTables read as they come: the same values as astropy reads, and nothing of what is broken."""

import base64
import gzip
import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io.votable import from_table, parse_single_table
from astropy.table import MaskedColumn, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadAnswer, DamagedFile
from armillary.sources.tap.uploads import votable
from armillary.sources.tap.votable import Overflow, Refused, read_votable

FORMS = ("tabledata", "binary2")
_TYPES = ("u1", "i2", "i4", "i8", "f4", "f8")


def table(rows: int = 500) -> Table:
    rng = np.random.default_rng(5)
    made = Table({"id": np.arange(rows) * 2**35, "name": [f"é{n}" * (n % 4) for n in range(rows)]})
    for code in _TYPES:
        made[code] = MaskedColumn((rng.random(rows) * 100).astype(code), mask=rng.random(rows) < 0.2, unit="mag")
    made["flag"] = rng.random(rows) < 0.5
    made["vector"] = rng.random((rows, 3))
    made["f8"].description = "a number\n of  two lines"
    return made


def octets(made: Table, form: str) -> bytes:
    stream = io.BytesIO()
    document = from_table(made)
    document.get_first_table().get_field_by_id("f8").ucd = "phot.mag"
    document.to_xml(stream, tabledata_format=form)
    return stream.getvalue()


def read(content: bytes, folder: Path, rows: int = 100) -> pa.Table:
    path = folder / "answer.vot"
    path.write_bytes(content)
    return pa.concat_tables(read_votable(path, block_rows=rows))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_is_read_as_it_was(form: str, packed: bool, tmp_path: Path) -> None:
    made = table()
    content = octets(made, form)
    found = read(gzip.compress(content) if packed else content, tmp_path)
    assert found["id"].to_pylist() == made["id"].tolist()
    assert [text or "" for text in found["name"].to_pylist()] == made["name"].tolist()
    for code in _TYPES:
        assert found.schema.field(code).type == pa.from_numpy_dtype(np.dtype(code))
        assert found[code].to_pylist() == made[code].tolist()
    assert found["flag"].to_pylist() == made["flag"].tolist()
    assert np.allclose(np.array(found["vector"].to_pylist()), made["vector"])
    assert found.schema.field("f8").metadata == {
        b"unit": b"mag", b"description": b"a number of two lines", b"ucd": b"phot.mag",
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packed", [False, True])
def test_half_of_it_is_never_taken_for_the_whole(form: str, packed: bool, tmp_path: Path) -> None:
    whole = octets(table(60), form)
    content = gzip.compress(whole, mtime=0) if packed else whole
    end = len(content) if packed else content.rindex(b"</VOTABLE>") + 9
    for cut in range(0, end, max(1, end // 60)):
        with pytest.raises((DamagedFile, BadAnswer)):
            read(content[:cut], tmp_path)


def test_the_binary_form_without_flags(tmp_path: Path) -> None:
    made = Table({"a": np.arange(7, dtype="i4"), "b": np.array([1.5, np.nan] * 3 + [2.0]), "t": list("abcdefg")})
    stream = io.BytesIO()
    from_table(made).to_xml(stream, tabledata_format="binary")
    found = read(stream.getvalue(), tmp_path, rows=3)
    assert found["a"].to_pylist() == list(range(7))
    assert found["b"].to_pylist() == [1.5, None] * 3 + [2.0]
    assert found["t"].to_pylist() == list("abcdefg")


def test_rows_of_no_table_are_told_as_what_they_are(tmp_path: Path) -> None:
    for content in (b"", b"<html><body>Service Unavailable</body></html>", b"\x00\x01\x02", b"a,b\n1,2\n"):
        with pytest.raises(BadAnswer, match="no VOTable"):
            read(content, tmp_path)


def test_overflow_and_error_are_heard(tmp_path: Path) -> None:
    whole = octets(table(5), "tabledata")
    more = whole.replace(b"</RESOURCE>", b'<INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE>')
    with pytest.raises(Overflow):
        read(more, tmp_path)
    said = b'<VOTABLE><RESOURCE type="results"><INFO name="QUERY_STATUS" value="ERROR">no such\n column</INFO>'
    said += b"</RESOURCE></VOTABLE>"
    with pytest.raises(Refused, match="no such column"):
        read(said, tmp_path)


def test_an_answer_without_rows_has_its_columns(tmp_path: Path) -> None:
    for form in FORMS:
        found = read(octets(table(3)[:0], form), tmp_path)
        assert found.num_rows == 0
        assert found.column_names[:2] == ["id", "name"]


def test_a_broken_length_is_an_error_and_not_a_full_memory(tmp_path: Path) -> None:
    head = b'<VOTABLE><RESOURCE><TABLE><FIELD name="a" datatype="char" arraysize="*"/>'
    head += b'<DATA><BINARY2><STREAM encoding="base64">'
    tail = b"</STREAM></BINARY2></DATA></TABLE></RESOURCE></VOTABLE>"
    with pytest.raises(DamagedFile, match="claims"):
        read(head + base64.b64encode(b"\0\xff\xff\xff\xffabc") + tail, tmp_path)


def test_memory_is_that_of_a_block(tmp_path: Path) -> None:
    path, repeats = tmp_path / "long.vot", 1_000
    head, tail = octets(Table({"x": [0.0], "f8": [0.0]}), "binary2").split(b"<STREAM")[0], b"</STREAM></BINARY2></DATA>"
    rows = np.zeros(3_000, [("flags", "u1"), ("x", ">f8"), ("f8", ">f8")])
    rows["x"] = np.arange(3_000)
    piece = base64.b64encode(rows.tobytes()) + b"\n"
    with path.open("wb") as file:
        file.write(head + b'<STREAM encoding="base64">')
        for _ in range(repeats):
            file.write(piece)
        file.write(tail + b"</TABLE></RESOURCE></VOTABLE>")
    tracemalloc.start()
    last, number = None, 0
    for block in read_votable(path):
        last, number = block["x"][-1].as_py(), number + block.num_rows
        del block
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (number, last) == (3_000 * repeats, 2_999.0)
    assert peak < path.stat().st_size * 0.8


@given(data=st.data())
@settings(max_examples=40)
def test_what_is_uploaded_is_read_again_by_both(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    rows = data.draw(st.integers(1, 6))
    kinds: dict[str, Any] = {
        "n": st.integers(-(2**62), 2**62), "x": st.floats(allow_nan=False, allow_infinity=False),
        "t": st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8),
        "b": st.booleans(),
    }  # fmt: skip
    columns = {
        name: data.draw(st.lists(st.one_of(st.none(), kind), min_size=rows, max_size=rows))
        for name, kind in kinds.items()
    }
    types = {"n": pa.int64(), "x": pa.float64(), "t": pa.string(), "b": pa.bool_()}
    made = pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})
    content = votable(made)
    found = read(content, tmp_path_factory.mktemp("upload"))
    assert found.to_pydict() == {**columns, "t": [text or "" for text in columns["t"]]}
    theirs = parse_single_table(io.BytesIO(content)).to_table()
    assert [None if value is np.ma.masked else int(value) for value in theirs["n"]] == columns["n"]

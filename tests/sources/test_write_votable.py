"""VOTables: valid for the judges of the IVOA, streamed, exact, and telling where the rows come from."""

import json
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, CannotWrite
from armillary.model.kinds import column, with_table_attrs
from armillary.model.ucds import BANDS, ucd_of
from armillary.sources import write
from armillary.sources.tap.votable import read_votable
from armillary.sources.write.votable_values import Column, column_of, octets

ATTRS = {
    "title": "Stars & <discs>",
    "source": "gaia",
    "citation": "Gaia Collaboration 2023",
    "licence": "CC-BY-4.0",
    "armillary_request": '{"product": "gaia/it"}',
    "armillary_lineage": '[{"product": "gaia/it"}]',
    "model": "discs: boosting",
    "model_version": "abc123",
    "prior": {"yso": 0.01},
}


def field(name: str, kind: pa.DataType, unit: str = "", ucd: str = "", description: str = "") -> pa.Field:
    made = column(name, kind, unit, description)
    return made.with_metadata({**made.metadata, b"ucd": ucd.encode()}) if ucd else made


def stars() -> pa.Table:
    """Give one column of each kind, missing values in each."""
    columns = {
        field("source_id", pa.int64()): [2**62 + 1, 5, None],
        field("ra", pa.float64(), "deg", "pos.eq.ra;meta.main", "right ascension"): [0.1, 2.5, None],
        field("dec", pa.float64(), "deg"): [-0.1, 2.5, np.nan],
        field("w1_mag", pa.float32(), "mag"): [1.5, None, 3.5],
        field("name", pa.string(), "", "meta.id"): ["é Cen & <b>", None, "plain"],
        field("seen", pa.timestamp("ns", "UTC")): [1, None, 3],
        field("good", pa.bool_()): [True, None, False],
        field("mates", pa.uint8()): [1, None, 3],
        field("class", pa.dictionary(pa.int8(), pa.string())): ["I", "II", "I"],
        field("probability", pa.float64()): [0.5, 0.25, None],
        field("spectrum", pa.list_(pa.float32())): [[1, 2], [], None],
        field("flux", pa.float64(), "W m-2 um-1", "phot.flux.density;em.IR"): [1e-15, 2e-300, None],
    }
    arrays = [pa.array(values, one.type) for one, values in columns.items()]
    return with_table_attrs(pa.Table.from_arrays(arrays, schema=pa.schema(list(columns))), ATTRS)


def parsed(path: Path) -> Any:
    """Read by astropy, which raises at the first thing that is not of the standard."""
    from astropy.io.votable import parse

    return parse(str(path), verify="exception", unit_format="vounit")


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    (again,) = read_votable(write(stars(), tmp_path / "it.vot"))
    for name in ("source_id", "ra", "w1_mag", "name", "good", "probability", "spectrum", "flux"):
        assert again[name].to_pylist() == stars()[name].to_pylist(), name
    assert again["mates"].to_pylist() == [1, None, 3]
    assert again["class"].to_pylist() == ["I", "II", "I"]
    assert again["dec"].to_pylist() == [-0.1, 2.5, None]  # NaN means missing in a VOTable
    assert again["seen"].null_count == 1


def test_astropy_finds_nothing_wrong_and_the_same_values(tmp_path: Path) -> None:
    from astropy import units

    document = parsed(write(stars(), tmp_path / "it.vot"))
    table = document.get_first_table()
    assert table.array["source_id"].data[:2].tolist() == [2**62 + 1, 5]
    assert table.array["source_id"].mask.tolist() == [False, False, True]
    assert table.array["name"].tolist()[0] == "é Cen & <b>"
    assert table.get_field_by_id("seen").ref == "scale_utc"
    assert table.get_field_by_id("flux").unit == units.Unit("W m-2 um-1")
    assert table.get_field_by_id("ra").description == "right ascension"


def test_columns_of_ours_have_standard_ucds_and_those_of_archives_their_own(tmp_path: Path) -> None:
    table = parsed(write(stars(), tmp_path / "it.vot")).get_first_table()
    told = {one.name: one.ucd for one in table.fields}
    assert told["ra"] == "pos.eq.ra;meta.main"
    assert told["source_id"] == "meta.id;meta.main"
    assert told["w1_mag"] == "phot.mag;em.IR.3-4um"
    assert told["class"] == "meta.code.class"
    assert told["probability"] == "stat.probability"
    assert told["flux"] == "phot.flux.density;em.IR"
    plain = write(pa.table({"time": [1.0], "b": [2.0]}), tmp_path / "plain.vot")
    assert [one.ucd for one in parsed(plain).get_first_table().fields] == [None, None]


def test_it_says_where_the_rows_come_from(tmp_path: Path) -> None:
    document = parsed(write(stars(), tmp_path / "it.vot"))
    infos = {one.name: one.value for one in document.resources[0].infos}
    assert document.resources[0].description == "Stars & <discs>"
    assert infos["citation"] == "Gaia Collaboration 2023"
    assert (infos["publisher"], infos["rights"]) == ("gaia", "CC-BY-4.0")
    assert infos["request"] == ATTRS["armillary_request"]
    assert infos["server_software"].startswith("Armillary ")
    (group,) = document.get_first_table().groups
    params = {one.name: one.value for one in group.entries if hasattr(one, "value")}
    assert params["model"] == "discs: boosting"
    assert params["model_version"] == "abc123"
    assert json.loads(params["prior"]) == {"yso": 0.01}
    assert params["software"] == "Armillary"
    said = [one.ref for one in group.entries if not hasattr(one, "value")]
    assert said == ["class", "probability"]


def test_every_ucd_of_ours_is_of_the_controlled_vocabulary() -> None:
    from astropy.io.votable.ucd import check_ucd

    from armillary.model import ucds

    names = [*ucds._NAMES, *(f"{band}_{what}" for band in BANDS for what in ucds._QUANTITIES), "bp_rp", "j_h", "P(I)"]
    names += [f"{name}_error" for name in names]
    wrong = [one for one in names if ucd_of(one) and not check_ucd(ucd_of(one), check_controlled_vocabulary=True)]
    assert wrong == []
    assert all(map(ucd_of, ucds._NAMES))
    assert (ucd_of("class_error"), ucd_of("colour")) == ("", "")


@pytest.mark.skipif(not shutil.which("stilts"), reason="stilts (Debian package) is not installed: votlint not asked")
def test_votlint_finds_nothing_wrong(tmp_path: Path) -> None:
    made = write([stars(), stars()], tmp_path / "it.vot")
    told = subprocess.run(["stilts", "votlint", str(made)], capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0
    assert told.stdout.strip() == ""
    made.write_bytes(made.read_bytes().replace(b'datatype="long"', b'datatype="lung"'))
    spoilt = subprocess.run(["stilts", "votlint", str(made)], capture_output=True, text=True, timeout=120, check=False)
    assert "lung" in spoilt.stdout + spoilt.stderr  # the judge does judge


def test_blocks_are_streamed(tmp_path: Path) -> None:
    def blocks(count: int) -> Iterator[pa.Table]:
        for number in range(count):
            ids = np.arange(20_000) + number * 20_000
            yield pa.table({"source_id": ids, "g_mag": np.full(20_000, 9.5), "name": [f"s{one}" for one in ids]})

    def peak(count: int) -> int:
        tracemalloc.start()
        write(blocks(count), tmp_path / f"{count}.vot")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)  # what is imported at first
    assert peak(20) < 1.3 * peak(3)
    assert sum(one.num_rows for one in read_votable(tmp_path / "20.vot")) == 400_000


def test_a_later_block_of_another_type_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="differ"):
        write([pa.table({"a": [1]}), pa.table({"a": ["text"]})], tmp_path / "it.vot")
    with pytest.raises(CannotWrite, match="above 2\\^63"):
        write(pa.table({"a": pa.array([2**63], pa.uint64())}), tmp_path / "it.vot")
    assert list(tmp_path.iterdir()) == []


def test_signs_that_xml_cannot_hold_do_no_harm(tmp_path: Path) -> None:
    made = column("a\x01", pa.int64(), "furlongs", "so\x02so")
    table = with_table_attrs(pa.Table.from_arrays([[1]], schema=pa.schema([made])), {"title": "\x00 \ud800"})
    (again,) = read_votable(write(table, tmp_path / "it.vot"))
    assert again.column_names == ["a\ufffd"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6),
            st.none() | st.floats(allow_nan=False, width=32),
        ),
        min_size=1,
    )
)
def test_any_rows_have_as_many_octets_as_they_should(rows: list[tuple[Any, Any, Any]]) -> None:
    numbers, texts, floats = (list(one) for one in zip(*rows, strict=True))
    table = pa.table(
        {"n": pa.array(numbers, pa.int64()), "t": pa.array(texts, pa.string()), "f": pa.array(floats, pa.float32())}
    )
    columns: list[Column] = [column_of(one, one.name, "") for one in table.schema]
    expected = b""
    for n, t, f in rows:
        flags = (n is None) << 7 | (t is None) << 6 | (f is None) << 5
        text = (t or "").encode("utf-16-be")
        expected += bytes([flags]) + (n or 0).to_bytes(8, "big", signed=True) + (len(text) // 2).to_bytes(4, "big")
        expected += text + np.array(np.nan if f is None else f, ">f4").tobytes()
    assert octets(table, columns) == expected

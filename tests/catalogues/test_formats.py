"""Every format gives back what it was given, as far as it can, and refuses what is broken in words."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.catalogues import Catalogue, Entry, Store
from armillary.catalogues.exchange import export_file, import_file, take
from armillary.catalogues.formats import Document, read_document, to_text, write_document
from armillary.errors import ArmillaryError, BadRequest, CannotWrite, Conflict, DamagedFile
from armillary.model import parse_time

TIMES = st.integers(parse_time("1700-01-01"), parse_time("2199-01-01"))
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=8).map(
    lambda text: f"w{text}w"
)
#: One type a name, as a catalogue has it.
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "i": st.integers(-(2**63), 2**63 - 1),
        "f": st.floats(allow_nan=False, allow_infinity=False),
        "b": st.booleans(),
        "s": WORDS,
        "t": TIMES.map(lambda ns: np.datetime64(ns, "ns")),
        "l": st.lists(st.one_of(WORDS, st.integers(-9, 9), st.booleans()), min_size=1, max_size=3).map(tuple),
        "a name, with \"all\" <&> 'marks' é": WORDS,
    },
)
UUIDS = st.uuids().map(str)


def entries(**place: "st.SearchStrategy[object]") -> "st.SearchStrategy[list[Entry]]":
    fields = {
        "id": UUIDS, "class_": st.one_of(st.just(""), WORDS), "tags": st.lists(WORDS, max_size=2).map(tuple),
        "author": WORDS, "model": st.one_of(st.just(""), WORDS), "model_version": st.just(""),
        "rating": st.one_of(st.none(), st.integers(-5, 5)), "version": st.integers(1, 9), "created": TIMES,
        "modified": TIMES, "attributes": ATTRIBUTES, **place,
    }  # fmt: skip
    return st.lists(st.builds(Entry, **fields), min_size=1, max_size=4, unique_by=lambda row: row.id)  # type: ignore[arg-type]


EVENTS = st.builds(
    lambda rows, spans: [_at(row, *span) for row, span in zip(rows, spans, strict=False)],
    entries(), st.lists(st.tuples(TIMES, st.integers(0, 10**15)), min_size=4, max_size=4),
)  # fmt: skip
POINTS = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
AREAS = entries(geometry=POINTS.map(lambda at: {"type": "Point", "coordinates": list(at)}))
OBJECTS = entries(ra=st.floats(0, 359.9), dec=st.floats(-90, 90), source_id=st.one_of(st.just(""), WORDS))


def _at(row: Entry, start: int, length: int) -> Entry:
    from dataclasses import replace

    return replace(row, start=start, stop=start + length)


def again(tmp_path: Path, rows: list[Entry], kind: str, ending: str) -> Document:
    path = tmp_path / f"file{ending}"
    about = Catalogue(name="the name", kind=kind, description="first <line>\nsecond & line", author="ada")
    write_document(Document(catalogue=about, rows=rows), path)
    return read_document(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats")


@pytest.mark.parametrize("ending", [".json", ".csv", ".vot", ".hapi.csv"])
@settings(max_examples=25, deadline=None)
@given(rows=EVENTS)
def test_events_come_back(folder: Path, ending: str, rows: list[Entry]) -> None:
    document = again(folder, rows, "events", ending)
    assert sorted(document.rows, key=lambda row: row.id) == sorted(rows, key=lambda row: row.id)
    assert document.catalogue.kind == "events"
    if ending != ".csv":
        assert document.catalogue.name == "the name"
        assert document.catalogue.description == "first <line>\nsecond & line"


@pytest.mark.parametrize("ending", [".json", ".csv", ".vot"])
@settings(max_examples=15, deadline=None)
@given(rows=OBJECTS)
def test_objects_come_back(folder: Path, ending: str, rows: list[Entry]) -> None:
    document = again(folder, rows, "objects", ending)
    assert list(document.rows) == rows
    assert document.catalogue.kind == "objects"


@pytest.mark.parametrize("ending", [".json", ".csv", ".vot", ".geojson"])
@settings(max_examples=15, deadline=None)
@given(rows=AREAS)
def test_areas_come_back(folder: Path, ending: str, rows: list[Entry]) -> None:
    document = again(folder, rows, "areas", ending)
    assert list(document.rows) == rows
    assert document.catalogue.kind == "areas"


@settings(max_examples=10, deadline=None)
@given(rows=EVENTS)
def test_astropy_reads_our_votable(folder: Path, rows: list[Entry]) -> None:
    from astropy.io.votable import parse

    about = Catalogue(name='a "name" <b>', kind="events")
    text = to_text(Document(catalogue=about, rows=rows), "votable")
    table = parse(io.BytesIO(text.encode()), verify="exception").get_first_table()
    assert [str(one) for one in table.array["id"]] == [row.id for row in rows]
    assert [parse_time(str(one)) for one in table.array["Start Time"]] == [row.start for row in rows]
    if all("f" in row.attributes for row in rows):
        assert list(table.array["f"]) == [row.attributes["f"] for row in rows]


def test_astropy_names_the_columns_of_our_votable(folder: Path) -> None:
    from astropy.table import Table

    names = ["speed", "mean B", "mean_B", "2nd", "Größe", "catalogue"]
    row = Entry(start=0, stop=1, attributes=dict.fromkeys(names, 1.5))
    document = Document(catalogue=Catalogue(name="a", kind="events"), rows=[row])
    table = Table.read(io.BytesIO(to_text(document, "votable").encode()), format="votable", verify="exception")
    asked = ["speed", "mean_B_2", "mean_B", "_2nd", "Gr__e", "catalogue"]
    assert table.colnames[:3] == ["id", "TimeIntervalStart", "TimeIntervalStop"]
    assert table.colnames[-len(asked) :] == asked
    assert list(again(folder, [row], "events", ".vot").rows[0].attributes)[-len(names) :] == names


def test_json_keeps_all_with_the_history(store: Store, tmp_path: Path) -> None:
    store.new("a", description="d", tags=("x",))
    (id_,) = store.add("a", [Entry(start=0, stop=1, attributes={"t": np.datetime64("2020-01-01", "ns"), "s": "5"})])
    store.edit(id_, rating=2)
    assert export_file(store, "a", tmp_path / "a.json", history=True) == 1
    other = Store(tmp_path / "other.sqlite", "bob")
    assert import_file(other, tmp_path / "a.json") == [id_]
    assert other.rows("a") == store.rows("a")
    assert (other.get("a").description, other.get("a").tags, other.get("a").author) == ("d", ("x",), "ada")
    past = take(other, "a", history=True).history
    assert [one["action"] for one in past] == ["import", "edit", "add", "new"]
    other.pool.close()


def test_import_is_all_or_nothing_and_may_be_repeated(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("begin,end,proba\n2015-01-01,2015-01-02,0.5\n2015-02-01,soon,0.7\n")
    with pytest.raises(DamagedFile, match=r"column 'end', row 2: 'soon' is not a time"):
        import_file(store, path, "a")
    path.write_text("begin,end,proba\n2015-01-01,2015-01-02,0.5\n2015-02-01,2015-01-01,0.7\n")
    with pytest.raises(DamagedFile, match="row 2: the start"):
        import_file(store, path, "a")
    assert (store.catalogues(), store.revision()) == ([], 0)
    path.write_text("begin,end,proba\n2015-01-01,2015-01-02,0.5\n")
    assert len(import_file(store, path, "a")) == len(import_file(store, path, "a")) == 1
    export_file(store, "a", tmp_path / "a.vot")
    import_file(store, tmp_path / "a.vot", "a")
    assert store.get("a").rows == 2  # rows with ids are known; rows without are new
    store.edit(store.rows("a")[0].id, rating=1)
    with pytest.raises(Conflict):
        import_file(store, tmp_path / "a.vot", "a")
    store.new("areas", "areas")
    with pytest.raises(BadRequest, match="holds areas"):
        import_file(store, path, "areas")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("Start Time;Stop Time;v\n2015/10/17 04:30;2015-10-17T05:00:00Z;1\n", "2015-10-17T04:30"),
        ("# made by hand\nt_start\tt_end\n2015-290\t2015-10-18\n", "2015-10-17"),
        ("\ufeffTSTART,TEND\n20151017T01:00,2015-10-18T00:00+02:00\n", "2015-10-17T01:00"),
    ],
)
def test_csv_as_people_write_it(tmp_path: Path, text: str, start: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text(text, "utf-8")
    assert [row.start for row in read_document(path).rows] == [parse_time(start)]


def test_units_in_the_names_of_saved_products_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "stars.csv"
    names = "ra [deg],dec [deg],tint [mag],lada_class"
    path.write_text(f'# {{"attributes": {{}}}}\n{names}\n246.8,-24.4,1.5,II\n', "utf-8")
    (row,) = read_document(path, columns={"class": "lada_class", "tint": "tint [mag]"}).rows
    assert (row.ra, row.dec, row.class_, row.attributes) == (246.8, -24.4, "II", {"tint": 1.5})
    path.write_text(f"{names}\n246.8,-24.4,1.5,II\n", "utf-8")
    with pytest.raises(BadRequest, match="ra \\[deg\\]"):
        read_document(path)


def test_types_of_csv_are_inferred_and_taken_names_moved(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(",id,start,stop,n,x,ok,code,when,none,duration\n"
                    "0,a,2015-01-01,2015-01-02,1,1,true,007,2015-01-01,,3\n"
                    "1,b,2015-01-01,2015-01-02,2,nan,FALSE,012,,,4\n")  # fmt: skip
    first, second = read_document(path).rows
    assert first.attributes == {
        "id_": "a", "n": 1, "x": 1.0, "ok": True, "code": "007", "when": np.datetime64("2015-01-01", "ns"),
        "duration_": 3,
    }  # fmt: skip
    assert second.attributes == {"id_": "b", "n": 2, "ok": False, "code": "012", "duration_": 4}


def test_start_and_stop_are_guessed_as_in_folders(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("icme_start_time,mo_start_time,mo_end_time,mode\n2015-01-01,2015-01-02 10:00:00,2015-01-03,a\n")
    (row,) = read_document(path, columns={"class": "mode"}).rows
    assert (row.start, row.stop) == (parse_time("2015-01-02T10:00"), parse_time("2015-01-03"))
    assert (row.class_, list(row.attributes)) == ("a", ["icme_start_time"])
    path.write_text("run_start,run_end,n\n1,2,3\n")
    with pytest.raises(BadRequest, match="no column for start and stop"):
        read_document(path)


VOTABLE = """<VOTABLE version="1.3"><RESOURCE><TABLE><FIELD name="Start Time" datatype="char" arraysize="*"/>
<FIELD name="Stop Time" datatype="char" arraysize="*"/><FIELD name="n" datatype="int"><VALUES null="-1"/></FIELD>
<DATA><TABLEDATA><TR><TD>2015-01-01</TD><TD>2015-01-02</TD><TD>{}</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"""
HAPI = (
    '#{"HAPI": "3.1", "parameters": [{"name": "Time", "type": "isotime", "length": 24}, {"name": "stopTime", "type":\n#'
)
HAPI += '"isotime"}, {"name": "flux", "type": "double", "fill": "-1e31"}]}\n2015-01-01T00:00Z,2015-01-02Z,-1e31\n'


@pytest.mark.parametrize("text", [VOTABLE.format("-1"), VOTABLE.format(""), HAPI])
def test_declared_fill_values_are_missing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    (row,) = read_document(path).rows
    assert (row.start, dict(row.attributes)) == (parse_time("2015-01-01"), {})


BOMB = '<!DOCTYPE a [<!ENTITY x "boom"><!ENTITY y "&x;&x;">]>' + VOTABLE.format("&y;")
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + VOTABLE.format("&x;")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column for start and stop"),
        ("start,stop\n2015-01-01\n", "row 1: 1 cells for 2 columns"),
        ("start,start\n1,2\n", "two columns 'start'"),
        ("start,stop\n2015-01-01,2015-13-01\n", "column 'stop', row 1"),
        ("start,stop\n2015-01-01,9999-01-01\n", "column 'stop', row 1"),
        ("{", "not JSON"),
        ("[]", "not a catalogue"),
        ('{"armillary_catalogue": 1}', "lacks something"),
        ('{"armillary_catalogue": 1, "catalogue": {"name": "a", "kind": "events"}, "rows": [{"start": "x"}]}', "row 1"),
        ('{"armillary_catalogue": 1, "catalogue": {"name": "a", "kind": "events"}, "rows": [{"odd": 1}]}', "row 1"),
        ('{"armillary_catalogue": 1, "catalogue": {"name": "a", "kind": "events"}, "rows": 3}', "lacks something"),
        ('{"type": "FeatureCollection"}', "not GeoJSON"),
        ('{"type": "FeatureCollection", "features": [{"geometry": {"type": "Blob"}}]}', "feature 1"),
        (VOTABLE.format("seven"), "column 'n', row 1: 'seven' is not a whole number"),
        (VOTABLE.format("1")[:-30], "not XML"),
        (VOTABLE.replace("<TD>{}</TD>", ""), "row 1: 2 cells for 3 fields"),
        ("<VOTABLE/>", "no table"),
        (BOMB, "declares entities"),
        (OUTSIDE, "declares entities"),
        ('#{"HAPI": \n', "broken HAPI header"),
        (HAPI.replace("2015-01-02Z", "later"), "column 'stopTime', row 1"),
        ("start,stop,x\n2015-01-01,2015-01-02,inf\n2015-01-01,2015-01-02,1.5e999\n", ""),
    ],
)  # fmt: skip
def test_what_is_broken_is_named(store: Store, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    if not said:
        assert [row.attributes["x"] for row in read_document(path).rows] == ["inf", "1.5e999"]
        return
    with pytest.raises(ArmillaryError, match=said):
        import_file(store, path, "a")
    assert store.revision() == 0


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DamagedFile, match="UTF-8"):
        read_document(tmp_path / "x")
    with pytest.raises(BadRequest, match="cannot read"):
        read_document(tmp_path / "y")
    (tmp_path / "x").write_text("a,b\n1,2\n")
    with pytest.raises(BadRequest, match="no column 'q'"):
        read_document(tmp_path / "x", {"start": "q"})


def test_export_writes_all_or_nothing(store: Store, tmp_path: Path) -> None:
    store.new("a")
    store.add("a", [Entry(start=0, stop=1)])
    with pytest.raises(BadRequest, match="no format"):
        export_file(store, "a", tmp_path / "a.doc")
    with pytest.raises(BadRequest, match="no geometry"):
        export_file(store, "a", tmp_path / "a.geojson")
    with pytest.raises(CannotWrite):
        export_file(store, "a", tmp_path / "none" / "a.csv")
    export_file(store, "a", tmp_path / "a.doc", format_="csv")
    assert sorted(one.name for one in tmp_path.iterdir() if "sqlite" not in one.name) == ["a.doc"]


def test_geojson_of_others_is_read(tmp_path: Path) -> None:
    record = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "id": 7, "geometry": {"type": "Point", "coordinates": [13.5, 45.5]},
             "properties": {"name": "field", "id": 3, "nested": {"a": 1}, "none": None, "size": 2.5}},
        ],
    }  # fmt: skip
    (tmp_path / "x").write_text(json.dumps(record))
    (row,) = read_document(tmp_path / "x").rows
    assert row.attributes == {"name": "field", "id_": 3, "nested": '{"a": 1}', "size": 2.5}


@pytest.mark.real
def test_amda_time_tables(real_data: Path, store: Store, tmp_path: Path) -> None:
    fixtures = real_data / "plasma" / "catalog_fixtures"
    assert len(import_file(store, fixtures / "Dst_Li2020.xml", "dst")) == 95
    first = store.rows("dst")[0]
    assert first.start == parse_time("1998-03-04T12:30:00")
    assert first.attributes["DstMin"] == -36.0
    assert first.attributes["ICMEStartTime"] == np.datetime64("1998-03-04T14:27:00", "ns")
    assert "2020 ApJ 891 79" in store.get("dst").description
    export_file(store, "dst", tmp_path / "dst.xml")
    assert list(read_document(tmp_path / "dst.xml").rows) == store.rows("dst")
    with pytest.raises(BadRequest, match="no column for stop; it has: 'Start Time', 'Beurk'"):
        import_file(store, fixtures / "missing-required-field-votable.xml", "x")
    import_file(store, fixtures / "missing-required-field-votable.xml", "x", columns={"stop": "Beurk"})
    assert [row.stop for row in store.rows("x")] == [row.stop for row in store.rows("dst")]
    # The types of this file are legal, though other programs refuse them.
    assert len(import_file(store, fixtures / "invalid-type-votable.xml", "y")) == 95


@pytest.mark.real
def test_published_lists(real_data: Path, store: Store) -> None:
    plasma = real_data / "plasma"
    lists = [*sorted((plasma / "nguyen_events").glob("*/*.csv")), plasma / "omni_icme" / "icme_list.csv"]
    assert len(lists) > 20
    for path in lists:
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        assert len(import_file(store, path, path.name)) == len(lines) - 1
    helcats = plasma / "icme" / "HELCATS_ICMECAT_v20.csv"
    assert len(import_file(store, helcats, "guessed")) == len(helcats.read_text().splitlines()) - 1
    import_file(store, helcats, "helcats", columns={"start": "icme_start_time", "stop": "mo_end_time"})
    wind = store.rows("helcats", where="sc_insitu = 'Wind' AND icme_bmax > 40")
    assert wind
    assert all(row.attributes["icme_bmax"] > 40 for row in wind)  # type: ignore[operator]

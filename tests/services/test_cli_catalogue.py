"""``armillary catalogue`` as people and machines use it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from armillary.errors import ArmillaryError, BadParameter, BadPredicate, BadRequest, Conflict, UnknownCatalogue
from armillary.services.cli.catalogue import app, store


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, ArmillaryError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def asked(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


@pytest.fixture
def icme() -> str:
    run("new", "icme", "--description", "by hand", "--tag", "draft")
    return run(
        "add", "icme", "--start", "2015-10-17", "--stop", "2015-10-18", "--class", "icme", "--attr", "b_max=21.5",
        "--attr", "kind=cloud", "--attr", "seen=true", "--attr", "peak=2015-10-17T12:00", "--tag", "a", "--rating", "3",
    ).strip()  # fmt: skip


def test_list_and_show(icme: str) -> None:
    (one,) = asked("list")
    assert (one["name"], one["kind"], one["rows"], one["tags"]) == ("icme", "events", 1, ["draft"])
    assert "by hand" in run("list")
    shown = asked("show", "icme")
    (row,) = shown["rows"]
    assert row["id"] == icme
    assert row["attributes"] == {
        "b_max": 21.5, "kind": "cloud", "seen": True, "peak": {"time": "2015-10-17T12:00:00Z"},
    }  # fmt: skip
    table = run("show", "icme")
    assert icme in table
    assert "2015-10-17T00:00:00Z" in table
    assert "cloud" in table
    assert asked("show", "icme", "--start", "2016-01-01", "--stop", "2017-01-01")["rows"] == []
    assert len(asked("show", "icme", "--where", "b_max > 20")["rows"]) == 1
    assert "... and 1 more" not in run("show", "icme")
    run("add", "icme", "--start", "2015-11-17", "--stop", "2015-11-18")
    assert "... and 1 more" in run("show", "icme", "--limit", "1")


def test_edit_undo_redo_and_history(icme: str) -> None:
    run("edit", icme, "rating=", "b_max=30", "kind=", "tags=x, y", 'note="5"', "stop=2015-10-19", "--version", "1")
    (row,) = asked("show", "icme")["rows"]
    assert "rating" not in row
    assert (row["attributes"]["b_max"], row["attributes"]["note"], row["tags"]) == (30, "5", ["x", "y"])
    assert "kind" not in row["attributes"]
    with pytest.raises(Conflict):
        run("edit", icme, "rating=1", "--version", "1")
    assert run("undo").startswith("undone: edit 1 rows")
    assert asked("show", "icme")["rows"][0]["rating"] == 3
    assert run("redo").startswith("done again: edit 1 rows")
    assert [one["action"] for one in asked("show", "icme", "--history")["history"]] == [
        "redo", "undo", "edit", "add", "new",
    ]  # fmt: skip
    assert "undo" in run("show", "icme", "--history")
    run("remove", icme, "--from", "icme")
    assert asked("show", "icme")["rows"] == []
    run("undo")
    run("drop", "icme")
    assert asked("list") == []
    run("undo")
    run("alter", "icme", "--rename", "clouds", "--description", "better")
    assert [(one["name"], one["description"]) for one in asked("list")] == [("clouds", "better")]


def test_objects_areas_and_dynamic_catalogues(icme: str) -> None:
    run("new", "stars", "--kind", "objects")
    run("add", "stars", "--ra", "10.5", "--dec", "-3", "--source-id", "Gaia DR3 1")
    run("new", "fields", "--kind", "areas")
    run("add", "fields", "--geometry", '{"type": "Point", "coordinates": [13.7, 45.6]}', "--attr", "crop=maize")
    run("new", "strong", "--where", "b_max > 20 AND class = 'icme'", "--of", "icme")
    assert asked("show", "stars")["rows"][0]["dec"] == -3.0
    assert asked("show", "fields")["rows"][0]["geometry"]["type"] == "Point"
    assert [row["id"] for row in asked("show", "strong")["rows"]] == [icme]
    assert "dynamic" in run("list")


@pytest.mark.parametrize("ending", ["json", "csv", "vot", "xml", "hapi.csv"])
def test_export_and_import(icme: str, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"icme.{ending}"
    assert run("export", "icme", str(file)).startswith("wrote 1 rows")
    before = asked("show", "icme")["rows"]
    run("drop", "icme")
    assert run("import", "back", str(file)).startswith("imported 1 rows")
    assert asked("show", "back")["rows"] == before


def test_import_with_named_columns(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("icme_start_time,mo_end_time,b\n2015-01-01 10:00,2015-01-02 10:00,5\n")
    with pytest.raises(BadRequest, match="--column"):
        run("import", "a", str(file))
    run("import", "a", str(file), "--column", "start=icme_start_time", "--column", "stop=mo_end_time")
    assert asked("show", "a")["rows"][0]["attributes"] == {"b": 5}


def test_sets_and_diff() -> None:
    for name, days in (("a", [(1, 3), (5, 7)]), ("b", [(2, 4), (9, 10)])):
        run("new", name)
        for start, stop in days:
            run("add", name, "--start", f"2015-01-{start:02}", "--stop", f"2015-01-{stop:02}")

    def spans(*words: str) -> list[tuple[int, int]]:
        return [(int(row["start"][8:10]), int(row["stop"][8:10])) for row in asked("sets", *words)]

    assert spans("union", "a", "b") == [(1, 4), (5, 7), (9, 10)]
    assert spans("union", "a", "b", "--start", "2015-01-02", "--stop", "2015-01-06") == [(2, 4), (5, 6)]
    assert spans("intersect", "a", "b") == [(2, 3)]
    assert spans("overlap", "a", "b") == [(1, 3)]
    assert spans("within", "a", "b") == []
    assert spans("gaps", "a", "--start", "2015-01-01", "--stop", "2015-01-09") == [(3, 5), (7, 9)]
    assert asked("sets", "coverage", "a", "--start", "2015-01-01", "--stop", "2015-01-09")["coverage"] == 0.5
    assert run("sets", "coverage", "a", "--start", "2015-01-01", "--stop", "2015-01-09").startswith("0.500000 of")
    assert run("sets", "overlap", "a", "b", "--to", "both") == "put 1 rows into both\n"
    assert "2015-01-01" in run("sets", "union", "a")
    shared = asked("show", "both")["rows"][0]["id"]
    assert shared in {row["id"] for row in asked("show", "a")["rows"]}
    found = asked("diff", "a", "both")
    assert (len(found["added"]), len(found["removed"]), found["changed"]) == (0, 1, [])
    assert run("diff", "a", "both").endswith("0 added, 1 removed, 0 changed\n")
    run("add", "b", "--start", "2015-01-05", "--stop", "2015-01-07", "--rating", "2")
    assert [one["fields"] for one in asked("diff", "a", "b")["changed"]] == [["rating"]]
    assert "~ " in run("diff", "a", "b")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["show", "nope"], UnknownCatalogue),
        (["show", "icme", "--where", "nope > 1"], BadPredicate),
        (["show", "icme", "--start", "2015-01-01"], BadRequest),
        (["add", "icme", "--start", "2015-01-02", "--stop", "2015-01-01"], BadRequest),
        (["add", "icme", "--attr", "b=1"], BadRequest),
        (["add", "icme", "--start", "2015-01-02", "--stop", "2015-01-03", "--attr", "b"], BadRequest),
        (["add", "icme", "--start", "2015-01-02", "--stop", "2015-01-03", "--attr", "b_max=much"], BadParameter),
        (["add", "icme", "--geometry", "{"], BadRequest),
        (["edit", "nope", "b=1"], UnknownCatalogue),
        (["edit", "nope", "rating=high"], BadRequest),
        (["edit", "nope", "start=yesterday"], BadRequest),
        (["new", "icme"], Conflict),
        (["new", "x", "--kind", "things"], BadRequest),
        (["redo"], BadRequest),
        (["import", "x", "not-there.csv"], BadRequest),
        (["export", "icme", "x.doc"], BadRequest),
        (["sets", "overlap", "icme"], BadRequest),
        (["sets", "twist", "icme"], BadRequest),
    ],
)
def test_mistakes_are_told_in_one_line(icme: str, words: list[str], error: type[ArmillaryError]) -> None:
    before = store().revision()
    with pytest.raises(error) as told:
        run(*words)
    assert "\n" not in str(told.value)
    assert "Next step" in str(told.value)
    assert store().revision() == before


@pytest.mark.real
def test_a_published_list_from_file_to_file(real_data: Path, tmp_path: Path) -> None:
    file = real_data / "plasma" / "nguyen_events" / "Bow_Shock" / "THA_BS_crossings_2007_2019.csv"
    assert run("import", "bs", str(file)) == "imported 1590 rows into bs\n"
    sure = asked("show", "bs", "--where", "proba > 0.99 AND start > '2010-01-01'")["rows"]
    assert sure
    assert all(row["attributes"]["proba"] > 0.99 and row["start"] > "2010" for row in sure)
    run("export", "bs", str(tmp_path / "bs.vot"), "--where", "proba > 0.99")
    run("import", "sure", str(tmp_path / "bs.vot"))
    assert 0 < len(asked("show", "sure")["rows"]) < 1590

"""``armillary score`` as people and machines use it: catalogues, files, channels, instants, and what stands beside."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]

TRUTH = "start,stop,craft\n2015-01-01,2015-01-03,a\n2015-01-10,2015-01-11,b\n2015-02-01,2015-02-02,a\n"
GUESS = "begin,end,craft\n2015-01-01T12:00,2015-01-03,a\n2015-01-10,2015-01-11,a\n2015-01-20,2015-01-21,b\n"


@pytest.fixture
def lists(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "guess.csv").write_text(GUESS)
    (tmp_path / "truth.csv").write_text(TRUTH)
    return tmp_path / "guess.csv", tmp_path / "truth.csv"


def asked(cli: Cli, *words: object) -> Any:
    ran = cli("score", *words, "--json")
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


def test_files_and_catalogues_give_the_same(cli: Cli, lists: tuple[Path, Path]) -> None:
    from_files = asked(cli, *lists)
    found = from_files["results"]["predicted"]
    assert found["rule"] == {
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(2 / 3),
    }
    assert found["event_f1_iou50"] == found["rule"]["f1"]
    assert found["onset"]["bias"] == 6 * 3600
    for name, file in zip(("guess", "truth"), lists, strict=True):
        assert cli("catalogue", "import", name, file).status == 0
    assert asked(cli, "guess", "truth")["results"] == from_files["results"]
    assert asked(cli, "guess", lists[1])["results"] == from_files["results"]


def test_controls_stand_beside_the_model_and_a_fooled_rule_is_told(cli: Cli, lists: tuple[Path, Path]) -> None:
    ran = cli("score", *lists, "--rule", "telemanom")
    assert ran.status == 0
    for name in ("guess.csv", "whole series", "boxes", "random", "shifted truth"):
        assert name in ran.out
    assert "no skill is needed for this F1: whole series" in ran.err
    record = asked(cli, *lists, "--rule", "telemanom")
    assert record["results"]["whole series"]["rule"]["f1"] == 1
    assert record["results"]["whole series"]["event_f1_iou25"] == 0
    honest = cli("score", *lists)
    assert "whole series reach" not in honest.err
    assert "onset: 6 h late in the median" in honest.out


def test_only_the_time_asked_for_is_judged(cli: Cli, lists: tuple[Path, Path]) -> None:
    record = asked(cli, *lists, "--start", "2015-01-01", "--stop", "2015-01-12")
    assert (record["start"], record["stop"]) == ("2015-01-01T00:00:00Z", "2015-01-12T00:00:00Z")
    assert record["results"]["predicted"]["rule"]["f1"] == 1
    assert record["results"]["predicted"]["truth"] == 2


def test_events_of_two_spacecraft_never_meet(cli: Cli, lists: tuple[Path, Path]) -> None:
    record = asked(cli, *lists, "--group", "craft")
    assert record["results"]["predicted"]["rule"]["f1"] == pytest.approx(1 / 3)


def test_instants_can_be_made_longer(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "crossings.csv"
    file.write_text("start,stop\n2015-01-01,2015-01-01\n2015-01-05,2015-01-05\n")
    refused = cli("score", file, file)
    assert refused.status == 1
    assert "instants" in refused.err
    assert "--widen" in refused.err
    assert asked(cli, file, file, "--widen", "10min")["results"]["predicted"]["rule"]["f1"] == 1
    file.write_text("start,stop\n2015-01-01,2015-01-01\n2015-01-05,2015-01-06\n")
    left = cli("score", file, file)
    assert "1 instants of" in left.err
    assert left.status == 0


def test_rows_can_be_chosen_by_a_predicate(cli: Cli, lists: tuple[Path, Path]) -> None:
    for name, file in zip(("guess", "truth"), lists, strict=True):
        cli("catalogue", "import", name, file)
    record = asked(cli, "guess", "truth", "--where", "craft = 'a'")
    assert record["results"]["predicted"]["truth"] == 2
    refused = cli("score", "guess", lists[1], "--where", "craft = 'a'")
    assert refused.status == 1
    assert "--where" in refused.err


def test_columns_of_other_names(cli: Cli, tmp_path: Path, lists: tuple[Path, Path]) -> None:
    other = tmp_path / "other.csv"
    other.write_text(GUESS.replace("begin,end", "onset,decay"))
    assert cli("score", other, lists[1]).status == 1
    named = asked(cli, other, lists[1], "--column", "start=onset", "--column", "stop=decay")
    assert named["results"] == asked(cli, *lists)["results"]
    turned = asked(cli, lists[1], other, "--truth-column", "start=onset", "--truth-column", "stop=decay")
    assert turned["results"]["predicted"]["rule"]["f1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nothing", "{truth}"), "no catalogue and no file 'nothing'"),
        (("{guess}", "{truth}", "--rule", "f2"), "no rule 'f2'"),
        (("{guess}", "{truth}", "--start", "2020-01-01"), "nothing lies between"),
        (("{guess}", "{truth}", "--start", "2015-01-15", "--stop", "2015-01-25"), "has its middle"),
        (("{guess}", "{truth}", "--widen", "long"), "is no duration"),
        (("{guess}", "{stars}"), "no event in"),
        (("{empty}", "{truth}"), "no event in"),
    ],
)
def test_bad_questions_are_one_line_with_a_next_step(
    cli: Cli, lists: tuple[Path, Path], tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    stars, empty = tmp_path / "stars.csv", tmp_path / "empty.csv"
    stars.write_text("ra,dec\n1.5,2.5\n")
    empty.write_text("start,stop\n")
    files = {"guess": lists[0], "truth": lists[1], "stars": stars, "empty": empty}
    ran = cli("score", *(word.format(**files) for word in words))
    assert ran.status == 1
    assert told in ran.err
    assert "Next step" in ran.err
    assert len(ran.err.splitlines()) == 1
    assert ran.out == ""


@pytest.mark.real
def test_a_real_list_against_itself(cli: Cli, real_data: Path) -> None:
    file = real_data / "plasma" / "omni_icme" / "icme_list.csv"
    record = asked(cli, file, file, "--rule", "nguyen2019")
    assert record["results"]["predicted"]["event_f1_iou50"] == 1
    assert record["results"]["whole series"]["rule"]["f1"] == 1
    assert record["results"]["shifted truth"]["event_f1_iou50"] < 0.5

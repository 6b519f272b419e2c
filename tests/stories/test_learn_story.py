"""A heliophysicist labels ejections, trains on products of the tree, and lets the model look through more of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TRUTH = "simulated/wind/truth/icme"
FIRST, LATER = ("2020-01-01", "2020-08-01"), ("2020-09-01", "2021-01-01")
STUDY = """
name = "icme"
task = "events"
seeds = 1
resamples = 20
[data]
layout = "products"
[data.options]
start = {start}
stop = "{stop}"
cadence = "2h"
labels = "icme"
{more}
[data.options.products]
b = "simulated/wind/b_total"
density = "simulated/wind/density"
temperature = "simulated/wind/temperature"
[split]
time_on = "time"
block = "20d"
embargo = "1d"
folds = 4
[[features]]
use = "columns"
[[features]]
use = "rolling"
options = {{windows = ["12h", "24h"]}}
[[models]]
use = "extra_trees"
options = {{n_estimators = 40, min_samples_leaf = 3, class_weight = "balanced"}}
"""


def scores(cli: Callable[..., Any], predicted: str, truth: Path) -> dict[str, Any]:
    asked = cli("score", predicted, truth, "--start", LATER[0], "--stop", LATER[1], "--json")
    assert asked.status == 0, asked.err
    found: dict[str, Any] = json.loads(asked.out)["results"]
    return found


def rows(cli: Callable[..., Any], name: str, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cli("catalogue", "show", name, "--json", *more).out)["rows"]
    return found


def labels(cli: Callable[..., Any], span: tuple[str, str], path: Path) -> Path:
    got = cli("get", TRUTH, "--start", span[0], "--stop", span[1], "-o", path)
    assert got.status == 0, got.err
    return path


def study(cli: Callable[..., Any], folder: Path, name: str, stop: str, more: str = "") -> dict[str, Any]:
    file = folder / f"{name}.toml"
    file.write_text(STUDY.format(start=f'"{FIRST[0]}"', stop=stop, more=more), "utf-8")
    done = cli("study", "run", file, "--out", folder / name, "--json")
    assert done.status == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def drivers(cli: Callable[..., Any], run: Path) -> set[str]:
    done = cli("study", "explain", run, "--json")
    assert done.status == 0, done.err
    return {one["group"] for one in json.loads(done.out)}


def test_from_labels_to_a_catalogue_and_back(cli: Callable[..., Any], tmp_path: Path) -> None:
    before = labels(cli, FIRST, tmp_path / "before.csv")
    after = labels(cli, LATER, tmp_path / "after.csv")
    assert cli("catalogue", "import", "icme", before).status == 0
    known = len(rows(cli, "icme"))

    metrics = study(cli, tmp_path, "run", FIRST[1])
    assert metrics["event_f1_iou25"] > 0.8
    assert max(one.get("event_f1_iou25", 0) for one in metrics["controls"].values()) < 0.4

    # what the model has learnt from half a year it finds in another one
    where = ("--start", LATER[0], "--stop", LATER[1])
    asked = cli("apply", tmp_path / "run", *where, "--to", "found", "-o", tmp_path / "rows.parquet", "--json")
    assert asked.status == 0, asked.err
    told = json.loads(asked.out)
    assert told["rows"] == 122 * 12
    assert told["drift"]["verdict"] in {"none", "some"}
    assert told["added"] == len(rows(cli, "found"))
    judged = scores(cli, "found", after)
    assert judged["predicted"]["event_f1_iou25"] > 0.7
    assert judged["predicted"]["event_f1_iou25"] > 0.3 + judged["random"]["event_f1_iou25"]
    one = rows(cli, "found")[0]
    assert one["class"] == "icme"
    assert one["model"] == "icme: extra_trees"
    assert {"probability", "trust", "set"} <= one["attributes"].keys()

    # done again it finds the same rows, and adds none
    again = json.loads(cli("apply", tmp_path / "run", *where, "--to", "found", "--json").out)
    assert (again["added"], again["already"]) == (0, told["added"])

    assert drivers(cli, tmp_path / "run") == {"b", "density", "temperature"}

    # a person decides: true ones are accepted, the others rejected
    proposed = cli("label", "propose", tmp_path / "run", *where, "--to", "icme", "-n", 30, "--json")
    assert proposed.status == 0, proposed.err
    truth = rows_of(after)
    good, bad = [], []
    for row in json.loads(proposed.out):
        real = any(row["start"] < stop and start < row["stop"] for start, stop in truth)
        (good if real else bad).append(row["id"])
    assert len(good) >= 3
    first = next(one for one in rows(cli, "icme.proposals") if one["id"] == good[0])
    mended = cli("label", "edit", "icme", good[0], f"start={first['start']}", "checked=true")
    assert mended.status == 0, mended.err
    accepted = cli("label", "accept", "icme", *good[1:])
    assert accepted.status == 0, accepted.err
    if bad:
        assert cli("label", "reject", "icme", *bad).status == 0
    assert len(rows(cli, "icme")) == known + len(good)
    assert json.loads(cli("label", "list", "icme", "--json").out) == []
    nothing = cli("label", "propose", tmp_path / "run", *where, "--to", "icme", "-n", 30)
    assert "nothing new to propose" in nothing.err

    # what was accepted is learnt from, and what nobody looked through is not called quiet
    looked = f'labelled = [["{FIRST[0]}", "{FIRST[1]}"]]'
    more = study(cli, tmp_path, "again", LATER[1], looked)
    assert more["event_f1_iou25"] > 0.8
    said = cli("study", "compare", tmp_path / "run", tmp_path / "again")
    assert said.status == 0, said.err
    assert cli("apply", tmp_path / "again", *where, "--to", "better").status == 0
    assert scores(cli, "better", after)["predicted"]["event_f1_iou25"] > 0.7
    assert cli("catalogue", "diff", "found", "better").status == 0


def rows_of(path: Path) -> list[tuple[str, str]]:
    lines = [one for one in path.read_text("utf-8").splitlines() if one[:1].isdigit()]
    return [(start, stop) for start, stop, *_ in (one.split(",") for one in lines)]


@pytest.mark.parametrize(
    ("start", "labels_of", "more", "said"),
    [
        ('"2022-01-01"', FIRST, "", "none of the"),
        ("2020-01-01T00:00:00Z", FIRST, "", "time zone"),
        ('"2020-01-01"', None, "", "no catalogue 'icme'"),
        ('"2020-01-01"', FIRST, "colour = 1", "does not know 'colour'"),
        ('"1990-01-01"', FIRST, "", "no number"),
    ],
)
def test_bad_studies_are_told_in_one_line(
    cli: Callable[..., Any], tmp_path: Path, start: str, labels_of: tuple[str, str] | None, more: str, said: str
) -> None:
    if labels_of:
        assert cli("catalogue", "import", "icme", labels(cli, labels_of, tmp_path / "truth.csv")).status == 0
    stop = "1990-02-01" if "1990" in start else "2022-02-01" if "2022" in start else "2020-02-01"
    text = STUDY.format(start="{start}", stop=stop, more=more).replace("{start}", start)
    (tmp_path / "bad.toml").write_text(text, "utf-8")
    done = cli("study", "run", tmp_path / "bad.toml", "--out", tmp_path / "bad")
    assert done.status == 1
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1

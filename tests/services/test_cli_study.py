"""`armillary study`: run, compare, explain, as a user types them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Cli = Callable[..., Any]

STUDY = """
title = "Storms <b>"
task = "classes"
seeds = 1
resamples = 30
[data]
layout = "table"
path = "storms.csv"
options = { label = "kind" }
[labels]
positive = "storm"
[split]
time_on = "time"
block = "20h"
folds = 3
[[models]]
use = "logistic"
[[models]]
use = "forest"
options = { n_estimators = 10 }
"""


def storms(path: Path, seed: int = 0, shift: float = 2.0) -> Path:
    rng = np.random.default_rng(seed)
    kinds = rng.random(240) < 0.4
    times = np.datetime_as_string(np.datetime64("2020-01-01T00", "h") + np.arange(240), unit="s")
    rows = zip(times, rng.normal(size=240) + shift * kinds, rng.normal(size=240), kinds, strict=True)
    lines = [f"{time},{b:.4f},{v:.4f},{'storm' if kind else 'quiet'}" for time, b, v, kind in rows]
    path.write_text("\n".join(["time,b,v,kind", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished run, made through the library."""
    from armillary.learn.publishing import publish

    folder = tmp_path_factory.mktemp("study")
    (folder / "storms.toml").write_text(STUDY)
    publish(folder / "storms.toml", folder / "run", data=storms(folder / "storms.csv"))
    return folder


def test_a_run_prints_its_table_and_says_where_it_is(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "storms.toml").write_text(STUDY)
    storms(tmp_path / "storms.csv")
    storms(tmp_path / "unseen.csv", seed=1)
    monkeypatch.chdir(tmp_path)
    ran = cli("study", "run", "storms.toml", "--out", "run", "--test-data", "unseen.csv")
    assert ran.status == 0, ran.err
    assert "judged on test data" in ran.out
    assert "(majority)" in ran.out
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["judged_on"] == "test data"
    assert 0.5 < metrics["f1"] <= 1
    assert metrics["accuracy"] == metrics["test"]["models"][metrics["best"]]["scores"]["accuracy"]


def test_texts_of_the_study_are_escaped_in_the_page(finished: Path) -> None:
    page = (finished / "run" / "card.html").read_text()
    assert "Storms &lt;b&gt;" in page
    assert "<b>" not in page
    assert {one.name for one in (finished / "run" / "figures").iterdir()} >= {
        "scores.png",
        "confusion.png",
        "pareto.png",
    }


def test_runs_are_compared_in_words(cli: Cli, finished: Path) -> None:
    run = finished / "run"
    ran = cli("study", "compare", run, run)
    assert ran.status == 0, ran.err
    assert "tie" in ran.out
    assert len(json.loads(cli("study", "compare", run, run, "--json").out)["words"]) == 1
    alone = cli("study", "compare", run)
    assert (alone.status, "two run folders" in alone.err) == (1, True)


def test_runs_on_other_data_are_not_compared(cli: Cli, finished: Path, tmp_path: Path) -> None:
    from armillary.learn.publishing import publish

    publish(finished / "storms.toml", tmp_path / "other", data=storms(tmp_path / "other.csv", seed=5))
    ran = cli("study", "compare", finished / "run", tmp_path / "other")
    assert "different data" in ran.out


def test_a_run_is_explained(cli: Cli, finished: Path) -> None:
    ran = cli("study", "explain", finished / "run", "--model", "logistic", "--data", finished / "storms.csv", "--json")
    assert ran.status == 0, ran.err
    found = {one["group"]: one for one in json.loads(ran.out)}
    assert found["b"]["permuted"][0] > found["v"]["permuted"][0]
    assert (finished / "run" / "figures" / "drivers.png").stat().st_size > 1000
    assert (finished / "run" / "drivers.csv").read_text().startswith("group,columns,permuted")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "nowhere.toml", "--out", "x"), "cannot read the study"),
        (("explain", "nowhere"), "no complete run"),
        (("compare", "nowhere", "nowhere"), "no complete run"),
    ],
)
def test_what_is_not_there_is_named(cli: Cli, words: tuple[str, ...], said: str) -> None:
    ran = cli("study", *words)
    assert ran.status == 1
    assert said in ran.err


def test_explaining_needs_the_same_data(cli: Cli, finished: Path, tmp_path: Path) -> None:
    ran = cli("study", "explain", finished / "run", "--data", storms(tmp_path / "other.csv", seed=9))
    assert (ran.status, "not the data" in ran.err) == (1, True)


def test_a_model_is_exported_and_answers_alike_from_the_files_alone(finished: Path, tmp_path: Path, cli: Cli) -> None:
    import onnxruntime

    to = tmp_path / "best.onnx"
    ran = cli(
        "study", "export", finished / "run", "--to", to, "--data", storms(tmp_path / "unseen.csv", seed=1), "--json"
    )
    assert ran.status == 0, ran.err
    assert json.loads(ran.out)["rows"] == 240
    recipe = json.loads(to.with_suffix(".json").read_text())
    assert recipe["classes"] == ["quiet", "storm"]
    assert recipe["input"]["columns"] == ["b", "v"]
    row = np.array([[9.0, 0.0]], recipe["input"]["dtype"])
    assert onnxruntime.InferenceSession(to).run(None, {"rows": row})[0].tolist() == [1]


def test_a_model_that_cannot_be_exported_is_refused_before_training(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = STUDY.replace('use = "forest"\noptions = { n_estimators = 10 }', 'use = "sklearn.naive_bayes:GaussianNB"')
    (tmp_path / "storms.toml").write_text(lines)
    storms(tmp_path / "storms.csv")
    ran = cli("study", "run", "storms.toml", "--out", "run", "--onnx")
    assert ran.status != 0
    assert "'sklearn.naive_bayes:GaussianNB' cannot be exported" in ran.err
    assert not (tmp_path / "run").exists()


def test_the_best_model_is_exported_with_the_run(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "storms.toml").write_text(STUDY)
    storms(tmp_path / "storms.csv")
    ran = cli("study", "run", "storms.toml", "--out", "run", "--onnx")
    assert ran.status == 0, ran.err
    assert "the same labels on 240 rows" in ran.err
    assert len(list((tmp_path / "run" / "models").glob("*.onnx"))) == 1


PIPED = """
set -o pipefail
armillary study run storms.toml --out run {where} | head -c 1 > /dev/null
echo "${{PIPESTATUS[0]}}"
"""


@pytest.mark.parametrize(("where", "status"), [("2>&1", "141"), ("2>&1 >/dev/null", "0")])
def test_a_reader_that_goes_does_not_end_a_run(tmp_path: Path, where: str, status: str) -> None:
    """The reader of the warnings is gone before the second of them; the run folder is whole, the status tells."""
    study = STUDY.replace('path = "storms.csv"', f'path = "{storms(tmp_path / "storms.csv")}"')
    (tmp_path / "storms.toml").write_text(study.replace('time_on = "time"\nblock = "20h"', "random = true"))
    places = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = PIPED.format(where=where).replace("| head -c 1", "| true")
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={**os.environ, **places}, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == [status], ran
    assert (tmp_path / "run" / "run.json").exists()


def test_a_closed_stderr_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    from armillary.services.cli import aside

    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr(sys, "stderr", closed)
        for _ in range(3):
            aside.say("nobody reads this")
        closed.write("nor this")


def test_runs_without_intervals_say_so_and_paths_stay_as_they_were_given(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "storms.toml").write_text(STUDY.replace("resamples = 30", "resamples = 0"))
    out = tmp_path / "run"
    ran = cli(
        "study", "run", str(tmp_path / "storms.toml"), "--out", str(out), "--data", str(storms(tmp_path / "s.csv"))
    )
    assert ran.status == 0, ran.err
    assert "Note: resamples = 0: no intervals were asked for, and ties are not tested" in ran.err
    assert f"{out}: card.md" in ran.out
    card = (out / "card.md").read_text()
    assert "No intervals were asked for" in card
    assert "Brackets" not in card

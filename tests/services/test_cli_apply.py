"""``armillary apply`` and ``armillary label`` on tables: objects into catalogues, rows into files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import armillary as arm

PHOTOMETRY = "simulated/stars/photometry"
BANDS = ("parallax", "g_mag", "bp_mag", "rp_mag", "j_mag", "ks_mag", "w1_mag", "w2_mag")
STUDY = f"""
name = "stars"
task = "classes"
seeds = 1
resamples = 20
[data]
layout = "table"
path = "stars.csv"
[data.options]
label = "class"
columns = {json.dumps(BANDS)}
[labels]
least = 20
[split]
sky_on = ["ra", "dec"]
level = 5
folds = 3
[[features]]
use = "columns"
[[features]]
use = "differences"
options = {{names = {json.dumps(BANDS[1:])}, pairs = "next"}}
[[models]]
use = "extra_trees"
options = {{n_estimators = 40, min_samples_leaf = 2}}
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of stars with classes, and another part of the sky without."""
    folder = tmp_path_factory.mktemp("stars")
    desk = arm.open(home=tmp_path_factory.mktemp("home"))
    stars, truth = (
        desk.get(f"simulated/stars/{name}", params={"n": 2400}).to_pandas() for name in ("photometry", "truth")
    )
    stars = stars.merge(truth[["source_id", "class"]], on="source_id")
    east = stars["ra"] > stars["ra"].median()
    stars[~east].to_csv(folder / "stars.csv", index=False)
    stars[east].drop(columns="class").to_csv(folder / "east.csv", index=False)
    stars[east].drop(columns="class").to_parquet(folder / "east.parquet", row_group_size=300)
    stars[east].to_csv(folder / "truth.csv", index=False)
    (folder / "stars.toml").write_text(STUDY, "utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(tables: Path) -> Path:
    from armillary.learn.publishing import publish

    publish(tables / "stars.toml", tables / "run", data=tables / "stars.csv")
    return tables / "run"


def test_objects_of_a_file_without_labels(cli: Callable[..., Any], tables: Path, trained: Path, tmp_path: Path) -> None:
    asked = cli("apply", trained, tables / "east.csv", "--to", "stars", "-o", tmp_path / "rows.parquet", "--json")
    assert asked.status == 0, asked.err
    told = json.loads(asked.out)
    assert told["rows"] == 1200
    assert told["added"] == 1200 - told["classes"][""]
    found = pd.read_parquet(tmp_path / "rows.parquet")
    truth = pd.read_csv(tables / "truth.csv")
    assert found["source_id"].tolist() == truth["source_id"].tolist()
    seen = truth[list(BANDS)].notna().any(axis=1).to_numpy()
    assert (found["class"] != "").tolist() == (found["trust"] != "").tolist() == seen.tolist()
    known = truth["class"].isin(["dwarf", "giant"]).to_numpy() & seen
    assert (found["class"] == truth["class"])[known].mean() > 0.9
    assert found.filter(like="P(")[seen].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert set(found["trust"][seen]) <= {"ok", "shifted", "ood"}
    rows = json.loads(cli("catalogue", "show", "stars", "--json").out)["rows"]
    assert {"ra", "dec", "source_id", "class", "model"} <= rows[0].keys()


def test_parquet_is_read_in_batches_and_answers_alike(
    cli: Callable[..., Any], tables: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("armillary.learn.applying.BLOCK_ROWS", 250)
    for name in ("east.csv", "east.parquet"):
        assert cli("apply", trained, tables / name, "-o", tmp_path / f"{name}.parquet").status == 0
    one, other = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("east.csv", "east.parquet"))
    pd.testing.assert_frame_equal(one[other.columns.tolist()], other)


def test_a_table_of_the_tree(cli: Callable[..., Any], trained: Path) -> None:
    part = ("--param", "n=2400", "--where", "ra > 84")
    asked = cli("apply", trained, PHOTOMETRY, *part, "--to", "giants", "--class", "giant", "--least", "0.7", "--json")
    assert asked.status == 0, asked.err
    told = json.loads(asked.out)
    assert 0 < told["added"] < told["classes"]["giant"] < told["rows"]
    rows = json.loads(cli("catalogue", "show", "giants", "--json").out)["rows"]
    assert min(one["attributes"]["probability"] for one in rows) >= 0.7
    assert min(one["ra"] for one in rows) > 84


def test_a_stated_prior_is_printed(cli: Callable[..., Any], tables: Path, trained: Path, tmp_path: Path) -> None:
    words = ("apply", trained, tables / "east.csv", "-o", tmp_path / "rows.parquet")
    asked = cli(*words, "--prior", "giant=0.01")
    assert asked.status == 0, asked.err
    assert "0.010" in asked.out
    assert "purity" in asked.out
    assert "no class 'nova'" in cli(*words, "--prior", "nova=0.01").err
    assert "is no share" in cli(*words, "--prior", "giant=few").err


def test_unsure_objects_are_proposed_once(cli: Callable[..., Any], tables: Path, trained: Path) -> None:
    words = ("label", "propose", trained, tables / "east.csv", "--to", "stars", "-n", 5, "--json")
    first, second = (json.loads(cli(*words).out) for _ in range(2))
    assert len(first) == len(second) == 5
    assert {one["source_id"] for one in first}.isdisjoint(one["source_id"] for one in second)
    assert first[0]["attributes"]["uncertainty"] > 0.5
    listed = json.loads(cli("label", "list", "stars", "--json").out)
    assert [one["id"] for one in listed] == [one["id"] for one in (*first, *second)]
    assert cli("label", "edit", "stars", first[0]["id"], "class=giant").status == 0
    (row,) = json.loads(cli("catalogue", "show", "stars", "--json").out)["rows"]
    assert (row["class"], row["source_id"]) == ("giant", first[0]["source_id"])
    sure = json.loads(cli(*words, "--by", "probable", "--class", "giant").out)
    assert {one["class"] for one in sure} == {"giant"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("east.csv",), "nothing says where"),
        (("east.csv", "-o", "rows.xyz"), "parquet"),
        (("east.csv", "--to", "x", "--start", "2020-01-01"), "--start cannot be asked of a file"),
        (("simulated/stars/photometri", "--to", "x"), "photometri"),
        (("simulated/tile/optical", "--to", "x"), "of the kind raster"),
        (("simulated/wind/density", "--to", "x"), "no column 'density'"),
        (("simulated/stars/truth", "--to", "x"), "no column"),
        (("east.csv", "--to", "x", "--model", "wand"), "no model 'wand'"),
    ],
)
def test_what_cannot_be_applied_is_told(
    cli: Callable[..., Any], tables: Path, trained: Path, words: tuple[str, ...], said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tables)
    done = cli("apply", trained, *words)
    assert done.status == 1
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_wrong_words_to_label_are_told(cli: Callable[..., Any], trained: Path, tables: Path) -> None:
    assert "nothing was proposed" in cli("label", "list", "stars").err
    assert "by their ids" in cli("label", "accept", "stars").err
    assert "no order 'best'" in cli("label", "propose", trained, tables / "east.csv", "--to", "x", "--by", "best").err
    assert "give --to" in cli("label", "propose", trained, tables / "east.csv").err
    cli("catalogue", "new", "days")
    assert "holds events" in cli("apply", trained, tables / "east.csv", "--to", "days").err


def test_objects_lie_where_the_study_says(cli: Callable[..., Any], tables: Path, tmp_path: Path) -> None:
    from armillary.learn.publishing import publish

    others = {"ra": "RAJ2000", "dec": "DEJ2000", "source_id": "number"}
    for name in ("stars.csv", "east.csv"):
        pd.read_csv(tables / name).rename(columns=others)[:600].to_csv(tmp_path / name, index=False)
    text = STUDY.replace('sky_on = ["ra", "dec"]', 'sky_on = ["RAJ2000", "DEJ2000"]')
    (tmp_path / "stars.toml").write_text(text, "utf-8")
    publish(tmp_path / "stars.toml", tmp_path / "run", data=tmp_path / "stars.csv")
    asked = cli("apply", tmp_path / "run", tmp_path / "east.csv", "--to", "placed", "--json")
    assert asked.status == 0, asked.err
    rows = json.loads(cli("catalogue", "show", "placed", "--json", "--limit", "600").out)["rows"]
    seen = pd.read_csv(tmp_path / "east.csv").dropna(subset=list(BANDS), how="all")
    assert sorted(one["ra"] for one in rows) == pytest.approx(sorted(seen["RAJ2000"]))


def test_purity_is_not_promised_where_data_drifted(
    cli: Callable[..., Any], tables: Path, trained: Path, tmp_path: Path
) -> None:
    faint = pd.read_csv(tables / "east.csv")
    words = ("-o", tmp_path / "rows.parquet")
    faint[list(BANDS[1:])] += 4
    faint.to_csv(tmp_path / "faint.csv", index=False)
    told = cli("apply", trained, tmp_path / "faint.csv", *words)
    assert "drift: strong" in told.out
    assert "drifted from them" in told.out
    assert "unlike those" in told.err


def test_two_objects_at_one_place_are_two(cli: Callable[..., Any], tables: Path, trained: Path, tmp_path: Path) -> None:
    seen = pd.read_csv(tables / "east.csv").dropna(subset=list(BANDS), how="all")
    some = seen.head(20).drop(columns="source_id").reset_index(drop=True)
    some.loc[1, ["ra", "dec"]] = some.loc[0, ["ra", "dec"]]
    some.to_csv(tmp_path / "twins.csv", index=False)
    for _ in range(2):  # the second time nothing is added
        asked = cli("apply", trained, tmp_path / "twins.csv", "--to", "twins", "--json")
        assert asked.status == 0, asked.err
        assert len(json.loads(cli("catalogue", "show", "twins", "--json", "--limit", "60").out)["rows"]) == 20

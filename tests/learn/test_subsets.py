"""Training subsets: who is matched, cut, balanced; what is told; that a study reads the result."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import armillary
from armillary.catalogues import Entry
from armillary.errors import BadData, BadParameter, NoData, Unknown
from armillary.learn.subsets import Choice, Selection, candidates, choose, read_labels
from armillary.science.simulated_sky import simulated_sky, simulated_truth

ROWS = 2500
PLAIN = Choice(rules=())


@pytest.fixture(scope="module")
def sky() -> Any:
    return simulated_sky(1, 0, ROWS)


@pytest.fixture(scope="module")
def truth(sky: Any) -> Any:
    found = simulated_truth(1, 0, ROWS).select(["source_id", "class"])
    return found.append_column("ra", sky.column("ra")).append_column("dec", sky.column("dec"))


def subset(table: Any, labels: Any, choice: Choice) -> tuple[Any, Selection]:
    selection = Selection()
    found = read_labels(labels, choice)
    return choose(candidates(table, found, choice), found, choice, selection), selection


def said(selection: Selection, step: str) -> str:
    return next(one["said"] for one in selection.steps if one["step"] == step)


def stars(**columns: Any) -> Any:
    base = {"source_id": [1, 2, 3], "ra": [10.0, 20.0, 30.0], "dec": [0.0, 1.0, -1.0], "j_m": [10.0, 11.0, 12.0]}
    return pa.table(base | columns)


def test_labels_come_by_identifier(sky: Any, truth: Any) -> None:
    made, selection = subset(sky, truth.slice(100, 500), PLAIN)
    assert made.column("source_id").to_pylist() == sky.column("source_id").to_pylist()[100:600]
    assert made.column("label").to_pylist() == truth.column("class").to_pylist()[100:600]
    assert sum(selection.by_class["matched"].values()) == 500
    assert {*made.column_names} == {*sky.column_names, "label"}


def test_labels_come_by_position_at_their_epoch() -> None:
    step = 10 / 3600
    table = stars(pmra=[0.0, 0.0, 0.0], pmdec=[1000.0, 0.0, 0.0])  # ten arcseconds in ten years
    labels = pa.table({"ra": [10.0, 20.0, 200.0], "dec": [-step, 1.0 + 0.2 / 3600, 5.0], "class": ["a", "b", "c"]})
    made, selection = subset(table, labels, Choice(radius=1.0, epoch=2006.0, rules=()))
    assert made.column("label").to_pylist() == ["a", "b"]
    assert "1 labels found no source" in said(selection, "matched")
    assert selection.numbers["separation_arcsec"]["q95"] == pytest.approx(0.2, abs=0.02)
    made, _ = subset(table, labels, Choice(radius=1.0, rules=()))
    assert made.column("label").to_pylist() == ["b"]


def test_a_label_goes_to_the_nearest_source_only() -> None:
    table = stars(ra=[10.0, 10.0 + 1.5 / 3600, 30.0], dec=[0.0, 0.0, -1.0])
    labels = pa.table({"ra": [10.0 + 0.2 / 3600], "dec": [0.0], "class": ["a"]})
    made, selection = subset(table, labels, Choice(radius=2.0, rules=()))
    assert made.column("source_id").to_pylist() == [1]
    assert selection.numbers["other_sources_in_radius"] == 1


def test_double_labels_are_merged_and_conflicts_left_out_or_refused() -> None:
    labels = pa.table({"source_id": [1, 1, 2, 2, 3, 9], "class": ["a", "a", "a", "b", "b", "b"]})
    made, selection = subset(stars(), labels, PLAIN)
    assert made.column("source_id").to_pylist() == [1, 3]
    assert made.column("label").to_pylist() == ["a", "b"]
    told = said(selection, "matched")
    assert "1 sources with labels of two classes are left out" in told
    assert "2 labels were of a source that had one" in told
    with pytest.raises(BadData, match="labels of two classes"):
        subset(stars(), labels, Choice(rules=(), strict=True))


def test_identifiers_may_be_texts_or_names_of_the_release() -> None:
    labels = pa.table({"Source": ["Gaia DR3 3", "2", "HD 1x", None], "class": ["a", "b", "b", "b"]})
    found = read_labels(labels, PLAIN)
    assert found.ids is not None
    assert found.ids.tolist() == [3, 2]
    assert found.left_out == 2
    texts = stars(source_id=["x1", "x2", "x3"])
    choice, selection = PLAIN, Selection()
    named = read_labels(pa.table({"source_id": ["x3"], "class": ["a"]}), choice, "U")
    assert choose(candidates(texts, named, choice), named, choice, selection).num_rows == 1


def test_quality_is_cut_and_counted_by_class(sky: Any, truth: Any) -> None:
    made, selection = subset(sky, truth, Choice())
    bad = (sky.column("ruwe").to_numpy() > 1.4).sum()
    assert selection.numbers["quality"]["counts"]["ruwe"] == bad > 0
    assert not (made.column("ruwe").to_numpy() > 1.4).any()
    assert 0 < selection.numbers["quality"]["share_kept"]["giant"] < 1
    assert made.column("w3mpro").null_count > 0
    with pytest.raises(BadParameter, match="rule allwise_false: no column w3snr"):
        subset(sky, truth, Choice(rules=("allwise_false",)))
    with pytest.raises(Unknown, match="no rule is called 'best'"):
        Choice(rules=("best",))


def test_classes_are_balanced_and_rare_ones_left_out(sky: Any, truth: Any) -> None:
    made, selection = subset(sky, truth, Choice(rules=(), most=100, least=25))
    counts = {one["values"]: one["counts"] for one in made.column("label").value_counts().to_pylist()}
    assert counts["main sequence"] == counts["giant"] == 100
    assert min(counts.values()) >= 25
    assert "left out: " in said(selection, "balance")
    again, _ = subset(sky, truth, Choice(rules=(), most=100, least=25))
    other, _ = subset(sky, truth, Choice(rules=(), most=100, least=25, seed=1))
    assert again.equals(made)
    assert not other.equals(made)


def test_missing_bands_no_longer_tell_the_class(sky: Any, truth: Any) -> None:
    classes = ("main sequence", "giant", "young stellar object", "agb star")
    made, selection = subset(sky, truth, Choice(rules=(), classes=classes, equalise="full"))
    told = selection.numbers["masks"]
    assert told["auc_before"] > 0.6
    assert told["auc_after"] < 0.55
    assert made.column("ks_m").null_count > 0
    gone = made.column("w1mpro").is_null().to_numpy()
    assert made.column("w1mpro_error").is_null().to_numpy()[gone].all()
    assert not {"cc_flags", "allwise_ph_qual", "tmass_angular_distance"} & {*made.column_names}
    with pytest.raises(BadParameter, match="'half'"):
        Choice(equalise="half")


def test_sources_may_be_asked_to_be_complete(sky: Any, truth: Any) -> None:
    made, _ = subset(sky, truth, Choice(rules=(), complete=("J", "Ks", "W1")))
    assert made.column("j_m").null_count == made.column("w1mpro").null_count == 0
    assert made.column("ks_msigcom").null_count == 0  # an upper limit is no measurement
    with pytest.raises(BadParameter, match="no band I1"):
        subset(sky, truth, Choice(rules=(), complete=("I1",)))


def test_neighbours_that_know_the_answer_are_told() -> None:
    rng = np.random.default_rng(0)
    count = 1500
    ra, dec = rng.uniform(0, 40, count), rng.uniform(-20, 20, count)
    table = pa.table({"source_id": np.arange(count), "ra": ra, "dec": dec, "j_m": rng.normal(12, 1, count)})
    patches = (np.floor(ra / 8) + np.floor(dec / 8)).astype(int) % 2
    labels = pa.table({"source_id": np.arange(count), "class": np.where(patches, "a", "b")})
    _, selection = subset(table, labels, PLAIN)
    assert any(one["kind"] == "coordinates-alone" for one in selection.numbers["leaks"])
    assert "leak:" in selection.text()


def test_what_is_wrong_is_told(sky: Any, truth: Any) -> None:
    twice = pa.concat_tables([stars(), stars()])
    labels = pa.table({"source_id": [1, 2], "class": ["a", "b"]})
    with pytest.raises(BadData, match="2 values of source_id stand in several rows"):
        subset(twice, labels, PLAIN)
    with pytest.raises(BadParameter, match="no column 'kind'"):
        read_labels(labels, Choice(column="kind"))
    with pytest.raises(BadParameter, match="labels have no ra"):
        read_labels(labels, Choice(radius=1.0))
    with pytest.raises(BadParameter, match="labels have no source_id"):
        read_labels(pa.table({"class": ["a"]}), PLAIN)
    with pytest.raises(BadParameter, match="column 'label' already"):
        subset(stars(label=["", "", ""]), labels, PLAIN)
    with pytest.raises(NoData, match="no label matches"):
        subset(stars(), pa.table({"source_id": [77], "class": ["a"]}), PLAIN)
    with pytest.raises(NoData, match="no class has enough"):
        subset(stars(), labels, Choice(rules=(), least=5))
    with pytest.raises(BadParameter, match="table has no ra"):
        subset(stars().drop_columns(["ra"]), truth, Choice(radius=1.0, rules=()))


def test_the_command_writes_what_a_study_reads(cli: Callable[..., Any], tmp_path: Path, sky: Any, truth: Any) -> None:
    from armillary.learn.layouts.table import read

    parquet.write_table(sky, tmp_path / "sky.parquet", row_group_size=700)
    desk = armillary.open()
    desk.catalogues.new("known", kind="objects")
    pairs = zip(truth.column("source_id").to_pylist(), truth.column("class").to_pylist(), strict=True)
    rows = [Entry(source_id=str(one), class_=name) for one, name in list(pairs)[:800]]
    desk.catalogues.add("known", rows)
    out = tmp_path / "train.parquet"
    ran = cli("subset", tmp_path / "sky.parquet", "--labels", "known", "--most", 50, "--where", "ruwe < 1.4", "-o", out)
    assert ran.status == 0, ran.err
    assert "matched" in ran.out
    report = json.loads((tmp_path / "train.report.json").read_text())
    assert [one["step"] for one in report["steps"]] == ["table", "labels", "matched", "quality", "balance"]
    assert report["steps"][0]["rows"] == int((sky.column("ruwe").to_numpy() < 1.4).sum())
    samples = read(out, {"label": "label", "columns": ["j_m", "ks_m"]})
    assert samples.sizes["sample"] == report["steps"][-1]["rows"]
    assert {"ra", "dec", "source_id", "label"} <= set(samples.variables)
    assert set(samples["label"].values) <= set(truth.column("class").to_pylist())
    shown = cli("subset", tmp_path / "sky.parquet", "--labels", "known", "--cone", "1arcsec", "-o", out)
    assert shown.status == 1
    assert "no ra" in shown.err or "found no" in shown.err or "no label" in shown.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--labels", "x"), "a file to write"),
        (("--labels", "x", "--cone", "wide", "-o", "t.parquet"), "'wide' is no radius"),
        (("--labels", "x", "--by", "name", "-o", "t.parquet"), "cannot be matched by 'name'"),
        (("--labels", "x", "--by", "source_id", "--cone", "1arcsec", "-o", "t.parquet"), "two ways"),
        (("--labels", "nowhere", "-o", "t.parquet"), "no product 'nowhere'"),
    ],
)
def test_the_command_tells_what_is_wrong(cli: Callable[..., Any], words: tuple[str, ...], text: str) -> None:
    ran = cli("subset", "simulated/stars/photometry", *words)
    assert ran.status == 1
    assert text in ran.err

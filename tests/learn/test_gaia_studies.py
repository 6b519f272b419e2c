"""Studies of sources: bins, checks beside answers, positions from names, classes by type, studies that stand ready."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from armillary.errors import BadParameter
from armillary.learn.applying import Block, answer_block
from armillary.learn.bins import bin_tables, number_of
from armillary.learn.checks import checks
from armillary.learn.designations import apart, of_designations
from armillary.learn.folder import read_metrics
from armillary.learn.layouts import read_samples
from armillary.learn.layouts.table import samples_of_frame
from armillary.learn.publishing import publish
from armillary.learn.running import run
from armillary.learn.study import read_study, study_of
from armillary.learn.trained import load_run
from armillary.science.simulated_sky import CLASSES, simulated_sky, simulated_truth

STUDIES = Path(__file__).parents[2] / "examples" / "studies"
DUSTY = {"dusty": ["young stellar object"], "bare": ["main sequence", "giant"]}


def sky(seed: int, rows: int, shares: dict[str, float]) -> pd.DataFrame:
    truth = simulated_truth(seed, 0, rows, shares)
    frame: pd.DataFrame = simulated_sky(seed, 0, rows, shares).to_pandas()
    return frame.assign(kind=truth["class"].to_pylist())


def few(count: int = 600) -> pd.DataFrame:
    return sky(5, count, {"main sequence": 0.4, "giant": 0.3, "young stellar object": 0.3})


def small(**parts: Any) -> dict[str, Any]:
    return {
        "name": "sky", "task": "classes", "seeds": 1, "resamples": 20, "calibrate": "temperature",
        "data": {"layout": "table"}, "split": {"sky_on": ["ra", "dec"], "level": 2, "folds": 2},
        "features": [{"use": "photometry", "options": {"tell": ["chain", "slope", "luminosity"]}}],
        "models": [{"use": "extra_trees", "options": {"n_estimators": 20}}], **parts,
    }  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a study with bins and checks, and judge it on test data of one class."""
    folder = tmp_path_factory.mktemp("sky")
    few().to_parquet(folder / "sky.parquet")
    sky(6, 100, {"young stellar object": 1.0}).to_parquet(folder / "young.parquet")
    data = {"layout": "table", "path": str(folder / "sky.parquet"), "options": {"label": "kind"}}
    by = {"phot_g_mean_mag": [5, 16, 25], "abs_b": [0, 10, 90]}
    study = study_of(small(checks=DUSTY, data=data, judged_by=by))
    publish(study, folder / "run", test_data=folder / "young.parquet")
    return folder


def test_completeness_and_purity_by_magnitude_and_height(ran: Path) -> None:
    metrics = read_metrics(ran / "run")
    told = metrics["held_out"]["extra_trees"]["by"]
    assert [one["low"] for one in told["abs_b"]] == [0, 10]
    assert sum(one["samples"] for one in told["abs_b"]) == len(few())
    young = told["phot_g_mean_mag"][1]["classes"]["young stellar object"]
    assert 0 <= young["completeness"]["interval"][0] <= young["completeness"]["value"]
    bright, faint = (one["classes"]["giant"]["completeness"]["value"] for one in told["phot_g_mean_mag"])
    assert bright > faint  # faint giants lack parallax and infrared
    assert "## By abs_b" in (ran / "run" / "card.md").read_text()
    assert bin_tables(told)[0][1][0][2] == "class"


def test_heights_above_the_milky_way_are_told_by_position_too() -> None:
    frame = few(200)
    samples = samples_of_frame(frame, "sky", {"label": "kind"})
    without = samples.drop_vars("b")
    assert np.allclose(number_of(samples, "abs_b"), number_of(without, "abs_b"), atol=1e-3)
    with pytest.raises(BadParameter, match="colour"):
        number_of(samples, "abs_colour")


@pytest.mark.parametrize("edges", [[1.0], [3.0, 2.0]])
def test_bins_ascend(edges: list[float]) -> None:
    with pytest.raises(BadParameter, match="no bins"):
        study_of(small(judged_by={"g": edges}))


def test_physics_agrees_with_the_truth_and_contradicts_what_is_wrong() -> None:
    frame = few(4000)
    samples = samples_of_frame(frame, "sky", {"label": "kind"})
    truth = frame["kind"].to_numpy(str)
    wrong = np.where(truth == "young stellar object", "main sequence", "young stellar object")
    right, false = (checks(samples, said, DUSTY)["check"] for said in (truth, wrong))
    assert (right == "agrees").sum() > 10 * (right == "contradicts").sum()
    assert (false == "contradicts").sum() > 10 * (false == "agrees").sum()
    assert ((right == "silent") == (false == "silent")).all()
    told = checks(samples, truth, DUSTY | {"absolute": {"giant": [50.0, 60.0]}})
    near = np.isfinite(told["m_g"]) & (truth == "giant")
    assert near.any()
    assert (told["check"][near] == "contradicts").all()
    assert set(told["lada"]) <= {"I", "flat", "II", "III", ""}


def test_checks_stand_beside_answers(ran: Path) -> None:
    frame = few(300)
    block = Block(samples_of_frame(frame, "sky", {}), np.ones(len(frame), bool))
    answers, _ = answer_block(load_run(ran / "run"), block)
    assert {"alpha", "lada", "excess_sigma", "check"} <= answers.places.keys()
    assert len(answers.places["check"]) == len(frame)
    assert (answers.places["check"] == "agrees").sum() > 10 * (answers.places["check"] == "contradicts").sum()


def test_checks_name_classes_that_there_are() -> None:
    study = study_of(small(checks={"dusty": ["quasar"]}))
    with pytest.raises(BadParameter, match="quasar"):
        run(study, samples_of_frame(few(300), "sky", {"label": "kind"}))


def test_names_tell_positions_and_types_tell_classes(tmp_path: Path) -> None:
    table = pd.DataFrame({
        "name": ["J16271848-2429059", "2MASS J00000000+0000000", "Gaia 1"], "ra": [np.nan, np.nan, 30.0],
        "dec": [np.nan, np.nan, 5.0], "cls": ["MS", "MS", "UCD"], "sub": ["M8.5V", "K7V", "M5"], "J": [1.0, 2.0, 3.0],
    })  # fmt: skip
    path = tmp_path / "it.csv"
    table.to_csv(path, index=False)
    options = {
        "label": "cls", "columns": ["J"], "designation": "name",
        "relabel": {"UCD": {"cls": "MS", "sub": r"(?i)(m[789]|[lty]\d).*"}, "MS": {"cls": "UCD", "sub": "M[456].*"}},
    }  # fmt: skip
    samples = read_samples("table", path, options)
    assert samples["label"].values.tolist() == ["UCD", "MS", "MS"]
    assert samples["ra"].values.round(3).tolist() == [246.827, 0.0, 30.0]
    outside = read_samples("table", path, options | {"outside": [246.8, -24.4, 15.0]})
    assert outside["J"].values.tolist() == [2.0, 3.0]
    for wrong, word in (({"outside": [1.0]}, "cone"), ({"relabel": {"A": {"sub": "("}}}, "pattern")):
        with pytest.raises(BadParameter, match=word):
            read_samples("table", path, options | wrong)


def test_names_without_position_are_nan() -> None:
    ra, dec = of_designations(np.array(["Vega", ""], object))
    assert np.isnan([ra, dec]).all()
    assert np.isnan(apart(ra, dec, 0.0, 0.0)).all()


def test_test_data_of_one_class_have_a_recall(ran: Path) -> None:
    judged = read_metrics(ran / "run")["test"]["models"]["extra_trees"]["scores"]
    assert judged["per_class"]["young stellar object"]["recall"] > 0.5


@pytest.mark.parametrize("name", ["gaia_sed", "rho_oph", "gaia_sky"])
def test_studies_that_stand_ready_are_read(name: str) -> None:
    study = read_study(STUDIES / f"{name}.toml")
    assert study.split.sky_on == ("ra", "dec")
    assert {one.use for one in study.models} >= {"boosting", "forest", "mlp"}


@pytest.mark.real
def test_ophiuchus_is_left_out_of_training(real_data: Path) -> None:
    study = read_study(STUDIES / "rho_oph.toml")
    samples = read_samples("table", real_data / study.data.path, study.data.options)
    assert (apart(samples["ra"].values, samples["dec"].values, 246.8, -24.4) > 15).all()
    assert 350 < (samples["label"].values == "YSO").sum() < 450
    members = read_samples("table", real_data / study.data.path, {**study.data.options, **study.data.test_options})
    assert members["label"].values.tolist() == ["YSO"] * 148
    assert len(CLASSES) == 8

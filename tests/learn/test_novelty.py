"""Novelty rankings: formulas against their definitions, published orders of DORA, ensembles of ranks."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter, DamagedFile
from armillary.learn.layouts import read_samples
from armillary.learn.models import make_model
from armillary.learn.models.keeping import load, save
from armillary.learn.models.novelty import DEMUD, RX, PCAResidual

Array = np.ndarray[Any, np.dtype[Any]]


def background(rows: int = 200, columns: int = 5) -> Array:
    rng = np.random.default_rng(4)
    return rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns)) + 3


def residual(learnt: Array, asked: Array, k: int) -> Array:
    """Give squared residuals by a singular value decomposition of the rows themselves."""
    mean = learnt.mean(0)
    components = np.linalg.svd(learnt - mean, full_matrices=False)[2][:k]
    rest = (asked - mean) - (asked - mean) @ components.T @ components
    return np.asarray((rest**2).sum(1))


def test_rx_is_the_squared_mahalanobis_distance() -> None:
    from scipy.spatial.distance import mahalanobis

    rows = background()
    inverse = np.linalg.inv(np.cov(rows.T))
    wanted = [mahalanobis(one, rows.mean(0), inverse) ** 2 for one in rows[:9]]
    np.testing.assert_allclose(RX().fit(rows).novelty(rows[:9]), wanted)


def test_rx_does_without_directions_that_never_vary() -> None:
    rows = background()
    twice = np.column_stack([rows, rows[:, 0], np.ones(len(rows))])
    np.testing.assert_allclose(RX().fit(twice).novelty(twice), RX().fit(rows).novelty(rows))


def test_the_residual_is_that_of_a_singular_value_decomposition() -> None:
    rows = background()
    found = PCAResidual(k=2).fit(rows[:150]).novelty(rows[150:])
    np.testing.assert_allclose(found**2, residual(rows[:150], rows[150:], 2))


def test_demud_makes_its_model_anew_after_each_choice() -> None:
    learnt, asked = background()[:150], background()[150:170]
    order, told = DEMUD(k=2).fit(learnt).select(asked)
    left = list(range(len(asked)))
    for chosen, value in zip(order, told, strict=True):
        wanted = residual(learnt, asked[left], 2)
        assert left[int(wanted.argmax())] == chosen
        np.testing.assert_allclose(value, wanted.max())
        learnt = np.vstack([learnt, asked[chosen]])
        left.remove(chosen)


def test_demud_calls_the_second_of_two_alike_less_strange() -> None:
    rows = 1e-3 * background(rows=20, columns=3)
    asked = np.array([[10.0, 0, 0], [10.0, 0, 0], [0, 5.0, 0]])
    strangeness = make_model("demud", {"k": 1}, task="novelty", seed=0).fit(rows).novelty(asked)
    assert strangeness[2] == 2
    assert sorted(strangeness) == [1, 2, 3]


@pytest.mark.parametrize("use", ["rx", "pca_residual", "demud", "negative_sampling"])
def test_models_are_kept_and_refuse_what_they_cannot_do(use: str, tmp_path: Path) -> None:
    rows = background()
    model = make_model(use, {}, task="novelty", seed=0).fit(rows)
    save(model, tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").novelty(rows[:20]), model.novelty(rows[:20]))
    with pytest.raises(BadParameter, match="not made for the task 'classes'"):
        make_model(use, {}, task="classes", seed=0)
    gap = rows.copy()
    gap[0, 0] = np.nan
    with pytest.raises(BadData, match="missing values"):
        make_model(use, {}, task="novelty", seed=0).fit(gap)
    filled = make_model(use, {"scale": "standard"}, task="novelty", seed=0).fit(gap)
    assert np.isfinite(filled.novelty(gap)).all()


def local_distance(image: Array, inner: int, outer: int) -> float:
    """Give the mean distance of pixels (bands, side, side) from the frames around them, one by one."""
    from scipy.spatial.distance import mahalanobis

    reach, told = outer // 2, []
    for row, column in np.ndindex(*(np.array(image.shape[1:]) - 2 * reach)):
        window = image[:, row : row + outer, column : column + outer].copy()
        centre = window[:, reach, reach].copy()
        low, high = reach - inner // 2, reach + inner // 2 + 1
        window[:, low:high, low:high] = np.nan
        frame = window.reshape(len(image), -1)
        frame = frame[:, np.isfinite(frame[0])]
        told.append(mahalanobis(centre, frame.mean(1), np.linalg.inv(np.atleast_2d(np.cov(frame)))) ** 2)
    return float(np.mean(told))


@pytest.mark.parametrize(("bands", "inner", "outer"), [(1, 1, 3), (1, 3, 5), (2, 3, 7)])
def test_local_rx_compares_each_pixel_with_the_frame_around_it(
    bands: int, inner: int, outer: int, tmp_path: Path
) -> None:
    rows = np.random.default_rng(0).normal(size=(6, bands * 64))
    options = {"bands": bands, "inner": inner, "outer": outer}
    model = make_model("lrx", options, task="novelty", seed=0).fit(rows)
    wanted = [local_distance(one.reshape(bands, 8, 8), inner, outer) for one in rows]
    np.testing.assert_allclose(model.novelty(rows), wanted)
    save(model, tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").novelty(rows), model.novelty(rows))


def test_an_image_with_one_odd_pixel_is_the_strangest_to_local_rx() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 121)) + 100 * np.arange(20)[:, None]
    rows[7, 60] += 12
    assert make_model("lrx", {}, task="novelty", seed=0).fit(rows).novelty(rows).argmax() == 7


@pytest.mark.parametrize(
    ("options", "told"),
    [({"inner": 5, "outer": 5}, "no frame"), ({"inner": 2}, "no frame"), ({"bands": 2}, "no|are not 2 square images")],
)
def test_local_rx_refuses_what_are_no_images(options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadParameter, match=told):
        make_model("lrx", options, task="novelty", seed=0).fit(np.zeros((3, 49)))


def test_negative_sampling_finds_what_lies_outside_and_between() -> None:
    rng = np.random.default_rng(0)
    rows = np.repeat([-4.0, 4.0], 200)[:, None] + rng.normal(size=(400, 2))
    asked = np.array([[-4.0, -4.0], [4.0, 4.0], [0.0, 0.0], [-4.0, 4.0], [6.9, 6.9]])
    found = make_model("negative_sampling", {}, task="novelty", seed=0).fit(rows).novelty(asked)
    assert found[:2].max() < 0.2
    assert found[2:].min() > 0.6
    again = make_model("negative_sampling", {}, task="novelty", seed=0).fit(rows).novelty(asked)
    np.testing.assert_array_equal(found, again)
    with pytest.raises(BadParameter, match="wider"):
        make_model("negative_sampling", {"wider": -1}, task="novelty", seed=0)


def test_no_component_is_no_model() -> None:
    with pytest.raises(BadParameter, match="k = 0"):
        make_model("demud", {"k": 0}, task="novelty", seed=0)


def test_an_ensemble_gives_the_mean_rank() -> None:
    rows = background()
    members = [{"use": "rx", "weight": 3}, {"use": "pca_residual"}]
    found = make_model("ensemble", {"members": members}, task="novelty", seed=0).fit(rows).novelty(rows[:10])
    ranks = [
        make_model(use, {}, task="novelty", seed=0).fit(rows).novelty(rows[:10]).argsort().argsort() + 1
        for use in ("rx", "pca_residual")
    ]
    np.testing.assert_allclose(found, (3 * ranks[0] + ranks[1]) / 40)


def write(folder: Path) -> Path:
    (folder / "fit.csv").write_text("0,1.0,2.0\n1,2.0,3.0\n")
    (folder / "score.csv").write_text("7,1.5,2.5\n8,9.0,2.0\n9,1.0,1.0\n")
    (folder / "labels.csv").write_text("8,1\n7,0\n")
    return folder


def test_a_ranking_task_is_read_by_ids(tmp_path: Path) -> None:
    options = {"fit": "fit.csv", "score": "score.csv", "labels": "labels.csv"}
    samples = read_samples("ranking", write(tmp_path), options)
    assert samples.label.values.tolist() == ["", "", "usual", "novel", ""]
    assert samples.role.values.tolist() == ["fit"] * 2 + ["score"] * 3
    assert samples["values"].shape == (5, 2)
    with pytest.raises(BadParameter, match="needs the options score and labels"):
        read_samples("ranking", tmp_path, {"fit": "fit.csv"})
    with pytest.raises(DamagedFile, match=r"cannot read gone\.csv"):
        read_samples("ranking", tmp_path, options | {"score": "gone.csv"})


@pytest.mark.real
@pytest.mark.parametrize("use", ["rx", "pca-k=3", "demud-k=3"])
def test_patches_of_a_volcano_come_in_the_published_order(real_data: Path, use: str) -> None:
    folder = real_data / "onboard" / "dora"
    results = next((folder / "test" / "ref-results" / "earth_volcanoes_patches" / use).glob("*.csv"))
    published = [int(row[1]) for row in csv.reader(results.read_text().splitlines())]
    patches = volcano(next(folder.glob("earth_volcanoes*.tif")))
    name = {"pca-k=3": "pca_residual", "demud-k=3": "demud"}.get(use, use)
    model = make_model(name, {"k": 3} if name != use else {}, task="novelty", seed=0)
    assert np.argsort(model.fit(patches).novelty(patches))[::-1].tolist() == published


@pytest.mark.real
def test_patches_of_a_volcano_have_the_published_strangeness_of_local_rx(real_data: Path) -> None:
    folder = real_data / "onboard" / "dora"
    name = "lrx-inner_window=7-outer_window=11-bands=1/selections-lrx.csv"
    table = (folder / "test" / "ref-results" / "earth_volcanoes_patches" / name).read_text().splitlines()
    published = {int(row[1]): float(row[3]) for row in csv.reader(table)}
    patches = volcano(next(folder.glob("earth_volcanoes*.tif")))
    found = make_model("lrx", {"inner": 7, "outer": 11}, task="novelty", seed=0).fit(patches).novelty(patches)
    assert len(published) == len(found)
    np.testing.assert_allclose(found, [published[at] for at in range(len(found))], rtol=1e-9, atol=1e-12)


def volcano(path: Path) -> Array:
    """Give all patches of 11 by 11 pixels that lie in an image of temperatures."""
    import rasterio

    with rasterio.open(path) as source:
        image = source.read(1).astype(np.float32).astype(float)
    return np.lib.stride_tricks.sliding_window_view(image, (11, 11)).reshape(-1, 121)


@pytest.mark.real
def test_fields_in_kenya_have_the_published_first_of_rx(real_data: Path) -> None:
    folder = real_data / "onboard" / "dora"
    rows = [
        np.loadtxt(next(folder.glob(name)), delimiter=",")[:, 1:] for name in ("*points_to_fit.csv", "*to_predict.csv")
    ]
    found = np.sort(RX().fit(rows[0]).novelty(rows[1]))[::-1]
    table = np.loadtxt(folder / "exp/faw_time_series/kenya/results/rx/selections-rx.csv", delimiter=",")
    # The published run saw a slightly older file, with five rows less and ids of its own: values stand for the order.
    np.testing.assert_allclose(found[:4], table[:4, 3], rtol=1e-3)

"""Model files: the same answers after loading, and nothing is loaded that is not known."""

import contextlib
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter, CannotWrite, DamagedFile
from armillary.learn.models import MODELS, make_model
from armillary.learn.models.keeping import load, save
from armillary.learn.models.learner import Learner

SMALL = {
    "boosting": {"max_iter": 5},
    "ensemble": {"members": [{"use": "extra_trees", "n_estimators": 5}]},
    "extra_trees": {"n_estimators": 5},
    "forest": {"n_estimators": 5},
    "isolation_forest": {"n_estimators": 5},
    "lightgbm": {"n_estimators": 5},
    "lrx": {"bands": 4},
    "mlp": {"hidden_layer_sizes": [4], "max_iter": 5},
    "network": {"hidden": [4], "epochs": 2},
}
#: How often a row repeats its four columns: LRX takes square cut-outs of 5 pixels of each band.
PIXELS = {"lrx": 25}
ANSWER = {"classes": "predict_proba", "regression": "predict", "novelty": "novelty"}


#: Models that refuse missing values.
WHOLE = {"demud", "lrx", "negative_sampling", "pca_residual", "rx"}


def rows() -> Any:
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 4))
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 1)
    x[random.random(x.shape) < 0.1] = np.nan
    return x, y


def made(use: str, task: str) -> Any:
    return make_model(use, SMALL.get(use, {}), task=task, seed=0, groups=("a", "a", "b", "b") * PIXELS.get(use, 1))


def tasks(use: str) -> Any:
    """Tasks a model is made for."""
    found = []
    for task in ANSWER:
        with contextlib.suppress(BadParameter):
            found.append((made(use, task).use, task))
    return found


@pytest.mark.parametrize(("use", "task"), [pair for use in sorted(MODELS) for pair in tasks(use)])
def test_a_loaded_model_answers_bit_for_bit_the_same(use: str, task: str, tmp_path: Path) -> None:
    model = made(use, task)
    x, y = rows()
    x = np.nan_to_num(x) if use in WHOLE else x
    x = np.concatenate([np.roll(x, at, axis=0) for at in range(PIXELS.get(use, 1))], axis=1)
    model.fit(x, None if task == "novelty" else y)
    save(model, tmp_path / "deep" / "model.skops")
    again = load(tmp_path / "deep" / "model.skops")
    assert np.array_equal(getattr(model, ANSWER[task])(x), getattr(again, ANSWER[task])(x))
    assert [one.name for one in (tmp_path / "deep").iterdir()] == ["model.skops"]


class Bomb:
    """What runs a command when it is unpickled."""

    def __reduce__(self) -> Any:
        return (print, ("it went off",))


def test_a_pickle_is_refused_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DamagedFile, match="no model file of skops"):
        load(path)
    assert "off" not in capsys.readouterr().out


class Stranger:
    def fit(self, x: Any, y: Any) -> Any:
        self.width_ = x.shape[1]
        self.y_ = y
        return self

    def predict(self, x: Any) -> Any:
        return np.full(len(x), self.y_[0])


def test_a_foreign_type_is_refused_by_name_both_ways(tmp_path: Path) -> None:
    import skops.io

    x, y = rows()
    model = Learner(Stranger(), use="strange", task="classes", seed=0).fit(x, y)
    name = f"{Stranger.__module__}.Stranger"
    with pytest.raises(BadParameter, match=name):
        save(model, tmp_path / "model.skops")
    skops.io.dump(model, tmp_path / "model.skops")
    with pytest.raises(BadData, match=name):
        load(tmp_path / "model.skops")


def test_a_function_in_a_file_is_refused(tmp_path: Path) -> None:
    import os

    import skops.io

    model = make_model("forest", {"n_estimators": 2}, task="classes", seed=0)
    model.estimator = os.system
    skops.io.dump(model, tmp_path / "model.skops")
    with pytest.raises(BadData, match="system"):
        load(tmp_path / "model.skops")


def test_a_type_that_is_trusted_by_name_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows()
    model = make_model(f"{Stranger.__module__}:Stranger", {}, task="regression", seed=0).fit(x, y)
    save(model, tmp_path / "model.skops")
    name = f"{Stranger.__module__}.Stranger"
    with pytest.raises(BadData, match="not trusted") as refused:
        load(tmp_path / "model.skops")
    assert f"ARMILLARY_TRUST={name}" in refused.value.next_step
    assert isinstance(load(tmp_path / "model.skops", [name]).estimator, Stranger)
    monkeypatch.setenv("ARMILLARY_TRUST", f"other.Thing, {name}")
    assert np.array_equal(load(tmp_path / "model.skops").predict(x), model.predict(x))


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    import skops.io

    with pytest.raises(DamagedFile, match="cannot read the model"):
        load(tmp_path / "none.skops")
    (tmp_path / "text.skops").write_text("hello")
    with pytest.raises(DamagedFile, match="no model file"):
        load(tmp_path / "text.skops")
    with zipfile.ZipFile(tmp_path / "odd.skops", "w") as file:
        file.writestr("schema.json", "[")
    with pytest.raises(DamagedFile):
        load(tmp_path / "odd.skops")
    skops.io.dump({"a": 1}, tmp_path / "dict.skops")
    with pytest.raises(BadData, match="no model"):
        load(tmp_path / "dict.skops")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    x, y = rows()
    model = made("forest", "classes").fit(x, y)
    (tmp_path / "folder.skops").mkdir()
    with pytest.raises(CannotWrite, match="cannot write"):
        save(model, tmp_path / "folder.skops")
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot write"):
        save(model, tmp_path / "file" / "model.skops")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder.skops"]

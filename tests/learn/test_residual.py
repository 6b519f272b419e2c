"""A model of what another leaves."""

from pathlib import Path

import numpy as np
import pytest

from armillary.errors import ArmillaryError
from armillary.learn.models import make_model
from armillary.learn.models.keeping import load, save


def test_it_follows_the_line_beyond_what_it_saw_and_the_bend_within(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (600, 2))
    y = 10 * x[:, 0] + np.sign(x[:, 1])
    model = make_model(
        "residual",
        {"then": {"use": "extra_trees", "n_estimators": 8, "min_samples_leaf": 10}},
        task="regression",
        seed=0,
    )
    model.fit(x, y)
    asked = np.array([[3.0, 0.5], [-3.0, -0.5]])
    np.testing.assert_allclose(model.predict(asked), [31, -31], atol=1.5)
    save(model, tmp_path / "model.skops")
    np.testing.assert_array_equal(load(tmp_path / "model.skops").predict(asked), model.predict(asked))


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(ArmillaryError, match="names no model"):
        make_model("residual", {"first": {"alpha": 1}}, task="regression", seed=0)
    with pytest.raises(ArmillaryError, match="not made for the task"):
        make_model("residual", {}, task="classes", seed=0)

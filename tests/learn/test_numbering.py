"""Test data that number their classes otherwise are told, and can be named."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from armillary.learn.numbering import lacking, numbered_otherwise
from armillary.learn.publishing import publish
from armillary.learn.study import study_of

CLASSES = ("wind", "foreshock", "sheath", "lobe")
NAMES = {str(code): name for code, name in enumerate(CLASSES)}
STUDY: dict[str, Any] = {
    "name": "it", "task": "classes", "seeds": 1, "resamples": 20, "models": [{"use": "logistic"}],
    "data": {"layout": "arrays", "path": "", "options": {"label": "labels", "runs": 10, "classes": NAMES}},
    "split": {"group_on": "group", "folds": 3}, "features": [{"use": "columns", "options": {"names": ["a", "b"]}}],
}  # fmt: skip


def write(path: Path, lack: int | None = None, seed: int = 0) -> Path:
    """Write four kinds of rows; without one of them, the numbers of the classes close up."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(4), 90)
    a, b = np.array([[0, 0], [6, 0], [0, 6], [6, 6]])[codes].T + rng.normal(size=(2, 360))
    kept = codes != lack
    numbers = codes[kept] - (codes[kept] > lack if lack is not None else 0)
    with h5py.File(path, "w") as file:
        file["a"], file["b"], file["labels"] = a[kept], b[kept], numbers
    return path


def findings(metrics: dict[str, Any]) -> list[str]:
    return [one["message"] for one in metrics["leaks"] if one["kind"] == "numbering" and one["serious"]]


def test_a_file_without_one_class_is_told_and_can_be_named(tmp_path: Path) -> None:
    data, other = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", lack=1, seed=1)
    metrics = publish(study_of(STUDY), tmp_path / "wrong", data=data, test_data=other)
    assert metrics["accuracy"] < 0.5
    assert "rows labelled 'foreshock' look like 'sheath', 'sheath' look like 'lobe'" in findings(metrics)[0]
    assert "**Warning: test data: the classes" in (tmp_path / "wrong" / "card.md").read_text()
    assert any("no test sample is labelled 'lobe'" in one for one in metrics["notes"])
    own = {"classes": {"0": "wind", "1": "sheath", "2": "lobe"}}
    named = study_of(STUDY | {"data": STUDY["data"] | {"test_options": own}})
    metrics = publish(named, tmp_path / "right", data=data, test_data=other)
    assert metrics["accuracy"] > 0.95
    assert findings(metrics) == []


def test_the_same_numbering_is_silent(tmp_path: Path) -> None:
    data, other = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", seed=1)
    assert findings(publish(study_of(STUDY), tmp_path / "run", data=data, test_data=other)) == []


@pytest.mark.parametrize("right", [0.0, 0.3, 0.6, 0.9])
def test_models_that_are_only_bad_are_not_blamed_on_the_numbering(right: float) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 2000)
    said = np.where(rng.random(2000) < right, codes, rng.integers(0, 4, 2000))
    assert numbered_otherwise(codes, said, CLASSES) is None
    always = np.full(2000, 2)
    assert numbered_otherwise(codes, always, CLASSES) is None
    one_is_lost = np.where(codes == 1, 0, codes)
    assert numbered_otherwise(codes, one_is_lost, CLASSES) is None


def test_two_names_that_changed_places_are_told() -> None:
    codes = np.arange(400) % 4
    found = numbered_otherwise(codes, np.array([0, 2, 1, 3])[codes], CLASSES)
    assert found is not None
    assert found.numbers == {"agree": 0.5, "renamed": 1.0}
    assert lacking(codes[codes > 0], CLASSES)[0].startswith("no test sample is labelled 'wind'")


@pytest.mark.real
def test_the_file_of_regions_without_foreshock_is_told(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "plasma" / "mms_regions"
    names = ["solar wind", "foreshock", "magnetosheath", "magnetosphere", "plasma sheet", "lobe"]
    options = {"label": "labels", "runs": 25, "classes": {str(code): name for code, name in enumerate(names)}}
    study = study_of(
        STUDY | {
            "data": {"layout": "arrays", "options": options}, "models": [{"use": "logistic"}],
            "features": [{"use": "spectra", "options": {"name": "flux", "floor": 1000.0}}],
        }
    )  # fmt: skip
    metrics = publish(
        study, tmp_path / "run", data=folder / "training_data.h5", test_data=folder / "training_data_nofs.h5"
    )
    assert "'foreshock' look like 'magnetosheath'" in findings(metrics)[0]

"""Optional models: left out and told of where their library lacks, used where it is there."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import MissingExtra
from armillary.learn.optional import without_missing
from armillary.learn.publishing import publish
from armillary.learn.study import read_study, study_of

STUDY: dict[str, Any] = {
    "name": "it", "task": "classes", "data": {"layout": "table"}, "seeds": 1, "resamples": 0,
    "split": {"random": True, "folds": 2},
    "models": [{"use": "logistic"}, {"use": "lightgbm", "optional": True, "options": {"n_estimators": 3}}],
}  # fmt: skip
STUDIES = Path(__file__).parents[2] / "examples" / "studies"


def test_a_model_whose_library_lacks_is_left_out_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    rng, said = np.random.default_rng(0), []
    code = np.arange(80) % 2
    columns: dict[str, Any] = {"a": code + rng.normal(0, 0.3, 80), "label": np.array(["x", "y"])[code]}
    data = xr.Dataset({name: ("sample", one) for name, one in columns.items()}, attrs={"columns": ("a",)})

    def tell(fraction: float, message: str = "") -> None:
        said.append(message)

    made = publish(study_of(STUDY), tmp_path / "run", data=data, progress=tell)
    assert set(made["held_out"]) == {"logistic"}
    note = next(one for one in made["notes"] if "lightgbm" in one)
    assert "was left out" in note
    assert "armillary[boosting]" in note
    assert note in said
    assert "was left out" in (tmp_path / "run" / "card.md").read_text("utf-8")


def test_alone_or_not_optional_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtra, match="lightgbm"):
        without_missing(study_of(STUDY | {"models": STUDY["models"][1:]}))
    kept, notes = without_missing(study_of(STUDY | {"models": [{"use": "lightgbm"}, {"use": "logistic"}]}))
    assert (len(kept.models), notes) == (2, ())


@pytest.mark.parametrize("name", ["gaia_sed", "gaia_sky"])
def test_the_block_of_the_templates_can_be_taken_as_it_stands(tmp_path: Path, name: str) -> None:
    text = (STUDIES / f"{name}.toml").read_text("utf-8")
    head, block = text.split("# [[models]]\n")
    whole = head + "[[models]]\n" + block.replace("# ", "")
    (tmp_path / "study.toml").write_text(whole, "utf-8")
    last = read_study(tmp_path / "study.toml").models[-1]
    assert (last.use, last.optional) == ("lightgbm", True)

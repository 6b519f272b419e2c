"""Studies of real maps: areas that people drew on Sentinel-2, and a hyperspectral scene, by blocks of ground."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.learn.layouts import read_samples
from armillary.learn.publishing import publish
from armillary.learn.study import study_of

pytestmark = pytest.mark.real
FOREST = {"use": "extra_trees", "options": {"n_estimators": 40, "min_samples_leaf": 2}}


def study(layout: dict[str, Any], split: dict[str, Any], **parts: Any) -> Any:
    return study_of({
        "name": "real", "task": "classes", "seeds": 1, "resamples": 40, "data": {"layout": "raster", "options": layout},
        "split": {"folds": 3, **split}, "models": [FOREST], **parts,
    })  # fmt: skip


def test_areas_drawn_on_sentinel_2(real_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("rasterio", reason="areas on Sentinel-2 are not tested: there is no rasterio")
    layout = {"image": "sen2.tif", "labels": "trainingPolygons_sen2.gpkg", "most": 150}
    folder = real_data / "earth" / "rstoolbox"
    samples = read_samples("raster", folder, layout)
    names, counts = np.unique(samples["label"].values.astype(str), return_counts=True)
    assert names.tolist() == ["dryout", "forest", "village", "water"]
    assert counts.tolist() == [150] * 4
    told = publish(study(layout, {"group_on": "group", "stratify_on": "label"}), tmp_path / "run", data=folder)
    assert told["macro_f1"] > 0.9


def test_a_hyperspectral_scene_by_blocks(real_data: Path, tmp_path: Path) -> None:
    layout = {"variables": ["Y"], "label": "label", "together": "spectrum", "most": 400}
    scene = real_data / "onboard" / "hsi" / "muffle_dataset_130_90.mat"
    blocks = publish(study(layout, {"space_on": ["x", "y"], "size": 15}), tmp_path / "blocks", data=scene)
    shuffled = publish(study(layout, {"random": True}), tmp_path / "random", data=scene)
    assert blocks["macro_f1"] > 0.5
    assert shuffled["random_split"]
    kinds = {one["kind"] for one in shuffled["leaks"] if one["serious"]}
    assert "coordinates-alone" in kinds

"""A magnetospheric physicist: from the tree to the normal of a current sheet, kept in a catalogue."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

B, V = "simulated/sentry/b_gse", "simulated/sentry/ion_velocity_gse"
SHEET = ("--start", "2024-04-07T04:59:56", "--stop", "2024-04-07T05:00:36")
MINUTES = ("--start", "2024-04-07T04:56", "--stop", "2024-04-07T05:05")
#: The normal of the model magnetopause that the simulation is built on, at this place and time.
EXPECTED = np.array([0.985, 0.170, 0.014])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(line for line in text if not line.startswith("#")))


def degrees(one: Any, other: Any) -> float:
    return float(np.degrees(np.arccos(min(abs(np.dot(one, other)), 1))))


def test_from_the_tree_to_the_normal(cli: Callable[..., Any], tmp_path: Path) -> None:
    assert {f"{B}/lmn", f"{B}/mva", f"{B}/sliding_mva", f"{B}/magnitude"} <= set(cli("tree", B).out.split())
    assert f"{V}/walen" in cli("tree", V).out.split()

    asked = cli("get", "simulated/sentry/truth/crossings", *SHEET, "-o", tmp_path / "truth.csv")
    assert asked.status == 0, asked.err
    (truth,) = rows(tmp_path / "truth.csv")
    assert truth["class"] == "magnetopause inbound"

    normals = {}
    for constraint in ("none", "no normal field"):
        made = cli("get", f"{B}/mva", *SHEET, "--param", f"constraint={constraint}", "-o", tmp_path / "mva.csv")
        assert made.status == 0, made.err
        last = next(one for one in rows(tmp_path / "mva.csv") if one["axis"] == "N")
        normals[constraint] = np.array([float(last[name]) for name in "xyz"])
    driven = ("--param", "pressure_of=simulated/wind/pressure", "--param", "bz_of=simulated/wind/b_gse",
              "--param", "largest_gap=120")  # fmt: skip
    assert cli("get", "simulated/sentry/position_gse/boundaries", *SHEET, *driven, "-o", tmp_path / "m.nc").status == 0
    import xarray as xr

    with xr.open_dataset(tmp_path / "m.nc", engine="h5netcdf") as model:
        expected = model["magnetopause_normal"].to_numpy().mean(0)
    assert degrees(expected / np.linalg.norm(expected), EXPECTED) < 2
    assert degrees(normals["none"], EXPECTED) < 8
    assert degrees(normals["no normal field"], EXPECTED) < 4

    panels = [B, f"{B}/magnitude", f"{B}/sliding_mva", "simulated/sentry/ion_omni"]
    normal = [f"normal_{axis}={one:.4f}" for axis, one in zip("xyz", normals["no normal field"], strict=True)]
    cli("catalogue", "new", "crossings", "--description", "normals by MVA")
    attributes = [word for one in normal for word in ("--attr", one)]
    assert cli("catalogue", "add", "crossings", *SHEET, "--class", "magnetopause", *attributes).status == 0
    drawn = cli("plot", *panels, *MINUTES, "--catalogue", "crossings", "-o", tmp_path / "crossing.svg")
    assert drawn.status == 0, drawn.err
    assert "magnetopause" in (tmp_path / "crossing.svg").read_text("utf-8")
    kept = json.loads(cli("catalogue", "show", "crossings", "--where", "normal_x > 0.9", "--json").out)
    assert len(kept["rows"] if isinstance(kept, dict) else kept) == 1


def test_axes_of_a_part_of_what_is_turned(cli: Callable[..., Any], tmp_path: Path) -> None:
    part = ("--param", f"begin={SHEET[1]}", "--param", f"end={SHEET[3]}")
    made = cli("get", f"{V}/lmn", *MINUTES, "--param", f"field={B}", *part, "-o", tmp_path / "v.csv")
    assert made.status == 0, made.err
    turned = rows(tmp_path / "v.csv")
    assert len(turned) == 120
    speeds = cli("get", f"{V}/magnitude", *MINUTES, "-o", tmp_path / "s.csv")
    assert speeds.status == 0, speeds.err
    before, after = (
        np.array([[float(value) for name, value in one.items() if name != "time"] for one in table])
        for table in (rows(tmp_path / "s.csv"), turned)
    )
    assert np.allclose(np.linalg.norm(after, axis=1), before[:, 0])


def test_what_is_missing_is_said(cli: Callable[..., Any]) -> None:
    refused = cli("get", f"{V}/de_hoffmann_teller", *MINUTES)
    assert refused.status != 0
    assert "'field' is empty" in refused.err
    outside = cli("get", f"{B}/mva", *SHEET, "--param", "begin=2024-05-01")
    assert outside.status != 0
    assert "no data" in outside.err

"""The star field: any part is the same, colours separate the classes, gaps and noise are honest."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from armillary.model import Box, Cone
from armillary.model.extent import Rows

Ask = Callable[..., Any]


def values(table: Any, name: str) -> np.ndarray:
    return table[name].to_numpy(zero_copy_only=False).astype(float)


def test_a_box_a_cone_and_rows_are_parts_of_the_whole(ask: Ask) -> None:
    whole = ask("stars/photometry")
    assert whole.num_rows == 20_000
    ra, dec = values(whole, "ra"), values(whole, "dec")
    box = ask("stars/photometry", box=Box(83.1, -6.2, 85.3, -4.9))
    assert box.equals(whole.filter((ra >= 83.1) & (ra <= 85.3) & (dec >= -6.2) & (dec <= -4.9)).combine_chunks())
    cone = ask("stars/photometry", cone=Cone(85.4, -2.0, 1.0))
    assert 100 < cone.num_rows < 2000
    assert set(cone["source_id"].to_pylist()) < set(whole["source_id"].to_pylist())
    rows = ask("stars/photometry", rows=Rows(4321, 6789))
    assert rows.equals(whole.slice(4321, 6789 - 4321).combine_chunks())
    assert ask("stars/photometry", box=Box(10, 10, 11, 11)).num_rows == 0


def test_a_larger_field_has_the_same_stars_and_more(ask: Ask) -> None:
    small, large = ask("stars/photometry", n=3000), ask("stars/photometry", n=9000)
    assert large.num_rows == 9000
    chosen = np.isin(large["source_id"].to_numpy(), small["source_id"].to_numpy())
    assert large.filter(chosen).combine_chunks().equals(small)
    assert len(set(large["source_id"].to_pylist())) == 9000


def test_missing_is_null_and_has_its_reasons(ask: Ask) -> None:
    table = ask("stars/photometry")
    assert table["ra"].null_count == 0
    for name in ("g", "j", "w1", "w4"):
        magnitude = values(table, f"{name}_mag")
        assert np.array_equal(np.isnan(magnitude), np.isnan(values(table, f"{name}_mag_error")))
        assert np.nanmax(values(table, f"{name}_mag_error")) < 0.2001
    assert table["w4_mag"].null_count > table["w1_mag"].null_count > 0
    assert table.schema.field("g_mag").metadata[b"unit"] == b"mag"


def test_parallaxes_scatter_as_their_errors_say(ask: Ask) -> None:
    measured, true = ask("stars/photometry"), ask("stars/truth")
    assert measured["source_id"].equals(true["source_id"])
    pull = (values(measured, "parallax") - 1000 / values(true, "distance")) / values(measured, "parallax_error")
    pull = pull[np.isfinite(pull)]
    assert abs(pull.mean()) < 0.05
    assert pull.std() == pytest.approx(1, abs=0.03)


def test_young_stars_are_red_in_the_infrared_and_clustered(ask: Ask) -> None:
    measured, true = ask("stars/photometry", n=50_000), ask("stars/truth", n=50_000)
    kind = np.array(true["class"].to_pylist())
    assert set(kind) == {"dwarf", "giant", "white dwarf", "class I", "class II", "class III"}
    colour = values(measured, "w1_mag") - values(measured, "w2_mag")
    medians = {name: np.nanmedian(colour[kind == name]) for name in ("dwarf", "class III", "class II", "class I")}
    assert medians["dwarf"] < 0.2
    assert medians["class II"] > 0.3
    assert medians["class I"] > 1
    assert medians["class III"] < medians["class II"]
    young = np.isin(kind, ["class I", "class II", "class III"])
    assert 0.01 < young.mean() < 0.1
    near = (np.abs(values(true, "ra") - 83.8) < 0.5) & (np.abs(values(true, "dec") + 5.4) < 0.5)
    assert near.sum() > 1.5 * 50_000 / 100
    assert young[near].mean() > 0.3
    distance = values(true, "distance")
    assert distance[young].std() < 10 < distance[~young].std()
    assert np.isnan(values(true, "disc_temperature")[kind == "dwarf"]).all()


def test_giants_are_above_dwarfs(ask: Ask) -> None:
    measured, true = ask("stars/photometry"), ask("stars/truth")
    kind = np.array(true["class"].to_pylist())
    absolute = values(measured, "g_mag") + 5 * np.log10(10 / values(true, "distance")) - values(true, "a_v")
    assert np.nanmedian(absolute[kind == "giant"]) < 3
    assert np.nanmedian(absolute[kind == "dwarf"]) > 3.5
    assert np.nanmedian(absolute[kind == "white dwarf"]) > 9.5

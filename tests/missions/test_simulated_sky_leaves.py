"""The whole sky as a product: any part is the same, and the truth stands row by row beside what was measured."""

from collections.abc import Callable
from typing import Any

import numpy as np

from armillary.model import Box, Cone
from armillary.model.extent import Rows
from armillary.science.simulated_sky import CLASSES, simulated_sky

Ask = Callable[..., Any]


def test_a_box_a_cone_and_rows_are_parts_of_the_whole(ask: Ask) -> None:
    whole = ask("sky/photometry", n=4000)
    assert whole.num_rows == 4000
    ra, dec = (whole[name].to_numpy() for name in ("ra", "dec"))
    box = ask("sky/photometry", n=4000, box=Box(10, -40, 90, 30))
    assert 10 < box.num_rows < 1000
    inside = (ra >= 10) & (ra <= 90) & (dec >= -40) & (dec <= 30)
    assert box.equals(whole.filter(inside).combine_chunks())
    cone = ask("sky/photometry", n=4000, cone=Cone(266.4, -29.0, 20.0))
    assert 10 < cone.num_rows < 2000
    assert set(cone["source_id"].to_pylist()) < set(whole["source_id"].to_pylist())
    rows = ask("sky/photometry", n=4000, rows=Rows(321, 789))
    assert rows.equals(whole.slice(321, 468).combine_chunks())


def test_the_truth_is_of_the_same_rows(ask: Ask) -> None:
    for extent in ({}, {"box": Box(10, -40, 90, 30)}, {"rows": Rows(100, 300)}):
        measured, true = (ask(f"sky/{name}", n=3000, **extent) for name in ("photometry", "truth"))
        assert measured["source_id"].equals(true["source_id"])
        assert set(true["class"].to_pylist()) <= set(CLASSES)


def test_it_is_the_sky_of_the_seed_in_parts_of_a_block(ask: Ask) -> None:
    assert ask("sky/photometry", n=120).equals(simulated_sky(1, 0, 120))
    assert np.unique(ask("sky/truth", n=51_000, rows=Rows(49_000, 51_000))["source_id"].to_numpy()).size == 2000

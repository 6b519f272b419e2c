"""Surprise in telemetry: nearest windows against brute force, autoregression against what is known."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.learn.features.telemetry import join, nearest_subsequence, ridge_ar

Array = np.ndarray[Any, np.dtype[Any]]


def channels(series: dict[str, tuple[Array, Array]], bits: Array | None = None) -> xr.Dataset:
    """Make samples of each channel's usual and judged part."""
    rows = [
        (name, role, part) for name, parts in series.items() for role, part in zip(("fit", "score"), parts, strict=True)
    ]
    data: dict[str, Any] = {
        "value": ("sample", np.concatenate([part for _, _, part in rows])),
        "group": ("sample", np.concatenate([np.full(len(part), name, object) for name, _, part in rows])),
        "role": ("sample", np.concatenate([np.full(len(part), role, object) for _, role, part in rows])),
        "time": (
            "sample",
            np.concatenate([np.arange(len(part)) - len(part) * (role == "fit") for _, role, part in rows]),
        ),
    }
    if bits is not None:
        data["commands"] = (("sample", "bit"), bits)
    return xr.Dataset(data)


def waves(seed: int, rows: int = 900) -> tuple[Array, Array]:
    """Give a noisy wave, and its continuation with one odd stretch of 40 from 500 on."""
    rng = np.random.default_rng(seed)
    whole = np.sin(np.arange(2 * rows) / 8) + 0.05 * rng.normal(size=2 * rows)
    judged = whole[rows:].copy()
    judged[500:540] = 0.3
    return whole[:rows], judged


def brute(series: Array, others: Array, length: int, apart: int) -> Array:
    """Give the nearest distances by two loops."""
    found = np.full(len(series) - length + 1, np.inf)
    for i in range(len(found)):
        for j in range(len(others) - length + 1):
            if not apart or abs(i - j) >= apart:
                found[i] = min(found[i], np.sqrt(np.mean((series[i : i + length] - others[j : j + length]) ** 2)))
    return found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.floats(-1e3, 1e3))
def test_nearest_windows_are_those_of_two_loops(seed: int, length: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    series, others = rng.normal(size=70) + level, rng.normal(size=60) + level
    before = (length - 1) // 2
    found = join(series, others, length)[before : before + 70 - length + 1]
    np.testing.assert_allclose(found, brute(series, others, length, 0), atol=2e-3)


def test_a_series_beside_itself_leaves_near_windows_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("armillary.learn.features.telemetry._PIECE", 1)
    series = np.random.default_rng(3).normal(size=80)
    found = join(series, series, 5, 10)[2 : 2 + 76]
    np.testing.assert_allclose(found, brute(series, series, 5, 11), atol=1e-4)


def test_pieces_never_compare_nearer_windows_than_asked() -> None:
    series = np.random.default_rng(3).normal(size=1500)
    series[700:720] = series[100:120]
    found = join(series, series, 20, 400)
    assert found[709] < 1e-3  # the copy is 600 away
    assert join(series, series, 20, 500)[800] > 0.3


def test_short_and_constant_series_are_no_surprise() -> None:
    assert join(np.arange(5.0), np.arange(9.0), 3).tolist() == [0] * 5
    assert not join(np.full(300, 7.0), np.full(300, 7.0), 25, 50).any()


@pytest.mark.parametrize("step", [nearest_subsequence, ridge_ar])
def test_the_odd_stretch_is_the_greatest_surprise_in_any_unit(step: Any) -> None:
    learnt, judged = waves(1)
    options = {"windows": [25], "quantiles": [0.9], "apart": 200} if step is nearest_subsequence else {}
    samples = channels({"a": (learnt, judged), "b": (1e6 * learnt + 5e7, 1e6 * judged + 5e7)})
    made = step(samples, **options).matrix[:, 0]
    for name in ("a", "b"):
        mine = made[(samples.group == name).values & (samples.role == "score").values]
        assert 480 <= mine.argmax() <= 560
        assert mine.max() > np.quantile(mine, 0.9) + 0.5
    np.testing.assert_allclose(made[: len(made) // 2], made[len(made) // 2 :], atol=0.02)


def test_groups_do_not_see_one_another() -> None:
    first, second = waves(1), waves(2)
    both, alone = channels({"a": first, "b": second}), channels({"a": first})
    for step in (nearest_subsequence, ridge_ar):
        np.testing.assert_array_equal(step(both).matrix[:1800], step(alone).matrix)


def test_the_order_of_rows_does_not_matter() -> None:
    samples = channels({"a": waves(1), "b": waves(2)})
    mixed = np.random.default_rng(0).permutation(samples.sizes["sample"])
    for step in (nearest_subsequence, ridge_ar):
        np.testing.assert_array_equal(step(samples.isel(sample=mixed)).matrix, step(samples).matrix[mixed])


def test_windows_beside_the_usual_part_find_what_is_always_odd() -> None:
    learnt, judged = waves(1)
    samples = channels({"a": (learnt, judged + 2.0)})
    own = nearest_subsequence(samples, windows=[25], quantiles=[0.5], apart=200).matrix[900:, 0]
    usual = nearest_subsequence(samples, windows=[25], quantiles=[0.5], against="usual").matrix[900:, 0]
    assert np.median(usual) > np.median(own) + 1


def test_a_commanded_value_is_expected_and_an_uncommanded_one_is_not() -> None:
    rng = np.random.default_rng(0)
    bits = (rng.random((2000, 1)) < 0.05).astype(np.uint8)
    bits[1500] = 0
    value = bits[:, 0] + 0.01 * rng.normal(size=2000)
    value[1500] += 1.0
    samples = channels({"a": (value[:1000], value[1000:])}, bits)
    seen = ridge_ar(samples, smooth=1).matrix[1000:, 0]
    blind = ridge_ar(samples, smooth=1, commands="none").matrix[1000:, 0]
    assert seen.argmax() == 500
    assert np.sort(seen)[-2] < seen[500] - 1
    assert (blind > blind[500] - 0.3).sum() > 20  # as strange as each reading that was commanded


def test_a_missing_value_is_taken_from_before() -> None:
    learnt, judged = waves(1)
    judged[100] = np.nan
    for step in (nearest_subsequence, ridge_ar):
        assert np.isfinite(step(channels({"a": (learnt, judged)})).matrix).all()


def test_what_cannot_be_is_refused() -> None:
    samples = channels({"a": waves(1)})
    with pytest.raises(BadParameter, match="one quantile for each window"):
        nearest_subsequence(samples, windows=[25], quantiles=[0.5, 0.9])
    with pytest.raises(BadParameter, match="own or usual"):
        nearest_subsequence(samples, against="all")
    with pytest.raises(BadData, match="no rows of the role 'fit'"):
        ridge_ar(samples.drop_vars("role"))
    other = channels({"a": waves(1), "b": (np.zeros(0), np.zeros(50))})
    with pytest.raises(BadData, match="group 'b' has no rows"):
        ridge_ar(other)

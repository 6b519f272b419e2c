"""Masks of bands made alike in all classes, and what they tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.learn.masks import equalised, mask_auc


def drawn(seed: int, sizes: tuple[int, ...], bands: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Make classes of which each has every band with a share of its own."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    return rng.random((len(codes), bands)) < rng.random((len(sizes), bands))[codes], codes


@given(st.integers(0, 1000), st.lists(st.integers(1, 40), min_size=1, max_size=4), st.sampled_from(["full", "drawn"]))
def test_bands_are_only_taken_away(seed: int, sizes: list[int], how: str) -> None:
    masks, codes = drawn(seed, tuple(sizes))
    kept = equalised(masks, codes, how)  # type: ignore[arg-type]
    assert not (kept & ~masks).any()
    if len(sizes) == 1:
        np.testing.assert_array_equal(kept, masks)


@given(st.integers(0, 200), st.integers(1, 4))
def test_classes_of_one_size_have_the_same_masks_afterwards(seed: int, classes: int) -> None:
    masks, codes = drawn(seed, (50,) * classes)
    kept = equalised(masks, codes, "full")
    counted = [sorted(map(tuple, kept[codes == one].tolist())) for one in range(classes)]
    assert all(one == counted[0] for one in counted)


def test_the_scarcest_band_keeps_its_least_share() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 1000)
    masks = np.stack([np.ones(2000, bool), rng.random(2000) < np.where(codes, 0.9, 0.2)], axis=1)
    kept = equalised(masks, codes)
    least = min(masks[codes == one, 1].mean() for one in (0, 1))
    assert [kept[codes == one, 1].mean() for one in (0, 1)] == pytest.approx([least, least], abs=0.002)
    assert kept[:, 0].all()


def test_what_masks_tell_is_measured_and_taken_away() -> None:
    masks, codes = drawn(3, (900, 300, 500))
    before, full = mask_auc(masks, codes), mask_auc(equalised(masks, codes), codes)
    partly = mask_auc(equalised(masks, codes, "drawn"), codes)
    assert before > 0.75
    assert full < 0.55
    assert full < partly < before


def test_masks_that_tell_nothing_are_near_one_half() -> None:
    rng = np.random.default_rng(1)
    assert mask_auc(rng.random((3000, 3)) < 0.5, rng.integers(0, 3, 3000)) == pytest.approx(0.5, abs=0.03)
    assert np.isnan(mask_auc(np.ones((30, 2), bool), np.zeros(30, int)))

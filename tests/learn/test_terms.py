"""Declared features: products of powers and indicators."""

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.learn.features import build
from armillary.learn.study import Step


def samples() -> xr.Dataset:
    return xr.Dataset(
        {
            "a": ("sample", [8.0, -2.0, 0.0, np.nan]),
            "b": ("sample", [2.0, 1.0, 0.0, 1.0]),
            "channel": ("sample", np.array(["x", "y", "z", "x"], object)),
        }
    )


def step(use: str, **options: object) -> Step:
    return Step(use=use, options=options)


def test_a_term_is_a_product_of_powers() -> None:
    made = build(samples(), [step("products", terms={"ratio": {"a": 1, "b": -2}, "b3": {"b": 3}})])
    assert made.names == ("ratio", "b3")
    np.testing.assert_array_equal(made.matrix[:, 0], [2, -2, np.nan, np.nan])
    np.testing.assert_array_equal(made.matrix[:, 1], [8, 1, 0, 1])


def test_the_logarithm_of_what_is_not_above_zero_is_missing() -> None:
    made = build(samples(), [step("products", terms={"ratio": {"a": 1, "b": -1}}, kind="log10", prefix="l_")])
    assert made.names == ("l_ratio",)
    np.testing.assert_allclose(made.matrix[:, 0], [np.log10(4), np.nan, np.nan, np.nan])


def test_indicators_are_those_that_were_declared() -> None:
    made = build(samples(), [step("indicators", name="channel", values=["x", "y", "w"])])
    assert made.names == ("channel=x", "channel=y", "channel=w")
    assert made.groups == ("channel",) * 3
    assert made.matrix.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_wrong_terms_are_refused() -> None:
    with pytest.raises(BadParameter, match="plain or log10"):
        build(samples(), [step("products", terms={"t": {"a": 1}}, kind="ln")])
    with pytest.raises(BadParameter, match="'t' is empty"):
        build(samples(), [step("products", terms={"t": {}})])
    with pytest.raises(BadParameter, match="have no 'c'"):
        build(samples(), [step("products", terms={"t": {"c": 1}})])
    with pytest.raises(BadData, match="'channel' has no numbers"):
        build(samples(), [step("products", terms={"t": {"channel": 1}})])
    with pytest.raises(BadParameter, match="no value of 'channel'"):
        build(samples(), [step("indicators", name="channel", values=[])])

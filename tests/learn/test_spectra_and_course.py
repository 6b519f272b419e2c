"""Shapes of spectra and the course of series: what must not change them, and what they must tell."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadParameter
from armillary.learn.features import build
from armillary.learn.features.course import FORMS, course, form_of
from armillary.learn.features.spectra import SHAPES, spectra, steadiness
from armillary.learn.study import Step


def bump(middle: float, width: float, height: float = 1e7) -> Any:
    return height * np.exp(-0.5 * ((np.arange(32) - middle) / width) ** 2)


def of_flux(*flux: Any) -> xr.Dataset:
    return xr.Dataset({"flux": (("sample", "channel"), np.array(flux))})


def of_series(series: Any) -> xr.Dataset:
    values = np.asarray(series, float)
    return xr.Dataset({"series": (("sample", "channel", "step")[:: 1 if values.ndim == 3 else 2], values)})


def told(samples: xr.Dataset, **options: Any) -> dict[str, Any]:
    made = spectra(samples, "flux", **options)
    return {name.removeprefix("flux_"): made.matrix[:, at] for at, name in enumerate(made.names)}


@given(st.integers(12, 20), st.floats(0.6, 2), st.integers(-4, 4))
def test_a_spectrum_moved_to_other_channels_keeps_its_shape(middle: int, width: float, by: int) -> None:
    """Channels are evenly apart in log energy: another speed, or another energy table, moves the spectrum."""
    one = told(of_flux(bump(middle, width, 1e5), bump(middle + by, width, 1e5)), floor=1e3)
    for name in ("level", "spread", "beam", "width"):
        assert one[name][0] == pytest.approx(one[name][1], abs=0.02), name


@given(st.floats(0.05, 20))
def test_more_flux_of_the_same_form_changes_the_level_only(times: float) -> None:
    one = told(of_flux(bump(28, 3), times * bump(28, 3)), floor=1.0)
    assert one["level"][1] - one["level"][0] == pytest.approx(np.log10(times), abs=1e-3)
    for name in ("spread", "beam", "width", "tail"):
        assert one[name][0] == pytest.approx(one[name][1], abs=1e-3), name


def test_beams_broad_spectra_and_tails_are_told_apart() -> None:
    beam, broad = bump(20, 0.6), bump(20, 4)
    one = told(of_flux(beam, broad, beam + bump(31, 3, 1e5)), floor=1e3)
    assert one["beam"][0] > 0.95
    assert one["beam"][1] < 0.4
    assert one["spread"][0] < 1 < one["spread"][1]
    assert one["width"][0] < 3 < one["width"][1]
    assert one["tail"][2] > one["tail"][0] + 1


def test_windows_are_averaged_and_missing_flux_is_none() -> None:
    window = np.tile(bump(20, 2), (1, 5, 1))
    window[0, 0] = np.nan
    made = spectra(xr.Dataset({"flux": (("sample", "time", "channel"), window)}), "flux", floor=1.0)
    whole = spectra(of_flux(bump(20, 2) * 0.8), "flux", floor=1.0)
    np.testing.assert_allclose(made.matrix, whole.matrix)
    assert made.groups == tuple(f"flux_{one}" for one in SHAPES)


def test_a_spectrum_without_flux_has_no_shape() -> None:
    one = told(of_flux(np.zeros(32), np.full(32, np.nan)), floor=10.0)
    assert one["level"].tolist() == [1.0, 1.0]
    assert np.isnan([one[name] for name in ("spread", "beam", "tail")]).all()


def test_levels_and_fluctuations_are_told_by_channel() -> None:
    field = 10 * (1 + 0.1 * np.resize([1.0, -1.0], (3, 40)))
    field[1, 5:9] = np.nan
    field[2] = np.nan
    heat = np.full((3, 40), -1.0)
    samples = xr.Dataset({"both": (("sample", "time", "channel"), np.stack([field, heat, heat], axis=2))})
    made = steadiness(samples, "both", channels=["B", "T", ""], steady=["B"])
    assert made.names == ("B_level", "B_fluctuation", "T_level")
    assert made.groups == ("B", "B", "T")
    np.testing.assert_allclose(made.matrix[:2, 0], 1.0, atol=0.05)
    np.testing.assert_allclose(made.matrix[:2, 1], -1.0, atol=0.05)
    assert np.isnan(made.matrix[2]).all()
    assert np.isnan(made.matrix[:, 2]).all()


@given(st.floats(1e-3, 1e3))
def test_fluctuation_does_not_depend_on_the_unit(unit: float) -> None:
    values = np.random.default_rng(0).lognormal(size=(4, 30))
    samples = xr.Dataset({"a": (("sample", "time"), values), "b": (("sample", "time"), unit * values)})
    one, other = (steadiness(samples, name).matrix for name in "ab")
    np.testing.assert_allclose(one[:, 1], other[:, 1])
    np.testing.assert_allclose(one[:, 0] + np.log10(unit), other[:, 0])


def test_forms_of_a_series_are_what_they_say() -> None:
    series = np.array([[1.0, 3.0, 5.0, 2.0]])
    assert {form: form_of(series, form).tolist()[0] for form in FORMS[:6]} == {
        "values": [1.0, 3.0, 5.0, 2.0],
        "first": [2.0, 2.0, -3.0],
        "second": [0.0, -5.0],
        "bend": [0.0, 5.0],
        "straight": [1.0, 0.0],
        "ordered": [1.0, 2.0, 3.0, 5.0],
    }
    np.testing.assert_allclose(form_of(series, "summary")[0], [2.75, series.std(), 5, 1, 2, 0])


@given(st.integers(0, 500), st.integers(1, 7))
def test_filled_gaps_are_straight(seed: int, gap: int) -> None:
    random = np.random.default_rng(seed)
    series = random.normal(size=(1, 12)).cumsum(axis=1)
    series[0, 2 : 3 + gap] = np.interp(np.arange(2, 3 + gap), [1, 3 + gap], series[0, [1, 3 + gap]])
    straight = form_of(series, "straight", 1e-9)
    assert straight[0, 1 : 2 + gap].all()
    assert not straight[0, 3 + gap :].any()


def test_course_names_its_columns_by_channel_and_form() -> None:
    series = np.random.default_rng(0).normal(size=(5, 2, 6))
    series[0, 0, 2] = np.nan
    series[1, 1] = np.nan
    made = course(of_series(series), forms=["values", "straight", "summary"])
    assert made.matrix.shape == (5, 2 * (6 + 4 + 6))
    assert made.names[0] == "series_0_values_0"
    assert set(made.groups) == {f"series_{at}_{form}" for at in (0, 1) for form in ("values", "straight", "summary")}
    assert np.isfinite(made.matrix[0, 10:16]).all()
    assert np.isnan(made.matrix[0, 6:9]).all()
    assert np.isnan(made.matrix[1, 16:]).all()


def test_steps_are_found_by_name() -> None:
    samples = of_flux(bump(5, 1), bump(9, 1)).assign(series=(("sample", "step"), np.eye(2, 4)))
    made = build(samples, [Step(use="spectra", options={"name": "flux"}), Step(use="course")])
    assert made.matrix.shape == (2, len(SHAPES) + 4 + 3 + 2 + 2 + 2 + 4 + 6)


@pytest.mark.parametrize(
    ("use", "options", "says"),
    [
        ("spectra", {"name": "flux", "tail": 32}, "is no spectra of more than 32"),
        ("spectra", {"name": "flux", "floor": 0.0}, "floor above 0"),
        ("spectra", {"name": "flux", "shapes": ["form"]}, "unknown"),
        ("spectra", {"name": "fluxes"}, "have no 'fluxes'"),
        ("steadiness", {"name": "flux", "channels": ["B", "T"]}, "has 1 channels, not"),
        ("steadiness", {"name": "flux", "channels": ["B"], "steady": ["T"]}, "no channel 'T'"),
        ("course", {"name": "flux", "forms": []}, "unknown"),
        ("course", {"name": "short"}, "is no series of 3 steps"),
    ],
)
def test_wrong_options_are_named(use: str, options: dict[str, Any], says: str) -> None:
    samples = of_flux(bump(5, 1), bump(9, 1)).assign(short=(("sample", "step"), np.ones((2, 2))))
    with pytest.raises(BadParameter, match=says):
        build(samples, [Step(use=use, options=options)])


BANDS = {"names": ["J", "K", "I4"], "wavelengths": [1.2, 2.2, 8.0], "zeros": [1600.0, 670.0, 64.0]}


def of_magnitudes(*rows: list[float]) -> xr.Dataset:
    values = np.array(rows)
    return xr.Dataset({name: ("sample", values[:, at]) for at, name in enumerate(BANDS["names"])})


def test_brightness_moves_the_total_of_a_distribution_and_not_its_form() -> None:
    made = build(of_magnitudes([12, 11, 9], [15, 14, 12]), [Step(use="sed", options=BANDS)])
    apart = dict(zip(made.names, made.matrix[1] - made.matrix[0], strict=True))
    assert apart.pop("sed_total_0") == pytest.approx(-0.4 * 3)
    np.testing.assert_allclose(list(apart.values()), 0, atol=1e-12)


def test_a_flat_distribution_has_no_slope_and_a_red_one_rises() -> None:
    flat = [2.5 * np.log10(zero / wave) for zero, wave in zip(BANDS["zeros"], BANDS["wavelengths"], strict=True)]
    red = [flat[0], flat[1] - 2.5 * np.log10(2.2 / 1.2), flat[2] - 2.5 * np.log10(8.0 / 1.2)]
    made = build(of_magnitudes(flat, red), [Step(use="sed", options=BANDS)])
    one = dict(zip(made.names, made.matrix.T, strict=True))
    np.testing.assert_allclose(one["sed_slope_0"], [0, 1], atol=1e-12)
    np.testing.assert_allclose(one["sed_bend_0"], 0, atol=1e-12)
    assert one["sed_peak_0"][1] == pytest.approx(np.log10(8.0))


def test_gaps_of_a_distribution_are_filled_and_told() -> None:
    nan = np.nan
    made = build(of_magnitudes([12, 11, 9], [12, nan, 9], [nan, 11, nan], [nan] * 3), [Step(use="sed", options=BANDS)])
    one = dict(zip(made.names, made.matrix.T, strict=True))
    assert one["sed_gap_1"].tolist() == [0, 1, 0, 1]
    assert one["sed_slope_0"][1] == pytest.approx(one["sed_slope_0"][0])
    assert one["sed_bend_0"][1] == pytest.approx(0)
    assert one["sed_slope_0"][2] == 0
    assert np.isnan([one[name][3] for name in made.names if "gap" not in name]).all()


def test_bands_out_of_order_are_refused() -> None:
    with pytest.raises(BadParameter, match="are no energy distribution"):
        build(of_magnitudes([1, 2, 3]), [Step(use="sed", options=BANDS | {"wavelengths": [1.2, 8.0, 2.2]})])

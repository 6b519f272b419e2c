"""Spectra, polarisation and energy flux of leaves: known waves, pieces that agree with the whole, gaps."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic import waves
from armillary.model import Extent, Interval
from armillary.model.kinds import check
from armillary.science.fields.poynting import poynting_flux
from armillary.science.trim import trim

START = np.datetime64("2015-12-14T13:00:00.3", "ns")
RATE = 16


def series(values: Any, units: str = "nT", rate: float = RATE, name: str = "b") -> xr.Dataset:
    values = np.asarray(values, float)
    time = START + np.round(np.arange(len(values)) / rate * 1e9).astype("timedelta64[ns]")
    attrs = {"units": units, "LABLAXIS": name.upper(), "COORDINATE_SYSTEM": "GSE"}
    return xr.Dataset({name: (("time", "component")[: values.ndim], values, attrs)}, {"time": time})


def made(recipe: Any, data: xr.Dataset, **params: Any) -> xr.Dataset:
    """Call a recipe's function with defaults and check what it promises."""
    knobs = {one.name: None if one.type == "product" else one.default for one in recipe.parameters}
    found = recipe.function(**{next(iter(recipe.inputs)): data}, **knobs | params)
    checked = check(recipe.kind, found, recipe.output)
    assert isinstance(checked, xr.Dataset)
    return checked


def circular(count: int = 6000, hertz: float = 1.0, noise: float = 0.01) -> np.ndarray:
    """A right-handed wave along z on a field of 40 nT."""
    phase = 2 * np.pi * hertz * np.arange(count) / RATE
    wave = np.stack([np.cos(phase), np.sin(phase), np.full(count, 40.0)], axis=1)
    return wave + noise * np.random.default_rng(0).normal(size=wave.shape)


def turned(values: np.ndarray) -> np.ndarray:
    """The same in a frame in which the field points somewhere else."""
    turn, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    return values @ (turn * np.linalg.det(turn)).T


def at(found: xr.Dataset, name: str, hertz: float) -> np.ndarray:
    return found[name].sel(frequency=hertz, method="nearest").to_numpy()


def test_a_spectrogram_of_a_number_and_of_a_vector() -> None:
    one = made(waves.spectrum, series(circular()[:, 0]), window=16.0)
    all_ = made(waves.spectrum, series(circular()), window=16.0)
    assert one["spectrum"].attrs["units"] == "nT^2/Hz"
    assert one["spectrum"].dims == ("time", "frequency")
    assert one["frequency"].to_numpy()[0] > 0
    inner = slice(1, -1)
    assert at(one, "spectrum", 1.0)[inner] == pytest.approx(at(one, "spectrum", 1.0)[5], rel=0.05)
    np.testing.assert_allclose(at(all_, "spectrum", 1.0)[inner], 2 * at(one, "spectrum", 1.0)[inner], rtol=0.01)
    total = one["spectrum"].sum("frequency").to_numpy() * one["frequency"].to_numpy()[0]
    assert total[inner] == pytest.approx(0.5, rel=0.01)
    assert made(waves.spectrum, series(circular(), "km/s"))["spectrum"].attrs["units"] == "(km/s)^2/Hz"


PIECES: Any = [
    (waves.spectrum, {"window": 20.0, "overlap": 0.75}, "window"),
    (waves.polarised, {"window": 20.0, "frame": "field-aligned"}, "window"),
    (waves.svd_polarised, {"window": 20.0, "frame": "field-aligned", "least_degree": 0.5}, "window"),
]


@pytest.mark.parametrize(("recipe", "params", "pad"), PIECES)
def test_pieces_agree_with_the_whole(recipe: Any, params: dict[str, Any], pad: str) -> None:
    data = series(turned(circular(9000)))
    span = np.array([START, START + np.timedelta64(562, "s")]).astype(np.int64)
    edges = np.linspace(*span, 5).astype(np.int64)
    room = round(params[pad] * 1e9)
    whole = trim(made(recipe, data, **params), Extent(time=Interval(*map(int, span))))
    pieces = []
    for low, high in pairwise(edges):
        given = trim(data, Extent(time=Interval(int(low) - room, int(high) + room)))
        pieces.append(trim(made(recipe, given, **params), Extent(time=Interval(int(low), int(high)))))
    joined = xr.concat(pieces, "time")
    assert np.isfinite(whole.to_dataarray()).any(("variable", "frequency")).sum() > 20
    xr.testing.assert_allclose(joined, whole, rtol=1e-9, atol=1e-12)


def test_uneven_samples_are_refused_or_interpolated() -> None:
    data = series(circular(1000))
    jitter = np.random.default_rng(1).uniform(0, 0.05, 1000)
    data = data.assign_coords(time=data["time"] + (jitter * 1e9).astype("timedelta64[ns]"))
    with pytest.raises(BadData, match="evenly spaced"):
        made(waves.spectrum, data, window=16.0)
    found = made(waves.spectrum, data, window=16.0, resample=0.1)
    assert (found["resampled"] == 1).all()
    assert found["spectrum"].idxmax("frequency").to_numpy()[2] == pytest.approx(1, abs=0.07)
    assert (made(waves.spectrum, series(circular(1000)), window=16.0)["resampled"] == 0).all()


def test_too_little_data_gives_no_columns_and_a_short_window_is_refused() -> None:
    none = series(circular(1))
    for recipe in (waves.spectrum, waves.polarised, waves.svd_polarised):
        assert made(recipe, none).sizes["time"] == 0
    with pytest.raises(BadParameter, match="do not fit"):
        made(waves.spectrum, series(circular(100), rate=0.1))
    with pytest.raises(BadData, match="no numbers"):
        made(waves.spectrum, xr.Dataset({"a": (("time", "b", "c"), np.zeros((1, 2, 2)), {"units": ""})}, none.coords))


def test_the_mean_spectrum_of_an_interval() -> None:
    found = made(waves.welch, series(np.random.default_rng(0).normal(0, 2, 9000)), window=16.0)
    assert found.sizes["time"] == 1
    assert int(found["windows"][0]) > 50
    inner = found.isel(frequency=slice(2, -2))
    assert float(inner["welch"].mean()) == pytest.approx(2 * 4 / RATE, rel=0.03)
    assert bool((inner["low"] < inner["welch"]).all()) is True
    assert bool((inner["high"] > inner["welch"]).all()) is True
    assert (made(waves.welch, series(circular()), window=16.0)["welch"].attrs["units"]) == "nT^2/Hz"


def test_a_wavelet_transform_with_gaps_and_a_significant_wave() -> None:
    values = circular(4000, noise=0.5)[:, 0]
    values[1500] = np.nan
    found = made(waves.wavelet, series(values), every=0.5, per_octave=6)
    assert found["wavelet"].attrs["units"] == "nT^2/Hz"
    assert bool((found["frequency"].diff("frequency") > 0).all()) is True
    inside = found["cone_of_influence"] < 0.5
    assert 0.7 < float(inside.mean()) < 1
    assert float(at(found, "significance", 1.0)[inside.to_numpy()].min()) > 1
    assert float((at(found, "significance", 3.7)[inside.to_numpy()] > 1).mean()) < 0.15
    ratio = found["global_spectrum"] / found["global_limit"]
    assert float(ratio.idxmax("frequency")) == pytest.approx(1, rel=0.1)
    # The gap is a break: near it the cone is as at the ends.
    middle = found.sel(time=START + np.timedelta64(round(1500 / RATE * 1e9), "ns"), method="nearest")
    assert float(middle["cone_of_influence"]) > 0.5


def test_wavelets_of_vectors_and_what_has_none() -> None:
    found = made(waves.wavelet, series(circular(800)))
    assert found.sizes["time"] == 800
    with pytest.raises(BadParameter, match="give every"):
        made(waves.wavelet, series(np.random.default_rng(0).normal(size=200_000)), per_octave=64)
    with pytest.raises(BadData, match="constant"):
        made(waves.wavelet, series(np.ones(500)))
    with pytest.raises(BadData, match="32 samples"):
        made(waves.wavelet, series(np.where(np.arange(500) % 20 == 0, np.nan, 1.0)))


@pytest.mark.parametrize(
    ("recipe", "name"), [(waves.polarised, "wave_normal_angle"), (waves.svd_polarised, "wave_vector_polar")]
)
def test_a_wave_along_the_field_in_any_frame(recipe: Any, name: str) -> None:
    found = made(recipe, series(turned(circular())), window=16.0, frame="field-aligned", quantity=name)
    assert next(iter(found.data_vars)) == name
    assert found[name].attrs["units"] == "deg"
    inner = slice(2, -2)
    assert np.nanmax(at(found, name, 1.0)[inner]) < 3
    assert np.nanmin(at(found, "ellipticity", 1.0)[inner]) > 0.6
    assert np.nanmin(at(found, "degree", 1.0)[inner]) > 0.95
    as_given = made(recipe, series(turned(circular())), window=16.0)
    assert np.nanmax(at(as_given, name, 1.0)[inner]) > 10


def test_the_background_may_come_from_another_leaf_and_noise_may_be_left_out() -> None:
    field = turned(circular())
    mean = field[::8].copy()
    slow = series(mean, rate=2)
    wave = series(field - field.mean(0))
    found = made(waves.polarised, wave, window=16.0, frame="field-aligned", magnetic_field=slow, least_degree=0.7)
    assert np.nanmax(at(found, "wave_normal_angle", 1.0)) < 3
    low = found["degree"].to_numpy() < 0.7
    assert low.any()
    assert np.isnan(found["ellipticity"].to_numpy()[low]).all()
    assert np.isfinite(found["power"].to_numpy()[low]).all()
    short = {"magnetic_field": series(field[:50]), "largest_gap": 1.0}
    lost = made(waves.polarised, wave, window=16.0, frame="field-aligned", **short)
    assert np.isnan(lost["degree"].to_numpy()[5:]).all()
    with pytest.raises(BadData, match="dimensions after time"):
        made(waves.polarised, wave, window=16.0, frame="field-aligned", magnetic_field=series(field[:, 0]))


def test_a_gap_is_an_empty_column() -> None:
    field = circular()
    field[3000, 1] = np.nan
    found = made(waves.polarised, series(field), window=16.0)
    lost = np.isnan(found["power"].to_numpy()[:, 5])
    assert 3 <= lost.sum() <= 5


def plane_wave(count: int = 4096) -> tuple[np.ndarray, np.ndarray]:
    phase = 2 * np.pi * np.arange(count) / RATE
    zero = 0 * phase
    electric = np.stack([2 * np.cos(phase), 2 * np.sin(phase), zero], axis=1)
    magnetic = np.stack([-np.sin(phase), np.cos(phase), zero + 50], axis=1)
    return electric, magnetic


def test_the_flux_of_a_wave_along_the_field() -> None:
    electric, magnetic = plane_wave()
    e, b = series(electric, "mV/m", name="e"), series(magnetic)
    total = made(waves.poynting_flux, e, magnetic_field=b)
    np.testing.assert_allclose(total["poynting_flux"].to_numpy(), poynting_flux(electric, magnetic), rtol=1e-12)
    assert total["poynting_flux"].attrs["units"] == "uW/m^2"
    of_wave = made(waves.poynting_flux, e, magnetic_field=b, low=0.5, high=2.0)
    inner = of_wave["edge"].to_numpy() == 0
    assert inner.sum() > 3000
    np.testing.assert_allclose(
        of_wave["poynting_flux"].to_numpy()[inner], [[0, 0, 2 * 0.7957747]] * inner.sum(), atol=0.1
    )
    by_frequency = made(waves.poynting_spectrum, e, magnetic_field=b, window=16.0)
    assert by_frequency["poynting_spectrum"].attrs["units"] == "uW/m^2/Hz"
    one = by_frequency["poynting_spectrum"].to_numpy()[3]
    assert one.sum() * by_frequency["frequency"].to_numpy()[0] == pytest.approx(2 * 0.7957747, rel=1e-6)
    along_z = made(waves.poynting_spectrum, e, magnetic_field=b, window=16.0, component="z")
    np.testing.assert_allclose(along_z["poynting_spectrum"].to_numpy()[3], one, rtol=0.01, atol=1e-6)


def test_a_component_that_was_not_measured() -> None:
    electric, magnetic = plane_wave()
    magnetic[:, 0] += 30
    true = electric.copy()
    true[:, 2] = -(electric[:, 0] * magnetic[:, 0] + electric[:, 1] * magnetic[:, 1]) / magnetic[:, 2]
    electric[:, 2] = np.nan
    e, b = series(electric, "mV/m", name="e"), series(magnetic)
    found = made(waves.poynting_flux, e, magnetic_field=b, component_z="from E.B=0")
    np.testing.assert_allclose(found["poynting_flux"].to_numpy(), poynting_flux(true, magnetic), rtol=1e-9)
    assert np.isnan(made(waves.poynting_flux, e, magnetic_field=b)["poynting_flux"].to_numpy()[:, 0]).all()


def test_no_magnetic_field_and_too_little_context_are_refused() -> None:
    electric, magnetic = plane_wave()
    e = series(electric, "mV/m", name="e")
    with pytest.raises(BadParameter, match="magnetic_field"):
        made(waves.poynting_flux, e)
    with pytest.raises(BadParameter, match="context"):
        made(waves.poynting_flux, e, magnetic_field=series(magnetic), low=0.01)
    with pytest.raises(BadData, match="nT"):
        made(waves.poynting_flux, e, magnetic_field=e)


@pytest.mark.real
def test_an_hour_of_mms_has_the_power_of_its_variance(real_data: Path) -> None:
    from scipy.io import readsav

    saved = readsav(real_data / "plasma" / "idl_spedas" / "mva_python_validate.tplot")["dq"]
    first = next(one for one in saved if one["NAME"].endswith(b"srvy_l2_bvec_bp"))["DH"][0]
    values, seconds = np.asarray(first["Y"], float).T[:, :3], np.asarray(first["X"], float)
    time = np.round(seconds * 1e9).astype(np.int64).astype("datetime64[ns]")
    data = xr.Dataset({"b": (("time", "component"), values, {"units": "nT"})}, {"time": time})
    found = made(waves.spectrum, data, window=32.0, taper="boxcar", overlap=0.0)
    good = found.dropna("time")
    total = good["spectrum"].sum("frequency").to_numpy() * good["frequency"].to_numpy()[0]
    middle = (good["time"].to_numpy() - time[0]) / np.timedelta64(1, "s")
    begin = np.searchsorted(seconds - seconds[0], middle - 16)
    size = 2 * good.sizes["frequency"]
    want = [values[one : one + size].var(0).sum() for one in begin]
    np.testing.assert_allclose(total, want, rtol=0.02)
    assert good.sizes["time"] > 100

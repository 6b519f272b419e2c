"""The solar wind against what is known of it, and its truth against its data."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from armillary.missions.simulated import ejections, solar_wind
from armillary.science import plasma

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def year() -> solar_wind.Wind:
    days = [solar_wind.day(1, block) for block in range(400, 765)]
    return solar_wind.Wind(*(np.concatenate(parts)[::5] for parts in zip(*days, strict=True)))


def test_medians_are_those_of_the_solar_wind(year: solar_wind.Wind) -> None:
    speed = np.linalg.norm(year.velocity, axis=1)
    size = np.linalg.norm(year.field, axis=1)
    assert 350 < np.median(speed) < 450
    assert speed.min() > 250
    assert speed.max() < 1000
    assert 4 < np.median(year.density) < 8
    assert 4 < np.median(size) < 6.5
    assert 3e4 < np.median(year.temperature) < 1e5
    assert 0.5 < np.std(np.log(year.density)) < 0.9
    # Slow wind is dense, fast wind is hot.
    assert np.corrcoef(speed, np.log(year.density))[0, 1] < -0.2
    assert np.corrcoef(speed, np.log(year.temperature))[0, 1] > 0.4


def test_the_field_lies_along_the_parker_spiral(year: solar_wind.Wind) -> None:
    angle = np.degrees(np.arctan2(year.field[:, 1], year.field[:, 0])) % 180
    axis = np.degrees(np.angle(np.exp(2j * np.radians(angle)).mean())) / 2 % 180
    assert 120 < axis < 145
    away = year.field[:, 0] < 0
    assert 0.25 < away.mean() < 0.85


def test_shocks_obey_rankine_and_hugoniot_in_the_data(ask: Ask) -> None:
    shocks = ask("wind/truth/shocks").to_pylist()
    assert len(shocks) > 30
    for shock in shocks[:15]:
        at = int(np.datetime64(shock["time"].replace(tzinfo=None), "ns").astype(np.int64))
        # Just before and after: the same instant but for a nanosecond.
        state = solar_wind.wind(1, np.array([at - 2000, at + 2000], np.int64))
        before, after = (solar_wind.Wind(*(one[k] for one in state)) for k in (0, 1))
        normal = np.array([shock[f"normal_{axis}"] for axis in "xyz"])
        flux = [_fluxes(one, normal, shock["speed"]) for one in (before, after)]
        assert flux[1] == pytest.approx(flux[0], rel=2e-3), shock
        assert after.density / before.density == pytest.approx(shock["compression"], rel=1e-4)
        assert 1 < shock["compression"] < 4


def _fluxes(one: solar_wind.Wind, normal: np.ndarray, speed: float) -> list[float]:
    """Mass, momentum and energy flux in the frame that moves with the shock and the upstream tangential flow."""
    density = one.density * 1e6 * plasma.PROTON_MASS
    pressure = 2 * one.density * 1e6 * plasma.BOLTZMANN * one.temperature
    velocity = (one.velocity - speed * normal) * 1e3
    field = one.field * 1e-9
    through, flow = field @ normal, velocity @ normal
    momentum = density * flow * velocity + (pressure + field @ field / (2 * plasma.MU_0)) * normal
    momentum = momentum - through * field / plasma.MU_0
    heat = plasma.GAMMA / (plasma.GAMMA - 1) * pressure
    energy = flow * (density * (velocity @ velocity) / 2 + heat + field @ field / plasma.MU_0)
    energy -= through * (velocity @ field) / plasma.MU_0
    return [density * flow, float(momentum @ normal), energy, through]


def test_mass_ejections_look_like_mass_ejections(ask: Ask) -> None:
    events = ask("wind/truth/icme", "2020-06-01", "2021-06-01").to_pylist()
    assert 5 < len(events) < 23
    cold, slower = [], []
    for event in events:
        start, stop = (str(event[name].replace(tzinfo=None)) for name in ("start", "stop"))
        named = {name: ask(f"wind/{name}", start, stop) for name in ("b_gse", "v_gse", "density", "temperature")}
        middle = slice(len(named["density"]["time"]) // 5, -len(named["density"]["time"]) // 5)
        size = np.linalg.norm(named["b_gse"]["b_gse"], axis=1)[middle]
        speed = np.linalg.norm(named["v_gse"]["v_gse"], axis=1)[middle]
        warmth = named["temperature"]["temperature"].to_numpy()[middle]
        beta = plasma.beta(named["density"]["density"].to_numpy()[middle], 2 * warmth / plasma.KELVIN_PER_EV, size)
        assert np.median(size) > 5.5
        assert np.median(beta) < 0.4
        slower.append(np.polyfit(np.arange(len(speed)), speed, 1)[0] < 0)
        cold.append(np.median(warmth / plasma.expected_temperature(speed)))
    assert np.median(cold) < 0.5
    # But for those that a fast stream pushes.
    assert np.mean(slower) > 0.6


def test_asked_events_overlap_the_interval(ask: Ask) -> None:
    everything = ask("wind/truth/icme")
    one = everything.slice(10, 1).to_pylist()[0]
    start = str(one["start"].replace(tzinfo=None))
    found = ask("wind/truth/icme", start, str(np.datetime64(start) + np.timedelta64(1, "m")))
    assert found.to_pylist() == [one]
    assert ask("wind/truth/icme", "2031-01-01", "2031-02-01").num_rows == 0


def test_the_rope_is_force_free() -> None:
    special = pytest.importorskip("scipy.special")
    x = np.linspace(0, 2.405, 200)
    zero, one = ejections._bessel(x)
    assert np.allclose(zero, special.j0(x), atol=1e-7)
    assert np.allclose(one, special.j1(x), atol=1e-7)
    event = next(
        one for one in solar_wind.near(1, solar_wind.SAMPLING.start, solar_wind.SAMPLING.stop) if one.has_shock
    )
    field = ejections._rope(event, np.linspace(-1, 1, 201))
    size = np.linalg.norm(field, axis=1)
    assert size.argmax() in range(60, 141)
    turned = np.degrees(np.arccos(np.dot(field[5], field[-6]) / size[5] / size[-6]))
    assert turned > 40

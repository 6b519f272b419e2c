"""The sentry's boundaries, moments, distributions and their truth agree with each other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from armillary.missions.simulated import crossings, distributions, orbit
from armillary.missions.simulated.crossings import Plasma
from armillary.science import plasma
from armillary.science.particles.moments import Moments, moments
from armillary.science.particles.quadrature import unit_vectors
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import Array

Ask = Callable[..., Any]
DAYS = ("2024-03-20", "2024-03-23")


def test_the_orbit_is_an_ellipse_with_noon_apogee_in_april() -> None:
    ns = np.arange(crossings.MOMENTS.start, crossings.MOMENTS.stop, 600_000_000_000, np.int64)
    where = orbit.position(ns)
    radius = np.linalg.norm(where, axis=1)
    assert radius.min() == pytest.approx(1.2, abs=0.1)
    assert radius.max() == pytest.approx(16, abs=0.01)
    april = np.abs(ns - np.datetime64("2024-04-01", "ns").astype(np.int64)) < 1e14
    apogee = where[april][np.argmax(radius[april])]
    assert abs(np.degrees(np.arctan2(apogee[1], apogee[0]))) < 3
    # Fastest at perigee, by the vis-viva equation.
    speed = np.linalg.norm(np.diff(orbit.position(ns[0] + np.arange(2) * 1_000_000_000), axis=0)) * 6371.2
    assert speed == pytest.approx(np.sqrt(398600.4418 * (2 / (1.2 * 6371.2) - 1 / (8.6 * 6371.2))), rel=1e-3)


def test_crossings_are_where_the_region_changes(ask: Ask) -> None:
    events = ask("sentry/truth/crossings", *DAYS).to_pylist()
    region = ask("sentry/region", *DAYS)["region"]
    times = region["time"].to_numpy()
    changes = np.flatnonzero(np.diff(region.to_numpy()))
    starts = [np.datetime64(one["start"].replace(tzinfo=None), "ns") for one in events]
    assert len(events) > 6
    assert {one["boundary"] for one in events} == {"magnetopause", "bow shock"}
    assert set(times[changes]) <= set(starts)
    assert all(one["start"] <= one["time"] <= one["stop"] for one in events)
    distance = ask("sentry/truth/boundaries", *DAYS)["boundaries"]
    for one, start in zip(events, starts, strict=True):
        place = int(np.searchsorted(times, start))
        pair = distance.sel(component=one["boundary"]).to_numpy()[place : place + 2]
        assert (pair[0] < 0) != (pair[1] < 0)
        assert (pair[1] < 0) == (one["direction"] == "inbound")


def test_each_region_has_its_plasma(ask: Ask) -> None:
    region = ask("sentry/region", *DAYS)["region"].to_numpy()
    assert set(region) == {0, 1, 2}
    names = {"density": "density", "velocity_gse": "velocity_gse", "temperature": "temperature"}
    found = {name: ask(f"sentry/truth/{name}", *DAYS)[name].to_numpy() for name in names}
    speed = np.linalg.norm(found["velocity_gse"], axis=1)
    density, warmth = (
        [np.median(one[region == k]) for k in range(3)] for one in (found["density"], found["temperature"][:, 1])
    )
    assert 2 < density[1] / density[0] < 5
    assert density[2] < 1.5
    assert 5 * warmth[0] < warmth[1] < 600
    assert 1500 < warmth[2] < 8000
    assert np.median(speed[region == 1]) < 0.8 * np.median(speed[region == 0])
    assert np.median(speed[region == 2]) < 60


def test_the_shock_jump_is_in_the_plasma() -> None:
    ns = crossings.MOMENTS.times(4 * 85)
    state, here = crossings.state(1, ns)
    assert len(state.density) == len(here.region)
    events = [crossings.crossings(1, 4 * 80 + k) for k in range(40)]
    ratios = []
    for one in events:
        for boundary, at in zip(one["boundary"], one["time"], strict=True):
            if boundary != "bow shock":
                continue
            around, where = crossings.state(1, int(at) + np.array([-30, 30], np.int64) * 1_000_000_000)
            if set(where.region) == {0, 1}:
                ratios.append(around.density[where.region == 1][0] / around.density[where.region == 0][0])
    assert len(ratios) > 10
    assert 2.3 < np.median(ratios) < 4.2


def test_noise_of_moments_is_small_and_without_bias(ask: Ask) -> None:
    hour = ("2024-03-20", "2024-03-20T02:00")
    ratio = ask("sentry/ion_density", *hour)["ion_density"] / ask("sentry/truth/density", *hour)["density"]
    assert float(ratio.mean()) == pytest.approx(1, abs=0.003)
    assert float(ratio.std()) == pytest.approx(0.02, rel=0.15)


def sheath(count: int = 1) -> Plasma:
    """Warm, drifting, anisotropic: what the instrument was made for."""
    one = np.ones(count)
    velocity = np.tile([-180.0, 90.0, 40.0], (count, 1))
    return Plasma(20 * one, velocity, 220 * one, 300 * one, np.tile([8.0, -15.0, 12.0], (count, 1)))


def seen(psd: Array) -> Moments:
    return moments(Skymap(psd, distributions.AZIMUTH, distributions.POLAR, distributions.ENERGY))


def test_moments_of_the_noiseless_distribution_are_the_truth() -> None:
    state = sheath()
    direction = unit_vectors(distributions.AZIMUTH[:, None], distributions.POLAR)
    velocity = direction[:, :, None] * plasma.speed_of(distributions.ENERGY)[:, None]
    b = state.field[0] / np.linalg.norm(state.field)
    found = seen(plasma.bi_maxwellian(velocity, 20.0, state.velocity[0], 220.0, 300.0, b)[None])
    assert found.density[0] == pytest.approx(20, rel=1e-3)
    assert found.velocity[0] == pytest.approx(state.velocity[0], rel=1e-3)
    assert b @ found.temperature[0] @ b == pytest.approx(220, rel=1e-3)
    assert found.scalar_temperature[0] == pytest.approx(state.temperature[0], rel=1e-3)


def test_what_a_pixel_sees_on_average_has_nearly_the_same_moments() -> None:
    state = sheath()
    found = seen(distributions.to_psd(distributions.expected_flux(state)))
    assert found.density[0] == pytest.approx(20, rel=0.02)
    assert found.velocity[0] == pytest.approx(state.velocity[0], rel=0.02)
    assert found.scalar_temperature[0] == pytest.approx(state.temperature[0], rel=0.03)


def test_counts_are_poisson_numbers_of_the_expected_flux() -> None:
    block = int((np.datetime64("2024-03-20T02:00", "ns").astype(np.int64) - distributions.SAMPLING.start) / 9e10)
    state, _ = crossings.state(1, distributions.SAMPLING.times(block))
    mean = distributions.expected_flux(state) * distributions.RESPONSE
    counts = distributions.skymap(1, block)["counts"].astype(float)
    chosen = mean > 0.5
    assert chosen.sum() > 500
    score = (counts[chosen] - mean[chosen]) / np.sqrt(mean[chosen])
    assert abs(score.mean()) < 4 / np.sqrt(chosen.sum())
    assert score.std() == pytest.approx(1, abs=0.05)


def test_the_omnidirectional_flux_is_the_mean_over_the_sky() -> None:
    state = sheath()
    state = state._replace(parallel=state.perpendicular)
    flux = distributions.expected_flux(state)[0]
    weight = np.sin(np.radians(distributions.POLAR))
    mean = np.einsum("ape,p->e", flux, weight) / weight.sum() / distributions.AZIMUTHS
    omni = distributions.omni_flux(state)[0]
    strong = omni > omni.max() / 1000
    assert omni[strong] == pytest.approx(mean[strong], rel=0.02)


def test_one_count_and_response_are_told(ask: Ask) -> None:
    found = ask("sentry/ion_skymap", "2024-03-20", "2024-03-20T00:01")
    one = found["counts"].to_numpy() == 1
    level = np.broadcast_to(found["one_count"].to_numpy(), one.shape)
    assert np.allclose(found["psd"].to_numpy()[one], level[one], rtol=1e-5)
    assert found.attrs["efficiency"] == 0.5
    assert found["psd"].attrs["units"] == "s^3/cm^6"

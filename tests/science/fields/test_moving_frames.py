"""Frames that were put in come out, and bad intervals are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science import plasma
from armillary.science.fields import moving_frames as frames
from armillary.science.plasma import Array

numbers = st.tuples(*[st.floats(-400, 400)] * 3)


def turning(n: int = 120) -> Array:
    """A rotational discontinuity with a normal field of 4 nT along x, and a slow change of strength."""
    angle = np.linspace(0.1, 2.6, n)
    size = np.linspace(18, 22, n)
    return np.stack([np.full(n, 4.0), size * np.sin(angle), size * np.cos(angle)], 1)


@given(numbers, st.floats(-3, 3))
def test_the_frame_comes_out(velocity: tuple[float, ...], slip: float) -> None:
    field, moves = turning(), np.array(velocity)
    if np.linalg.norm(moves) < 1:
        moves = np.array([1.0, 2.0, 3.0])
    electric = frames.convection_field(moves + slip * field, field)
    found = frames.de_hoffmann_teller(electric, field)
    assert found.velocity == pytest.approx(moves, abs=1e-6)
    assert found.acceleration.tolist() == [0, 0, 0]
    assert (found.correlation, found.slope) == pytest.approx((1, 1))
    assert found.residue == pytest.approx(0, abs=1e-12)


def test_an_accelerated_frame() -> None:
    field, seconds = turning(), np.linspace(-3, 3, 120)
    moves = np.array([-120.0, 60, 30]) + seconds[:, None] * np.array([5.0, -2, 1])
    electric = frames.convection_field(moves, field)
    found = frames.de_hoffmann_teller(electric, field, seconds=seconds)
    assert found.velocity == pytest.approx([-120, 60, 30])
    assert found.acceleration == pytest.approx([5, -2, 1])
    assert found.residue < 1e-20 < frames.de_hoffmann_teller(electric, field).residue


def test_errors_are_those_of_many_trials() -> None:
    field, moves = turning(), np.array([-120.0, 60, 30])
    random = np.random.default_rng(4)
    # only what is across the field is noise: along it nothing can be learnt
    trials = []
    for _ in range(300):
        _, noise = plasma.along_and_across(np.asarray(random.normal(size=field.shape)), field)
        trials.append(frames.de_hoffmann_teller(frames.convection_field(moves, field) + 0.3 * noise, field))
    spread = np.std([one.velocity for one in trials], axis=0)
    assert spread == pytest.approx(np.median([one.error for one in trials], axis=0), rel=0.15)


def test_a_field_that_does_not_turn_is_refused_unless_the_direction_is_given() -> None:
    straight = np.outer(np.linspace(5, 9, 40), [0.0, 0.0, 1.0])
    electric = frames.convection_field(np.array([-100.0, 20, 0]), straight)
    with pytest.raises(BadData, match="does not turn"):
        frames.de_hoffmann_teller(electric, straight)
    found = frames.de_hoffmann_teller(electric, straight, along=np.array([0.0, 0, 2]))
    assert found.velocity == pytest.approx([-100, 20, 0])


def test_bad_input() -> None:
    field = turning()
    with pytest.raises(BadData, match="zero"):
        frames.de_hoffmann_teller(0 * field, field)
    with pytest.raises(BadData, match="0 samples"):
        frames.de_hoffmann_teller(np.nan * field, field)
    with pytest.raises(BadData, match="no length"):
        frames.de_hoffmann_teller(np.cross(field, [1, 0, 0]), field, along=np.zeros(3))


@pytest.mark.parametrize("sign", [1, -1])
def test_walen_on_a_rotational_discontinuity(sign: int) -> None:
    field, density = turning(), np.linspace(8, 12, 120)
    pressure = np.linspace(0.02, 0.05, 120)
    factor = frames.anisotropy_factor(pressure + 0.01, pressure, np.linalg.norm(field, axis=1))
    assert ((factor > 0) & (factor < 1)).all()
    alfven = frames.alfven_velocity(field, density, anisotropy=factor)
    frame = np.array([-100.0, 30, 10])
    line = frames.walen_test(frame + sign * alfven, frame, alfven)
    assert line == pytest.approx((sign, 0, sign, 360), abs=1e-9)


def test_alfven_velocity_of_heavier_ions_and_of_nothing() -> None:
    field = np.array([[0.0, 0, 5], [0, 0, 5], [0, 0, 5]])
    found = frames.alfven_velocity(field, np.array([5.0, 0.0, np.nan]), mass=4 * plasma.PROTON_MASS)
    assert found[0, 2] == pytest.approx(float(plasma.alfven_speed(5.0, 20.0)))
    assert np.isnan(found[1:]).all()
    assert np.isnan(frames.anisotropy_factor(1.0, 0.0, 5.0))


def test_a_line_through_too_little() -> None:
    with pytest.raises(BadData, match="pairs"):
        frames.straight_line(np.array([1.0, 2, np.nan]), np.array([1.0, 2, 3]))
    with pytest.raises(BadData, match="vary"):
        frames.straight_line(np.ones(5), np.arange(5.0))

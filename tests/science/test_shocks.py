"""What comes out of the jump conserves mass, momentum, energy and tangential electric field."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.science.plasma import GAMMA
from armillary.science.shocks import fast_jump


def fluxes(
    density: float, normal: float, along: float, through: float, field: float, pressure: float
) -> tuple[float, ...]:
    """Mass, normal and tangential momentum, energy and electric field, with mu_0 = 1."""
    energy = density * normal * ((normal**2 + along**2) / 2 + GAMMA / (GAMMA - 1) * pressure / density)
    energy += normal * (through**2 + field**2) - through * (normal * through + along * field)
    return (
        density * normal,
        density * normal**2 + pressure + field**2 / 2,
        density * normal * along - through * field,
        energy,
        normal * field - along * through,
    )


@given(st.floats(1.2, 15), st.floats(0.05, 5), st.floats(-0.99, 0.99))
def test_fluxes_are_conserved(fast_mach: float, beta: float, cosine: float) -> None:
    sound2 = GAMMA * beta / 2
    fast = np.sqrt((1 + sound2 + np.sqrt((1 + sound2) ** 2 - 4 * sound2 * cosine**2)) / 2)
    mach, sine = fast_mach * fast, np.sqrt(1 - cosine**2)
    jump = fast_jump(mach, beta, cosine)
    assert 1 < jump.compression < 4
    before = fluxes(1.0, mach, 0.0, cosine, sine, beta / 2)
    after = fluxes(
        float(jump.compression), mach / float(jump.compression), mach * float(jump.slip),
        cosine, sine * float(jump.field), float(jump.pressure) * beta / 2,
    )  # fmt: skip
    assert after == pytest.approx(before, rel=1e-6, abs=1e-6 * mach**3)


def test_a_perpendicular_shock_has_the_root_of_its_quadratic() -> None:
    # 2 (2 - g) X^2 + (2 b + (g - 1) b M^2 + 2) g X - g (g + 1) b M^2 = 0 with the sonic Mach number M
    mach, beta = 8.0, 1.0
    sonic2 = mach**2 / (GAMMA * beta / 2)
    roots = np.roots([
        2 * (2 - GAMMA), (2 * beta + (GAMMA - 1) * beta * sonic2 + 2) * GAMMA, -GAMMA * (GAMMA + 1) * beta * sonic2,
    ])  # fmt: skip
    assert fast_jump(mach, beta, 0.0).compression == pytest.approx(roots.max())


def test_a_flow_slower_than_the_fast_wave_is_left_alone() -> None:
    jump = fast_jump(np.array([0.0, 0.5, 0.99]), 0.5, 0.3)
    assert np.allclose(jump.compression, 1)
    assert np.allclose(jump.field, 1)
    assert np.allclose(jump.slip, 0)

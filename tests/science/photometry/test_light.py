"""Light through filters against known stars and laws."""

import numpy as np
import pytest

from armillary.missions.simulated.star_field import BANDS
from armillary.science.photometry import light as p


def test_the_sun_at_ten_parsecs_has_its_magnitude() -> None:
    g, ks = BANDS[0], BANDS[5]
    flux = p.star_flux([g.wavelength, ks.wavelength], 5772.0, 1.0, 10.0)
    found = p.magnitude(flux, np.array([g.zero_point, ks.zero_point]))
    # Absolute magnitudes of the Sun: G 4.67 (Casagrande and VandenBerg 2018), Ks 3.27 (Willmer 2018).
    assert found == pytest.approx([4.67, 3.27], abs=0.15)


def test_a_black_body_shines_as_stefan_and_boltzmann_say() -> None:
    wavelength = np.geomspace(0.05, 500, 4000)
    brightness = p.planck(wavelength, 5000.0) * 1e-26
    frequency = p.LIGHT / (wavelength * 1e-6)
    total = np.pi * -np.trapezoid(brightness, frequency)
    assert total == pytest.approx(5.670374e-8 * 5000**4, rel=1e-3)


def test_extinction_in_the_usual_bands() -> None:
    # Cardelli, Clayton and Mathis (1989), table 3 for R_V = 3.1: B, V, I, J, H, K
    assert p.extinction([0.44, 0.55, 0.90, 1.25, 1.65, 2.2]) == pytest.approx(
        [1.337, 1.0, 0.479, 0.282, 0.190, 0.114], abs=0.015
    )


def test_errors_at_the_limit_are_five_sigma() -> None:
    assert p.magnitude_error(20.0, 20.0, 0.0) == pytest.approx(0.217, abs=0.001)
    assert p.magnitude_error(10.0, 20.0, 0.02) == pytest.approx(0.02, rel=1e-3)


def test_the_index_of_a_hot_black_body_is_minus_three() -> None:
    wavelength = np.array([20.0, 40.0])
    assert p.spectral_index(wavelength, p.planck(wavelength, 1e5)) == pytest.approx(-3, abs=0.05)

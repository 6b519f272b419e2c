"""Own HEALPix numbers against astropy_healpix, all levels, both poles."""

import numpy as np
import pytest

from armillary.science.healpix import cell_of_sky, cell_of_source


@pytest.mark.parametrize("level", [0, 1, 5, 12, 29])
def test_cells_are_those_of_astropy(level: int) -> None:
    from astropy import units
    from astropy_healpix import HEALPix

    rng = np.random.default_rng(level)
    ra = rng.uniform(-360, 720, 20_000)
    dec = np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, 19_000))), 90 - rng.uniform(0, 1e-3, 1000)])
    theirs = HEALPix(1 << level, order="nested").lonlat_to_healpix(ra * units.deg, dec * units.deg)
    assert np.array_equal(cell_of_sky(ra, dec, level), theirs)


def test_poles_lie_in_a_cell() -> None:
    cells = cell_of_sky(np.array([0.0, 359.9, 0.0, 359.9]), np.array([90.0, 90.0, -90.0, -90.0]), 4)
    assert (cells >= 0).all()
    assert (cells < 12 * 256).all()


def test_bits_of_a_gaia_source_are_its_place() -> None:
    # Gaia DR3 5937083312263887616 lies at 251.9, -51.2 degrees
    assert cell_of_source(np.array([5937083312263887616]), 6) == cell_of_sky(np.array([251.9]), np.array([-51.2]), 6)

"""Published photometry of young stars, read once."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def canovas(real_data: Path) -> dict[str, Any]:
    """48 sources of rho Ophiuchi (Canovas et al. 2019): magnitudes, fluxes, indices, classes."""
    from astropy.table import Table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = Table.read(real_data / "gaia" / "canovas2019_oph" / "sample_comp" / "10_make_photometry_tb_1.vot")
    return {name: np.ma.filled(table[name].astype(float), np.nan) if table[name].dtype.kind in "fi" else
            np.asarray(table[name]).astype(str) for name in table.colnames}  # fmt: skip

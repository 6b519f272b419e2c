"""Units as archives spell them: one table for what missions read and for what recipes are given."""

import numpy as np
import pytest

from armillary.errors import BadData
from armillary.missions.plasma import canonical
from armillary.missions.plasma.generic import beside
from armillary.missions.plasma.unit_spellings import factor_of
from armillary.science.plasma import ELEMENTARY_CHARGE


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("#/cc", "cm^-3", 1.0), ("m**-3", "cm^-3", 1e-6), ("M/S", "km/s", 1e-3), ("R_E", "km", 6371.2),
        ("kV", "V", 1e3),
        ("J/cm^3", "nPa", 1e15), ("eV/cm^3", "nPa", ELEMENTARY_CHARGE * 1e15), ("s3/m6", "s^3 cm^-6", 1e-12),
        ("odd", "odd", 1.0), ("", "nT", None), ("counts", "eV", None),
    ],
)  # fmt: skip
def test_both_readers_know_the_same(given: str, wanted: str, factor: float | None) -> None:
    assert factor_of(given, wanted) == factor
    for read in (canonical.in_units, beside.in_units):
        if factor is not None:
            assert read(np.array([2.0]), given, wanted, "x").tolist() == [2 * factor]
        elif given:
            with pytest.raises(BadData, match="counts"):
                read(np.array([2.0]), given, wanted, "x")


def test_silence_is_only_taken_for_units_by_who_knows_the_archive() -> None:
    assert canonical.in_units(np.array([2.0]), "", "nT").tolist() == [2.0]
    with pytest.raises(BadData, match="cannot be made nT"):
        beside.in_units(np.array([2.0]), "", "nT", "field")

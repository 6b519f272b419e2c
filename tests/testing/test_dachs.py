"""A real TAP server with the tables of Gaia's archive: what its clients can count on."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from armillary.testing.gaia_layout import JOIN

if TYPE_CHECKING:
    from armillary.testing.dachs import TapServer

pytestmark = pytest.mark.xdist_group("dachs")


@pytest.fixture
def service(dachs: "TapServer") -> Any:
    pyvo = pytest.importorskip("pyvo")
    return pyvo.dal.TAPService(dachs.url)


def test_tables_and_their_units_are_told(service: Any) -> None:
    tables = service.tables
    source = tables["gaiadr3.gaia_source"]
    units = {column.name: (column.unit, column.ucd) for column in source.columns}
    assert units["parallax"] == ("mas", "pos.parallax.trig")
    assert units["phot_g_mean_flux"][0] == "s**-1"
    assert {"gaiadr3.tmass_psc_xsc_join", "gaiadr1.tmass_original_valid", "gaiadr1.allwise_original_valid"} <= set(
        tables.keys()
    )


def test_the_join_brings_all_bands(service: Any) -> None:
    found = service.search(f"{JOIN} WHERE g.random_index < 5000").to_table()
    assert len(found) == 5000
    assert 0.3 < np.mean(~np.ma.getmaskarray(np.ma.masked_invalid(found["j_m"]))) < 0.6

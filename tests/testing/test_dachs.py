"""A real TAP server with the tables of Gaia's archive: what its clients can count on."""

import gc
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import requests

from armillary.science.simulated_sky import simulated_sky
from armillary.testing.gaia_layout import JOIN

if TYPE_CHECKING:
    from armillary.testing.dachs import TapServer

pytestmark = pytest.mark.xdist_group("dachs")
#: The middle of the rho Ophiuchi cluster.
RA, DEC = 246.8, -24.4


@pytest.fixture
def service(dachs: "TapServer") -> Iterator[Any]:
    pyvo = pytest.importorskip("pyvo")
    with requests.Session() as session:
        yield pyvo.dal.TAPService(dachs.url, session=session)
    # pyvo leaves the answer of a refused query open: its socket is collected here, not in the middle of another test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_tables_tell_units_and_ucds(service: Any) -> None:
    tables = service.tables
    assert {"gaiadr3.tmass_psc_xsc_join", "gaiadr1.tmass_original_valid", "gaiadr1.allwise_original_valid"} <= set(
        tables.keys()
    )
    told = {column.name: (column.unit, column.ucd) for column in tables["gaiadr3.gaia_source"].columns}
    assert told["parallax"] == ("mas", "pos.parallax.trig")
    assert told["phot_g_mean_flux"] == ("s**-1", "phot.flux;em.opt")
    assert all(column.description for column in tables["gaiadr1.allwise_original_valid"].columns)


def test_the_join_gives_what_was_simulated(service: Any) -> None:
    found = service.search(f"{JOIN} WHERE g.random_index < 3000").to_table()
    found.sort("random_index")
    truth = simulated_sky(1, 0, 3000)
    assert found["source_id"].tolist() == truth["source_id"].to_pylist()
    for name in ("ra", "parallax", "bp_rp", "j_m", "ks_msigcom", "w1mpro", "w4mpro_error", "ext_flag"):
        got = np.ma.filled(np.ma.asarray(found[name]).astype(float), np.nan)
        np.testing.assert_array_equal(got, truth[name].to_numpy().astype(float), err_msg=name)
    assert [str(text) for text in found["cc_flags"][:50]] == [one or "" for one in truth["cc_flags"].to_pylist()[:50]]


def test_the_numbers_of_2mass_are_not_the_clean_ones(service: Any) -> None:
    wrong = "SELECT COUNT(*) AS n FROM gaiadr3.tmass_psc_xsc_best_neighbour AS n JOIN gaiadr1.tmass_original_valid AS t"
    assert service.search(f"{wrong} ON t.tmass_oid = n.clean_tmass_psc_xsc_oid").to_table()["n"][0] == 0


def test_a_cone_holds_what_lies_in_it(service: Any) -> None:
    where = f"1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {RA}, {DEC}, 1.0))"
    found = service.search(f"SELECT source_id FROM gaiadr3.gaia_source WHERE {where}").to_table()
    sky = simulated_sky(1, 0, 100_000)
    ra, dec = np.radians(sky["ra"].to_numpy() - RA), np.radians(sky["dec"].to_numpy())
    cosine = np.sin(dec) * np.sin(np.radians(DEC)) + np.cos(dec) * np.cos(np.radians(DEC)) * np.cos(ra)
    expected = sky["source_id"].to_numpy()[cosine > np.cos(np.radians(1.0))]
    assert len(expected) > 100
    assert set(found["source_id"].tolist()) == set(expected.tolist())


def test_a_job_runs_in_the_background(service: Any) -> None:
    job = service.submit_job("SELECT source_id FROM gaiadr3.gaia_source", maxrec=200_000)
    assert job.phase == "PENDING"
    job.run()
    job.wait(phases=["COMPLETED", "ERROR"], timeout=120)
    result = job.fetch_result()
    assert (len(result), result.query_status) == (100_000, "OK")
    job.delete()


def test_rows_are_joined_with_an_uploaded_table(service: Any) -> None:
    from astropy.table import Table

    ids = simulated_sky(1, 500, 700)["source_id"].to_numpy()
    query = "SELECT g.source_id, u.mine FROM tap_upload.ids AS u JOIN gaiadr3.gaia_source AS g ON g.source_id = u.id"
    found = service.search(query, uploads={"ids": Table({"id": ids, "mine": np.arange(200)})}).to_table()
    found.sort("mine")
    assert found["source_id"].tolist() == ids.tolist()


@pytest.mark.parametrize(("maxrec", "rows"), [(None, 20_000), (10, 10)])
@pytest.mark.filterwarnings("ignore::pyvo.dal.exceptions.DALOverflowWarning")
def test_too_many_rows_are_told(service: Any, maxrec: int | None, rows: int) -> None:
    result = service.search("SELECT source_id FROM gaiadr3.gaia_source", maxrec=maxrec)
    assert (len(result), result.query_status) == (rows, "OVERFLOW")


@pytest.mark.parametrize(
    ("query", "complaint"),
    [("SELEC 1", "Could not parse"), ("SELECT nothing FROM gaiadr3.gaia_source", "nothing")],
)
def test_a_wrong_query_is_an_error_with_its_reason(service: Any, query: str, complaint: str) -> None:
    from pyvo.dal.exceptions import DALQueryError

    with pytest.raises(DALQueryError, match=complaint):
        service.search(query)


def test_the_service_keeps_the_standard(dachs: "TapServer") -> None:
    if not shutil.which("stilts"):
        pytest.skip("no stilts: apt-get install --no-install-recommends stilts")
    command = ["stilts", "taplint", f"tapurl={dachs.url}", "stages=TMV TMC CPV CAP AVV QGE"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=200).stdout
    assert "Errors: 0;" in said, "\n".join(line for line in said.splitlines() if line.startswith("E-"))

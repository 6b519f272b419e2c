"""The shipped queries: how holes are filled, and what a real TAP server answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from armillary.errors import BadParameter, BadRequest
from armillary.missions.gaia import MISSION
from armillary.missions.gaia.shipped import QUERIES
from armillary.science.photometry.columns import find_columns
from armillary.science.photometry.quality import RULES
from armillary.science.simulated_sky import simulated_sky
from armillary.services.shipped import fill_query
from armillary.sources.tap.adql import canonical, divisible
from armillary.testing.dachs import TapServer

PHOTOMETRY, OF_IDS = QUERIES
#: Ours -> the archive's.
NAMES = {
    "g_mag": "phot_g_mean_mag", "bp_mag": "phot_bp_mean_mag", "j_mag": "j_m", "ks_mag_error": "ks_msigcom",
    "w1_mag": "w1mpro", "w4_mag_error": "w4mpro_error", "ph_qual_2mass": "tmass_ph_qual", "cc_flags": "cc_flags",
    "ph_qual_wise": "allwise_ph_qual", "angular_distance_wise": "allwise_angular_distance", "parallax": "parallax",
}  # fmt: skip


def test_only_the_conditions_that_are_given_stay() -> None:
    text = canonical(PHOTOMETRY.fill({"faint": "18.5", "where": "g.ruwe < 1.4 OR w.ext_flag = 0"}))
    assert text.endswith("where g.phot_g_mean_mag <= 18.5 and ( g.ruwe < 1.4 or w.ext_flag = 0 )")
    assert "{" not in text
    text = canonical(PHOTOMETRY.fill({"ra": 246.8, "dec": -24.5, "radius": 1}))
    assert text.endswith("circle ( 'ICRS' , 246.8 , - 24.5 , 1.0 ) )")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "asks for all there is"),
        ({"ra": 10}, "ra of the query photometry without dec"),
        ({"ra": 10, "dec": 95, "radius": 1}, "'dec' cannot be 95"),
        ({"fainter": 3}, "no parameter 'fainter'"),
        ({"faint": "bright"}, "'faint' cannot be 'bright'"),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        PHOTOMETRY.fill(given)


@pytest.mark.parametrize(
    "where", ["1=1) OR (g.ra > 0", "1=1) --", "g.ra > 0 -- of all", "g.ra > (2", "1=1); DROP TABLE x; SELECT (1"]
)
def test_a_condition_stays_inside_its_brackets(where: str) -> None:
    with pytest.raises(BadRequest, match="query"):
        fill_query(PHOTOMETRY, {"faint": 10, "where": where})
    assert "( g.ra > 0 or ( g.dec < 2 ) )" in canonical(fill_query(PHOTOMETRY, {"where": "g.ra > 0 OR (g.dec < 2)"}))


def test_the_list_shows_them(cli: Callable[..., Any]) -> None:
    shown = cli("adql", "--list")
    assert "gaia/photometry_of_ids" in shown.out
    assert "random_index" in shown.out
    records = json.loads(cli("adql", "--list", "--json").out)
    assert [one["name"] for one in records] == [f"gaia/{one.name}" for one in MISSION.queries]
    assert cli("adql", "gaia/photometry", "--param", "faint=5", "--show").out.strip().endswith("<= 5.0")
    for words, said in (
        (("gaia/nothing",), "it ships gaia/photometry"),
        ((), "there is no query"),
        (("SELECT 1", "--param", "a=1"), "--param is for shipped queries"),
        (("gaia/photometry", "--param", "faint"), "sets no parameter"),
    ):
        ran = cli("adql", *words)
        assert ran.status == 1
        assert said in ran.err


def test_a_list_of_ids_may_be_sent_in_parts() -> None:
    assert divisible(OF_IDS.fill({}), "mine")


def test_every_column_has_a_role_that_rules_know() -> None:
    given = [
        line.rsplit(" ", 1)[-1].rpartition(".")[2]
        for line in PHOTOMETRY.text.partition("FROM")[0].replace("\n", ",").split(",")
    ]
    found = find_columns(dict.fromkeys(given, np.zeros(1)))
    assert len(found.bands) == 10
    assert {f"{band.name}_error" for band in found.bands} <= set(found.names)
    # snr and chi^2 of WISE are not in the archive's copy; rules of BP and RP ask for the archive's own names
    needed = {one for rule in RULES.values() for one in rule.columns} - {"w3snr", "w3rchi2", "w4snr", "w4rchi2"}
    assert needed <= set(found.archive)


@pytest.fixture(scope="module")
def answer(dachs: TapServer, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    folder = tmp_path_factory.mktemp("answers")

    def ask(cli: Callable[..., Any], *words: str) -> Any:
        file = folder / f"{len(list(folder.iterdir()))}.parquet"
        ran = cli("adql", *words, "--archive", dachs.url, "-o", file)
        assert ran.status == 0, ran.err
        return parquet.read_table(file).sort_by("source_id")

    return ask


@pytest.mark.xdist_group("dachs")
def test_a_real_server_joins_the_five_tables(answer: Callable[..., Any], cli: Callable[..., Any]) -> None:
    rows = 3000
    made = answer(cli, "gaia/photometry", "--param", "first=0", "--param", f"stop={rows}")
    everything = simulated_sky(1, 0, 100_000)
    wanted = everything.filter(pa.array(everything.column("random_index").to_numpy() < rows)).sort_by("source_id")
    assert made.column("source_id").equals(wanted.column("source_id"))
    for ours, theirs in NAMES.items():
        one, other = made.column(ours), wanted.column(theirs)
        assert one.null_count == other.null_count, ours
        if pa.types.is_floating(other.type):
            np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=1e-6, err_msg=ours)
        else:
            assert [str(cell).strip() for cell in one.to_pylist()] == [str(cell).strip() for cell in other.to_pylist()]
    errors = 1.0857362 / wanted.column("phot_g_mean_flux_over_error").to_numpy()
    np.testing.assert_allclose(made.column("g_mag_error").to_numpy(), errors, rtol=1e-5)
    assert made.column("w1_mag").null_count < rows
    assert made.schema.field("j_mag").metadata[b"unit"] == b"mag"


@pytest.mark.xdist_group("dachs")
def test_a_circle_and_a_list_of_ids_agree(answer: Callable[..., Any], cli: Callable[..., Any], tmp_path: Path) -> None:
    everything = simulated_sky(1, 0, 100_000)
    ra, dec = (float(everything.column(name)[7].as_py()) for name in ("ra", "dec"))
    knobs = [f"ra={ra}", f"dec={dec}", "radius=4", "faint=20", "where=g.parallax IS NOT NULL"]
    circle = answer(cli, "gaia/photometry", *(word for one in knobs for word in ("--param", one)))
    assert circle.num_rows > 3
    parquet.write_table(circle.select(["source_id"]), tmp_path / "ids.parquet")
    listed = answer(cli, "gaia/photometry_of_ids", "--upload", f"mine={tmp_path / 'ids.parquet'}")
    assert listed.column_names == circle.column_names
    for name in circle.column_names:
        assert listed.column(name).to_pylist() == circle.column(name).to_pylist(), name


@pytest.mark.xdist_group("dachs")
def test_recipes_hang_under_the_tables_of_a_service(dachs: TapServer, cli: Callable[..., Any], tmp_path: Path) -> None:
    added = cli("add", "tap", dachs.url, "--name", "sky")
    assert added.status == 0, added.err
    everything = simulated_sky(1, 0, 100_000)
    ra, dec = (float(everything.column(name)[7].as_py()) for name in ("ra", "dec"))
    out = tmp_path / "colours.parquet"
    ran = cli("get", "sky/gaiadr3/gaia_source/colours", "--cone", f"{ra},{dec},4", "-o", out)
    assert ran.status == 0, ran.err
    made = parquet.read_table(out)
    assert 3 < made.num_rows < 5000
    known = dict(zip(everything.column("source_id").to_pylist(), everything.column("bp_rp").to_pylist(), strict=True))
    one = next(row for row in made.to_pylist() if row["bp_rp"] is not None)
    assert one["bp_rp"] == pytest.approx(known[one["source_id"]], abs=1e-4)
    assert "sed" in cli("tree", "sky/gaiadr1/allwise_original_valid").out

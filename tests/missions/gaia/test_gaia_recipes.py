"""What the recipes make of tables, compared with the functions that they stand for."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import armillary
from armillary.errors import BadData, BadParameter, Unknown
from armillary.missions.gaia import MISSION
from armillary.missions.gaia.distances import luminosities
from armillary.missions.gaia.energy import colours, sed
from armillary.missions.gaia.indices import indices
from armillary.missions.gaia.photospheres import photosphere
from armillary.missions.gaia.quality import quality
from armillary.model import Recipe
from armillary.model.kinds import column_unit, table_attrs
from armillary.science.photometry.alpha import classes, index_between
from armillary.science.photometry.seds import build
from armillary.science.simulated_sky import simulated_sky

ROWS = 400


@pytest.fixture(scope="module")
def sky() -> Any:
    return simulated_sky(1, 0, ROWS)


def make(recipe: Recipe, table: Any, **params: Any) -> Any:
    """Call a recipe with its defaults."""
    return recipe.function(table=table, **{one.name: one.default for one in recipe.parameters} | params)


def column(table: Any, name: str) -> Any:
    return table.column(name).to_numpy().astype(float)


def test_fluxes_are_those_of_the_kernel(sky: Any) -> None:
    made = make(sed, sky, quantity="f_nu")
    seds = build(np.stack([column(sky, "j_m"), column(sky, "ks_m")], 1), None, "J Ks")
    np.testing.assert_allclose(column(made, "j_flux"), seds.f_nu[:, 0])
    np.testing.assert_allclose(column(made, "ks_flux"), seds.f_nu[:, 1])
    assert column_unit(made.schema.field("ks_flux")) == "Jy"
    assert made.schema.field("ks_flux").metadata[b"ucd"] == b"phot.flux.density"
    assert table_attrs(made)["bands"][0] == "G"
    errors = column(made, "g_flux_error") / column(made, "g_flux")
    np.testing.assert_allclose(errors, 1 / column(sky, "phot_g_mean_flux_over_error"), rtol=1e-6)


def test_limits_are_flagged_and_tell_no_class(sky: Any) -> None:
    limit = np.char.startswith(np.array([str(one)[3:] for one in sky.column("allwise_ph_qual").to_pylist()]), "U")
    made = make(sed, sky)
    assert made.column("w4_limit").to_numpy()[limit].all()
    assert limit.any()
    told = make(indices, sky, by="ks_w4")
    assert all(one is None for one in told.column("lada_class").filter(pa.array(limit)).to_pylist())


def test_indices_are_those_of_the_function(sky: Any) -> None:
    made = make(indices, sky, by="ks_w4", colour_correction="none")
    names = [("ks_m", "ks_msigcom"), ("w4mpro", "w4mpro_error")]
    values, errors = (np.stack([column(sky, one[side]) for one in names], 1) for side in (0, 1))
    letters = [str(one) for one in sky.column("allwise_ph_qual").to_pylist()]
    limits = np.array([[False, one[3:] == "U"] for one in letters])
    alpha = index_between(build(values, errors, "Ks W4", limits=limits)).alpha
    np.testing.assert_allclose(column(made, "alpha_ks_w4"), alpha)
    assert [one or "" for one in made.column("lada_class").to_pylist()] == classes(alpha).tolist()
    assert np.isfinite(alpha).sum() > 5


def test_quality_blanks_bands_and_flags_sources(sky: Any) -> None:
    made = make(quality, sky)
    told = table_attrs(made)
    assert made.num_rows == ROWS
    assert told["counts"]["rows"] == ROWS
    bad = column(sky, "ruwe") > 1.4
    assert not made.column("good").to_numpy()[bad].any()
    assert bad.sum() == told["counts"]["ruwe"] > 0
    assert all("ruwe" in one for one in made.column("failed").filter(pa.array(bad)).to_pylist())
    assert made.column("w3mpro").null_count > sky.column("w3mpro").null_count
    off = make(quality, sky, **{one.name: False for one in quality.parameters if one.type == "bool"})
    assert off.select(sky.column_names).equals(sky)
    assert off.column("good").to_numpy().all()
    assert off.column("failed").null_count == ROWS


def test_luminosity_takes_the_distance_that_is_asked_for(sky: Any) -> None:
    near = column(sky, "parallax") / column(sky, "parallax_error") > 5
    made = make(luminosities, sky, zero_point=False)
    np.testing.assert_allclose(column(made, "distance")[near], 1000 / column(sky, "parallax")[near])
    assert not np.isfinite(column(made, "distance")[~near]).any()
    shifted = column(make(luminosities, sky), "distance")[near]
    assert np.nanmedian(shifted / column(made, "distance")[near]) < 1  # the zero point is negative
    own = {
        name: pa.array(np.full(ROWS, value)) for name, value in (("rgeo", 100.0), ("b_rgeo", 90.0), ("B_rgeo", 120.0))
    }
    with_own = sky
    for name, values in own.items():
        with_own = with_own.append_column(name, values)
    assert set(column(make(luminosities, with_own), "distance")) == {100.0}
    with pytest.raises(BadParameter, match="photogeo"):
        make(luminosities, sky, distance="photogeo")


def test_what_became_of_the_zero_point_is_told(sky: Any) -> None:
    told = [
        table_attrs(make(luminosities, table, zero_point=on))["parallax_zero_point"]
        for table, on in ((sky, True), (sky, False), (sky.drop_columns(["ecl_lat"]), True))
    ]
    assert told[0].startswith("taken out")
    assert told[1] == "not asked for"
    assert told[2] == "not taken out: there is no column for ecl_lat"


def test_no_luminosity_where_most_of_it_was_not_seen(sky: Any) -> None:
    made, strict = make(luminosities, sky), make(luminosities, sky, most_outside=0.2)
    much = column(made, "outside") > 0.2
    assert much.any()
    for name in ("bolometric_flux", "luminosity", "luminosity_error"):
        assert np.array_equal(np.isnan(column(strict, name)), np.isnan(column(made, name)) | much)


def test_a_flux_is_no_luminosity_by_its_ucd(sky: Any) -> None:
    made = make(luminosities, sky)
    told = {one: made.schema.field(one).metadata[b"ucd"].decode() for one in ("bolometric_flux", "luminosity")}
    assert told == {"bolometric_flux": "phot.flux.bol", "luminosity": "phys.luminosity"}


def test_sources_keep_the_name_they_have(sky: Any) -> None:
    named = sky.drop_columns(["source_id"]).append_column("ID", pa.array([f"star {at}" for at in range(ROWS)]))
    assert make(luminosities, named).column_names[:3] == ["ID", "ra", "dec"]
    assert make(sed, named).column_names[:3] == ["ID", "ra", "dec"]


def test_dust_makes_hotter_and_brighter(sky: Any) -> None:
    plain, dusty = (make(photosphere, sky, a_v=a_v) for a_v in (0.0, 2.0))
    assert np.nanmedian(column(dusty, "teff") / column(plain, "teff")) > 1.05
    assert np.nanmedian(column(make(luminosities, sky, a_v=2.0), "luminosity")) > np.nanmedian(
        column(make(luminosities, sky), "luminosity")
    )
    fitted = make(photosphere, sky, a_v_most=1.0)
    assert set(np.unique(column(fitted, "a_v")[np.isfinite(column(fitted, "a_v"))])) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    with pytest.raises(BadParameter, match="no file"):
        make(photosphere, sky, grid="nowhere.gz")


def test_colours_are_differences(sky: Any) -> None:
    made = make(colours, sky)
    expected = column(sky, "phot_bp_mean_mag") - column(sky, "phot_rp_mean_mag")
    known = np.isfinite(column(made, "bp_rp"))
    np.testing.assert_allclose(column(made, "bp_rp")[known], expected[known], atol=1e-6)
    good = np.isfinite(column(made, "g_absolute"))
    modulus = 5 * np.log10(100 / column(sky, "parallax")[good])
    np.testing.assert_allclose(column(made, "g_absolute")[good], column(sky, "phot_g_mean_mag")[good] - modulus)


@pytest.mark.real
def test_a_grid_of_models_is_read(real_data: Path, sky: Any) -> None:
    grids = sorted((real_data / "gaia").rglob("*CK04*"))
    if not grids:
        pytest.skip("no grid of Castelli and Kurucz among the real files")
    made = make(photosphere, sky, grid=str(grids[0]), logg=4.5)
    assert table_attrs(made)["models"] == grids[0].name
    assert np.isfinite(column(made, "teff")).mean() > 0.5


def test_they_hang_under_every_table_with_bands(tmp_path: Path, sky: Any) -> None:
    names = {
        "j_m": "Jmag",
        "j_msigcom": "e_Jmag",
        "ks_m": "Kmag",
        "ks_msigcom": "e_Kmag",
        "w2mpro": "W2mag",
        "ra": "RA",
    }
    vizier = sky.select([*names, "dec"]).rename_columns([*names.values(), "DEC"])
    csv.write_csv(vizier, tmp_path / "vizier.csv")
    parquet.write_table(sky.select(["source_id", "ra", "dec"]), tmp_path / "bare.parquet")
    desk = armillary.open(tmp_path)
    below = {one.path.rpartition("/")[2] for one in desk.inventory.children("local/vizier")}
    assert {"sed", "colours", "indices", "photosphere", "quality"} <= below
    assert "luminosity" not in below
    assert not desk.inventory.children("local/bare")
    made = desk.get("local/vizier/quality/sed", params={"quantity": "f_nu"})
    np.testing.assert_allclose(column(made, "j_flux"), column(make(sed, sky, quantity="f_nu"), "j_flux"), rtol=2e-6)
    observatory = {one.path for one in desk.inventory.children("simulated/stars/photometry")}
    assert observatory == {f"simulated/stars/photometry/{one.output[8:]}" for one in MISSION.recipes}


def test_what_is_wrong_is_told(sky: Any) -> None:
    kelvin = pa.field("j_m", sky.schema.field("j_m").type, metadata={"unit": "K"})
    with pytest.raises(BadData, match="j_m is in K"):
        make(sed, sky.set_column(sky.column_names.index("j_m"), kelvin, sky.column("j_m")))
    with pytest.raises(Unknown, match="no column 'jay'"):
        make(sed, sky, columns="J=jay")
    with pytest.raises(Unknown, match="no column is for 'Q'"):
        make(sed, sky, columns="Q=j_m")
    with pytest.raises(BadData, match="-999"):
        make(sed, pa.table({"source_id": [1, 2], "j_m": [-999.0, 1.0], "ks_m": [1.0, 2.0]}))


def test_a_part_of_the_sky_or_some_rows_are_cut_before_the_work(tmp_path: Path, sky: Any) -> None:
    from armillary.services.desk import ask

    csv.write_csv(sky, tmp_path / "text.csv")
    parquet.write_table(sky, tmp_path / "fast.parquet")
    desk = armillary.open(tmp_path)
    cone = (float(sky.column("ra")[7].as_py()), float(sky.column("dec")[7].as_py()), 20.0)
    for name in ("text", "fast"):
        steps = desk.plan(ask(f"local/{name}/quality/sed", cone=cone)).steps
        assert all(one.request.extent.cone and not one.residual.cone for one in steps)
        near = desk.get(f"local/{name}", cone=cone).column("source_id")
        assert desk.get(f"local/{name}/quality/sed", cone=cone).column("source_id").equals(near)
        assert 0 < len(near) < ROWS
        some = desk.get(f"local/{name}/sed", rows=(5, 15))
        assert some.column("source_id").equals(sky.column("source_id").slice(5, 10))
        told = desk.get(f"local/{name}/indices", where="lada_class is not null")
        assert told.column("lada_class").null_count == 0


def test_counts_of_blocks_are_added_up(sky: Any) -> None:
    from armillary.science.join import join

    whole = make(quality, sky)
    joined = join([make(quality, sky.slice(0, 150)), make(quality, sky.slice(150))])
    assert table_attrs(joined)["counts"] == table_attrs(whole)["counts"]
    assert joined.column("failed").to_pylist() == whole.column("failed").to_pylist()

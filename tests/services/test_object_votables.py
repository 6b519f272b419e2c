"""Tables of objects as VOTables all the way: a TAP answer, a recipe, a model's answers, a catalogue."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import armillary as arm
from armillary.catalogues import Entry
from armillary.catalogues.exchange import export_file
from armillary.model.kinds import column
from armillary.products.columns import described
from armillary.testing.dachs import TapServer
from armillary.testing.gaia_layout import archive_tables

PHOTOMETRY = "simulated/stars/photometry"


def parsed(path: Path) -> Any:
    from astropy.io.votable import parse

    return parse(str(path), verify="exception", unit_format="vounit")


def ucds(path: Path) -> dict[str, str]:
    return {one.name: one.ucd for one in parsed(path).get_first_table().fields}


def told(path: Path) -> Mapping[str, str]:
    (group,) = parsed(path).get_first_table().groups
    return {one.name: one.value for one in group.entries if hasattr(one, "value")}


def votlint(path: Path) -> str:
    if not shutil.which("stilts"):
        return ""  # the test of the writer says loudly that it is not there
    asked = subprocess.run(["stilts", "votlint", str(path)], capture_output=True, text=True, timeout=120, check=False)
    return asked.stdout.strip()


def with_ucd(name: str, kind: pa.DataType, unit: str, ucd: str) -> pa.Field:
    made = column(name, kind, unit, f"{name} of the archive")
    return made.with_metadata({**made.metadata, b"ucd": ucd.encode()})


def test_a_recipe_keeps_what_the_archive_said_of_columns() -> None:
    given = pa.schema(
        [with_ucd("ra", pa.float64(), "deg", "pos.eq.ra"), with_ucd("g", pa.float64(), "mag", "phot.mag")]
    )
    source = pa.Table.from_arrays([[1.0], [2.0]], schema=given)
    own = column("g", pa.float64(), "Jy", "flux")
    made = pa.Table.from_arrays(
        [[1.0], [2.0], [3.0]], schema=pa.schema([pa.field("ra", pa.float64()), own, ("n", "f8")])
    )
    kept = described(made, [None, source, 3]).schema
    assert kept.field("ra").metadata == given.field("ra").metadata
    assert kept.field("g").metadata == own.metadata  # another unit is another quantity
    assert kept.field("n").metadata is None
    assert (
        described(made.select(["ra"]).cast(pa.schema([("ra", pa.float32())])), [source]).schema.field("ra").metadata
        is None
    )


def test_colours_of_the_tree_are_exported_with_ucds(tmp_path: Path) -> None:
    desk = arm.open(home=tmp_path / "home")
    made = arm.write(desk.get("simulated/stars/colours", rows=(0, 50)), tmp_path / "colours.vot")
    found = ucds(made)
    assert found["source_id"] == "meta.id;meta.main"
    assert told(made)["request"].startswith("{")
    assert json.loads(told(made)["lineage"])[0]["product"] == PHOTOMETRY
    assert votlint(made) == ""


@pytest.mark.parametrize("name", ["sed", "colours", "indices", "luminosity", "photosphere", "quality"])
def test_what_recipes_make_of_photometry_has_valid_ucds(name: str, tmp_path: Path) -> None:
    from astropy.io.votable.ucd import check_ucd

    desk = arm.open(home=tmp_path / "home")
    rows = desk.get(f"{PHOTOMETRY}/{name}", params={}, where="dec > -0.3" if name != "photosphere" else "ra < 80.2")
    found = ucds(arm.write(rows, tmp_path / "it.vot"))
    assert sum(bool(one) for one in found.values()) > 0.3 * len(found)
    assert [one for one in found.items() if one[1] and not check_ucd(one[1], check_controlled_vocabulary=True)] == []


def test_objects_of_a_catalogue_are_exported_with_ucds(tmp_path: Path) -> None:
    desk = arm.open(home=tmp_path / "home")
    desk.catalogues.new("discs", "objects", description="found by é model")
    rows = [
        Entry(ra=1.0, dec=2.0, source_id="7", class_="II", model="discs: forest", model_version="abc",
              attributes={"probability": 0.9, "alpha": -0.5, "trust": "ok"}),
        Entry(ra=2.0, dec=3.0, source_id="8", class_="é", attributes={"probability": 0.5}),
    ]  # fmt: skip
    desk.catalogues.add("discs", rows)
    export_file(desk.catalogues, "discs", tmp_path / "discs.vot")
    found = ucds(tmp_path / "discs.vot")
    assert found["ra"] == "pos.eq.ra;meta.main"
    assert (found["class"], found["probability"]) == ("meta.code.class", "stat.probability")
    assert (found["alpha"], found["trust"]) == ("spect.index", "meta.code.qual")
    assert told(tmp_path / "discs.vot")["model"] == "discs: forest"
    assert votlint(tmp_path / "discs.vot") == ""


@pytest.mark.xdist_group("dachs")
def test_ucds_of_a_tap_answer_reach_the_export(dachs: TapServer, cli: Callable[..., Any], tmp_path: Path) -> None:
    text = "SELECT TOP 50 source_id, ra, dec, phot_g_mean_mag, phot_bp_rp_excess_factor FROM gaiadr3.gaia_source"
    asked = cli("adql", text, "--archive", dachs.url, "-o", tmp_path / "it.vot")
    assert asked.status == 0, asked.err
    sky = archive_tables(seed=1, rows=10)["gaiadr3.gaia_source"].rows.schema
    served = {name: sky.field(name).metadata[b"ucd"].decode() for name in ("ra", "dec", "phot_g_mean_mag")}
    assert served.items() <= ucds(tmp_path / "it.vot").items()
    table = parsed(tmp_path / "it.vot").get_first_table()
    assert table.get_field_by_id("phot_g_mean_mag").unit == "mag"
    assert len(table.array) == 50
    assert told(tmp_path / "it.vot")["query"] == text
    assert votlint(tmp_path / "it.vot") == ""

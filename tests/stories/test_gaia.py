"""An astronomer: stars near a place and a colour-magnitude diagram."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from astropy.table import Table

STARS = "simulated/stars/photometry"


def test_from_a_search_to_nearby_stars_and_a_diagram(cli: Callable[..., Any], tmp_path: Path) -> None:
    found = json.loads(cli("tree", "--search", "stars bands", "--json").out)
    assert [one["path"] for one in found if one["kind"] == "sources"] == [STARS]

    near = tmp_path / "near.parquet"
    cone = ("--cone", "83.8,-5.4,1")
    assert cli("get", STARS, *cone, "--where", "parallax > 2 AND g_mag < 17", "-o", near).status == 0
    table = pq.read_table(near)
    assert table.num_rows > 10
    assert min(table["parallax"].to_pylist()) > 2
    assert max(table["g_mag"].to_pylist()) < 17
    assert _distance(table["ra"].to_numpy(), table["dec"].to_numpy(), 83.8, -5.4).max() <= 1
    assert table.schema.field("parallax").metadata[b"unit"] == b"mas"

    votable = tmp_path / "near.vot"
    assert cli("get", STARS, *cone, "--where", "parallax > 2 AND g_mag < 17", "-o", votable).status == 0
    judged = Table.read(votable, format="votable")
    assert len(judged) == table.num_rows
    assert str(judged["ra"].unit) == "deg"
    assert np.array_equal(judged["source_id"], table["source_id"].to_numpy())

    assert cli("plot", STARS, "--where", "parallax > 2", "-o", tmp_path / "cmd.svg").status == 0
    drawn = (tmp_path / "cmd.svg").read_text("utf-8")
    assert "right ascension" in drawn
    assert "BP" in drawn


def test_a_folder_of_what_was_saved_is_an_archive(cli: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    for ending in ("parquet", "vot", "fits", "csv"):
        assert cli("get", STARS, "--rows", "0,200", "-o", folder / f"{ending}-stars.{ending}").status == 0
    leaves = json.loads(cli("tree", "local", "--json", "--archive", folder).out)
    assert {(one["path"], one["kind"]) for one in leaves} == {
        (f"local/{ending}-stars", "sources") for ending in ("parquet", "vot", "fits", "csv")
    }
    counts = {len(_rows(cli, folder, one["path"], tmp_path)) for one in leaves}
    assert len(counts) == 1


def _rows(cli: Callable[..., Any], folder: Path, path: str, place: Path) -> Any:
    out = place / "again.parquet"
    ran = cli("get", path, "--where", "parallax > 1", "-o", out, "--archive", folder)
    assert ran.status == 0, ran.err
    return pq.read_table(out)["source_id"].to_pylist()


def _distance(ra: Any, dec: Any, ra0: float, dec0: float) -> Any:
    """Great-circle distance in degrees by unit vectors."""

    def unit(a: Any, d: Any) -> Any:
        a, d = np.radians(a), np.radians(d)
        return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])

    return np.degrees(np.arccos(np.clip(np.tensordot(unit(ra0, dec0), unit(ra, dec), 1), -1, 1)))

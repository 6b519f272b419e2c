"""The TAP client against a real server that nobody here wrote: GAVO DaCHS, with the tables of Gaia's archive."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import armillary as arm
from armillary.errors import BadAnswer, BadExtent, BadParameter, BadPredicate, BadRequest, Cancelled
from armillary.model import Archive, Box, Cone, Extent, Product, Request, Rows, silent
from armillary.model.kinds import column_unit
from armillary.science.trim import trim
from armillary.services.desk import ask
from armillary.services.queries import FreeQuery, Outcome, ask_freely, tap_archive_of
from armillary.sources.tap import TapSource, jobs, paging, survey
from armillary.sources.tap.known import tap_archive
from armillary.testing import SourceContract
from armillary.testing.dachs import TapServer

pytestmark = pytest.mark.xdist_group("dachs")

_GAIA = "gaia/gaiadr3/gaia_source"
_JOIN = """
SELECT g.source_id, g.phot_g_mean_mag, t.j_m, w.w1mpro  -- the way that the archive documents
FROM gaiadr3.gaia_source AS g
LEFT OUTER JOIN gaiadr3.tmass_psc_xsc_best_neighbour AS tn ON tn.source_id = g.source_id
LEFT OUTER JOIN gaiadr3.tmass_psc_xsc_join AS tj ON tj.clean_tmass_psc_xsc_oid = tn.clean_tmass_psc_xsc_oid
LEFT OUTER JOIN gaiadr1.tmass_original_valid AS t ON t.designation = tj.original_psc_source_id
LEFT OUTER JOIN gaiadr3.allwise_best_neighbour AS wn ON wn.source_id = g.source_id
LEFT OUTER JOIN gaiadr1.allwise_original_valid AS w ON w.allwise_oid = wn.allwise_oid
WHERE g.random_index < 3000
"""


@pytest.fixture(scope="module")
def source(dachs: TapServer, tmp_path_factory: pytest.TempPathFactory) -> TapSource:
    """The service, listed."""
    found = TapSource("gaia", dachs.url, tmp_path_factory.mktemp("tap"))
    found.inventory(silent)
    return found


@pytest.fixture(scope="module")
def leaf(source: TapSource) -> Product:
    """The table of sources."""
    return next(one for one in source.inventory(silent) if one.path == _GAIA)


@pytest.fixture(scope="module")
def sky(source: TapSource, leaf: Product) -> pa.Table:
    """Places and magnitudes of all 100,000 sources."""
    return source.fetch(leaf, _ask(columns="source_id,ra,dec,phot_g_mean_mag,parallax,random_index"), silent)


def _ask(extent: Extent = Extent(), **params: Any) -> Request:  # noqa: B008 - frozen
    return Request(_GAIA, extent, params)


def _ids(table: pa.Table) -> list[int]:
    return sorted(table["source_id"].to_pylist())


def test_tables_and_columns_are_listed_with_units_and_ucds(source: TapSource, leaf: Product) -> None:
    paths = {one.path for one in source.inventory(silent)}
    assert {_GAIA, "gaia/gaiadr1/allwise_original_valid", "gaia/gaiadr3/tmass_psc_xsc_join"} <= paths
    assert leaf.kind == "sources"
    columns = {one.bare: one for one in source.columns(leaf, silent)}
    assert columns["ra"].unit == "deg"
    assert columns["ra"].ucd == "pos.eq.ra;meta.main"
    assert "parallax" in leaf.description


def test_the_list_beside_tap_schema_tells_the_same(source: TapSource, leaf: Product) -> None:
    with source._service() as service:
        found = survey._vosi(service, silent)
    assert {one.name for one in found.tables} >= {leaf.address, "gaiadr1.tmass_original_valid"}
    there = {one.bare: (one.unit, one.ucd) for one in found.columns[leaf.address]}
    assert there == {one.bare: (one.unit, one.ucd) for one in source.columns(leaf, silent)}


def test_all_rows_come_though_the_server_gives_20_000_by_itself(sky: pa.Table) -> None:
    assert sky.num_rows == 100_000
    assert sorted(sky["random_index"].to_pylist()) == list(range(100_000))
    assert column_unit(sky.schema.field("ra")) == "deg"
    assert sky.schema.field("dec").metadata[b"ucd"] == b"pos.eq.dec;meta.main"


@pytest.mark.parametrize(
    "extent",
    [
        Extent(where="phot_g_mean_mag < 9 AND NOT parallax < 1"),
        Extent(where="parallax / phot_g_mean_mag > 2 OR source_id IS NULL"),
        Extent(where="phot_g_mean_mag BETWEEN 8 AND 8.4 OR phot_g_mean_mag IN (12, 13.5)"),
    ],
    ids=["and-not", "division", "between-in"],
)
def test_a_predicate_means_the_same_there_as_here(
    source: TapSource, leaf: Product, sky: pa.Table, extent: Extent
) -> None:
    wanted = trim(sky, extent)
    found = source.fetch(leaf, _ask(extent, columns="source_id"), silent)
    assert _ids(found) == _ids(wanted)
    assert 0 < found.num_rows < 50_000


def test_a_cone_and_a_box_mean_the_same_there_as_here(source: TapSource, leaf: Product, sky: pa.Table) -> None:
    ra, dec = sky["ra"][0].as_py(), sky["dec"][0].as_py()
    places = [Extent(cone=Cone(ra, dec, 3.0)), Extent(box=Box(-4.0, -80.0, 5.0, 60.0))]
    for extent in places:
        found = source.fetch(leaf, _ask(extent, columns="source_id"), silent)
        assert _ids(found) == _ids(trim(sky, extent))
        assert found.num_rows


def test_rows_are_those_of_the_random_index(source: TapSource, leaf: Product) -> None:
    found = source.fetch(leaf, _ask(Extent(rows=Rows(10, 30)), columns="random_index"), silent)
    assert sorted(found["random_index"].to_pylist()) == list(range(10, 30))
    few = source.fetch(leaf, _ask(top=7), silent)
    assert few.num_rows == 7


def test_the_first_rows_of_a_table_without_numbers_are_cut_here(source: TapSource) -> None:
    path = "gaia/gaiadr1/allwise_original_valid"
    table = next(one for one in source.inventory(silent) if one.path == path)
    found = source.fetch(table, Request(path, Extent(rows=Rows(5, 25), where="w1mpro > 0")), silent)
    assert 0 < found.num_rows <= 20


def test_the_join_of_the_archive(source: TapSource) -> None:
    rows = pa.concat_tables(source.query(_JOIN, silent))
    assert rows.num_rows >= 3_000
    matched = rows["j_m"].null_count
    assert 0 < matched < rows.num_rows
    assert column_unit(rows.schema.field("w1mpro")) == "mag"


def test_a_job_gives_what_a_question_at_once_gives_and_is_gone_afterwards(source: TapSource) -> None:
    text = "SELECT source_id FROM gaiadr3.gaia_source WHERE random_index < 100"
    at_once = pa.concat_tables(source.query(text, silent, mode="sync"))
    seen: list[str] = []

    def watch(_fraction: float, _message: str = "") -> None:
        seen.extend(_jobs(source))

    by_job = pa.concat_tables(source.query(text, watch, mode="async"))
    assert _ids(by_job) == _ids(at_once)
    assert seen
    assert not _jobs(source)
    assert _status(seen[0]) == 404


def test_a_stopped_job_is_deleted(source: TapSource) -> None:
    seen: list[str] = []

    def stop(_fraction: float, message: str = "") -> None:
        if message.startswith("the job at"):
            seen.extend(_jobs(source))
            raise Cancelled("the user stopped", "ask again")

    with pytest.raises(Cancelled):
        list(source.query("SELECT COUNT(*) AS n FROM gaiadr3.gaia_source", stop, mode="async"))
    assert _status(seen[0]) == 404
    assert not _jobs(source)


def test_more_rows_than_allowed_are_an_error(source: TapSource) -> None:
    with pytest.raises(BadAnswer, match="more than 500 rows"):
        list(source.query("SELECT ra FROM gaiadr3.gaia_source", silent, maxrec=500))


def test_pages_join_to_the_whole(
    source: TapSource, leaf: Product, sky: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE_ROWS", 900)
    extent = Extent(where="phot_g_mean_mag < 12")
    wanted = trim(sky, extent)
    pages = source.pages(leaf, _ask(extent, columns="source_id"), silent)
    assert len(pages) > 1
    assert source.pages(leaf, _ask(extent, columns="source_id"), silent) == pages
    found = [source.fetch(leaf, page, silent) for page in pages[:3]]
    last = paging.Page.read(str(pages[2].params["page"]))
    inside = wanted.filter(np.less(wanted["random_index"].to_numpy(), last.high))
    assert sorted(n for one in found for n in _ids(one)) == _ids(inside)


def test_source_ids_are_cut_by_counting(source: TapSource, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "gaia/gaiadr3/allwise_best_neighbour"
    table = next(one for one in source.inventory(silent) if one.path == path)
    monkeypatch.setattr(paging, "PAGE_ROWS", 20_000)
    pages = [paging.Page.read(str(one.params["page"])) for one in source.pages(table, Request(path), silent)]
    assert {one.column for one in pages} == {"source_id"}
    assert all(first.high == second.low for first, second in pairwise(pages))
    one = source.fetch(table, Request(path, Extent(), {"page": str(pages[0])}), silent)
    assert 0 < one.num_rows <= 20_000


def test_a_page_that_is_too_large_is_halved(
    source: TapSource, leaf: Product, sky: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE_ROWS", 100)
    page = str(paging.Page("random_index", 0, 350))
    found = source.fetch(leaf, _ask(columns="source_id,random_index", page=page), silent)
    assert sorted(found["random_index"].to_pylist()) == list(range(350))
    del sky


def test_bad_questions_are_told_before_or_with_the_place(source: TapSource, leaf: Product) -> None:
    with pytest.raises(BadParameter, match="did you mean parallax"):
        source.fetch(leaf, _ask(columns="paralax"), silent)
    with pytest.raises(BadPredicate, match="did you mean ra"):
        source.fetch(leaf, _ask(Extent(where="raa > 1")), silent)
    join = next(one for one in source.inventory(silent) if one.path.endswith("/tmass_psc_xsc_join"))
    with pytest.raises(BadExtent, match="right ascension"):
        source.fetch(join, Request(join.path, Extent(cone=Cone(1, 1, 1))), silent)
    with pytest.raises(BadRequest, match="column 10: 'FORM"):
        list(source.query("SELECT * FORM gaiadr3.gaia_source", silent))
    with pytest.raises(BadRequest, match=r"did you mean gaiadr3\.gaia_source"):
        list(source.query("SELECT ra FROM gaiadr3.gaia_sorce", silent))
    with pytest.raises(BadRequest, match="did you mean parallax"):
        list(source.query("SELECT parallacs FROM gaiadr3.gaia_source", silent))


def test_an_upload_is_joined_in_parts_and_kept(dachs: TapServer, sky: pa.Table) -> None:
    desk = arm.open()
    mine = sky.select(["source_id"]).slice(0, 4_500)
    archive = tap_archive_of(desk, dachs.url)
    text = (
        "SELECT u.source_id, g.ra FROM TAP_UPLOAD.mine AS u JOIN gaiadr3.gaia_source AS g ON g.source_id = u.source_id"
    )
    outcome, again = Outcome("", text), Outcome("", text)
    query = FreeQuery(archive, text, {"mine": mine})
    found = pa.concat_tables(ask_freely(desk, query, outcome))
    assert _ids(found) == _ids(mine)
    assert (outcome.parts, outcome.cached) == (4, False)
    assert pa.concat_tables(ask_freely(desk, query, again)).equals(found)
    assert again.cached
    counted = FreeQuery(archive, "SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine", {"mine": mine})
    assert next(ask_freely(desk, counted, Outcome("", ""))).to_pylist() == [{"n": 4_500}]


def test_the_command_line(dachs: TapServer, cli: Callable[..., Any], tmp_path: Path) -> None:
    added = cli("add", "tap", dachs.url, "--name", "gaia")
    assert added.status == 0, added.err
    shown = cli("tree", _GAIA)
    assert "pos.eq.ra;meta.main" in shown.out
    out = tmp_path / "near.parquet"
    words = ("get", _GAIA, "--where", "parallax > 5 AND phot_g_mean_mag < 14", "--columns", "ra,dec,parallax")
    assert cli(*words, "-o", out).status == 0
    near = parquet.read_table(out)
    assert near.num_rows
    assert min(near["parallax"].to_pylist()) > 5
    file = tmp_path / "join.adql"
    file.write_text(_JOIN, "utf-8")
    first = cli("adql", file, "--archive", "gaia", "-o", out, "--json")
    assert '"cached": false' in first.out
    file.write_text(_JOIN.lower().replace("  -- the way", "\n-- the old way"), "utf-8")
    assert '"cached": true' in cli("adql", file, "--archive", "gaia", "-o", out, "--json").out
    assert parquet.read_table(out).num_rows >= 3_000


@pytest.fixture(scope="module", autouse=True)
def served(dachs: TapServer) -> None:
    """Tell the contract where the server is."""
    TestTapKeepsTheContract.archive = Archive(name="gaia", protocol="tap", address=dachs.url)


class TestTapKeepsTheContract(SourceContract):
    """What every source promises."""

    lacks = frozenset({"time"})
    per_kind = 1
    requests = (
        Request(_GAIA, Extent(rows=Rows(0, 40)), {"columns": "source_id,ra,phot_g_mean_mag"}),
        Request("gaia/gaiadr1/allwise_original_valid", Extent(rows=Rows(0, 30))),
        Request("gaia/gaiadr3/tmass_psc_xsc_join", Extent(rows=Rows(0, 30))),
    )


_CHILD = """
import sys
import armillary as arm
from armillary.services.desk import ask
from armillary.sources.tap import paging

paging.PAGE_ROWS = 3_000
desk = arm.open()
request = ask("gaia/gaiadr3/gaia_source", rows=(0, 6_000), params={"columns": "source_id,random_index"})

def tell(fraction, message=""):
    print(message, flush=True)

for block in desk.blocks(request, tell):
    print("block", block.num_rows, flush=True)
"""


def test_a_killed_download_goes_on_with_the_same_job(
    dachs: TapServer, home: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("add", "tap", dachs.url, "--name", "gaia").status == 0
    child = subprocess.Popen([sys.executable, "-c", _CHILD], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    timer = threading.Timer(60, child.kill)
    timer.start()
    blocks = 0
    for line in child.stdout:
        blocks += line.startswith("block")
        if blocks == 1 and line.startswith("the job at"):
            break
    child.kill()
    child.communicate()
    timer.cancel()
    assert blocks == 1

    source = TapSource("gaia", dachs.url, home / "tap" / "gaia")
    (left,) = _jobs(source)
    assert _status(left) == 200
    begun: list[str] = []
    begin = jobs._begin
    monkeypatch.setattr(jobs, "_begin", lambda *words: begun.append(begin(*words)) or begun[-1])
    monkeypatch.setattr(paging, "PAGE_ROWS", 3_000)
    desk = arm.open()
    request = ask(_GAIA, rows=(0, 6_000), params={"columns": "source_id,random_index"})
    found = list(desk.blocks(request))
    assert sorted(n for one in found for n in one["random_index"].to_pylist()) == list(range(6_000))
    assert len(begun) == len(found) - 2  # one page was kept, and the job of the next was taken up
    assert left not in begun
    assert _status(left) == 404
    assert not _jobs(source)


def test_a_known_service_is_the_same_by_name_and_by_url() -> None:
    assert tap_archive("gaia") == tap_archive("https://gea.esac.esa.int/tap-server/tap")


def _jobs(source: TapSource) -> list[str]:
    return list(source._record.jobs_by_key().values())


def _status(url: str) -> int:
    for _ in range(20):
        try:
            with urlopen(url, timeout=20) as answer:  # noqa: S310 - our own server
                return int(answer.status)
        except HTTPError as wrong:
            return wrong.code
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server does not answer")

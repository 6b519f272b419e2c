"""Routes of tables of sources: the binary message, one source, labels, training, reports, files, classification."""

import base64
import io
import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest
import uvicorn
from astropy.io.votable import parse_single_table

import armillary as arm
from armillary.errors import BadData, BadRequest
from armillary.model import Request
from armillary.services.desk import Desk
from armillary.services.desk import open as open_desk
from armillary.services.object_sources import tell_source
from armillary.services.object_tables import message_of, objects_of, read_objects, seds_of, without_nobodys
from armillary.services.web import build_app
from armillary.services.web.server import listen

STARS = "product=simulated/stars/photometry&param.n=3000"
Wait = Callable[[str, int], dict[str, Any]]


@pytest.fixture(scope="module")
def objects_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return open_desk(home=tmp_path_factory.mktemp("objects_home"))


@pytest.fixture(scope="module")
def client(objects_desk: Desk, serve_desk: Callable[[Desk], AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    with serve_desk(objects_desk) as address, httpx.Client(base_url=address, timeout=120) as made:
        yield made


@pytest.fixture(scope="module")
def truth(objects_desk: Desk) -> dict[str, list[str]]:
    """Names of sources by class."""
    table = objects_desk.answer(Request.from_query(STARS.replace("photometry", "truth"))).to_pandas()  # type: ignore[union-attr]
    return {str(name): [str(one) for one in some] for name, some in table.groupby("class")["source_id"]}


@pytest.fixture(scope="module")
def trained(client: httpx.Client, truth: dict[str, list[str]], ended: Wait) -> str:
    """A run that has learnt labels given through the web."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("armillary.services.runs.WHERE", "thread")
        small = ({"use": "logistic"},)
        patch.setattr("armillary.services.object_training._MODELS", small)
        for name in ("dwarf", "giant"):
            body = {"request": STARS, "catalogue": "known", "class": name, "ids": truth[name][:60]}
            assert client.post("/api/objects/labels", json=body).json()["added"] == 60
        asked = client.post("/api/objects/train", json={"request": STARS, "catalogue": "known", "name": "first"})
        assert asked.status_code == 202, asked.text
        assert asked.json()["rows"] == 120
        told = ended(str(client.base_url).rstrip("/"), asked.json()["job"])
    assert told["state"] == "done", told
    return "first"


def unpacked(message: bytes) -> tuple[dict[str, Any], Callable[[dict[str, Any]], np.ndarray[Any, Any]]]:
    """Read a message as the page does."""
    size = struct.unpack("<I", message[:4])[0]

    def array(told: dict[str, Any]) -> np.ndarray[Any, Any]:
        count = int(np.prod(told["shape"]))
        return np.frombuffer(message, f"<{told['type']}", count, 4 + size + told["at"]).reshape(told["shape"])

    return json.loads(message[4 : 4 + size]), array


def bits(rows: list[int], count: int) -> str:
    mask = np.isin(np.arange(count), rows)
    return base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()


def test_a_table_comes_as_one_message_with_an_etag(client: httpx.Client, objects_desk: Desk) -> None:
    answer = client.get("/api/objects", params={"request": STARS})
    head, array = unpacked(answer.content)
    table = objects_desk.answer(Request.from_query(STARS))
    assert head["rows"] == 3000
    assert [one["name"] for one in head["bands"]] == ["G", "BP", "RP", "J", "H", "Ks", "W1", "W2", "W3", "W4"]
    assert array(head["ids"]).tobytes().decode().split("\n") == [str(one) for one in table["source_id"].to_pylist()]  # type: ignore[index, union-attr]
    np.testing.assert_array_equal(array(head["ra"]), table["ra"].to_numpy())  # type: ignore[index, union-attr]
    columns = {one["name"]: one for one in head["columns"]}
    np.testing.assert_array_equal(
        array(columns["j_mag"]["values"]),
        table["j_mag"].to_numpy(zero_copy_only=False).astype(np.float32),  # type: ignore[index, union-attr]
    )
    assert columns["j_mag"]["unit"] == "mag"
    absolute, g, plx = (array(columns[name]["values"]) for name in ("G_abs", "g_mag", "parallax"))
    good = np.isfinite(absolute)
    np.testing.assert_allclose(absolute[good], g[good] + 5 * np.log10(plx[good] / 100), atol=1e-4)
    again = client.get("/api/objects", params={"request": STARS}, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/api/objects", params={"request": STARS.replace("3000", "2000")})
    assert other.headers["etag"] != answer.headers["etag"]


def test_upper_limits_are_told_apart_and_counted() -> None:
    data = pa.table({
        "source_id": [1, 2, 3], "j_m": [10.0, 11.0, 12.0], "j_msigcom": [0.1, 0.1, 0.1],
        "ks_m": [9.0, 10.0, 11.0], "ks_msigcom": [0.1, None, 0.1], "tmass_ph_qual": ["AAA", "AAU", "UAA"],
    })  # fmt: skip
    head, array = unpacked(message_of(objects_of(Request("mine"), [data]), "Mine"))
    assert {name: array(one).tolist() for name, one in head["limits"].items()} == {"J": [0, 0, 1], "Ks": [0, 1, 0]}
    assert "(J 1, Ks 1)" in head["notes"][0]


def test_what_is_no_magnitude_becomes_null_with_a_note() -> None:
    data = pa.table({"source_id": [1, 2, 3], "j_m": [10.0, -999.0, 99.0], "j_msigcom": [0.1, -999.0, 0.1]})
    given = objects_of(Request("mine"), [data])
    with pytest.raises(BadData, match="below zero"):
        seds_of(given)
    table = without_nobodys(given)
    head, array = unpacked(message_of(table, "Mine"))
    values = {one["name"]: array(one["values"]) for one in head["columns"]}
    np.testing.assert_array_equal(values["j_m"], np.float32([10, np.nan, np.nan]))
    assert head["limits"] == {}
    assert "(j_m 2)" in head["notes"][0]
    assert np.isfinite(seds_of(table).f_nu).sum() == 1


def test_a_source_is_told_with_its_energy_distribution(client: httpx.Client, truth: dict[str, list[str]]) -> None:
    told = client.get("/api/objects/source", params={"request": STARS, "id": truth["giant"][0]}).json()
    assert told["id"] == truth["giant"][0]
    assert {one["name"] for one in told["columns"]} >= {"source_id", "g_mag", "parallax"}
    assert next(one for one in told["columns"] if one["name"] == "g_mag")["ucd"].startswith("phot.mag")
    assert len(told["sed"]["bands"]) >= 8
    assert 2000 < told["sed"]["photosphere"]["teff"] < 10_000
    assert told["lada"] in {"III", "II", ""}
    assert told["check"] in {"infrared excess", "no infrared excess", "not measured"}
    assert told["alike"]
    assert all(one["href"].startswith("https://") for one in told["links"])


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("objects", {"request": "product=simulated/wind/density"}, 400),
        ("objects", {"request": "product=no/such"}, 404),
        ("objects/source", {"request": STARS, "id": "none"}, 404),
        ("objects/answers", {"request": STARS, "run": "none"}, 400),
        ("objects/answers", {"request": STARS, "run": "../x"}, 400),
        ("objects/labels", {"request": STARS, "catalogue": "none"}, 404),
        ("objects/report", {"run": "none"}, 400),
    ],
)
def test_what_is_wrong_is_told_in_words(client: httpx.Client, path: str, params: dict[str, str], status: int) -> None:
    answer = client.get(f"/api/{path}", params=params)
    assert answer.status_code == status, answer.text
    assert answer.json()["next_step"]


def test_labels_are_given_changed_and_undone(client: httpx.Client, objects_desk: Desk) -> None:
    body = {"request": STARS, "catalogue": "mine", "class": "odd", "rows": bits([3, 5, 2999], 3000), "author": "ada"}
    first = client.post("/api/objects/labels", json=body).json()
    assert (first["added"], first["changed"]) == (3, 0)
    second = client.post("/api/objects/labels", json=body | {"class": "even", "rows": bits([5], 3000)}).json()
    assert (second["added"], second["changed"]) == (0, 1)
    seen = client.get("/api/objects/labels", params={"request": STARS, "catalogue": "mine"}).json()
    assert seen == {"classes": ["even", "odd"], "rows": [3, 5, 2999], "codes": [1, 0, 1]}
    rows = objects_desk.catalogues.rows("mine")
    assert {one.author for one in rows} == {"ada"}
    assert all(one.ra is not None for one in rows)
    assert [one.author for one in objects_desk.catalogues.history("mine")] == ["ada", "ada"]
    stale = client.post(
        "/api/objects/labels/undo", json={"catalogue": "mine", "change": first["change"], "author": "ada"}
    )
    assert stale.status_code == 409  # a later label touched the same source
    stranger = client.post("/api/objects/labels/undo", json={"catalogue": "mine", "change": second["change"]})
    assert stranger.status_code == 400
    undone = client.post(
        "/api/objects/labels/undo", json={"catalogue": "mine", "change": second["change"], "author": "ada"}
    )
    assert undone.status_code == 200
    seen = client.get("/api/objects/labels", params={"request": STARS, "catalogue": "mine"}).json()
    assert seen["classes"] == ["odd"]


@pytest.mark.parametrize(
    "more",
    [
        {"rows": "%%%"},
        {"rows": bits([1], 100)},
        {},
        {"rows": bits([], 3000)},
        {"ids": ["none"]},
        {"class": " \n", "ids": ["4"]},
    ],
)
def test_labels_that_cannot_be_are_refused(client: httpx.Client, more: dict[str, Any]) -> None:
    before = {one["name"] for one in client.get("/api/catalogues").json()["catalogues"]}
    answer = client.post("/api/objects/labels", json={"request": STARS, "catalogue": "new", "class": "a", **more})
    assert 400 <= answer.status_code < 500
    assert {one["name"] for one in client.get("/api/catalogues").json()["catalogues"]} == before


def test_one_class_cannot_be_learnt(client: httpx.Client) -> None:
    body = {"request": STARS, "catalogue": "lone", "class": "a", "rows": bits(list(range(30)), 3000)}
    client.post("/api/objects/labels", json=body)
    answer = client.post("/api/objects/train", json={"request": STARS, "catalogue": "lone", "name": "lone"})
    assert answer.status_code in {400, 422, 502}, answer.text
    assert "two classes" in answer.json()["next_step"]


def test_a_run_answers_for_the_table_and_reports(
    client: httpx.Client, trained: str, truth: dict[str, list[str]]
) -> None:
    runs = client.get("/api/objects/runs", params={"request": STARS}).json()
    assert [(one["name"], one["classes"]) for one in runs] == [(trained, ["dwarf", "giant"])]
    answer = client.get("/api/objects/answers", params={"request": STARS, "run": trained})
    head, array = unpacked(answer.content)
    said, chance = array(head["said"]), array(head["probabilities"])
    assert chance.shape == (3000, 2)
    np.testing.assert_allclose(chance[said > 0].sum(axis=1), 1, atol=1e-5)
    assert np.isnan(chance[said == 0]).all()
    table = client.get("/api/objects", params={"request": STARS})
    names = unpacked(table.content)[1](unpacked(table.content)[0]["ids"]).tobytes().decode().split("\n")
    giants = np.isin(names, truth["giant"]) & (said > 0)
    assert (said[giants] == 2).mean() > 0.9
    report = client.get("/api/objects/report", params={"run": trained}).json()
    assert np.sum(report["confusion"]) == report["judged"] == 120
    assert report["scores"]["macro_f1"] > 0.8
    assert set(report["by"]) == {"g_mag", "abs_b"}
    assert 50 < sum(one["classes"]["giant"]["samples"] for one in report["by"]["g_mag"]) <= 60  # some have no G
    assert all(0 <= one <= 1 for point in report["curves"]["giant"] for one in point)


def test_classification_of_named_sources(client: httpx.Client, trained: str, truth: dict[str, list[str]]) -> None:
    first, second = truth["giant"][:2]
    told = client.post("/api/classify", json={"run": trained, "table": STARS, "ids": [int(second), first]}).json()
    assert [one["id"] for one in told["rows"]] == [second, first]
    for row in told["rows"]:
        assert row["class"] == max(row["probabilities"], key=row["probabilities"].get)
        assert row["probability"] == row["probabilities"][row["class"]]
        assert {"set", "trust", "alpha", "alpha_error", "lada", "check"} <= row.keys()


@pytest.mark.parametrize(
    ("ending", "kind"),
    [("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet"), ("vot", "application/x-votable+xml")],
)
def test_tables_that_are_sent_are_classified_alike(
    client: httpx.Client, objects_desk: Desk, trained: str, tmp_path: Path, ending: str, kind: str
) -> None:
    table = objects_desk.answer(Request.from_query(STARS)).slice(0, 40)  # type: ignore[union-attr]
    octets = Path(arm.write(table, tmp_path / f"sent.{ending}")).read_bytes()
    asked = client.post("/api/classify", params={"run": trained}, content=octets, headers={"Content-Type": kind})
    assert asked.status_code == 200, asked.text
    ids = [str(one) for one in table["source_id"].to_pylist()]
    known = client.post("/api/classify", json={"run": trained, "table": STARS, "ids": ids}).json()
    assert [one["id"] for one in asked.json()["rows"]] == ids
    for one, other in zip(asked.json()["rows"], known["rows"], strict=True):
        assert one["class"] == other["class"]
        if one["probability"] is not None:
            assert one["probability"] == pytest.approx(other["probability"], abs=1e-5)
    half = client.post(
        "/api/classify", params={"run": trained}, content=octets[: len(octets) // 2], headers={"Content-Type": kind}
    )
    assert half.status_code == 400, half.text


@pytest.mark.parametrize(
    ("params", "content", "kind"),
    [
        ({}, b"a,b\n1,2\n", "text/csv"),
        ({"run": "first"}, b"a,b\n1,2\n", "text/csv"),
        ({"run": "first"}, b"", "text/csv"),
        ({"run": "first"}, b"\x80\x04K\x01.", "application/octet-stream"),
        ({"run": "first"}, b"\x80\x04K\x01.", "application/vnd.apache.parquet"),
        ({"run": "first", "prior": "[1]"}, b"a,b\n1,2\n", "text/csv"),
        ({}, b"{}", "application/json"),
        ({}, b'{"run": "first", "table": "simulated/stars/photometry", "ids": []}', "application/json"),
    ],
)
def test_bad_questions_for_classes_are_refused(
    client: httpx.Client, trained: str, params: dict[str, str], content: bytes, kind: str
) -> None:
    answer = client.post("/api/classify", params=params, content=content, headers={"Content-Type": kind})
    assert answer.status_code == 400, (trained, answer.text)
    assert answer.json()["problem"]


@pytest.mark.parametrize(
    ("name", "value"), [("parallax_error", 0), ("parallax_error", -1), ("ra", 400), ("ra", -1), ("dec", 91)]
)
def test_values_that_cannot_be_are_refused_by_name(
    client: httpx.Client, objects_desk: Desk, trained: str, name: str, value: float
) -> None:
    table = objects_desk.answer(Request.from_query(STARS)).slice(0, 5).to_pandas()  # type: ignore[union-attr]
    table.loc[3, name] = float(value)
    octets = table.to_csv(index=False).encode()
    kind = {"Content-Type": "text/csv"}
    answer = client.post("/api/classify", params={"run": trained}, content=octets, headers=kind)
    assert answer.status_code == 400, answer.text
    assert repr(name) in answer.json()["problem"]


def test_too_many_rows_are_refused(client: httpx.Client, trained: str) -> None:
    lines = "source_id,g_mag\n" + "".join(f"{one},15\n" for one in range(100_001))
    answer = client.post("/api/classify", params={"run": trained}, content=lines, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 400
    assert "100,001 rows" in answer.json()["problem"]


def test_files_have_answers_units_and_origin(client: httpx.Client, trained: str) -> None:
    body = {"request": STARS, "run": trained, "rows": bits([4, 9], 3000), "link": "http://desk/objects?table=x"}
    table = parse_single_table(io.BytesIO(client.post("/api/objects/file", json=body | {"ending": "vot"}).content))
    assert len(table.array) == 2
    fields = {one.name: one for one in table.fields}
    assert fields["j_mag"].ucd == "phot.mag;em.IR.J"
    assert fields["probability"].ucd == "stat.probability"
    assert {"class", "set", "trust", "P(giant)"} <= fields.keys()
    text = client.post("/api/objects/file", json=body | {"ending": "csv"}).text
    assert trained in text
    assert client.post("/api/objects/file", json=body | {"ending": "exe"}).status_code in {400, 422}


def test_only_allowed_origins_come_in(objects_desk: Desk) -> None:
    friend, stranger = "https://archive.example", "https://evil.example"
    cross = {"Sec-Fetch-Site": "cross-site"}
    with plain_client(objects_desk, [friend]) as made:
        assert made.get("/embed/objects", headers=cross).status_code == 200
        assert friend in made.get("/embed/objects").headers["content-security-policy"]
        assert friend not in made.get("/objects").headers["content-security-policy"]
        assert made.get("/objects", headers=cross).status_code == 403
        ready = made.options("/api/classify", headers={"Origin": friend})
        assert (ready.status_code, ready.headers["access-control-allow-origin"]) == (204, friend)
        assert made.post("/api/classify", json={}, headers={"Origin": stranger}).status_code == 403
        assert made.post("/api/classify", json={}, headers={"Origin": friend}).status_code == 400
        assert made.post("/api/objects/labels", json={}, headers={"Origin": friend}).status_code == 403
        assert made.get("/static/armillary-objects.js", headers=cross | {"Origin": friend}).status_code == 200
    with plain_client(objects_desk, []) as made:
        assert made.get("/embed/objects", headers=cross).status_code == 403
        assert "access-control-allow-origin" not in made.options("/api/classify", headers={"Origin": friend}).headers


def test_the_cookie_of_the_frame_is_partitioned(objects_desk: Desk) -> None:
    with plain_client(objects_desk, ["https://archive.example"], "secret") as made:
        cookie = made.get("/embed/objects?token=secret").headers["set-cookie"]
        assert "SameSite=None; Secure; Partitioned" in cookie
        assert "SameSite=Strict" in made.get("/objects?token=secret").headers["set-cookie"]
        made.cookies.clear()
        asked = {"run": "none", "table": "simulated/stars/photometry"}
        assert made.post("/api/classify", json=asked).status_code == 401
        assert made.post("/api/classify", json=asked, headers={"Authorization": "Bearer secret"}).status_code == 400


def test_photometry_that_cannot_be_is_told_and_the_table_shown(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    lines = ["source_id,ra,dec,ks_mag,ks_mag_error,w1_mag,w2_mag", "1,10,5,12,-0.1,11,10", "2,11,5,13,0.1,12,11"]
    (folder / "odd.csv").write_text("\n".join(lines) + "\n", "utf-8")
    desk = open_desk(folder, home=tmp_path / "home")
    path = next(one.path for one in desk.search("", "", 0) if one.path.endswith("odd"))
    table = read_objects(desk, Request(path))
    head, array = unpacked(message_of(table, "odd"))
    alpha = next(one for one in head["columns"] if one["name"] == "alpha")
    assert "below zero" in alpha["about"]
    assert np.isnan(array(alpha["values"])).all()
    assert "below zero" in tell_source(table, 0)["note"]
    assert tell_source(table, 1)["note"] == ""


@pytest.mark.real
def test_real_sources_of_many_surveys_are_understood(real_data: Path, tmp_path: Path) -> None:
    file = real_data / "gaia" / "real_labelled_sed.csv.gz"
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / file.name).symlink_to(file)
    desk = open_desk(folder, home=tmp_path / "home")
    path = next(one.path for one in desk.search("", "", 0) if one.path.endswith("real_labelled_sed"))
    table = read_objects(desk, Request(path))
    assert table.identity == "name"  # "source" is the survey there, the same for thousands
    head, array = unpacked(message_of(table, "real"))
    assert [one["name"] for one in head["bands"]] == ["G", "BP", "RP", "J", "H", "Ks", "W1", "W2", "W3", "W4"]
    assert len(array(head["ids"]).tobytes().decode().split("\n")) == len(table) == head["rows"]
    assert {"MS", "UCD", "YSO"} <= set(next(one for one in head["classes"] if one["name"] == "cls")["names"])
    assert np.isfinite(array(next(one for one in head["columns"] if one["name"] == "alpha")["values"])).sum() > 3000


@pytest.mark.parametrize("text", ["archive.example", "https://a.example/path", "https://a b", "javascript://x", "*"])
def test_what_is_no_origin_is_refused(objects_desk: Desk, text: str) -> None:
    with pytest.raises(BadRequest, match="no origin"):
        build_app(objects_desk, origins=[text])


@contextmanager
def plain_client(desk: Desk, origins: list[str], token: str = "") -> Iterator[httpx.Client]:
    """A server that lets some origins in."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(build_app(desk, token, origins), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as made:
            yield made
    finally:
        server.should_exit = True
        thread.join(30)

"""The routes of the workbench, asked as any client would."""

import json
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from armillary.services.desk import Desk
from armillary.services.web.tickets import Tickets

SLOW = "product=simulated/sentry/ion_omni_from_skymap"
DAY = {"start": "2021-03-04", "stop": "2021-03-05"}


@pytest.fixture(scope="module")
def client(web_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web_address, timeout=60) as made:
        yield made


def head_of(body: bytes) -> dict[str, Any]:
    """Read the JSON head of the binary record."""
    (size,) = struct.unpack("<I", body[:4])
    head: dict[str, Any] = json.loads(body[4 : 4 + size])
    return head


def problems_of(answer: httpx.Response) -> list[dict[str, str]]:
    told: list[dict[str, str]] = json.loads(unquote(answer.headers["X-Armillary-Problems"]))
    return told


def test_the_tree_is_told_branch_by_branch(client: httpx.Client) -> None:
    top = client.get("/api/tree").json()
    assert {"local", "simulated", "gone"} <= {one["path"] for one in top}
    below = client.get("/api/tree", params={"path": "simulated/wind"}).json()
    leaf = next(one for one in below if one["path"] == "simulated/wind/b_gse")["leaf"]
    assert leaf["units"] == "nT"
    assert leaf["kind"] == "series"


def test_search_finds_leaves_with_all_words(client: httpx.Client, wave: str) -> None:
    found = client.get("/api/search", params={"words": "waves field"}).json()
    assert [one["path"] for one in found] == [wave]
    assert client.get("/api/search", params={"words": "no such thing"}).json() == []


def test_a_product_does_not_tell_where_its_files_are(client: httpx.Client, wave: str) -> None:
    told = client.get("/api/product", params={"path": wave}).json()
    assert told["title"] == "A field that waves"
    assert not {"address", "version"} & set(told)


def test_a_plan_says_cost_and_whether_it_is_cached(client: httpx.Client) -> None:
    request = "product=simulated/wind/density&start=2020-05-01&stop=2020-05-02"
    before = client.get("/api/plan", params={"request": request}).json()
    assert before["steps"][-1]["rows"] == 1440
    assert before["cached"] is False
    assert client.get("/api/view", params={"request": request}).status_code == 200
    assert client.get("/api/plan", params={"request": request}).json()["cached"] is True


def test_a_view_has_its_panels_bands_and_times(client: httpx.Client, wave: str) -> None:
    asked = {"request": [f"product={wave}", f"product={wave.replace('wave', 'counts')}"], "catalogue": "waves", **DAY}
    answer = client.get("/api/view", params=asked)
    head = head_of(answer.content)
    assert [panel["kind"] for panel in head["panels"]] == ["lines", "spectrogram"]
    assert [band["label"] for band in head["bands"]] == ["crest"]
    assert (head["start"], head["stop"]) == (1614816000000.0, 1614902400000.0)
    assert problems_of(answer) == []


def test_a_view_without_times_begins_where_the_data_begin(client: httpx.Client) -> None:
    head = head_of(client.get("/api/view", params={"request": "product=simulated/wind/b_gse"}).content)
    assert head["start"] == 1577836800000.0
    assert head["stop"] - head["start"] == 86_400_000.0


def test_a_margin_is_for_what_stands_on_the_time_axis_only(client: httpx.Client, wave: str) -> None:
    head = head_of(client.get("/api/view", params={"request": f"product={wave}", "margin": "0.5", **DAY}).content)
    assert (head["start"], head["stop"]) == (1614772800000.0, 1614945600000.0)
    asked = {"request": "product=simulated/tile/truth/greenness", "start": "2020-08-19", "stop": "2020-08-20"}
    maps = head_of(client.get("/api/view", params={**asked, "margin": "2"}).content)
    assert len(maps["panels"]) == 1


def test_what_fails_is_told_and_the_rest_is_drawn(client: httpx.Client, wave: str) -> None:
    asked = {"request": [f"product={wave}", "product=no/such"], "catalogue": "unknown", **DAY}
    answer = client.get("/api/view", params=asked)
    assert [one["error"] for one in problems_of(answer)] == ["UnknownProduct", "UnknownCatalogue"]
    assert [one["request"] for one in problems_of(answer)] == ["product=no/such", "unknown"]
    assert len(head_of(answer.content)["panels"]) == 1


@pytest.mark.parametrize(
    ("path", "params", "status", "error"),
    [
        ("view", {"request": "product=no/such"}, 404, "UnknownProduct"),
        ("view", {"request": "product=gone/gone/lost"}, 504, "SourceDown"),
        ("view", {"request": "product=simulated/wind/b_gse", "start": "2020-13-01", "stop": "2021"}, 400, "BadTime"),
        ("view", {"request": "product=simulated/wind/b_gse", "start": "2020-01-02"}, 400, "BadRequest"),
        ("view", {"request": "product=simulated/wind/b_gse", "start": "1990", "stop": "1991"}, 404, "NoData"),
        ("view", {"request": "product=simulated/wind/beta&param.electrons=-3"}, 400, "BadParameter"),
        ("view", {"request": "product=simulated/sentry/b_gse", "start": "2024", "stop": "2025"}, 400, "BadRequest"),
        ("view", {}, 400, "BadRequest"),
        ("view", {"request": "product=simulated/wind/b_gse", "points": "3"}, 400, "BadRequest"),
        ("product", {"path": "../../etc/passwd"}, 404, "UnknownProduct"),
        ("file", {"request": "product=simulated/wind/b_gse", "ending": "zarr"}, 400, "BadRequest"),
        ("file", {"request": "product=simulated/wind/b_gse", "ending": "x/../../y.nc"}, 400, "BadRequest"),
        ("figure", {"request": "product=simulated/wind/b_gse", "ending": "gif"}, 400, "BadRequest"),
        ("catalogues/none", {}, 404, "UnknownCatalogue"),
        ("jobs/77", {}, 404, "UnknownJob"),
    ],
)
def test_errors_are_words_with_a_next_step(
    client: httpx.Client, path: str, params: dict[str, str], status: int, error: str
) -> None:
    answer = client.get(f"/api/{path}", params=params)
    told = answer.json()
    assert (answer.status_code, told["error"]) == (status, error)
    assert told["problem"]
    assert told["next_step"]


def test_an_unexpected_error_is_words_too(web_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "search", lambda *_: 1 / 0)
    # The server closes the connection after such an answer: this one belongs to nobody else.
    answer = httpx.get(f"{web_address}/api/search", timeout=60)
    assert answer.status_code == 500
    assert "division by zero" in answer.json()["problem"]


@pytest.mark.parametrize(
    ("ending", "starts"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")]
)
def test_a_picture_is_saved_in_any_format(client: httpx.Client, wave: str, ending: str, starts: bytes) -> None:
    asked = {"request": f"product={wave}", "catalogue": "waves", "ending": ending, **DAY}
    answer = client.get("/api/figure", params=asked)
    assert answer.status_code == 200
    assert answer.content.startswith(starts)
    assert f"armillary.{ending}" in answer.headers["content-disposition"]


def test_data_are_saved_for_the_times_asked(client: httpx.Client, wave: str) -> None:
    request = f"product={wave}&start=2021-03-04&stop=2021-03-04T00:01"
    answer = client.get("/api/file", params={"request": request, "ending": "csv"})
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert len(lines) == 1 + 6


def test_the_second_view_of_a_time_comes_from_the_cache(client: httpx.Client) -> None:
    asked = {"request": "product=simulated/wind/v_gse", "start": "2020-03-01", "stop": "2020-03-03"}
    first = client.get("/api/view", params=asked)
    before = client.get("/api/cache").json()
    assert client.get("/api/view", params=asked).content == first.content
    after = client.get("/api/cache").json()
    assert after["misses"] == before["misses"]
    assert after["hits"] > before["hits"]


def test_catalogues_and_their_rows(client: httpx.Client) -> None:
    told = client.get("/api/catalogues").json()
    assert [one["name"] for one in told["catalogues"]] == ["waves"]
    rows = client.get("/api/catalogues/waves", params=DAY).json()
    assert [(row["class"], row["start"]) for row in rows] == [("crest", "2021-03-04T06:00:00Z")]
    assert client.get("/api/catalogues/waves", params={"start": "2022", "stop": "2023"}).json() == []


def test_archives_and_jobs_are_told(client: httpx.Client) -> None:
    archives = {one["name"]: one for one in client.get("/api/archives").json()}
    assert archives["simulated"]["products"] > 20
    assert client.get("/api/jobs").json() == []


def test_progress_is_told_as_events_and_a_stop_ends_the_work(web_address: str) -> None:
    asked = {"request": SLOW, "start": "2024-02-01", "stop": "2024-02-01T04:00", "ticket": "slow"}
    answers: list[httpx.Response] = []

    def wait() -> None:
        answers.append(httpx.get(f"{web_address}/api/view", params=asked, timeout=60))

    thread = threading.Thread(target=wait)
    thread.start()
    told = []
    with httpx.stream("GET", f"{web_address}/api/progress/slow", timeout=60) as events:
        for line in events.iter_lines():
            if not line.startswith("data: "):
                continue
            told.append(json.loads(line[6:]))
            if told[-1]["fraction"] > 0:
                httpx.delete(f"{web_address}/api/progress/slow")
    thread.join(60)
    assert [one["fraction"] for one in told] == sorted(one["fraction"] for one in told)
    assert told[-1]["message"]
    assert answers[0].status_code == 499
    assert answers[0].json()["error"] == "Cancelled"


def test_a_ticket_is_done_when_its_request_failed() -> None:
    tickets = Tickets()
    with pytest.raises(ZeroDivisionError), tickets.working("one"):
        raise ZeroDivisionError
    assert tickets.get("one").done


def test_old_tickets_are_forgotten_and_nameless_ones_are_not_shared() -> None:
    tickets = Tickets()
    tickets.get("first").fraction = 0.5
    assert tickets.get("first").fraction == 0.5
    for number in range(600):
        tickets.get(str(number))
    assert tickets.get("first").fraction == 0.0
    assert tickets.get("") is not tickets.get("")


def test_a_stop_before_the_request_arrives_counts(client: httpx.Client, wave: str) -> None:
    assert client.delete("/api/progress/early").status_code == 204
    answer = client.get("/api/view", params={"request": f"product={wave}", "ticket": "early"})
    assert answer.status_code == 499


def test_an_ended_request_ends_its_events(client: httpx.Client, wave: str) -> None:
    client.get("/api/view", params={"request": f"product={wave}", "ticket": "ended", **DAY})
    began = time.monotonic()
    lines = client.get("/api/progress/ended").text.split("\n\n")
    assert json.loads(lines[0].removeprefix("data: "))["done"] is True
    assert time.monotonic() - began < 30

"""Studies, runs and proposals over the web, asked as any client would."""

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from armillary.catalogues import Entry
from armillary.catalogues.proposals import decide, propose
from armillary.model import Interval
from armillary.services.desk import Desk
from armillary.services.events import PROPOSED, bands_of
from armillary.services.tasks import jobs_of

Serve = Callable[..., AbstractContextManager[str]]
Ended = Callable[[str, int], dict[str, Any]]
STUDY = {
    "name": "it", "task": "events", "seeds": 1,
    "data": {
        "layout": "products",
        "options": {
            "start": "2020-01-01", "stop": "2020-06-01", "cadence": "4h", "labels": "icme",
            "products": {"b_total": "simulated/wind/b_total"},
        },
    },
    "split": {"time_on": "time", "block": "15d", "folds": 3},
    "models": [{"use": "logistic"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def client(learn_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=learn_address, timeout=60) as made:
        yield made


def changed(*path: str | int, value: Any) -> dict[str, Any]:
    """Give the study with one value changed."""
    made: Any = copy.deepcopy(STUDY)
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    found: dict[str, Any] = made
    return found


def three(desk: Desk, name: str) -> list[str]:
    """Propose three events for a catalogue of its own."""
    rows = [
        Entry.event(
            f"2020-02-0{day}", f"2020-02-0{day}T12:00", class_="icme", model="m: logistic",
            attributes={"probability": 0.5 + day / 10, "trust": "ok"},
        )
        for day in (1, 2, 3)
    ]  # fmt: skip
    return propose(desk.catalogues, name, "events", rows)


def test_a_study_runs_as_a_job_that_tells_how_far_it_is(
    client: httpx.Client, learn_run: dict[str, Any], learn_desk: Desk
) -> None:
    assert learn_run["state"] == "done", learn_run
    assert learn_run["result"] == {"run": "icme", "best": "logistic"}
    assert learn_run["seen"] == sorted(learn_run["seen"])
    assert any(0 < one < 1 for one in learn_run["seen"])
    assert learn_run["message"]
    assert learn_run["pid"] != os.getpid()  # it goes on when the desk is stopped
    assert (learn_desk.home / "runs" / "icme" / "run.json").is_file()
    (listed,) = [one for one in client.get("/api/runs").json() if one["name"] == "icme"]
    assert (listed["state"], listed["best"], listed["task"]) == ("done", "logistic", "events")
    assert 0 < listed["score"] <= 1


def test_a_run_is_told_with_warnings_and_controls(client: httpx.Client, learn_run: dict[str, Any]) -> None:
    assert learn_run["state"] == "done"
    told = client.get("/api/runs/icme").json()
    assert {"warnings", "table", "class_table", "words", "figures"} <= told.keys()
    assert told["products"]["density"] == "simulated/wind/density"
    names = [row[0] for row in told["table"]]
    assert names[:2] == ["model", "* logistic"]
    assert sum(name.startswith("(") for name in names) >= 2  # controls
    assert "[" in " ".join(told["table"][1])  # intervals
    metrics = client.get("/api/runs/icme/metrics").json()
    assert metrics["best"] == "logistic"
    assert metrics["controls"]


def test_the_card_is_a_page_that_can_do_nothing(client: httpx.Client, learn_run: dict[str, Any]) -> None:
    assert learn_run["state"] == "done"
    answer = client.get("/api/runs/icme/card")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow-scripts" not in policy
    assert "<b>seen</b>" not in answer.text
    assert "&lt;b&gt;seen" in answer.text
    assert 'src="data:image/png;base64,' in answer.text
    assert "script" not in client.get("/api/runs").headers["content-security-policy"].replace("default-src", "")
    figure = client.get("/api/runs/icme").json()["figures"][0]
    assert client.get(f"/api/runs/icme/figures/{figure}").content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", "..%2f..%2fetc", "a%2f..%2ficme", ".icme", "icme%00", "none", "x" * 99]
)
@pytest.mark.parametrize("rest", ["", "/metrics", "/card", "/figures/scores.png"])
def test_a_run_lies_below_runs_only(client: httpx.Client, name: str, rest: str) -> None:
    answer = client.get(f"/api/runs/{name}{rest}")
    assert answer.status_code in {400, 404}
    assert "PNG" not in answer.text


@pytest.mark.parametrize("figure", ["..%2frun.json", "run.json", "%2e%2e%2fcard.html", "no.png"])
def test_a_figure_lies_in_its_folder_only(client: httpx.Client, learn_run: dict[str, Any], figure: str) -> None:
    assert learn_run["state"] == "done"
    assert client.get(f"/api/runs/icme/figures/{figure}").status_code in {400, 404}


@pytest.mark.parametrize(
    ("study", "said"),
    [
        (changed("colour", value="red"), "colour"),
        (changed("task", value="guess"), "guess"),
        (changed("split", "folds", value=2.5), "folds"),
        (changed("models", 0, "use", value="wand"), "wand"),
        (changed("models", 0, "use", value="os:system"), "os:system"),
        (changed("models", 0, value={"use": "ensemble", "options": {"members": [{"use": "os:popen"}]}}), "os:popen"),
        (changed("features", value=[{"use": "os:system"}]), "os:system"),
        (changed("data", "options", "products", value={"b": "simulated/wind/b_totl"}), "b_totl"),
        (changed("data", "options", "labels", value="nobody"), "nobody"),
        (changed("data", "options", "stop", value="2019-01-01"), "2019"),
        (changed("data", "options", "cadenza", value="1h"), "cadenza"),
        (changed("data", value={"layout": "table", "path": "/etc/passwd"}), "folder of data"),
        (changed("data", value={"layout": "scrolls", "path": "x"}), "scrolls"),
        ("name = [", "TOML"),
        ("name = " + "[" * 5000, "deeply"),
        ("colour = 1", "colour"),
    ],
)  # fmt: skip
def test_a_study_that_cannot_run_names_the_key(client: httpx.Client, study: Any, said: str) -> None:
    body = {"toml": study} if isinstance(study, str) else {"study": study}
    answer = client.post("/api/studies", json={"name": "wrong", **body})
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["problem"]
    assert answer.json()["next_step"]
    assert all(one["name"] != "wrong" for one in client.get("/api/runs").json())


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("../secret.csv", {}),
        ("link.csv", {}),
        ("inner/../../secret.csv", {}),
        ("~/secret.csv", {}),
        ("good.csv\0", {}),
        ("inner", {"series": "../../secret.csv"}),
        ("inner", {"series": "s.csv", "events": "/etc/passwd"}),
        ("inner", {"deep": [{"events": "../../secret.csv"}]}),
        ("good.csv", {"events": "link.csv"}),
        ("", {}),
    ],
)
def test_files_outside_of_the_folder_of_data_are_refused(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, options: dict[str, Any]
) -> None:
    (tmp_path / "data" / "inner").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (tmp_path / "data" / "good.csv").write_text("a\n1\n")
    (tmp_path / "data" / "link.csv").symlink_to(tmp_path / "secret.csv")
    monkeypatch.setenv("ARMILLARY_DATA", str(tmp_path / "data"))
    study = changed("data", value={"layout": "timeline", "path": path, "options": options})
    answer = client.post("/api/studies", json={"name": "wrong", "study": study})
    assert answer.status_code == 422
    assert "folder of data" in answer.json()["problem"] or "is no path" in answer.json()["problem"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 81, "con\n", "end."])
def test_the_name_of_a_run_is_a_plain_one(client: httpx.Client, name: str) -> None:
    assert client.post("/api/studies", json={"name": name, "study": STUDY}).status_code == 422


def test_a_run_is_not_overwritten(client: httpx.Client, learn_run: dict[str, Any]) -> None:
    assert learn_run["state"] == "done"
    answer = client.post("/api/studies", json={"name": "icme", "study": STUDY})
    assert answer.status_code == 409
    assert "another name" in answer.json()["next_step"]


def test_a_study_is_stopped_and_goes_on(
    client: httpx.Client, learn_desk: Desk, learn_address: str, ended: Ended
) -> None:
    number = client.post("/api/studies", json={"name": "stopped", "study": STUDY}).json()["job"]
    assert client.post("/api/studies", json={"name": "stopped", "study": STUDY}).status_code == 409
    assert client.post(f"/api/jobs/{number}/retry").status_code == 409
    client.delete(f"/api/jobs/{number}")
    assert ended(learn_address, number)["state"] == "cancelled"
    (listed,) = [one for one in client.get("/api/runs").json() if one["name"] == "stopped"]
    assert (listed["state"], listed["job"]) == ("cancelled", number)
    again = client.post(f"/api/jobs/{number}/retry")
    assert again.status_code == 202
    assert jobs_of(learn_desk.home).get(again.json()["job"]).spec["name"] == "stopped"
    client.delete(f"/api/jobs/{again.json()['job']}")
    ended(learn_address, again.json()["job"])


@pytest.mark.usefixtures("nearby_jobs")
def test_a_model_is_applied_and_proposes(
    client: httpx.Client, learn_run: dict[str, Any], learn_address: str, ended: Ended
) -> None:
    assert learn_run["state"] == "done"
    span = {"start": "2020-06-01", "stop": "2020-08-01"}
    products = ["simulated/wind/b_total", "simulated/wind/density"]
    jobs = [
        client.post("/api/runs/icme/apply", json={"to": "found", "products": products, **span}).json()["job"],
        client.post("/api/runs/icme/propose", json={"to": "icme", "count": 5, **span}).json()["job"],
    ]
    applied, proposed = (ended(learn_address, one) for one in jobs)
    assert applied["state"] == proposed["state"] == "done", (applied, proposed)
    assert applied["result"]["catalogue"] == "found"
    assert applied["result"]["added"] == len(client.get("/api/catalogues/found").json()) > 0
    assert applied["result"]["drift"]["text"]
    assert proposed["result"]["catalogue"] == "icme.proposals"
    told = client.get("/api/catalogues/icme/proposals").json()["proposals"]
    assert [one["id"] for one in told] == proposed["result"]["ids"]
    assert told[0]["label"].startswith("icme 0.")
    assert told[0]["model"] == "icme: logistic"


@pytest.mark.parametrize(
    ("verb", "more", "status", "said"),
    [
        ("apply", {"products": ["simulated/wind/none"]}, 404, "none"),
        ("apply", {"products": ["/etc/passwd"]}, 404, "passwd"),
        ("apply", {"columns": {"b_total": "../x"}}, 404, "../x"),
        ("apply", {"start": "2020-06-01"}, 400, "belong together"),
        ("apply", {"start": "yesterday", "stop": "2021"}, 400, "yesterday"),
        ("apply", {"classes": ["comet"]}, 400, "comet"),
        ("apply", {"model": "../../x"}, 400, "no model"),
        ("apply", {"to": ""}, 400, "to"),
        ("apply", {"to": "a/b"}, 400, "a/b"),
        ("apply", {"to": "a\nb"}, 400, "catalogue"),
        ("propose", {"to": "icme.proposals"}, 400, "icme.proposals"),
        ("apply", {"file": "/etc/passwd"}, 400, "file"),
        ("propose", {"count": 0}, 400, "count"),
        ("propose", {"by": "whim"}, 400, "by"),
    ],
)
def test_what_cannot_be_applied_is_told_before_the_job(
    client: httpx.Client, learn_run: dict[str, Any], verb: str, more: dict[str, Any], status: int, said: str
) -> None:
    assert learn_run["state"] == "done"
    answer = client.post(f"/api/runs/icme/{verb}", json={"to": "found", **more})
    assert answer.status_code == status, answer.text
    assert said in answer.json()["problem"]


def test_decisions_are_versions_with_author_and_model(client: httpx.Client, learn_desk: Desk) -> None:
    first, second, _ = three(learn_desk, "decided")
    rows = client.get("/api/catalogues/decided/proposals").json()["proposals"]
    assert [one["label"] for one in rows] == ["icme 0.60 ok", "icme 0.70 ok", "icme 0.80 ok"]
    mended = client.post(
        "/api/catalogues/decided/proposals",
        json={"status": "proposed", "rows": {first: rows[0]["version"]}, "start": "2020-02-01T01:00"},
    ).json()
    assert mended["proposals"][0]["start"] == "2020-02-01T01:00:00Z"
    version = mended["proposals"][0]["version"]
    taken = client.post("/api/catalogues/decided/proposals", json={"status": "accepted", "rows": {first: version}})
    assert taken.status_code == 200
    client.post("/api/catalogues/decided/proposals", json={"status": "rejected", "rows": {second: None}})
    assert len(client.get("/api/catalogues/decided/proposals").json()["proposals"]) == 1
    (row,) = learn_desk.catalogues.rows("decided")
    assert (row.author, row.model) == (learn_desk.catalogues.author, "m: logistic")
    assert row.attributes["proposal"] == first
    said = [one.summary for one in learn_desk.catalogues.history("decided.proposals")]
    assert said[:3] == [
        "reject 1 proposals for decided", "accept 1 proposals into decided", "mend 1 proposals for decided",
    ]  # fmt: skip


def test_what_somebody_else_changed_is_a_conflict_and_stays(client: httpx.Client, learn_desk: Desk) -> None:
    first, *_ = three(learn_desk, "shared")
    route, seen = "/api/catalogues/shared/proposals", {first: 1}
    assert client.post(route, json={"status": "proposed", "rows": seen, "stop": "2020-02-01T15:00"}).status_code == 200
    late = client.post(route, json={"status": "accepted", "rows": seen})
    assert late.status_code == 409
    assert "somebody else" in late.json()["problem"]
    (row,) = [one for one in client.get(route).json()["proposals"] if one["id"] == first]
    assert row["stop"] == "2020-02-01T15:00:00Z"
    assert "shared" not in {one["name"] for one in client.get("/api/catalogues").json()["catalogues"]}


def test_a_decision_is_taken_back_though_others_came_later(client: httpx.Client, learn_desk: Desk) -> None:
    first, second, _ = three(learn_desk, "undone")
    route = "/api/catalogues/undone/proposals"
    change = client.post(route, json={"status": "accepted", "rows": {first: 1}}).json()["change"]
    client.post(route, json={"status": "rejected", "rows": {second: 1}})
    assert client.post(f"{route}/undo", json={"change": change}).status_code == 200
    assert client.get(route).json()["proposals"][0]["id"] == first
    assert client.post(f"{route}/undo", json={"change": change}).status_code == 400
    assert client.post("/api/catalogues/shared/proposals/undo", json={"change": 1}).status_code in {400, 404}


def test_a_picture_has_open_proposals_with_a_look_of_their_own(client: httpx.Client, learn_desk: Desk) -> None:
    first, second, _ = three(learn_desk, "drawn")
    decide(learn_desk.catalogues, "drawn", "accepted", {first: None})
    decide(learn_desk.catalogues, "drawn", "rejected", {second: None})
    interval = Interval.of("2020-02-01", "2020-02-05")
    (label,) = bands_of(learn_desk.catalogues, ["drawn"], interval)
    (band,) = bands_of(learn_desk.catalogues, ["drawn.proposals"], interval)
    assert (label.label, band.label) == ("icme", "icme 0.80 ok")
    assert label.colour != band.colour == PROPOSED
    asked = {"request": "product=simulated/wind/density", "start": "2020-02-01", "stop": "2020-02-05"}
    answer = client.get("/api/figure", params={**asked, "catalogue": "drawn.proposals", "ending": "svg"})
    assert PROPOSED in answer.text


def test_runs_that_are_damaged_or_gone_are_told(client: httpx.Client, learn_desk: Desk) -> None:
    folder = learn_desk.home / "runs" / "damaged"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    (listed,) = [one for one in client.get("/api/runs").json() if one["name"] == "damaged"]
    assert listed["state"] == "damaged"
    assert "damaged" in listed["problem"]
    assert client.get("/api/runs/damaged").status_code == 422
    store = jobs_of(learn_desk.home)
    number = store.create("armillary.services.runs:study_task", {"name": "gone", "study": STUDY})
    store.start(number)
    store.finish(number, {})
    assert "gone" not in {one["name"] for one in client.get("/api/runs").json()}


@pytest.mark.parametrize(
    "body",
    [
        {"status": "burnt", "rows": {"a": 1}},
        {"status": "accepted", "rows": {}},
        {"status": "accepted", "rows": {"a": "one"}},
        {"status": "accepted", "rows": {"a": 1}, "extra": 1},
        {"status": "accepted", "rows": {"a": 1, "b": 1}, "start": "2020"},
        {"status": "accepted", "rows": {"a": 1}, "start": "soon"},
    ],
)
def test_a_decision_that_is_none_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    assert client.post("/api/catalogues/icme/proposals", json=body).status_code == 400


def test_edges_in_the_wrong_order_change_nothing(client: httpx.Client, learn_desk: Desk) -> None:
    first, *_ = three(learn_desk, "ordered")
    route = "/api/catalogues/ordered/proposals"
    wrong = client.post(route, json={"status": "accepted", "rows": {first: 1}, "stop": "2020-01-01"})
    assert wrong.status_code == 400
    assert client.get(route).json()["proposals"][0]["version"] == 1


def test_what_is_sent_is_small_and_comes_from_our_page(client: httpx.Client) -> None:
    long = {"name": "long", "toml": "#" * 1_100_000}
    assert client.post("/api/studies", json=long).status_code == 413
    pieces = client.post("/api/studies", content=iter([b"{}"]), headers={"Content-Type": "application/json"})
    assert pieces.status_code == 413
    foreign = {"Origin": "http://evil.example"}
    for path in ("studies", "runs/icme/apply", "catalogues/icme/proposals", "jobs/1/retry"):
        assert client.post(f"/api/{path}", json={}, headers=foreign).status_code == 403


def test_learning_needs_the_token_too(learn_desk: Desk, serve_desk: Serve) -> None:
    with serve_desk(learn_desk, "secret") as guarded:
        _check_guarded(guarded)


def _check_guarded(guarded_address: str) -> None:
    for path in ("studies", "runs/icme/apply", "runs/icme/propose", "catalogues/x/proposals", "jobs/1/retry"):
        assert httpx.post(f"{guarded_address}/api/{path}", json={}).status_code == 401
    assert httpx.get(f"{guarded_address}/api/runs/icme/card").status_code == 401

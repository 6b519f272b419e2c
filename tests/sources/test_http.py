"""HTTP: what is asked politely, what is refused, and files that are whole or not there."""

from pathlib import Path

import pytest

from armillary.errors import BadAnswer, BadRequest, CannotWrite, SourceDown
from armillary.sources.http import Patience, ask, download, open_client, shown
from armillary.testing.hapi_server import HapiServer

HASTY = Patience(connect=0.5, read=0.4, whole=1.0, pause=0.01)
PATIENT = Patience(pause=0.01)


def test_an_answer_is_kept_up_to_its_limit() -> None:
    with HapiServer({}) as server, open_client(PATIENT) as client:
        answer = ask(client, f"{server.url}/capabilities", patience=PATIENT)
        assert (answer.status, answer.too_long) == (200, False)
        assert answer.headers["content-type"] == "application/json"
        short = ask(client, f"{server.url}/capabilities", patience=PATIENT, limit=10)
        assert (short.body, short.too_long) == (b"", True)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "nonsense", "http://[broken/"])
def test_only_http_is_asked(url: str) -> None:
    with open_client(PATIENT) as client, pytest.raises(BadRequest):
        ask(client, url, patience=PATIENT)


def test_a_busy_server_is_asked_again() -> None:
    with HapiServer({}) as server, open_client(PATIENT) as client:
        server.misbehave("busy", "", times=2)
        assert ask(client, f"{server.url}/catalog", patience=PATIENT).status == 200
        server.misbehave("busy", "")
        assert ask(client, f"{server.url}/catalog", patience=PATIENT).status == 503
        assert len(server.asked) == 6


def test_nobody_there() -> None:
    with HapiServer({}) as server:
        url = server.url
    with open_client(PATIENT) as client, pytest.raises(SourceDown, match="no connection"):
        ask(client, url, patience=PATIENT)


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "new" / "catalog.json"
    with HapiServer({}) as server, open_client(PATIENT) as client:
        url = f"{server.url}/catalog"
        for trouble in ("cut", "error", "drip", "hang"):
            server.behave()
            server.misbehave(trouble, "catalog")
            with pytest.raises((BadAnswer, SourceDown)), open_client(HASTY) as hasty:
                download(hasty, url, target, patience=HASTY)
            assert list(tmp_path.rglob("*.*")) == []
        server.behave()
        with pytest.raises(BadAnswer, match="longer than 5 bytes"):
            download(client, url, target, patience=PATIENT, limit=5)
        assert download(client, url, target, patience=PATIENT).read_bytes().startswith(b"{")
        with pytest.raises(CannotWrite):
            download(client, url, target / "below", patience=PATIENT)
    assert list(tmp_path.rglob("*.*")) == [target]


def test_a_login_is_not_shown() -> None:
    assert shown("https://a:b@host:8080/x?y=1") == "https://host:8080/x?y=1"


@pytest.mark.parametrize(("target", "refused"), [("http://host/x", True), ("HTTP://host/x", True), ("/x", False)])
def test_https_is_never_left_for_http(target: str, refused: bool) -> None:
    import httpx

    request = httpx.Request("GET", "https://host/")
    with open_client(PATIENT) as client:
        hook = client.event_hooks["response"][0]
        response = httpx.Response(302, headers={"location": target}, request=request)
        if refused:
            with pytest.raises(BadAnswer, match="from https to http"):
                hook(response)
        else:
            hook(response)

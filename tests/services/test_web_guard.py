"""Who may ask the workbench, and what its page may do."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from armillary.errors import BadRequest
from armillary.services.web import app as web_app
from armillary.services.web.server import is_loopback, listen


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:8", "[::1]:8"])
def test_names_of_this_machine_are_answered(web_address: str, host: str) -> None:
    assert httpx.get(f"{web_address}/api/tree", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "192.168.1.2:8000", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_a_foreign_name_for_our_address_is_refused(web_address: str, host: str) -> None:
    answer = httpx.get(f"{web_address}/api/tree", headers={"Host": host})
    assert answer.status_code == 403
    assert "armillary desk" in answer.json()["next_step"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_other_pages_are_refused(web_address: str, headers: dict[str, str], method: str) -> None:
    assert httpx.request(method, f"{web_address}/api/progress/x", headers=headers).status_code == 403


def test_our_page_may_ask_and_links_may_lead_here(web_address: str) -> None:
    ours = {"Origin": web_address, "Sec-Fetch-Site": "same-origin"}
    assert httpx.delete(f"{web_address}/api/progress/ours", headers=ours).status_code == 204
    assert httpx.get(web_address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_a_token_is_needed_where_it_is_set(guarded_address: str) -> None:
    with httpx.Client(base_url=guarded_address) as client:
        for path in ("/", "/api/tree", "/api/tree?token=wrong", "/static/desk.js"):
            assert client.get(path).status_code == 401
        assert client.get("/api/tree", headers={"Authorization": "Bearer secret"}).status_code == 200
        first = client.get("/?token=secret")
        assert first.status_code == 200
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert client.get("/api/tree").status_code == 200  # by the cookie now
        assert client.get("/api/tree", headers={"Origin": "http://evil.example"}).status_code == 403


def test_every_answer_has_the_policy(web_address: str) -> None:
    with httpx.Client(base_url=web_address) as client:
        for path in ("/", "/static/desk.js", "/renderer/panels.js", "/api/tree", "/api/product?path=none"):
            policy = client.get(path).headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    page = (web_app.STATIC / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    for file in web_app.STATIC.iterdir():
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, f"{file.name} names an address elsewhere"
        assert "innerHTML" not in text


def test_files_beside_the_page_are_not_served(web_address: str) -> None:
    with httpx.Client(base_url=web_address) as client:
        for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/renderer/%2e%2e/page.py"):
            assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("desk.example", False),
    ],
)
def test_what_is_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_a_taken_port_is_said_in_words() -> None:
    taken = listen("127.0.0.1", 0)
    with taken, pytest.raises(BadRequest, match=r"--port"):
        listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99_999), ("no-such-host.invalid", 0), ("203.0.113.9", 0)])
def test_an_address_that_is_none_is_said_in_words(host: str, port: int) -> None:
    with pytest.raises(BadRequest, match=r"cannot be used: \S+"):
        listen(host, port)


def start_desk(home: Path, *options: str) -> tuple["subprocess.Popen[str]", str]:
    """Start the command and give its printed address."""
    running = subprocess.Popen(
        [sys.executable, "-m", "armillary", "desk", "--port", "0", *options],
        env={**os.environ, "ARMILLARY_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    said = running.stdout.readline()
    found = re.fullmatch(r"Armillary is at (http://\S+/(?:\?token=\S+)?)\n", said)
    assert found, said
    return running, found[1]


def end_desk(running: "subprocess.Popen[str]") -> str:
    """Press Ctrl-C and give what was said on stderr."""
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 0, errors
    return errors


def test_the_command_prints_its_address_serves_and_ends_quietly(tmp_path: Path) -> None:
    running, address = start_desk(tmp_path)
    try:
        assert re.match(r"http://127\.0\.0\.1:\d+/$", address)
        assert "Armillary" in httpx.get(address, timeout=30).text
        with httpx.stream("GET", f"{address}api/progress/open", timeout=30) as events:
            assert next(events.iter_lines()).startswith("data: ")
            errors = end_desk(running)  # while somebody still listens
        assert errors == ""
    finally:
        running.kill()


def test_beyond_this_machine_the_command_prints_a_token(tmp_path: Path) -> None:
    running, address = start_desk(tmp_path, "--host", "0.0.0.0")  # noqa: S104
    try:
        near = address.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(near, timeout=30).status_code == 200
        assert httpx.get(near.partition("?")[0], timeout=30).status_code == 401
        assert end_desk(running) == ""
    finally:
        running.kill()

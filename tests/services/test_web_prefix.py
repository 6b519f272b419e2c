"""The desk behind another server that puts it under a prefix, as Jupyter's proxy does."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
import uvicorn

import armillary as arm
from armillary.services.web import build_app
from armillary.services.web.server import listen

PREFIX = "/user/me/armillary"


@contextmanager
def behind(prefix: str, home: Path) -> Iterator[str]:
    """Serve a desk under a prefix; nothing else answers, as on a server that is somebody else's."""
    inner: Any = build_app(arm.open(home=home))

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{prefix}/"):
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 404, "headers": []})
                await send({"type": "http.response.body", "body": b""})
            return
        path = scope["path"].removeprefix(prefix)
        await inner(scope | {"path": path, "raw_path": path.encode()}, receive, send)

    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(proxy, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}{prefix}/"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with behind(PREFIX, tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.mark.parametrize("page", ["", "objects", "source/7"])
def test_all_that_a_page_names_is_there(address: str, page: str) -> None:
    place = f"{address}{page}"
    text = httpx.get(place).text
    named = [one for one in re.findall(r'(?:href|src)="([^"#?]+)"', text) if "://" not in one]
    assert any(one.endswith(".js") for one in named)
    seen = {urljoin(place, one) for one in named}
    for script in (one for one in list(seen) if one.endswith(".js")):
        seen |= {urljoin(script, one) for one in re.findall(r'from "([^"]+)"', httpx.get(script).text)}
    assert [one for one in seen if httpx.get(one).status_code != 200] == []


def test_no_script_names_the_root() -> None:
    folder = Path(arm.__file__).parent / "services" / "web" / "static"
    absolute = re.compile(r"""["'`]/(?:api|static|renderer|objects|source)\b""")
    found = [one.name for one in folder.glob("*.js") if absolute.search(one.read_text("utf-8"))]
    assert found == []


@pytest.mark.browser
def test_the_tree_is_shown_under_a_prefix(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.get_by_text("simulated", exact=False).first.wait_for(timeout=20_000)
    page.close()

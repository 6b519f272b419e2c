"""A desk for the web tests: the simulated observatory, a small folder, a server that is gone, a catalogue."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
import uvicorn
import xarray as xr

from armillary.catalogues import Entry
from armillary.model import Archive
from armillary.services.desk import Desk
from armillary.services.desk import open as open_desk
from armillary.services.web import build_app
from armillary.services.web.server import listen
from armillary.testing.hapi_server import HapiServer, Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    Opened = Callable[[Sequence[str], Mapping[str, str]], Page]

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("ARMILLARY_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: A title as no archive should have it.
HOSTILE = "<script>window.broken=1</script><img src=x onerror='window.broken=1'>"


@pytest.fixture(scope="session")
def web_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of a wave and of a spectrum, every ten seconds, with a hostile title."""
    folder = tmp_path_factory.mktemp("bench")
    times = np.datetime64("2021-03-04", "ns") + np.arange(8640) * np.timedelta64(10, "s")
    wave = np.sin(np.arange(8640) / 300) * 5
    energy = np.geomspace(10, 10_000, 16)
    counts = 1e3 * (2 + wave[:, None] / 5) * np.exp(-(np.log(energy / 300) ** 2))
    data = xr.Dataset(
        {
            "wave": ("time", wave, {"units": "nT", "long_name": "A field that waves"}),
            "hostile": ("time", wave + 1, {"units": "nT", "long_name": HOSTILE}),
            "counts": (("time", "energy"), counts, {"units": "counts", "long_name": "Counts of ions"}),
        },
        {"time": times, "energy": ("energy", energy, {"units": "eV"})},
    )
    data.to_netcdf(folder / "bench.nc", engine="h5netcdf")
    return folder


@pytest.fixture(scope="session")
def web_desk(web_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The desk of the web tests."""
    info = {
        "startDate": "2020-01-01T00:00Z", "stopDate": "2020-01-02T00:00Z", "cadence": "PT1H",
        "parameters": [
            {"name": "Time", "type": "isotime", "length": 20, "units": "UTC", "fill": None},
            {"name": "lost", "type": "double", "units": "nT", "fill": None, "description": "gone"},
        ],
    }  # fmt: skip
    times = [f"2020-01-01T{hour:02d}:00:00Z" for hour in range(24)]
    with HapiServer({"gone": Served.of(info, {"Time": times, "lost": np.arange(24.0)})}) as server:
        gone = Archive(name="gone", protocol="hapi", address=server.url, title="A server that went away")
        desk = open_desk(web_folder, gone, home=tmp_path_factory.mktemp("web_home"))
    store = desk.catalogues
    store.new("waves", description="Where it is high")
    store.add("waves", [Entry.event("2021-03-04T06:00", "2021-03-04T08:00", class_="crest")])
    return desk


@pytest.fixture(scope="session")
def wave(web_desk: Desk) -> str:
    """Path of the wave."""
    return next(one.path for one in web_desk.search("", "local", 0) if one.path.endswith("/wave"))


@contextmanager
def _serving(desk: Desk, token: str = "") -> Iterator[str]:
    """Serve a desk on a free port and give its address."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(build_app(desk, token), log_level="warning", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def web_address(web_desk: Desk) -> Iterator[str]:
    """The address of a real server over the desk."""
    with _serving(web_desk) as address:
        yield address


@pytest.fixture(scope="session")
def guarded_address(web_desk: Desk) -> Iterator[str]:
    """The same behind the token "secret"."""
    with _serving(web_desk, "secret") as address:
        yield address


@pytest.fixture(scope="session")
def serve_desk() -> Callable[[Desk], AbstractContextManager[str]]:
    """What serves another desk for a while."""
    return _serving


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator["Browser"]:
    """Chromium, or a loud skip that names what is not tested."""
    from playwright.sync_api import sync_playwright

    if not Path(CHROMIUM).is_file():
        what = request.path.stem.removeprefix("test_")
        pytest.skip(f"{what} is not tested: there is no chromium; install it or set ARMILLARY_CHROMIUM to its path")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield running
        running.close()


@pytest.fixture
def open_picture(
    browser: "Browser", web_address: str
) -> Iterator[Callable[[Sequence[str], Mapping[str, str]], "Page"]]:
    """Open products of a span on a page that may throw no error."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    said: list[str] = []

    def opened(paths: Sequence[str], span: Mapping[str, str]) -> "Page":
        made = context.new_page()
        made.on("pageerror", lambda error: said.append(str(error)))
        made.set_default_timeout(30_000)
        requests = "&".join(f"request={quote(f'product={path}', safe='=/')}" for path in paths)
        times = "&".join(f"{name}={quote(text)}" for name, text in span.items())
        made.goto(f"{web_address}/?{requests}&{times}")
        made.wait_for_function(f"() => window.armillary?.picture?.panels?.view?.panels.length === {len(paths)}")
        return made

    yield opened
    context.close()
    assert said == []


#: Products and labels of a study that learns in seconds.
LEARN = {
    "name": "icme", "title": "Ejections <b>seen</b>", "task": "events", "seeds": 1, "resamples": 20,
    "data": {
        "layout": "products",
        "options": {
            "start": "2020-01-01", "stop": "2020-06-01", "cadence": "4h", "labels": "icme",
            "products": {"b_total": "simulated/wind/b_total", "density": "simulated/wind/density"},
        },
    },
    "split": {"time_on": "time", "block": "15d", "folds": 3},
    "features": [{"use": "columns"}, {"use": "rolling", "options": {"windows": ["24h"]}}],
    "models": [{"use": "logistic"}],
}  # fmt: skip


@pytest.fixture(scope="session")
def learn_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a catalogue of ejections."""
    desk = open_desk(home=tmp_path_factory.mktemp("learn_home"))
    known = desk.get("simulated/wind/truth/icme", "2020-01-01", "2020-06-01").to_pylist()
    desk.catalogues.new("icme")
    desk.catalogues.add("icme", [Entry.event(one["start"], one["stop"], class_="icme") for one in known])
    return desk


@pytest.fixture(scope="session")
def learn_address(learn_desk: Desk) -> Iterator[str]:
    """The address of a real server over it."""
    with _serving(learn_desk) as address:
        yield address


@pytest.fixture(scope="session")
def ended() -> Callable[[str, int], dict[str, Any]]:
    """What waits for a job, and gives what was told of it: the last record with ``seen``, all fractions."""

    def wait(address: str, number: int) -> dict[str, Any]:
        seen: list[float] = []
        for _ in range(1200):
            told: dict[str, Any] = httpx.get(f"{address}/api/jobs/{number}").json()
            seen.append(told["fraction"])
            if told["state"] not in {"queued", "running"}:
                return told | {"seen": seen}
            time.sleep(0.1)
        raise TimeoutError(f"job {number} does not end: {told}")

    return wait


@pytest.fixture(scope="session")
def learn_run(learn_address: str, ended: Callable[[str, int], dict[str, Any]]) -> dict[str, Any]:
    """The job of the study "icme", run through the web."""
    asked = httpx.post(f"{learn_address}/api/studies", json={"name": "icme", "study": LEARN}, timeout=60)
    assert asked.status_code == 202, asked.text
    return ended(learn_address, asked.json()["job"])


@pytest.fixture
def nearby_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run jobs in threads of this process, which has its libraries already; a process of its own needs seconds."""
    monkeypatch.setattr("armillary.services.runs.WHERE", "thread")

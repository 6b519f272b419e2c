"""The exported page, opened from a disk in a real Chromium without network."""

import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from armillary.model import Interval
from armillary.plots import Band, View, arrange, save
from armillary.plots.page import MODULES, STATIC, bundle, page
from armillary.plots.ticks import time_ticks

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOSTILE = "</script><script>window.broken = 1</script><img src=x onerror='window.broken=2'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: install it to test the page")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[[View], Any]]:
    """Open a view; at the end nothing may have been complained about or asked of a network."""
    complaints: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 900, "height": 800}, offline=True)

    def show(view: View) -> Any:
        tab = context.new_page()
        # The one remark allowed is about this test's own looking at pixels.
        tab.on("console", lambda said: "willReadFrequently" in said.text or complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        file = save(view, tmp_path / "view.html")
        tab.goto(file.as_uri())
        until(tab, "!!window.armillary?.boxes")
        return tab

    yield show
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith("file:")] == []


def a_view(made: SimpleNamespace, title: str = "a title") -> View:
    items = [
        (made.product("spectrogram", "s"), made.spectrogram(np.geomspace(10, 1e4, 16), 300)),
        (made.product("series", "v", citation=title), made.lines()),
        *made.everything()[3:],
    ]
    start = made.times(1)[0].astype(int)
    return arrange(items, bands=[Band(start + 10**11, start + 10**12, title)], title=title)


def until(tab: Any, true: str) -> None:
    """Wait without `eval`, which the page forbids."""
    for _ in range(200):
        if tab.evaluate(true):
            return
        tab.wait_for_timeout(25)
    pytest.fail(f"never came true: {true}")


def span(tab: Any) -> list[float]:
    return [float(one) for one in tab.evaluate("[armillary.start, armillary.stop]")]


def middle_of(tab: Any, panel: int) -> tuple[float, float]:
    x, y = tab.evaluate(
        f"""(() => {{ const edge = armillary.canvas.getBoundingClientRect(), box = armillary.boxes[{panel}];
        return [edge.left + box.left + box.width / 2, edge.top + box.top + box.height / 2]; }})()"""
    )
    return float(x), float(y)


def test_the_page_is_one_file_that_asks_nobody(made: SimpleNamespace) -> None:
    text = page(a_view(made))
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|\bfetch\(|XMLHttpRequest""", text)
    assert "import " not in re.sub(r"/\*.*?\*/|//[^\n]*", "", bundle(), flags=re.DOTALL)


def test_every_module_is_in_the_page() -> None:
    assert sorted(path.name for path in STATIC.glob("*.js")) == sorted(MODULES)


def test_what_comes_from_archives_is_escaped(made: SimpleNamespace) -> None:
    text = page(a_view(made, HOSTILE))
    assert text.count("<script") == 2
    assert "<img" not in text
    found = re.search(r'id="record">(.*?)</script>', text, re.DOTALL)
    assert found
    assert json.loads(found[1])["title"] == HOSTILE


def test_lineage_and_notes_stand_on_the_page(made: SimpleNamespace) -> None:
    data = made.scalar([1.0, 2.0, 900.0], VALIDMAX=100.0)
    data.attrs["lineage"] = {"steps": ["read <a>"]}
    text = page(arrange([(made.product("series", citation="Doe & Roe 2026"), data)]))
    assert "Doe &amp; Roe 2026" in text
    assert "read &lt;a&gt;" in text
    assert "outside the valid range" in text


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_a_hostile_title_does_nothing(made: SimpleNamespace, opened: Callable[[View], Any]) -> None:
    tab = opened(a_view(made, HOSTILE))
    assert tab.evaluate("window.broken") is None
    assert tab.title() == HOSTILE
    tab.mouse.move(*middle_of(tab, 1))
    assert tab.locator("img").count() == 0


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_wheel_drag_box_and_keys_move_the_time_axis(made: SimpleNamespace, opened: Callable[[View], Any]) -> None:
    tab = opened(a_view(made))
    tab.evaluate("window.moves = []; addEventListener('viewchange', (event) => moves.push(event.detail))")
    whole = span(tab)
    x, y = middle_of(tab, 1)
    tab.mouse.move(x, y)
    tab.mouse.wheel(0, -300)
    until(tab, "moves.length === 1")
    closer = span(tab)
    assert sum(closer) == pytest.approx(sum(whole), rel=1e-9)
    assert closer[1] - closer[0] == pytest.approx((whole[1] - whole[0]) * np.exp(-0.75), rel=0.01)

    tab.mouse.down()
    tab.mouse.move(x + 100, y, steps=3)
    tab.mouse.up()
    moved = span(tab)
    assert moved[0] < closer[0]
    assert moved[1] - moved[0] == pytest.approx(closer[1] - closer[0])

    tab.locator("canvas").first.focus()
    tab.keyboard.press("ArrowRight")
    assert span(tab)[0] == pytest.approx(moved[0] + 0.1 * (moved[1] - moved[0]))
    tab.keyboard.press("+")
    assert span(tab)[1] - span(tab)[0] == pytest.approx((moved[1] - moved[0]) / 2)
    tab.keyboard.press("Home")
    assert span(tab) == whole

    tab.keyboard.down("Shift")
    tab.mouse.move(x - 50, y)
    tab.mouse.down()
    tab.mouse.move(x + 50, y, steps=3)
    tab.mouse.up()
    tab.keyboard.up("Shift")
    width = tab.evaluate("armillary.boxes[1].width")
    assert span(tab)[1] - span(tab)[0] == pytest.approx((whole[1] - whole[0]) * 100 / width, rel=0.01)


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_the_cross_hair_reads_values_in_units(made: SimpleNamespace, opened: Callable[[View], Any]) -> None:
    tab = opened(a_view(made))
    tab.mouse.move(*middle_of(tab, 0))
    readout = tab.locator("output").inner_text()
    assert re.match(r"2015-10-17 06:\d\d:\d\d · energy [\d.]+ eV · flux [\d.]+ 1/s", readout)
    tab.mouse.move(*middle_of(tab, 1))
    assert re.search(r"Vx \S+ km/s · Vy", tab.locator("output").inner_text())


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_what_was_not_counted_has_no_colour_on_a_logarithmic_scale_as_in_saved_pictures(
    made: SimpleNamespace, opened: Callable[[View], Any]
) -> None:
    data = made.spectrogram(np.geomspace(10, 1e4, 16), 300, SCALETYP="log")
    data["flux"][:, :12] = 0.0
    tab = opened(arrange([(made.product("spectrogram", "s"), data)]))
    x, y = middle_of(tab, 0)
    high = tab.evaluate("armillary.boxes[0].height")

    def pixel(share: float) -> tuple[int, ...]:
        area = {"x": x, "y": y - high / 2 + share * high, "width": 1, "height": 1}
        with Image.open(BytesIO(tab.screenshot(clip=area))) as picture:
            return picture.convert("RGB").getpixel((0, 0))

    assert pixel(0.6) == (255, 255, 255)
    assert pixel(0.05) != (255, 255, 255)


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_a_legend_hides_its_line_and_people_without_sight_are_told(
    made: SimpleNamespace, opened: Callable[[View], Any]
) -> None:
    tab = opened(a_view(made))
    canvas = tab.locator("canvas[role=application]")
    assert "V [km/s] (Vx, Vy, Vz)" in canvas.get_attribute("aria-label")
    assert canvas.get_attribute("tabindex") == "0"

    def ink() -> int:
        script = """(() => { const { left, top, width, height } = armillary.boxes[1], k = devicePixelRatio;
          const sheet = armillary.canvas.getContext("2d");
          const all = sheet.getImageData(left * k, top * k, width * k, height * k).data;
          let sum = 0;
          for (let i = 0; i < all.length; i += 4) sum += all[i] < 60 && all[i + 2] > 150;
          return sum; })()"""
        return int(tab.evaluate(script))

    assert ink() > 100
    button = tab.get_by_role("button", name="Vx")
    button.click()
    until(tab, "!armillary.pending")
    assert button.get_attribute("aria-pressed") == "false"
    assert ink() < 20


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_the_binary_form_and_new_data_are_understood(made: SimpleNamespace, opened: Callable[[View], Any]) -> None:
    view = a_view(made)
    tab = opened(view)
    script = bundle() + "\nwindow.pieces = { decodeBytes, timeTicks };"
    tab.evaluate("(text) => { const s = document.createElement('script'); s.type = 'module'; s.textContent = text;"
                 " document.head.append(s); }", script)  # fmt: skip
    until(tab, "!!window.pieces")
    tab.evaluate("armillary.show(armillary.start + 1e5, armillary.stop - 1e5, false)")
    kept = span(tab)
    tab.evaluate("(bytes) => armillary.set(pieces.decodeBytes(new Uint8Array(bytes).buffer))", list(view.to_bytes(500)))
    until(tab, "!armillary.pending")
    assert span(tab) == kept
    for start, stop in (
        ("2015-10-17T05:50", "2015-10-17T07:55"), ("2015-12-31T22:00", "2016-01-01T03:00"),
        ("2015-01-01", "2016-03-01"), ("2015-10-01", "2015-11-20"), ("1990-01-01", "2016-03-01"),
        ("2015-10-17T06:00:00", "2015-10-17T06:00:03"),
    ):  # fmt: skip
        span_ns = Interval.of(start, stop)
        ours = [[tick.at / 1e6, tick.label, tick.below] for tick in time_ticks(span_ns.start, span_ns.stop, 8)]
        theirs = tab.evaluate(
            "([a, b]) => pieces.timeTicks(a, b, 8).map((t) => [t.at, t.label, t.below])",
            [span_ns.start / 1e6, span_ns.stop / 1e6],
        )
        assert theirs == ours

"""The page of a table of sources in a real browser: lasso, linked views, labels, address, keyboard, embedding."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from armillary.model import Request
from armillary.services.desk import Desk
from armillary.services.desk import open as open_desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TABLE = "table=simulated/stars/photometry&param.n=3000"
STARS = "product=simulated/stars/photometry&param.n=3000"


@pytest.fixture(scope="module")
def sky_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return open_desk(home=tmp_path_factory.mktemp("sky_home"))


@pytest.fixture(scope="module")
def sky_address(sky_desk: Desk, serve_desk: Callable[[Desk], AbstractContextManager[str]]) -> Iterator[str]:
    with serve_desk(sky_desk) as address:
        yield address


@pytest.fixture(scope="module")
def columns(sky_desk: Desk) -> dict[str, np.ndarray[Any, Any]]:
    """The columns of the table, as the desk has them."""
    frame = sky_desk.answer(Request.from_query(STARS)).to_pandas()  # type: ignore[union-attr]
    return {str(name): frame[name].to_numpy() for name in frame}


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A page that may throw nothing and say nothing on its console."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    made, said = context.new_page(), list[str]()
    made.set_default_timeout(20_000)
    made.on("pageerror", lambda error: said.append(str(error)))
    made.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    yield made
    context.close()
    assert [line for line in said if not line.startswith("Failed to load resource")] == []


@pytest.fixture
def visit(page: "Page", sky_address: str) -> Callable[[str], "Page"]:
    """Open the table with more in its address."""

    def go(more: str = "") -> "Page":
        page.goto(f"{sky_address}/objects?{TABLE}{more}")
        page.wait_for_selector("body[data-ready=yes]")
        return page

    return go


def chosen(page: "Page") -> list[str]:
    found: list[str] = page.evaluate("objects.chosen.map((row) => objects.data.names()[row])")
    return found


def drag(page: "Page", view: str, corners: list[tuple[float, float]]) -> None:
    """Drag along places of a view that are given in its numbers."""
    box = page.locator(f"#{view} canvas").first.bounding_box()
    assert box
    pixels = [page.evaluate("([name, x, y]) => objects.plots[name].toPixel(x, y)", [view, *one]) for one in corners]
    (x, y), *rest = [(box["x"] + px, box["y"] + py) for px, py in pixels]
    page.mouse.move(x, y)
    page.mouse.down()
    for px, py in rest:
        page.mouse.move(px, py, steps=4)
    page.mouse.up()


def test_a_lasso_selects_what_lies_in_it_in_all_views(
    visit: Callable[[str], "Page"], columns: dict[str, np.ndarray[Any, Any]]
) -> None:
    page = visit("&one=J-Ks;J&two=H-Ks;J-H")
    page.locator("#drag label", has_text="Lasso").click()
    drag(page, "one", [(0.85, 8.0), (1.45, 8.0), (1.45, 13.0), (0.85, 13.0)])
    found = set(chosen(page))
    x, y = columns["j_mag"] - columns["ks_mag"], columns["j_mag"]
    with np.errstate(invalid="ignore"):
        surely = (x > 0.87) & (x < 1.43) & (y > 8.1) & (y < 12.9)
        perhaps = (x > 0.83) & (x < 1.47) & (y > 7.8) & (y < 13.2)
    ids = columns["source_id"].astype(str)
    assert set(ids[surely]) <= found <= set(ids[perhaps])
    assert len(found) > 20
    expect(page.locator("#selected")).to_have_text(f"{len(found)} selected")
    masks = page.evaluate("Object.values(objects.plots).map((one) => one.shown.selected.reduce((a, b) => a + b, 0))")
    assert masks == [len(found)] * 3
    expect(page.locator("#status")).to_have_text(f"{len(found)} sources are selected")


def test_a_box_on_the_sky_selects_and_the_mix_is_told(
    visit: Callable[[str], "Page"], columns: dict[str, np.ndarray[Any, Any]]
) -> None:
    page = visit("&colour=Lada class")
    page.keyboard.press("b")
    drag(page, "sky", [(-1.0, -1.0), (1.0, 1.0)])
    ids, found = columns["source_id"].astype(str), set(chosen(page))
    near = (np.abs(columns["ra"] - 85) < 0.9) & (np.abs(columns["dec"] + 5) < 0.9)
    far = (np.abs(columns["ra"] - 85) > 1.3) | (np.abs(columns["dec"] + 5) > 1.3)
    assert set(ids[near]) <= found
    assert not found & set(ids[far])
    expect(page.locator("#mix")).to_contain_text("III")
    kept = parse_qs(urlsplit(page.url).query)["select"][0]
    assert kept.startswith("set;ra;dec;")


def test_the_address_brings_everything_back(visit: Callable[[str], "Page"], page: "Page", browser: "Browser") -> None:
    visit("&colour=Lada class&one=J-Ks;J")
    page.keyboard.press("l")
    drag(page, "two", [(0.1, 0.3), (0.5, 0.3), (0.5, 0.8), (0.1, 0.8)])
    page.locator("#two canvas").first.hover()
    page.mouse.wheel(0, -300)
    page.locator("#frame").select_option("galactic")
    page.locator("#sky canvas").first.focus()
    page.keyboard.press("n")
    look = """[objects.chosen, objects.state, objects.plots.two.edges().map((one) => one.toPrecision(5)), objects.row,
      objects.painting.order.length]"""
    before = page.evaluate(look)
    assert before[0]
    other = browser.new_page(viewport={"width": 1280, "height": 720})
    other.goto(page.url)
    other.wait_for_selector("body[data-ready=yes]")
    after = other.evaluate(look)
    assert after[0] == before[0]
    assert after[2:] == before[2:]
    assert after[1]["frame"] == "galactic"
    other.close()


def test_selected_sources_are_labelled_and_it_is_undone(
    visit: Callable[[str], "Page"], sky_desk: Desk, sky_address: str
) -> None:
    page = visit("&select=set;range;G_abs;-5;3")
    count = len(chosen(page))
    assert count > 10
    page.get_by_label("Class", exact=True).fill("bright")
    page.get_by_label("Author").fill("ada")
    page.get_by_role("button", name=f"Label {count}").click()
    expect(page.locator("#status")).to_contain_text(f"{count} sources are bright now")
    rows = sky_desk.catalogues.rows("labels")
    assert sorted(one.source_id for one in rows) == sorted(chosen(page))
    assert {(one.class_, one.author) for one in rows} == {("bright", "ada")}
    page.locator("#colour").select_option("label")
    expect(page.locator("#legend")).to_contain_text("bright")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#status")).to_have_text("Undone")
    names = {one["name"] for one in httpx.get(f"{sky_address}/api/catalogues").json()["catalogues"]}
    assert "labels" not in names


def test_the_keyboard_alone_suffices(visit: Callable[[str], "Page"]) -> None:
    page = visit()
    plot = page.get_by_role("application", name="Colour and magnitude")
    plot.focus()
    whole = page.evaluate("objects.plots.one.edges()")
    for key in ("+", "+", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate("objects.plots.one.edges()") != whole
    page.keyboard.press("Enter")  # what is in view
    inside = len(chosen(page))
    assert 0 < inside < 3000
    page.keyboard.press("n")
    first = page.evaluate("objects.state.at")
    page.keyboard.press("n")
    assert page.evaluate("objects.state.at") != first
    expect(page.locator("#status")).to_contain_text("· ")
    expect(page.get_by_role("img", name="Energy distribution of")).to_be_visible()
    rows = page.get_by_role("table", name="Selected sources").locator("tbody tr")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#selected")).to_have_text("Nothing selected")


def test_numbers_select_without_a_mouse(
    visit: Callable[[str], "Page"], columns: dict[str, np.ndarray[Any, Any]]
) -> None:
    page = visit()
    page.locator("#selection summary").click()
    page.get_by_label("Column").select_option("J")
    page.get_by_label("Lowest").fill("10")
    page.get_by_label("Highest").fill("12.5")
    page.get_by_role("button", name="Select", exact=True).click()
    wanted = columns["source_id"][(columns["j_mag"] >= 10) & (columns["j_mag"] <= 12.5)]
    assert sorted(chosen(page)) == sorted(map(str, wanted))


def test_the_selection_is_saved(visit: Callable[[str], "Page"]) -> None:
    page = visit("&select=set;range;J;9;11")
    page.locator("#saving summary").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="csv of the selection").click()
    lines = [one for one in waiting.value.path().read_text("utf-8").splitlines() if not one.startswith("#")]
    assert len(lines) - 1 == len(chosen(page))


def test_everything_pressed_has_a_name_and_the_page_asks_nobody_else(
    visit: Callable[[str], "Page"], page: "Page", sky_address: str
) -> None:
    got: list[str] = []
    page.on("requestfinished", lambda one: got.append(one.url))
    visit("&select=set;range;J;9;11&at=4")
    nameless = """Array.from(document.querySelectorAll("button, input, select, summary, a[href]")).filter((one) =>
      !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length)).map((one) => one.outerHTML)"""
    assert page.evaluate(nameless) == []
    assert all(url.startswith(sky_address) for url in got)


def test_the_tree_leads_to_it(page: "Page", sky_address: str) -> None:
    page.goto(sky_address)
    page.get_by_role("searchbox").fill("stars ten bands")
    page.get_by_role("treeitem", name="Stars in ten bands").click()
    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector("body[data-ready=yes]")
    expect(page.get_by_role("heading", name="Stars in ten bands")).to_be_visible()


def test_upper_limits_are_neither_drawn_nor_in_colours(visit: Callable[[str], "Page"]) -> None:
    page = visit("&select=set;range;J;-30;60")
    row = page.evaluate("objects.chosen[0]")
    page.evaluate(
        """(row) => {
          const { data } = objects, limit = new Uint8Array(data.count);
          limit[row] = 1;
          data.measured.set(...data.withoutLimits("j_mag", limit));
          data.made.clear();
          objects.select();
        }""",
        row,
    )
    drawn = page.evaluate(
        "(row) => ['J', 'j_mag', 'J-H', 'H'].map((one) => Number.isFinite(objects.data.values(one)[row]))", row
    )
    assert drawn == [False, False, False, True]
    assert row not in page.evaluate("objects.chosen")


def test_no_number_of_the_whole_sky_stands_there_twice(visit: Callable[[str], "Page"]) -> None:
    page = visit("&projection=mollweide")
    words = """(() => {
      const said = [], pen = objects.plots.sky.canvas.getContext("2d"), before = pen.fillText;
      pen.fillText = (text) => said.push(text);
      objects.plots.sky.paint();
      delete pen.fillText;
      return said;
    })()"""
    said = page.evaluate(words)
    assert len(said) == len(set(said))
    assert {"270°", "90°", "330°", "+60°", "-60°"} <= set(said)


def test_a_source_has_its_page(visit: Callable[[str], "Page"]) -> None:
    page = visit("&at=4")
    page.get_by_role("link", name="All about it").click()
    page.wait_for_selector("body[data-ready=yes]")
    expect(page.get_by_role("heading", name="4", exact=True)).to_be_visible()
    expect(page.locator("#columns")).to_contain_text("source_id")
    page.get_by_role("link", name="Back to the table").click()
    page.wait_for_selector("body[data-ready=yes]")
    assert page.evaluate("objects.state.at") == "4"


def test_the_panel_lives_in_another_page_and_tells_its_selection(page: "Page", sky_address: str) -> None:
    page.goto(f"{sky_address}/static/icon.svg".replace("icon.svg", "objects.css"))  # a bare page of the same origin
    page.evaluate(
        """(src) => new Promise((done) => {
          const script = Object.assign(document.createElement("script"), { src: "/static/armillary-objects.js" });
          script.onload = done;
          document.head.append(script);
          const element = document.createElement("armillary-objects");
          element.setAttribute("src", src);
          element.addEventListener("selection", (event) => (window.told = event.detail));
          document.body.append(element);
        })""",
        f"{sky_address}/embed/objects?{TABLE}&select=set;range;J;9;11",
    )
    page.wait_for_function("() => window.told?.count > 0")
    assert page.evaluate("told.ids.length === told.count")
    assert page.frames[1].evaluate("getComputedStyle(document.querySelector('#labels')).display") == "none"

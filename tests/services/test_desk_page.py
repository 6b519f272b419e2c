"""The workbench in a real browser: what people do with it, from end to end."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from armillary.errors import BadTime
from armillary.model import Extent, Request, Rows, format_time, parse_time
from armillary.services.desk import Desk
from armillary.services.desk import open as open_desk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SLOW = "simulated/sentry/ion_omni_from_skymap"
#: The page asks for data when the reader has rested 150 ms.
REST = 400
Open = Callable[..., Page]
Serve = Callable[[Desk], AbstractContextManager[str]]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that may say nothing on its console; answers in words (4xx, 5xx) are no errors of the page."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    made = context.new_page()
    made.set_default_timeout(20_000)
    said: list[str] = []
    made.on("pageerror", lambda error: said.append(str(error)))
    made.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    yield made
    context.close()
    assert [line for line in said if not line.startswith("Failed to load resource")] == []


@pytest.fixture
def visit(page: Page, web_address: str) -> Open:
    """Open the page with a view in its address."""

    def go(*products: str, wait: bool = True, **more: str) -> Page:
        parts = [f"request={quote(f'product={path}', safe='=/')}" for path in products]
        parts += [f"{name}={quote(text)}" for name, text in more.items()]
        page.goto(f"{web_address}/?{'&'.join(parts)}")
        if products and wait:
            drawn(page)
        return page

    return go


def drawn(page: Page) -> None:
    expect(page.locator("#status")).to_contain_text("drawn", timeout=20_000)


def panels(page: Page) -> list[str]:
    """Give the products of the drawn panels."""
    found: list[str] = page.evaluate("armillary.picture.panels?.view.panels.map((panel) => panel.source) ?? []")
    return found


def points(page: Page, panel: int = 0) -> tuple[int, float, float]:
    """Give how many points the first trace of a panel has between the seen times, and where they begin and end."""
    script = """(k) => {
      const { panels } = armillary.picture;
      const trace = panels.view.panels[k].traces[0];
      const x = Array.from((trace.x ?? trace.left).data);
      return [x.filter((one) => one >= panels.start && one <= panels.stop).length, x[0], x.at(-1)];
    }"""
    count, first, last = page.evaluate(script, panel)
    return count, first, last


def colours(page: Page) -> int:
    """Count the different colours on the canvas."""
    script = """() => {
      const sheet = document.querySelector("#picture canvas");
      const copy = new OffscreenCanvas(sheet.width, sheet.height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(sheet, 0, 0);
      const { data } = copy.getImageData(0, 0, sheet.width, sheet.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }"""
    count: int = page.evaluate(script)
    return count


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def span(page: Page) -> tuple[int, int]:
    """Give the times in the address."""
    found = asked(page)
    return parse_time(found["start"][0]), parse_time(found["stop"][0])


def search(page: Page, words: str) -> Locator:
    page.get_by_role("searchbox", name="Search products").fill(words)
    expect(page.locator("#found")).to_contain_text("found")
    return page.get_by_role("treeitem")


def middle(page: Page) -> tuple[float, float]:
    """Give the middle of the first panel."""
    box = page.locator("#picture canvas").first.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + 80


def test_the_first_page_is_friendly(visit: Open) -> None:
    page = visit()
    expect(page.get_by_role("heading", name="What would you like to see?")).to_be_visible()
    expect(page.get_by_role("link", name="A storm in the solar wind")).to_be_visible()
    expect(page.get_by_role("treeitem")).to_have_count(3)
    expect(page.get_by_text("A server that went away")).to_be_visible()


def test_a_search_gives_leaves_and_a_dropped_leaf_is_drawn(visit: Open, wave: str) -> None:
    page = visit()
    found = search(page, "field waves")
    expect(found).to_have_count(1)
    found.drag_to(page.locator("main"))
    drawn(page)
    assert panels(page) == [wave]
    expect(page.get_by_role("application")).to_have_attribute("aria-label", parts_of("A field that waves"))
    assert colours(page) > 10
    assert asked(page)["request"] == [f"product={wave}"]
    search(page, "counts of ions")
    page.get_by_role("treeitem", name="Counts of ions").drag_to(page.locator("main"))
    expect(page.locator("#status")).to_contain_text("2 panels")
    assert panels(page) == [wave, wave.replace("wave", "counts")]
    assert colours(page) > 100  # a colour map is on it now


def parts_of(words: str) -> re.Pattern[str]:
    return re.compile(re.escape(words))


def test_the_tree_opens_branch_by_branch(visit: Open, wave: str) -> None:
    page = visit()
    page.get_by_role("treeitem", name="local").click()
    leaf = page.locator(f'[data-path="{wave}"]')
    leaf.locator(":scope > .row").click()
    about = page.get_by_role("region", name="Selected product")
    expect(about).to_contain_text("2021-03-04 to")
    expect(about).to_contain_text("nT")
    leaf.locator(":scope > .row").dblclick()
    drawn(page)
    assert panels(page) == [wave]


def test_a_drag_moves_the_time_and_brings_data_from_beyond(visit: Open, wave: str) -> None:
    page = visit(wave, start="2021-03-04T06:00", stop="2021-03-04T12:00")
    before = points(page)
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 350, y, steps=8)
    page.mouse.up()
    page.wait_for_timeout(REST)
    expect(page.locator("#start")).not_to_have_value("2021-03-04T06:00")
    drawn(page)
    start, stop = span(page)
    assert parse_time("2021-03-04T07:00") < start < stop < parse_time("2021-03-04T18:00")
    page.wait_for_timeout(100)
    assert points(page)[2] > before[2]
    assert points(page)[2] * 1e6 >= min(stop, parse_time("2021-03-05")) - 20e9
    page.go_back()
    expect(page.locator("#start")).to_have_value("2021-03-04T06:00")
    drawn(page)
    assert page.evaluate("armillary.picture.panels.start") * 1e6 == parse_time("2021-03-04T06:00")


def test_the_wheel_zooms_and_brings_finer_data(visit: Open) -> None:
    page = visit("simulated/wind/b_gse", start="2020-03-01", stop="2020-05-01")
    coarse = points(page)[0]
    page.mouse.move(*middle(page))
    for _ in range(6):
        page.mouse.wheel(0, -240)
    page.wait_for_timeout(REST)
    expect(page.locator("#start")).not_to_have_value("2020-03-01")
    drawn(page)
    start, stop = span(page)
    days = (stop - start) / 86_400e9
    assert days < 10
    page.wait_for_timeout(100)
    assert points(page)[0] > days * 1400 > coarse * days / 61 * 2  # each minute is there now


def test_the_second_visit_is_served_from_the_cache(visit: Open, web_address: str) -> None:
    view = {"start": "2020-08-01", "stop": "2020-08-03"}
    visit("simulated/wind/density", **view)
    before = httpx.get(f"{web_address}/api/cache").json()
    visit("simulated/wind/density", **view)
    after = httpx.get(f"{web_address}/api/cache").json()
    assert after["misses"] == before["misses"]
    assert after["hits"] > before["hits"]


def test_events_of_a_catalogue_are_drawn(visit: Open, wave: str) -> None:
    page = visit(wave, start="2021-03-04", stop="2021-03-05")
    plain = page.locator("#picture canvas").first.screenshot()
    page.get_by_role("checkbox", name="waves").check()
    drawn(page)
    expect(page.get_by_role("application")).to_have_attribute("aria-label", parts_of("1 event"))
    assert page.evaluate("armillary.picture.panels.view.bands.map((band) => band.label)") == ["crest"]
    assert asked(page)["catalogue"] == ["waves"]
    page.wait_for_timeout(100)
    assert page.locator("#picture canvas").first.screenshot() != plain


def test_the_keyboard_alone_suffices(visit: Open, wave: str) -> None:
    page = visit()
    expect(page.get_by_role("treeitem")).to_have_count(3)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "search":
            break
    page.keyboard.type("waves field")
    expect(page.locator("#found")).to_contain_text("1 found")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("treeitem", name="A field that waves")).to_be_focused()
    page.keyboard.press("Enter")
    drawn(page)
    assert panels(page) == [wave]
    page.get_by_role("application").focus()
    before = page.url
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.wait_for_url(lambda url: url != before)
    drawn(page)


def test_the_tree_is_walked_with_arrows(visit: Open) -> None:
    page = visit()
    expect(page.get_by_role("treeitem")).to_have_count(3)
    page.get_by_role("searchbox").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    expect(page.locator('[role=treeitem][aria-selected="true"]')).to_have_text("simulated")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("treeitem", name="wind")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator('[role=treeitem][aria-selected="true"]')).to_have_text("instrument")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("treeitem", name="wind")).to_be_hidden()


def test_a_link_brings_the_same_picture(visit: Open, page: Page, browser: Browser, wave: str) -> None:
    visit(wave, "simulated/wind/beta", start="2021-03-04T03:00", stop="2021-03-04T09:00", catalogue="waves")
    page.get_by_label("electrons").fill("2")
    page.get_by_label("electrons").press("Enter")
    page.wait_for_url(lambda url: "electrons" in url)
    drawn(page)
    again = browser.new_page()
    again.goto(page.url)
    drawn(again)
    expect(again.get_by_label("electrons")).to_have_value("2")
    look = "[armillary.state, armillary.picture.panels.view.summary, armillary.picture.panels.start]"
    assert again.evaluate(look) == page.evaluate(look)
    again.close()


def test_a_parameter_makes_it_anew(visit: Open) -> None:
    page = visit("simulated/wind/density_mean", start="2020-02-01", stop="2020-02-02")
    before = page.evaluate("Array.from(armillary.picture.panels.view.panels[0].traces[0].y.data).slice(0, 50)")
    field = page.get_by_label("window")
    field.fill("7200")
    field.press("Enter")
    page.wait_for_url(lambda url: "window" in url)
    drawn(page)
    after = page.evaluate("Array.from(armillary.picture.panels.view.panels[0].traces[0].y.data).slice(0, 50)")
    assert before != after


def test_products_are_moved_and_removed(visit: Open, wave: str) -> None:
    page = visit(wave, "simulated/wind/density", start="2021-03-04", stop="2021-03-05")
    page.get_by_role("button", name="Move down: A field that waves").click()
    expect(page.locator("#shown li").last).to_contain_text("A field that waves")
    drawn(page)
    assert panels(page) == ["simulated/wind/density", wave]
    page.get_by_role("button", name="Remove: A field that waves").click()
    expect(page.locator("#shown li")).to_have_count(1)
    drawn(page)
    assert panels(page) == ["simulated/wind/density"]


def test_errors_stand_on_the_page_in_words(visit: Open, wave: str) -> None:
    page = visit(wave, "no/such", start="2021-03-04", stop="2021-03-05")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("There is no product 'no/such'")
    assert panels(page) == [wave]  # what can be drawn is drawn
    alert.get_by_role("button", name="Remove it").click()
    expect(alert).to_be_empty()
    assert asked(page)["request"] == [f"product={wave}"]


def test_a_server_that_is_gone_is_told(visit: Open) -> None:
    page = visit("gone/gone/lost", wait=False)
    expect(page.get_by_role("alert")).to_contain_text("gone")
    expect(page.locator("#status")).to_have_text("This could not be drawn")
    expect(page.get_by_role("alert").get_by_role("button", name="Try again")).to_be_visible()


def test_times_without_data_keep_the_panel_and_say_so(visit: Open, wave: str) -> None:
    page = visit(wave, "simulated/wind/density", start="2021-03-04", stop="2021-03-05")
    for _ in range(3):
        page.get_by_role("button", name="Later by one span").click()
        drawn(page)
    expect(page.locator("#shown li").first).to_contain_text("has nothing in")
    assert panels(page) == [wave, "simulated/wind/density"]


def test_a_wrong_time_is_told_at_its_field(visit: Open, wave: str) -> None:
    page = visit(wave)
    before = page.url
    page.locator("#start").fill("yesterday")
    page.get_by_role("button", name="Go").click()
    assert "Write a time like" in page.locator("#start").evaluate("(field) => field.validationMessage")
    assert page.url == before
    page.locator("#start").fill("2021-063T06")
    page.get_by_role("button", name="Go").click()
    page.wait_for_url(lambda url: url != before)
    assert span(page)[0] == parse_time("2021-03-04T06:00")


def test_hostile_titles_are_text(visit: Open, wave: str) -> None:
    path = wave.replace("wave", "hostile")
    page = visit(path)
    search(page, "script").first.click()
    expect(page.locator("#about")).to_contain_text("<script>window.broken=1</script>")
    expect(page.locator("#shown")).to_contain_text("<script>")
    assert page.evaluate("window.broken") is None
    assert page.locator("img").count() == 0


def test_slow_work_shows_progress_and_can_be_cancelled(visit: Open, web_address: str) -> None:
    page = visit(SLOW, wait=False, start="2024-04-01", stop="2024-04-01T02:00")
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    with page.expect_request(lambda request: request.method == "DELETE") as stopped:
        cancel.click()
    expect(page.locator("#status")).to_have_text("Stopped")
    expect(cancel).to_be_hidden()
    ticket = stopped.value.url
    with httpx.stream("GET", ticket, timeout=30) as events:
        assert "data: " in next(events.iter_lines())


def test_the_latest_question_wins(visit: Open, wave: str) -> None:
    page = visit(SLOW, wait=False, start="2021-03-04", stop="2021-03-05")
    page.goto(page.url.replace(SLOW, wave))
    drawn(page)
    for name in ("Zoom out", "Earlier by one span", "Later by one span"):
        page.get_by_role("button", name=name).click()
    drawn(page)
    assert page.evaluate("armillary.picture.waiting") is None
    assert span(page) == (parse_time("2021-03-03T12:00"), parse_time("2021-03-05T12:00"))


@pytest.mark.parametrize(("name", "begins"), [("PNG", b"\x89PNG"), ("csv", b"")])
def test_picture_and_data_are_saved(visit: Open, wave: str, name: str, begins: bytes) -> None:
    page = visit(wave, start="2021-03-04", stop="2021-03-04T01:00")
    page.locator("#saving summary").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    saved = Path(waiting.value.path())
    assert saved.read_bytes().startswith(begins)
    assert saved.stat().st_size > 1000
    assert waiting.value.suggested_filename.endswith(name.lower())


def test_whole_shows_all_that_is_covered(visit: Open, wave: str, web_desk: Desk) -> None:
    page = visit(wave, start="2021-03-04T06:00", stop="2021-03-04T07:00")
    page.get_by_role("button", name="Whole").click()
    expect(page.locator("#start")).to_have_value("2021-03-04T00:00:00Z")
    coverage = web_desk.product(wave).coverage
    assert coverage
    assert span(page)[1] == pytest.approx(coverage.stop, abs=2e6), format_time(coverage.stop)


def test_pictures_without_time_are_drawn(visit: Open) -> None:
    page = visit("simulated/stars/colours")
    assert panels(page)
    assert colours(page) > 5
    expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.parametrize("width", [900, 600])
def test_narrow_pages_do_not_scroll_sideways(visit: Open, page: Page, width: int, wave: str) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    visit(wave)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator("#picture canvas").first.bounding_box()
    assert box
    assert box["width"] <= width


def test_dark_follows_the_reader(visit: Open, page: Page, wave: str) -> None:
    page.emulate_media(color_scheme="dark")
    visit(wave)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.emulate_media(color_scheme="light")
    assert page.evaluate(ground) != dark


def test_everything_pressed_has_a_name(visit: Open, wave: str) -> None:
    page = visit(wave, start="2021-03-04", stop="2021-03-05")
    nameless = """Array.from(document.querySelectorAll("button, input, select, summary, a")).filter((one) =>
      !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length)).map((one) => one.outerHTML)"""
    assert page.evaluate(nameless) == []


def test_the_page_is_small_and_asks_nobody_else(visit: Open, page: Page, web_address: str) -> None:
    got: list[tuple[str, int]] = []
    page.on("requestfinished", lambda one: got.append((one.url, one.sizes()["responseBodySize"])))
    visit()
    expect(page.get_by_role("heading", name="What would you like to see?")).to_be_visible()
    assert all(url.startswith(web_address) for url, _ in got)
    assert sum(size for _, size in got) < 200_000


def test_the_page_reads_times_as_the_desk_does(visit: Open) -> None:
    texts = ["2020", "2020-03", "2020-03-04", "2020-064", "20200304", "2020-03-04T05", "2020-03-04T05:06:07Z"]
    texts += ["2020-03-04T050607.25Z", "2020-02-29", "2020-12-31T23:59:60", "2020-03-04T24:00", "1700-01-01"]
    texts += ["2020-03-04T05:06+02:00", "2020-03-04T05:06-0130", "2020-03-04T05:06 UTC"]
    found = visit().evaluate("async (texts) => texts.map((await import('/static/times.js')).readTime)", texts)
    assert [round(ms * 1000) for ms in found] == [parse_time(text) // 1000 for text in texts]


def test_the_page_refuses_what_is_no_time(visit: Open) -> None:
    texts = ["", "x", "2020-02-30", "2021-366", "2020-13", "2020-03-04T25", "2020-1-1", "12"]
    for text in texts:
        with pytest.raises(BadTime):
            parse_time(text)
    found = visit().evaluate("async (texts) => texts.map((await import('/static/times.js')).readTime)", texts)
    assert all(math.isnan(one) for one in found)


def test_addresses_say_requests_as_the_desk_does(visit: Open) -> None:
    script = """async (texts) => {
      const { readRequest, readAddress, writeAddress, writeRequest } = await import("/static/address.js");
      const state = { shown: texts.map(readRequest), span: null, catalogues: ["a&b=c"] };
      const again = readAddress(new URL(writeAddress(state), location.href).search);
      return [again.shown.map(writeRequest), again.catalogues[0]];
    }"""
    requests = [
        Request("a/b"),
        Request("a/b c%d&e=f#g+ü", Extent(), {"n": 2, "name": "x y&z", "on": True, "none": None, "f": 1.5}),
        Request("a", Extent(where="b > 10 AND c = 'd'", rows=Rows(3, 9))),
    ]
    texts, name = visit().evaluate(script, [one.to_query() for one in requests])
    assert [Request.from_query(text) for text in texts] == requests
    assert name == "a&b=c"


def test_the_token_does_not_stay_in_the_address(page: Page, guarded_address: str, wave: str) -> None:
    page.goto(f"{guarded_address}/?token=secret&request=product={wave}")
    drawn(page)
    assert "secret" not in page.url
    page.reload()
    drawn(page)
    assert panels(page) == [wave]


@pytest.mark.real
def test_real_moments_are_drawn(browser: Browser, real_data: Path, tmp_path: Path, serve_desk: Serve) -> None:
    desk = open_desk(real_data / "plasma" / "mms1_fpi_dis_moms", home=tmp_path / "home")
    found = [one.path for one in desk.search("dis", "local", 0)]
    spectrogram = next(path for path in found if path.endswith("energyspectr_omni_fast"))
    density = next(path for path in found if path.endswith("numberdensity_fast"))
    with serve_desk(desk) as address:
        page = browser.new_page()
        page.goto(f"{address}/?request=product={spectrogram}&request=product={density}")
        drawn(page)
        assert panels(page) == [spectrogram, density]
        assert points(page, 1)[0] > 500
        assert colours(page) > 200
        page.close()

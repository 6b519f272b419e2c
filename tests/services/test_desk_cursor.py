"""The time cursor in a real browser: panels of one time follow it."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PLANE = "simulated/sentry/ions/energy_pitch_angle"
DENSITY = "simulated/sentry/ion_density"
SPAN = {"start": "2024-02-01T06:00:00Z", "stop": "2024-02-01T06:10:00Z"}
#: The titles of panels that show one time, and the marked time.
SHOWN = """() => {
  const {view} = window.armillary.picture.panels;
  return [view.panels.filter((panel) => panel.at_cursor).map((panel) => panel.title), view.cursor];
}"""


@pytest.fixture
def page(open_picture: Callable[..., Page]) -> Page:
    return open_picture((DENSITY, PLANE), SPAN)


def click_at(page: Page, part: float) -> None:
    """Click on the time axis's panel, at a part of its width."""
    box = page.evaluate("() => window.armillary.picture.panels.boxes[0]")
    edge = page.locator("#picture canvas").first.bounding_box()
    assert edge
    page.mouse.click(edge["x"] + box["left"] + part * box["width"], edge["y"] + box["top"] + box["height"] / 2)


def test_the_plane_follows_a_click_and_the_link_brings_it_back(page: Page) -> None:
    (before,), middle = page.evaluate(SHOWN)
    assert "06:05" in before or "06:04:5" in before
    assert middle == pytest.approx(1_706_767_500_000)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/api/view" in one.url else None)
    click_at(page, 0.8)
    page.wait_for_function(f"() => ({SHOWN})()[0][0].includes('06:08:0') || ({SHOWN})()[0][0].includes('06:07:5')")
    # only the plane was asked for anew
    assert parse_qs(urlsplit(asked[-1]).query)["request"] == [f"product={PLANE}"]
    assert page.evaluate("() => window.armillary.picture.panels.view.panels.length") == 2
    page.reload()
    page.wait_for_function("() => window.armillary?.picture?.panels?.view?.panels.length === 2")
    (again,), _ = page.evaluate(SHOWN)
    assert "06:08:0" in again or "06:07:5" in again


def test_the_keys_move_the_cursor(page: Page) -> None:
    _, before = page.evaluate(SHOWN)
    page.locator("#picture canvas").first.focus()
    for _ in range(20):
        page.keyboard.press(".")
    page.wait_for_function("() => location.search.includes('at=')")
    _, after = page.evaluate(SHOWN)
    assert after - before == pytest.approx(60_000)
    page.wait_for_function(f"() => ({SHOWN})()[0][0].includes('06:06:0') || ({SHOWN})()[0][0].includes('06:05:5')")


def test_a_drag_moves_the_time_and_not_the_cursor(page: Page) -> None:
    _, before = page.evaluate(SHOWN)
    box = page.evaluate("() => window.armillary.picture.panels.boxes[0]")
    edge = page.locator("#picture canvas").first.bounding_box()
    assert edge
    x, y = edge["x"] + box["left"] + 0.2 * box["width"], edge["y"] + box["top"] + 30
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    page.wait_for_function(f"() => !location.search.includes('{SPAN['start']}')")
    assert "at=" not in page.evaluate("() => location.search")
    assert page.evaluate(SHOWN)[1] == pytest.approx(before, abs=60_000)


def test_a_dropped_product_fills_a_knob(page: Page) -> None:
    field = page.locator("#shown input[name=field]").first
    assert field.get_attribute("placeholder") == "drop a product here"
    field.evaluate(
        """(field) => {
          const dropped = new DataTransfer();
          dropped.setData("text/plain", "simulated/sentry/b_gse");
          field.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
        }"""
    )
    page.wait_for_function("() => location.search.includes('param.field')")
    page.wait_for_function("() => window.armillary.picture.waiting === null")
    assert page.locator("#problems p").count() == 0

"""A volume in a real browser: surfaces and arrows that follow the cursor, and that the reader turns."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

VOLUME = "simulated/sentry/ions/volume"
DENSITY = "simulated/sentry/ion_density"
SPAN = {"start": "2024-02-01T06:00:00Z", "stop": "2024-02-01T06:02:00Z"}
READY = "() => window.armillary?.picture?.panels?.view?.panels.length === 2"
#: What the panel in space holds.
SOLID = """() => {
  const panel = window.armillary.picture.panels.view.panels.find((one) => one.kind === "solid");
  const of = (type) => panel.traces.filter((trace) => trace.type === type);
  const reach = (trace) => Math.max(...Array.from(trace.vertices.data, Math.abs));
  return {title: panel.title, at_cursor: panel.at_cursor, surfaces: of("surface").map(reach),
          faces: of("surface").map((trace) => trace.faces.data.length), arrows: of("arrow").length,
          high: panel.z.high};
}"""
TURN = "() => ({...window.armillary.picture.panels.turns[1]})"
#: How many pixels of the panel in space are not of the colour of its corner, and a sum that changes with the picture.
PAINTED = """() => {
  const {boxes} = window.armillary.picture.panels;
  const canvas = document.querySelector("#picture canvas");
  const {left, top, width, height} = boxes[1];
  const scale = canvas.width / canvas.getBoundingClientRect().width;
  const {data} = canvas.getContext("2d").getImageData(left * scale, top * scale, width * scale, height * scale);
  let coloured = 0, sum = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 40) coloured += 1;
    sum = (sum * 31 + data[i] + 3 * data[i + 1] + 7 * data[i + 2]) % 1000000007;
  }
  return [coloured, sum];
}"""


@pytest.fixture
def page(open_picture: Callable[..., Page]) -> Page:
    return open_picture((DENSITY, VOLUME), SPAN)


def middle(page: Page, panel: int, part: float = 0.5) -> tuple[float, float]:
    """Give a place in a panel: in the middle of its height, at a part of its width."""
    box: dict[str, float] = page.evaluate(f"() => window.armillary.picture.panels.boxes[{panel}]")
    edge = page.locator("#picture canvas").first.bounding_box()
    assert edge
    return edge["x"] + box["left"] + part * box["width"], edge["y"] + box["top"] + box["height"] / 2


def painted(page: Page) -> list[int]:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: list[int] = page.evaluate(PAINTED)
    return found


def test_surfaces_lie_in_each_other_and_are_painted(page: Page) -> None:
    solid: dict[str, Any] = page.evaluate(SOLID)
    assert solid["at_cursor"]
    assert len(solid["surfaces"]) == 3
    assert 0 < solid["surfaces"][0] < solid["surfaces"][1] < solid["surfaces"][2] <= solid["high"] * 1.001
    assert all(faces and faces % 3 == 0 for faces in solid["faces"])
    assert solid["arrows"] == 2  # the field and the flow
    assert painted(page)[0] > 500
    assert page.locator("#problems p").count() == 0


def test_a_drag_turns_it_and_the_wheel_enlarges_it(page: Page) -> None:
    before, (_, picture) = page.evaluate(TURN), painted(page)
    x, y = middle(page, 1)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=4)
    page.mouse.up()
    after = page.evaluate(TURN)
    assert after["azimuth"] == pytest.approx(before["azimuth"] - 30)
    assert after["elevation"] == pytest.approx(before["elevation"] + 10)
    (_, turned) = painted(page)
    assert turned != picture
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"() => ({TURN})().size > {after['size']}")
    assert painted(page)[1] != turned
    assert SPAN["start"] in page.evaluate("() => decodeURIComponent(location.search)"), "the time stayed"


def test_it_follows_the_cursor(page: Page) -> None:
    before = page.evaluate(SOLID)["title"]
    x, y = middle(page, 0, 0.9)
    page.mouse.click(x, y)
    page.wait_for_function(f"() => ({SOLID})().title !== {before!r}")
    after: dict[str, Any] = page.evaluate(SOLID)
    assert "06:01:4" in after["title"]
    assert len(after["surfaces"]) == 3

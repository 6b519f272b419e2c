"""Proposals on the picture and the Learn panel, in a real browser."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from armillary.catalogues import Entry
from armillary.catalogues.proposals import decide, open_proposals, propose
from armillary.catalogues.store import versions
from armillary.model import parse_time
from armillary.services.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Open = Callable[..., Page]
B, N = "simulated/wind/b_total", "simulated/wind/density"
#: Start, hours, probability and trust of what is proposed.
FOUND = [("2020-01-11T18", 30, 0.93, "ok"), ("2020-01-17T06", 12, 0.51, "shifted"), ("2020-01-23T20", 30, 0.74, "ok")]


@pytest.fixture
def visit(browser: Browser, learn_address: str) -> Iterator[Open]:
    """Open products with the proposals for a catalogue; no page may throw an error or say one on its console."""
    said: list[str] = []
    contexts = []

    def go(name: str, start: str = "2020-01-08", stop: str = "2020-01-28") -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme="light")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda line: said.append(line.text) if line.type in {"error", "warning"} else None)
        catalogue = f"&catalogue={name}.proposals" if name else ""
        page.goto(f"{learn_address}/?request=product={B}&request=product={N}&start={start}&stop={stop}{catalogue}")
        expect(page.locator("#status")).to_contain_text("drawn", timeout=20_000)
        return page

    yield go
    for one in contexts:
        one.close()
    assert [line for line in said if not line.startswith("Failed to load resource")] == []


def proposed(desk: Desk, name: str) -> list[str]:
    hour = 3_600_000_000_000
    rows = [
        Entry(
            start=parse_time(start), stop=parse_time(start) + hours * hour, class_="icme", model="icme: logistic",
            attributes={"probability": probability, "trust": trust},
        )
        for start, hours, probability, trust in FOUND
    ]  # fmt: skip
    return propose(desk.catalogues, name, "events", rows)


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Proposals of a model")


def said(page: Page) -> Locator:
    return bar(page).get_by_role("status")


def chosen(page: Page) -> Locator:
    return page.locator(".review-band.chosen .chip")


def test_proposals_are_bands_with_names(visit: Open, learn_desk: Desk) -> None:
    proposed(learn_desk, "named")
    page = visit("named")
    chips = page.get_by_role("button", name=re.compile("^Proposal icme"))
    expect(chips).to_have_text(["icme 0.93 ok", "icme 0.51 shifted", "icme 0.74 ok"])
    first = "Proposal icme, probability 0.93, trust ok, 2020-01-11T18:00 to 2020-01-13T00:00"
    expect(chips.first).to_have_attribute("aria-label", first)
    expect(bar(page)).to_contain_text("1 of 3: icme, probability 0.93")
    band, canvas = (page.locator(one).first.bounding_box() for one in (".review-band.chosen", "#picture canvas"))
    assert band
    assert canvas
    part = (band["x"] - canvas["x"] - 84) / (canvas["width"] - 84 - 128)
    assert part == pytest.approx(3.75 / 20, abs=0.01)
    page.mouse.move(canvas["x"] + canvas["width"] / 2, canvas["y"] + 100)
    page.mouse.wheel(0, 400)  # bands move with the picture
    page.wait_for_function("(x) => document.querySelector('.chosen').getBoundingClientRect().x > x + 20", arg=band["x"])


def test_the_keyboard_decides(visit: Open, learn_desk: Desk) -> None:
    ids = proposed(learn_desk, "keyed")
    store = learn_desk.catalogues
    page = visit("keyed")
    page.keyboard.press("n")
    expect(said(page)).to_have_text(re.compile("^2 of 3: icme, probability 0.51, trust shifted"))
    page.keyboard.press("r")
    expect(said(page)).to_contain_text("Rejected icme, probability 0.51")
    expect(said(page)).to_contain_text("2 left. Next: icme, probability 0.74")
    page.keyboard.press("a")
    expect(said(page)).to_contain_text("1 left.")
    expect(page.locator(".review-band")).to_have_count(1)
    expect(page).to_have_url(re.compile("catalogue=keyed(&|$)"))  # what was accepted is drawn
    (row,) = store.rows("keyed")
    assert (row.author, row.model, row.attributes["proposal"]) == (store.author, "icme: logistic", ids[2])
    page.keyboard.press("u")
    expect(said(page)).to_contain_text("Undone. 2 left.")
    page.keyboard.press("u")
    expect(said(page)).to_contain_text("Undone. 3 left.")
    assert [one.id for one in open_proposals(store, "keyed")] == ids
    page.keyboard.press("u")
    expect(said(page)).to_contain_text("nothing that could be undone")
    page.get_by_role("searchbox", name="Search products").press("a")  # typed, not accepted
    expect(page.locator(".review-band")).to_have_count(3)


def test_the_next_proposal_comes_into_view(visit: Open, learn_desk: Desk) -> None:
    proposed(learn_desk, "afar")
    page = visit("afar", "2020-01-09", "2020-01-14")
    expect(page.locator(".review-band")).to_have_count(1)
    page.keyboard.press("p")
    expect(chosen(page)).to_have_text("icme 0.74 ok")
    expect(page.locator("#start")).to_have_value("2020-01-21T23:00:00Z")


def test_the_mouse_moves_an_edge_and_accepts(visit: Open, learn_desk: Desk) -> None:
    ids = proposed(learn_desk, "dragged")
    page = visit("dragged")
    page.get_by_role("button", name=re.compile("probability 0.74")).click()
    edge = page.get_by_role("slider", name="End of the proposal")
    box = edge.bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1], steps=5)
    page.mouse.up()
    expect(said(page)).to_contain_text("Moved the end: icme")
    row = open_proposals(learn_desk.catalogues, "dragged")[2]
    width = page.locator("#picture canvas").first.bounding_box()
    assert width
    moved = (row.stop or 0) - parse_time("2020-01-25T02")
    assert moved / 1e9 == pytest.approx(40 / (width["width"] - 212) * 20 * 86_400, rel=0.05)
    bar(page).get_by_role("button", name="Accept").click()
    expect(said(page)).to_contain_text("Accepted icme")
    (made,) = learn_desk.catalogues.rows("dragged")
    assert made.stop == row.stop
    assert [one.version for one in versions(learn_desk.catalogues, ids[2])] == [1, 2, 3]


def test_the_keyboard_moves_an_edge_and_times_are_typed(visit: Open, learn_desk: Desk) -> None:
    proposed(learn_desk, "nudged")
    page = visit("nudged")
    edge = page.get_by_role("slider", name="Start of the proposal")
    expect(edge).to_have_attribute("aria-valuetext", "2020-01-11T18:00:00Z")
    edge.press("Shift+ArrowLeft")
    expect(said(page)).to_contain_text("Moved the start")
    expect(edge).to_have_attribute("aria-valuetext", re.compile("2020-01-11T08:2"))
    typed = bar(page).get_by_label("to", exact=True)
    typed.fill("2020-01-10")
    typed.press("Enter")
    assert typed.evaluate("(field) => field.validationMessage") == "The start must come before the end."
    typed.fill("2020-01-13T06:00")
    typed.press("Tab")
    expect(said(page)).to_contain_text("Moved the end")
    row = open_proposals(learn_desk.catalogues, "nudged")[0]
    assert row.stop == parse_time("2020-01-13T06:00")
    assert row.start is not None
    assert row.start < parse_time("2020-01-11T09")
    bar(page).get_by_role("button", name="Undo").click()
    expect(typed).to_have_value("2020-01-13T00:00")


def test_two_browsers_see_each_other_and_nothing_is_lost(visit: Open, learn_desk: Desk) -> None:
    ids = proposed(learn_desk, "two")
    one, other = visit("two"), visit("two")
    one.keyboard.press("a")
    expect(said(one)).to_contain_text("Accepted")
    expect(said(other)).to_contain_text("Changed elsewhere. 2 left.")
    expect(other.locator(".review-band")).to_have_count(2)
    other.evaluate("armillary.review.look = () => {}")  # too slow to see the next
    decide(learn_desk.catalogues, "two", "proposed", {ids[1]: None}, {"stop": parse_time("2020-01-18")})
    other.keyboard.press("a")
    expect(said(other)).to_contain_text("Nothing was changed: row")
    expect(said(other)).to_contain_text("was changed by somebody else")
    expect(bar(other)).to_contain_text("to 2020-01-18T00:00")
    assert len(learn_desk.catalogues.rows("two")) == 1
    other.keyboard.press("a")  # seen now
    expect(said(other)).to_contain_text("Accepted")
    assert len(learn_desk.catalogues.rows("two")) == 2


@pytest.mark.usefixtures("nearby_jobs")
def test_a_study_is_run_read_and_proposes(visit: Open, learn_desk: Desk, learn_run: dict[str, Any]) -> None:
    assert learn_run["state"] == "done"
    page = visit("", "2020-06-01", "2020-08-01")
    page.get_by_text("Learn", exact=True).click()
    panel = page.locator("#learn")
    expect(panel.get_by_role("heading", name="Ejections <b>seen</b>")).to_be_visible()  # text stays text
    order = panel.locator(".report > *").evaluate_all("(all) => all.map((one) => one.className || one.tagName)")
    assert order.index("scroll") > max(order.index(one) for one in order if one in {"note warning", "faint"})
    table = panel.get_by_role("table").first
    expect(table).to_contain_text("* logistic")
    expect(table.locator("tr.control")).not_to_have_count(0)
    expect(panel.get_by_role("link", name="The whole card")).to_have_attribute("href", "/api/runs/icme/card")
    panel.get_by_label("Catalogue").fill("later")
    panel.get_by_role("button", name="Propose labels").click()
    expect(panel.get_by_role("status")).to_contain_text("proposals are on the picture", timeout=30_000)
    expect(page.locator(".review-band").first).to_be_visible()
    expect(bar(page)).to_contain_text("Proposals for later")
    assert open_proposals(learn_desk.catalogues, "later")

    panel.get_by_label("Run", exact=True).select_option("New study")
    text = panel.get_by_label("Study (TOML)")
    expect(text).to_have_value(re.compile(r'"b_total" = "simulated/wind/b_total"'))
    panel.get_by_role("button", name="Run the study").click()
    expect(panel.get_by_role("status")).to_contain_text("name of a catalogue")  # told, nothing was begun
    text.fill(text.input_value().replace("name of a catalogue", "icme"))
    panel.get_by_label("Name of the run").fill("again")
    panel.get_by_role("button", name="Run the study").click()
    expect(panel.get_by_role("progressbar")).to_be_visible()
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_contain_text("This run is not complete", timeout=30_000)
    expect(panel.get_by_role("button", name="Go on with it")).to_be_visible()


def test_the_card_opens_and_runs_nothing(browser: Browser, learn_address: str, learn_run: dict[str, Any]) -> None:
    assert learn_run["state"] == "done"
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{learn_address}/api/runs/icme/card")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ejections <b>seen</b>")
    wide = page.locator("img").first.evaluate("(one) => one.decode().then(() => one.naturalWidth)")
    assert wide > 100
    assert page.evaluate("window.origin") == "null"
    context.close()

// The picture: it asks for what is shown, a little more than is seen, and draws the old while the new is on its way.
import { decodeBytes } from "../renderer/record.js";
import { Panels } from "../renderer/panels.js";
import { pairsOf, readRequest } from "./address.js";
import { Problem, Waiting } from "./calls.js";
import { isProposals } from "./review.js";
import { readTime, rounded, writeTime } from "./times.js";

const MARGIN = 0.25;
/** Points a pixel: first, lowest, highest, last. */
const POINTS = 4;

/**
 * @typedef {import("./address.js").State} State
 * @typedef {{moved: (span: [string, string]) => void, pointed: (at: string) => void, drawn: (view: any, seconds: number) => void,
 *   problems: (all: Problem[]) => void, busy: (words: string, stop: () => void) => void,
 *   tell: (fraction: number, message: string) => void, ended: (words: string) => void}} Reports
 */

export class Picture {
  /** @param {HTMLElement} root @param {Reports} reports */
  constructor(root, reports) {
    this.root = root;
    this.reports = reports;
    /** @type {Panels|null} */
    this.panels = null;
    /** @type {Waiting|null} */
    this.waiting = null;
    /** @type {State|null} the state that is drawn */
    this.drawn = null;
    root.addEventListener("viewchange", (event) => this.moved(/** @type {CustomEvent} */ (event).detail));
    root.addEventListener("cursorchange", (event) => this.reports.pointed(writeTime(/** @type {CustomEvent} */ (event).detail.at)));
  }

  /** Times that are seen, as texts. */
  get span() {
    if (!this.panels?.view.panels.some((panel) => panel.x.time)) return null;
    return spanOf(this.panels.start, this.panels.stop);
  }

  /** @param {{start: number, stop: number}} detail */
  moved({ start, stop }) {
    this.reports.moved(spanOf(start, stop));
  }

  /**
   * Ask for a state and draw it. The latest question wins; an earlier one is stopped.
   * @param {State} state
   */
  async draw(state) {
    this.waiting?.cancel();
    this.waiting = null;
    if (!state.shown.length) {
      this.clear();
      return;
    }
    const seen = state.span && /** @type {[number, number]} */ (state.span.map(readTime));
    if (this.panels && seen) this.panels.show(seen[0], seen[1], false);
    const asked = this.onlyPointed(state) ? pointedAt(state, this.panels.view) : state;
    if (asked !== state) this.panels.view.cursor = readTime(state.at);
    const waiting = new Waiting("view", this.pairs(asked, seen), this.reports.tell);
    this.waiting = waiting;
    this.reports.busy(this.panels ? "Getting data" : "Getting the picture", () => this.cancel());
    await this.finish(waiting, state, seen, asked !== state);
  }

  /** Say whether nothing but the cursor's time has changed since the last picture. */
  onlyPointed(state) {
    const rest = (one) => JSON.stringify({ ...one, at: null });
    return Boolean(this.panels && this.drawn && state.at && state.at !== this.drawn.at && rest(state) === rest(this.drawn));
  }

  async finish(waiting, state, seen, pointed) {
    const began = performance.now();
    try {
      const answer = await waiting.answer;
      const fresh = decodeBytes(await answer.arrayBuffer());
      if (this.waiting !== waiting) return;
      const view = pointed ? withPointed(this.panels.view, fresh) : fresh;
      this.drawn = state;
      const told = JSON.parse(decodeURIComponent(answer.headers.get("X-Armillary-Problems") ?? "[]"));
      this.show(keptPanels(view, this.panels?.view, told, state), seen);
      this.reports.drawn(view, (performance.now() - began) / 1000);
      this.reports.problems(told.map((one) => new Problem(one)));
    } catch (broken) {
      if (this.waiting !== waiting) return;
      this.reports.ended("This could not be drawn");
      this.reports.problems(broken instanceof Problem ? broken.all : [new Problem({ problem: String(broken) })]);
    } finally {
      if (this.waiting === waiting) this.waiting = null;
    }
  }

  pairs(state, seen) {
    const points = Math.round(Math.max(this.root.clientWidth, 400) * POINTS * (seen ? 1 + 2 * MARGIN : 1));
    // proposals are drawn here, where their edges can be moved
    const drawn = { ...state, catalogues: state.catalogues.filter((name) => !isProposals(name)) };
    return [...pairsOf(drawn), ["points", String(Math.min(points, 20000))], ["margin", seen ? String(MARGIN) : "0"]];
  }

  show(view, seen) {
    const [start, stop] = seen ?? [view.start, view.stop];
    if (!this.panels) this.panels = new Panels(this.root, view, { height: this.room() });
    else setKeepingY(this.panels, view);
    if (!(stop > start)) return;
    this.panels.whole = [start, stop];
    this.panels.show(start, stop, false);
  }

  /** Give the height that the page has for the picture. */
  room() {
    return Math.max((this.root.closest("main")?.clientHeight ?? 0) - 150, 0);
  }

  /** Stop what is under way. */
  cancel() {
    if (!this.waiting) return;
    this.waiting.cancel();
    this.waiting = null;
    this.reports.ended("Stopped");
    this.reports.problems([]);
  }

  clear() {
    this.panels?.destroy();
    this.panels = this.drawn = null;
  }
}

/** Ask only for the products whose panels show the cursor's time. */
function pointedAt(state, view) {
  const sources = new Set(view.panels.filter((panel) => panel.at_cursor).map((panel) => panel.source));
  const shown = state.shown.filter((one) => sources.has(one.product));
  return shown.length ? { ...state, shown, catalogues: [] } : state;
}

/** Put new panels of the cursor's time in the place of the old ones. */
function withPointed(view, fresh) {
  const waiting = [...fresh.panels];
  const panels = view.panels.map((panel) => {
    const place = panel.at_cursor ? waiting.findIndex((one) => one.source === panel.source) : -1;
    return place < 0 ? panel : waiting.splice(place, 1)[0];
  });
  return { ...view, panels, cursor: fresh.cursor };
}

/** @returns {[string, string]} */
function spanOf(start, stop) {
  const [from, to] = [rounded(start, stop - start), rounded(stop, stop - start)];
  return from < to ? [writeTime(from), writeTime(to)] : [writeTime(start), writeTime(stop)];
}

/**
 * Keep the panels of products that have nothing in the new times, so that the picture does not jump.
 */
function keptPanels(view, before, told, state) {
  const empty = new Set(told.filter((one) => one.error === "NoData").map((one) => readRequest(one.request).product));
  if (!before || !empty.size) return view;
  const panels = state.shown.flatMap(({ product }) =>
    (empty.has(product) ? before : view).panels.filter((panel) => panel.source === product),
  );
  return panels.length >= view.panels.length ? { ...view, panels } : view;
}

/** Give new data; y axes follow them, except where the reader has moved one. */
function setKeepingY(panels, view) {
  const key = (panel, k) => `${k} ${panel.source} ${panel.title}`;
  const mine = new Map();
  panels.view.panels.forEach((panel, k) => {
    const { x, y } = panels.ranges[k];
    const moved = [y[0] - panel.y.low, y[1] - panel.y.high, x[0] - panel.x.low, x[1] - panel.x.high].some((by) => by !== 0);
    if (moved) mine.set(key(panel, k), panels.ranges[k]);
  });
  panels.set(view, true);
  panels.ranges = view.panels.map(
    (panel, k) => mine.get(key(panel, k)) ?? { x: [panel.x.low, panel.x.high], y: [panel.y.low, panel.y.high] },
  );
  panels.redraw();
}

// Stacked panels on a canvas with one time axis that is moved and zoomed; used by the desk and by exported pages.
import { fromPixel, number, toPixel, zoomed } from "./axes.js";
import { lineColour, pageColours } from "./colours.js";
import { MARGIN, drawBands, drawCursor, drawFrame, placePanels } from "./frames.js";
import { drawTrace, valueAt } from "./painters.js";
import { FIRST_TURN, drawSolid, turned } from "./solids.js";
import { timeText } from "./ticks.js";

const SHORTEST = 1e-3;
const QUIET = 150;

/**
 * A picture in an element. It fires `viewchange` (detail: {start, stop} in ms since 1970 UTC) on the element when the
 * reader has moved or zoomed the time axis, 150 ms after the last move, so that finer data can be fetched and given
 * to `set`. A click on a time, the keys "," and ".", and dragging the marked time fire `cursorchange` (detail: {at} in
 * ms) where panels show one time. `drawn` is fired after every drawing, for who puts something over the picture.
 */
export class Panels {
  /**
   * @param {HTMLElement} root an empty element; the picture has its width
   * @param {import("./record.js").View} view
   * @param {{height?: number}} [options] height to fill if the panels need less
   */
  constructor(root, view, options = {}) {
    this.root = root;
    this.options = options;
    /** @type {Set<string>} */
    this.hidden = new Set();
    this.cursor = null;
    this.grip = null;
    this.pending = 0;
    this.timer = this.cursorTimer = 0;
    root.classList.add("arm-panels");
    this.canvas = root.appendChild(document.createElement("canvas"));
    this.overlay = root.appendChild(document.createElement("canvas"));
    this.legends = root.appendChild(document.createElement("div"));
    this.readout = root.appendChild(document.createElement("output"));
    this.overlay.className = "arm-overlay";
    this.overlay.setAttribute("aria-hidden", "true");
    this.legends.className = "arm-legends";
    this.readout.className = "arm-readout";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "chart");
    this.leaving = new AbortController();
    this.watch = new ResizeObserver(() => this.redraw());
    this.watch.observe(root);
    this.listen();
    this.set(view, false);
  }

  /** First visible time, ms since 1970 UTC. */
  get start() {
    return this.span[0];
  }

  /** Last visible time, ms since 1970 UTC. */
  get stop() {
    return this.span[1];
  }

  /**
   * Show another record.
   * @param {import("./record.js").View} view
   * @param {boolean} [keep] whether the visible times stay, as for finer data of the same picture
   */
  set(view, keep = true) {
    const same = keep && this.view?.panels.length === view.panels.length;
    this.view = view;
    this.span = keep && this.span ? this.span : [view.start, view.stop];
    this.whole = same ? this.whole : [view.start, view.stop];
    const ranges = view.panels.map((panel) => ({ x: [panel.x.low, panel.x.high], y: [panel.y.low, panel.y.high] }));
    this.ranges = same ? this.ranges : ranges;
    this.turns = same && this.turns ? this.turns : view.panels.map(() => FIRST_TURN);
    this.canvas.setAttribute("aria-label", view.summary);
    this.writeLegends();
    this.redraw();
  }

  /**
   * Move the time axis.
   * @param {number} start
   * @param {number} stop
   * @param {boolean} [tell] whether `viewchange` is fired
   */
  show(start, stop, tell = true) {
    if (!(stop - start >= SHORTEST) || Math.abs(start) > 8e15 || Math.abs(stop) > 8e15) return;
    this.span = [start, stop];
    this.redraw();
    if (!tell) return;
    clearTimeout(this.timer);
    const detail = { start, stop };
    this.timer = setTimeout(() => {
      this.root.dispatchEvent(new CustomEvent("viewchange", { bubbles: true, detail }));
    }, QUIET);
  }

  /** Show all of it. */
  home() {
    this.ranges = this.view.panels.map((panel) => ({ x: [panel.x.low, panel.x.high], y: [panel.y.low, panel.y.high] }));
    this.show(this.whole[0], this.whole[1]);
    this.redraw();
  }

  /** Leave the element as it was found. */
  destroy() {
    this.leaving.abort();
    this.watch.disconnect();
    clearTimeout(this.timer);
    clearTimeout(this.cursorTimer);
    cancelAnimationFrame(this.pending);
    this.root.replaceChildren();
    this.root.classList.remove("arm-panels");
  }

  /** Ask for a new drawing before the next frame. */
  redraw() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  draw() {
    const width = Math.max(this.root.clientWidth, 240);
    const placed = placePanels(this.view.panels, width, this.options.height);
    this.boxes = placed.boxes;
    const scale = window.devicePixelRatio || 1;
    for (const sheet of [this.canvas, this.overlay]) {
      sheet.width = Math.round(width * scale);
      sheet.height = Math.round(placed.height * scale);
      sheet.style.width = `${width}px`;
      sheet.style.height = `${placed.height}px`;
    }
    const canvas = this.canvas.getContext("2d");
    const look = pageColours(this.root);
    canvas.fillStyle = look.ground;
    canvas.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.view.panels.forEach((panel, k) => this.drawPanel(canvas, panel, k, look, scale));
    this.placeLegends();
    this.drawOverlay();
    this.root.dispatchEvent(new CustomEvent("drawn"));
  }

  /** @param {number} k */
  rulers(k) {
    const panel = this.view.panels[k];
    const box = this.boxes[k];
    const [low, high] = panel.x.time ? this.span : this.ranges[k].x;
    const x = { low, high, log: panel.x.scale === "log", from: box.left, to: box.left + box.width };
    const [bottom, top] = this.ranges[k].y;
    const y = { low: bottom, high: top, log: panel.y.scale === "log", from: box.top + box.height, to: box.top };
    if (panel.x.reversed) [x.from, x.to] = [x.to, x.from];
    if (panel.y.reversed) [y.from, y.to] = [y.to, y.from];
    return { x, y };
  }

  drawPanel(canvas, panel, k, look, scale) {
    const box = this.boxes[k];
    if (panel.kind === "solid") {
      this.drawSolid(canvas, panel, k, look, scale);
      return;
    }
    const rulers = this.rulers(k);
    const zoomedRuler = (ruler) => ({ ...ruler, from: ruler.from * scale, to: ruler.to * scale });
    const frame = {
      left: box.left * scale,
      top: box.top * scale,
      width: box.width * scale,
      height: box.height * scale,
      x: zoomedRuler(rulers.x),
      y: zoomedRuler(rulers.y),
    };
    canvas.save();
    canvas.beginPath();
    canvas.rect(frame.left, frame.top, frame.width, frame.height);
    canvas.clip();
    for (const trace of panel.traces) {
      if (!this.hidden.has(`${k} ${trace.label}`)) drawTrace(canvas, frame, trace, panel, { dark: look.dark, scale });
    }
    canvas.restore();
    canvas.save();
    canvas.scale(scale, scale);
    if (panel.x.time) {
      drawBands(canvas, box, rulers.x, this.view.bands, { labelled: k === 0, dark: look.dark });
      drawCursor(canvas, box, rulers.x, this.view.cursor, look);
    }
    drawFrame(canvas, box, panel, rulers, look);
    canvas.restore();
  }

  drawSolid(canvas, panel, k, look, scale) {
    canvas.save();
    canvas.scale(scale, scale);
    const hidden = (label) => this.hidden.has(`${k} ${label}`);
    drawSolid(canvas, this.boxes[k], panel, this.turns[k], { look, hidden });
    canvas.restore();
  }

  /** Draw the cross hair and the box of a zoom. */
  drawOverlay() {
    const scale = window.devicePixelRatio || 1;
    const canvas = this.overlay.getContext("2d");
    canvas.setTransform(scale, 0, 0, scale, 0, 0);
    canvas.clearRect(0, 0, this.overlay.width, this.overlay.height);
    const look = pageColours(this.root);
    if (this.cursor && this.view.panels[this.cursor.k]?.kind !== "solid") {
      canvas.strokeStyle = look.faint;
      canvas.setLineDash([3, 3]);
      canvas.beginPath();
      const { k, x, y } = this.cursor;
      this.boxes.forEach((box, other) => {
        if (other !== k && !(this.view.panels[k].x.time && this.view.panels[other].x.time)) return;
        canvas.moveTo(x, box.top);
        canvas.lineTo(x, box.top + box.height);
      });
      canvas.moveTo(this.boxes[k].left, y);
      canvas.lineTo(this.boxes[k].left + this.boxes[k].width, y);
      canvas.stroke();
      canvas.setLineDash([]);
    }
    if (this.grip?.box) {
      canvas.fillStyle = "rgb(90 140 220 / 0.25)";
      const { x, y, toX, toY } = this.grip;
      canvas.fillRect(Math.min(x, toX), Math.min(y, toY), Math.abs(toX - x), Math.abs(toY - y));
    }
  }

  writeLegends() {
    this.legends.replaceChildren();
    this.view.panels.forEach((panel, k) => {
      const named = panel.traces.filter((trace) => trace.label && trace.type !== "spans");
      (panel.colour && panel.at_cursor ? [] : named).forEach((trace) => {
        const key = `${k} ${trace.label}`;
        const button = this.legends.appendChild(document.createElement("button"));
        button.type = "button";
        button.textContent = trace.label;
        button.dataset.panel = String(k);
        button.dataset.colour = trace.colour;
        button.setAttribute("aria-pressed", String(!this.hidden.has(key)));
        button.addEventListener("click", () => {
          if (!this.hidden.delete(key)) this.hidden.add(key);
          button.setAttribute("aria-pressed", String(!this.hidden.has(key)));
          this.redraw();
        });
      });
    });
  }

  placeLegends() {
    const dark = pageColours(this.root).dark;
    const reached = new Map();
    for (const button of this.legends.children) {
      const box = this.boxes[Number(button.dataset.panel)];
      const step = Math.min(18, box.height / this.legends.querySelectorAll(`[data-panel="${button.dataset.panel}"]`).length);
      const top = reached.get(box) ?? box.top;
      reached.set(box, top + step);
      button.style.left = `${box.left + box.width + 8}px`;
      button.style.top = `${top}px`;
      button.style.maxWidth = `${MARGIN.right - 12}px`;
      button.style.color = lineColour(button.dataset.colour, dark);
    }
  }

  listen() {
    const on = (target, name, act, more = {}) => target.addEventListener(name, act, { signal: this.leaving.signal, ...more });
    on(this.canvas, "pointerdown", (event) => this.press(event));
    on(this.canvas, "pointermove", (event) => this.move(event));
    on(this.canvas, "pointerup", (event) => this.release(event));
    on(this.canvas, "pointercancel", () => this.drop());
    on(this.canvas, "pointerleave", () => this.point(null));
    on(this.canvas, "dblclick", () => this.home());
    on(this.canvas, "wheel", (event) => this.wheel(event), { passive: false });
    on(this.canvas, "keydown", (event) => this.key(event));
    on(window.matchMedia("(prefers-color-scheme: dark)"), "change", () => this.redraw());
  }

  /** Give the panel at a place, its margin on the left included. */
  at(event) {
    const edge = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - edge.left, event.clientY - edge.top];
    const k = (this.boxes ?? []).findIndex(
      (box) => y >= box.top && y <= box.top + box.height && x >= box.left - 70 && x <= box.left + box.width,
    );
    return { k, x, y, beside: k >= 0 && x < this.boxes[k].left };
  }

  press(event) {
    const place = this.at(event);
    if (place.k < 0 || event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const now = { span: [...this.span], ranges: this.ranges.map((range) => ({ x: [...range.x], y: [...range.y] })) };
    const marked = this.view.cursor ?? null;
    const cursor = marked !== null && this.onTime(place) && Math.abs(this.pixel(marked) - place.x) < 6;
    const solid = this.view.panels[place.k].kind === "solid";
    this.grip = { ...place, toX: place.x, toY: place.y, box: event.shiftKey && !solid, cursor, now, turn: this.turns[place.k] };
  }

  move(event) {
    const place = this.at(event);
    if (!this.grip) {
      this.point(place.k >= 0 && !place.beside ? place : null);
      return;
    }
    Object.assign(this.grip, { toX: place.x, toY: place.y });
    if (this.grip.box) this.drawOverlay();
    else if (this.grip.cursor) this.mark(this.grip.toX);
    else this.drag();
  }

  /** Move what was gripped: the time axis, or both axes of a panel without time. */
  drag() {
    const { k, x, y, toX, toY, now, beside } = this.grip;
    const panel = this.view.panels[k];
    if (panel.kind === "solid") {
      this.turns[k] = turned(this.grip.turn, toX - x, toY - y);
      this.redraw();
      return;
    }
    const rulers = this.rulers(k);
    const shifted = (range, axis, ruler, by) => {
      const shift = -by / (ruler.to - ruler.from);
      return zoomed({ low: range[0], high: range[1], log: axis.scale === "log" }, 0, 1, shift);
    };
    if (beside || !panel.x.time) this.ranges[k].y = shifted(now.ranges[k].y, panel.y, rulers.y, toY - y);
    if (!beside && panel.x.time) this.show(...shifted(now.span, panel.x, rulers.x, toX - x));
    else if (!beside) this.ranges[k].x = shifted(now.ranges[k].x, panel.x, rulers.x, toX - x);
    this.redraw();
  }

  release() {
    const grip = this.grip;
    this.drop();
    if (grip && !grip.box && this.onTime(grip) && Math.hypot(grip.toX - grip.x, grip.toY - grip.y) < 3) this.mark(grip.x);
    if (!grip?.box || Math.abs(grip.toX - grip.x) < 4) return;
    const rulers = this.rulers(grip.k);
    const rising = (ruler, a, b) => [fromPixel(ruler, a), fromPixel(ruler, b)].sort((one, two) => one - two);
    const xs = rising(rulers.x, grip.x, grip.toX);
    if (Math.abs(grip.toY - grip.y) >= 4) this.ranges[grip.k].y = rising(rulers.y, grip.y, grip.toY);
    if (this.view.panels[grip.k].x.time) this.show(xs[0], xs[1]);
    else this.ranges[grip.k].x = xs;
    this.redraw();
  }

  /** Say whether a place lies on the time axis's panels. */
  onTime(place) {
    return place.k >= 0 && !place.beside && this.view.panels[place.k].x.time;
  }

  /** Move the cursor's time to a pixel, where there are panels that show one time. */
  mark(x) {
    const k = this.view.panels.findIndex((panel) => panel.x.time);
    if (k >= 0) this.markTime(fromPixel(this.rulers(k).x, x));
  }

  /** @param {number} at ms */
  markTime(at) {
    if (!this.view.panels.some((panel) => panel.at_cursor)) return;
    this.view.cursor = Math.min(Math.max(at, this.span[0]), this.span[1]);
    this.redraw();
    clearTimeout(this.cursorTimer);
    const detail = { at: this.view.cursor };
    this.cursorTimer = setTimeout(() => {
      this.root.dispatchEvent(new CustomEvent("cursorchange", { bubbles: true, detail }));
    }, QUIET / 3);
  }

  drop() {
    this.grip = null;
    this.redraw();
  }

  wheel(event) {
    const place = this.at(event);
    if (place.k < 0) return;
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? event.deltaY * 24 : event.deltaY;
    this.zoom(place, Math.exp(Math.max(-300, Math.min(300, pixels)) / 400));
  }

  /** Zoom about a place: the time axis, the y axis beside it, or both axes of a panel without time. */
  zoom({ k, x, y, beside }, factor) {
    const panel = this.view.panels[k];
    if (panel.kind === "solid") {
      this.turns[k] = { ...this.turns[k], size: Math.max(0.2, Math.min(8, this.turns[k].size / factor)) };
      this.redraw();
      return;
    }
    const rulers = this.rulers(k);
    const about = (ruler, pixel) => zoomed(ruler, (pixel - ruler.from) / (ruler.to - ruler.from), factor);
    if (beside || !panel.x.time) this.ranges[k].y = about(rulers.y, y);
    if (!beside && panel.x.time) this.show(...about(rulers.x, x));
    else if (!beside) this.ranges[k].x = about(rulers.x, x);
    this.redraw();
  }

  key(event) {
    const moves = { ArrowLeft: -0.1, ArrowRight: 0.1, PageUp: -0.9, PageDown: 0.9 };
    const zooms = { "+": 0.5, "=": 0.5, "-": 2, _: 2 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const range = { low: this.span[0], high: this.span[1], log: false };
    if (event.key in moves) this.show(...zoomed(range, 0, 1, moves[event.key]));
    else if ((event.key === "," || event.key === ".") && this.view.cursor !== null) {
      this.markTime(this.view.cursor + ((event.key === "." ? 1 : -1) * (this.span[1] - this.span[0])) / 200);
    } else if (event.key in zooms) this.show(...zoomed(range, 0.5, zooms[event.key]));
    else if (event.key === "Home") this.home();
    else if (event.key === "Escape") this.drop();
    else return;
    event.preventDefault();
    this.readout.value = `${timeText(this.span[0])} to ${timeText(this.span[1])}`;
  }

  /** Show the cross hair and say what stands there. */
  point(place) {
    this.cursor = place;
    this.readout.value = place ? this.words(place) : "";
    if (this.boxes) this.drawOverlay();
  }

  words({ k, x, y }) {
    const panel = this.view.panels[k];
    if (panel.kind === "solid") return `${panel.notes.join(" · ")} · drag to turn, wheel to enlarge`;
    const rulers = this.rulers(k);
    const [there, high] = [fromPixel(rulers.x, x), fromPixel(rulers.y, y)];
    const perPixel = Math.abs(fromPixel(rulers.x, x + 1) - there);
    const parts = [panel.x.time ? timeText(there, perPixel) : said(panel.x, there)];
    if (panel.kind !== "lines" && panel.kind !== "events") parts.push(said(panel.y, high));
    for (const trace of panel.traces) {
      const value = this.hidden.has(`${k} ${trace.label}`) ? null : valueAt(trace, there, high, perPixel * 40);
      if (value === null) continue;
      const axis = panel.colour ?? panel.y;
      parts.push(said({ label: trace.label || axis.label, units: axis.units }, value));
    }
    if (panel.kind === "events") parts.push(...this.events(panel, there));
    parts.push(...this.view.bands.filter((band) => there >= band.start && there < band.stop).map((band) => band.label));
    return parts.filter(Boolean).join(" · ");
  }

  /** Name the events under a time. */
  events(panel, time) {
    return panel.traces.flatMap((trace) =>
      Array.from(trace.start.data, (start, i) =>
        start <= time && time < trace.stop.data[i] ? (trace.labels[trace.row.data[i]] ?? "event") : "",
      ).filter(Boolean),
    );
  }

  /**
   * Give the pixel of a time, for markers that the desk draws over the picture.
   * @param {number} ms
   * @returns {number}
   */
  pixel(ms) {
    return toPixel(this.rulers(this.view.panels.findIndex((panel) => panel.x.time)).x, ms);
  }
}

/** @param {{label: string, units: string}} axis @param {number} value */
function said(axis, value) {
  return `${axis.label} ${number(value)}${axis.units ? ` ${axis.units}` : ""}`.trim();
}

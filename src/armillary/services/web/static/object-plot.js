// A scatter of many points on a canvas: blitted pixel by pixel, moved, zoomed, picked and lassoed.
import { colourTable, pageColours } from "../renderer/colours.js";
import { make } from "./elements.js";

const LEFT = 46;
const BOTTOM = 30;
const NEAR = 12;
/** Fewer points than these are drawn larger. */
const FEW = 2000;
const STEP = 0.15;

/**
 * @typedef {{low: number, high: number}} Range
 * @typedef {{moved: () => void, lassoed: (polygon: [number, number][], how: string) => void,
 *   pointed: (row: number) => void, chosen: (row: number) => void, drag: () => string, step: (by: number) => void}} Acts
 */

export class Plot {
  /** @param {HTMLElement} place @param {string} name @param {Acts} acts */
  constructor(place, name, acts) {
    Object.assign(this, { place, name, acts });
    this.canvas = make("canvas", { tabIndex: 0, role: "application", "aria-label": name });
    this.over = make("canvas", { className: "over", "aria-hidden": "true" });
    place.replaceChildren(this.canvas, this.over);
    /** @type {ArrayLike<number>} */ this.xs = [];
    /** @type {ArrayLike<number>} */ this.ys = [];
    /** @type {Range} */ this.x = { low: 0, high: 1 };
    /** @type {Range} */ this.y = { low: 0, high: 1 };
    this.flipX = this.flipY = this.square = false;
    this.words = ["", ""];
    this.rowAt = -1;
    /** @type {[number, number][]|null} */ this.drawn = null;
    /** @type {((plot: Plot, pen: CanvasRenderingContext2D) => void)|null} */ this.grid = null;
    this.listen();
    new ResizeObserver(() => this.draw()).observe(place);
  }

  /** Show other numbers; `whole` is the range that Home goes back to. */
  show(xs, ys, whole, words, { flipX = false, flipY = false, square = false } = {}) {
    Object.assign(this, { xs, ys, whole, words, flipX, flipY, square });
    this.canvas.setAttribute("aria-label", `${this.name}: ${words.join(" and ")}. Arrows move, plus and minus zoom, n and p step.`);
  }

  home() {
    this.range(this.whole);
  }

  /** @param {[number, number, number, number]} edges */
  range([x0, x1, y0, y1]) {
    this.x = { low: x0, high: x1 };
    this.y = { low: y0, high: y1 };
  }

  edges() {
    return [this.x.low, this.x.high, this.y.low, this.y.high];
  }

  size() {
    return [this.place.clientWidth, this.place.clientHeight];
  }

  /** Give what turns numbers into pixels: offset and factor of x and y. */
  scales() {
    const [width, height] = this.size();
    const [w, h] = [Math.max(width - LEFT - 6, 10), Math.max(height - BOTTOM - 4, 10)];
    let [kx, ky] = [w / (this.x.high - this.x.low), h / (this.y.high - this.y.low)];
    if (this.square) kx = ky = Math.min(kx, ky);
    const [mx, my] = [(this.x.low + this.x.high) / 2, (this.y.low + this.y.high) / 2];
    const [sx, sy] = [this.flipX ? -kx : kx, this.flipY ? ky : -ky];
    return { w, h, sx, sy, ox: LEFT + w / 2 - sx * mx, oy: 4 + h / 2 - sy * my };
  }

  toPixel(x, y) {
    const { sx, sy, ox, oy } = this.scales();
    return [ox + sx * x, oy + sy * y];
  }

  toNumbers(px, py) {
    const { sx, sy, ox, oy } = this.scales();
    return [(px - ox) / sx, (py - oy) / sy];
  }

  /** @param {{order: Uint32Array, colours: Uint32Array, selected: Uint8Array|null, any: boolean}} look */
  look(look) {
    this.shown = look;
    this.draw();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.paint();
    });
  }

  paint() {
    const [width, height] = this.size();
    if (width < 60 || height < 50) return;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    for (const canvas of [this.canvas, this.over]) {
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
      }
    }
    this.ratio = ratio;
    this.colours = pageColours(this.canvas);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (this.shown) this.blit(pen, ratio);
    this.frame(pen);
    this.mark();
  }

  /** Write points into an image; the chosen ones last and larger. */
  blit(pen, ratio) {
    const { w, h, sx, sy, ox, oy } = this.scales();
    const [iw, ih] = [Math.round(w * ratio), Math.round(h * ratio)];
    const image = new ImageData(iw, ih);
    const pixels = new Uint32Array(image.data.buffer);
    const { order, colours, selected, any } = this.shown;
    const [ax, ay] = [(ox - LEFT) * ratio, (oy - 4) * ratio];
    const [bx, by] = [sx * ratio, sy * ratio];
    const faint = this.colours.dark ? 0xff5a534c : 0xffcfc9c4;
    const size = order.length > 40000 ? 1 : order.length >= FEW ? 2 : order.length >= FEW / 4 ? 3 : 4;
    const paint = (wanted, wide, flat) => {
      for (let k = 0; k < order.length; k++) {
        const row = order[k];
        if (any && (selected[row] === 1) !== wanted) continue;
        const px = Math.round(ax + bx * this.xs[row]) - (wide >> 1);
        const py = Math.round(ay + by * this.ys[row]) - (wide >> 1);
        if (!(px >= 0 && py >= 0 && px + wide <= iw && py + wide <= ih)) continue;
        const colour = flat || colours[row];
        for (let at = py * iw + px, line = 0; line < wide; line++, at += iw) for (let i = 0; i < wide; i++) pixels[at + i] = colour;
      }
    };
    const scaled = Math.max(1, Math.round(size * ratio));
    if (any) paint(false, scaled, faint);
    if (!any && this.shown.density && order.length >= FEW) this.pile(pixels, iw, ih, [ax, bx, ay, by]);
    else paint(true, any ? scaled + 1 : scaled, 0);
    pen.putImageData(image, Math.round(LEFT * ratio), Math.round(4 * ratio));
  }

  /** Colour pixels by how many points lie in them. */
  pile(pixels, iw, ih, [ax, bx, ay, by]) {
    const { order } = this.shown;
    const counts = new Uint16Array(iw * ih);
    let most = 1;
    for (let k = 0; k < order.length; k++) {
      const px = Math.round(ax + bx * this.xs[order[k]]);
      const py = Math.round(ay + by * this.ys[order[k]]);
      if (px >= 0 && py >= 0 && px < iw && py < ih) most = Math.max(most, ++counts[py * iw + px]);
    }
    const [table, scale] = [colourTable("viridis"), Math.log(most + 1)];
    const [from, span] = this.colours.dark ? [90, 165] : [165, -150];
    for (let at = 0; at < counts.length; at++) {
      if (counts[at]) pixels[at] = table[Math.round(from + (span * Math.log(counts[at])) / scale)];
    }
  }

  frame(pen) {
    const { w, h } = this.scales();
    pen.strokeStyle = this.colours.frame;
    pen.fillStyle = this.colours.ink;
    pen.lineWidth = 1;
    pen.font = "11px system-ui, sans-serif";
    if (this.grid) {
      pen.save();
      pen.beginPath();
      pen.rect(LEFT, 4, w, h);
      pen.clip();
      this.grid(this, pen);
      pen.restore();
    } else this.ticks(pen, w, h);
    pen.strokeRect(LEFT + 0.5, 4.5, w - 1, h - 1);
    pen.fillStyle = this.colours.ink;
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    pen.fillText(this.words[0], LEFT + w / 2, h + 4 + BOTTOM - 4);
    pen.save();
    pen.translate(10, 4 + h / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(this.words[1], 0, 0);
    pen.restore();
  }

  ticks(pen, w, h) {
    const { sx, sy, ox, oy } = this.scales();
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const at of roundNumbers(this.x.low, this.x.high, w / 70)) {
      const px = Math.round(ox + sx * at) + 0.5;
      pen.fillRect(px - 0.5, 4 + h - 4, 1, 4);
      pen.fillText(shortNumber(at), px, 4 + h + 3);
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const at of roundNumbers(this.y.low, this.y.high, h / 40)) {
      const py = Math.round(oy + sy * at) + 0.5;
      pen.fillRect(LEFT, py - 0.5, 4, 1);
      pen.fillText(shortNumber(at), LEFT - 4, py);
    }
  }

  /** Draw what changes with the pointer: the source that is looked at, the lasso. */
  mark() {
    const pen = this.over.getContext("2d");
    const ratio = this.ratio ?? 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, ...this.size());
    const [x, y] = this.rowAt < 0 ? [NaN, NaN] : this.toPixel(this.xs[this.rowAt], this.ys[this.rowAt]);
    pen.strokeStyle = this.colours?.ink ?? "#000";
    if (Number.isFinite(x + y) && x >= LEFT) {
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, 7, 0, 2 * Math.PI);
      pen.moveTo(x - 12, y);
      pen.lineTo(x - 7, y);
      pen.moveTo(x + 7, y);
      pen.lineTo(x + 12, y);
      pen.stroke();
    }
    if (!this.drawn) return;
    pen.lineWidth = 1.5;
    pen.setLineDash([5, 3]);
    pen.beginPath();
    this.drawn.forEach(([px, py], k) => (k ? pen.lineTo(px, py) : pen.moveTo(px, py)));
    pen.closePath();
    pen.stroke();
    pen.setLineDash([]);
  }

  /** @param {number} row */
  point(row) {
    this.rowAt = row;
    this.mark();
  }

  /** Find the nearest shown point to a pixel. @returns {number} its row, or -1 */
  pick(px, py) {
    const { sx, sy, ox, oy } = this.scales();
    let [best, least] = [-1, NEAR * NEAR];
    const order = this.shown?.order ?? [];
    for (let k = 0; k < order.length; k++) {
      const row = order[k];
      const [dx, dy] = [ox + sx * this.xs[row] - px, oy + sy * this.ys[row] - py];
      const far = dx * dx + dy * dy;
      if (far <= least) [best, least] = [row, far];
    }
    return best;
  }

  listen() {
    const at = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event, at(event)));
    this.canvas.addEventListener("pointermove", (event) => this.follow(at(event)));
    this.canvas.addEventListener("pointerup", (event) => this.end(event, at(event)));
    this.canvas.addEventListener("pointercancel", () => this.leave());
    this.canvas.addEventListener("wheel", (event) => this.wheel(event, at(event)), { passive: false });
    this.canvas.addEventListener("dblclick", () => this.act(() => this.home()));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  begin(event, place) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    const kind = event.ctrlKey || event.metaKey ? "box" : this.acts.drag();
    this.held = { kind, from: place, edges: this.edges(), far: 0 };
    this.drawn = kind === "lasso" ? [place] : null;
  }

  follow(place) {
    const { held } = this;
    if (!held) {
      this.hover = place;
      this.hovering ??= requestAnimationFrame(() => {
        this.hovering = null;
        this.acts.pointed(this.pick(...this.hover));
      });
      return;
    }
    held.far = Math.max(held.far, Math.hypot(place[0] - held.from[0], place[1] - held.from[1]));
    if (held.kind === "move") this.drag(held, place);
    else if (held.kind === "box") this.drawn = [held.from, [place[0], held.from[1]], place, [held.from[0], place[1]]];
    else this.drawn.push(place);
    this.mark();
  }

  drag(held, place) {
    const { sx, sy } = this.scales();
    const [dx, dy] = [(place[0] - held.from[0]) / sx, (place[1] - held.from[1]) / sy];
    const [x0, x1, y0, y1] = held.edges;
    this.range([x0 - dx, x1 - dx, y0 - dy, y1 - dy]);
    this.draw();
  }

  end(event, place) {
    const { held, drawn } = this;
    this.leave();
    if (!held) return;
    if (held.far < 4) {
      this.acts.chosen(this.pick(...place));
      return;
    }
    if (held.kind === "move") this.acts.moved();
    else if (drawn) this.acts.lassoed(drawn.map(([px, py]) => this.toNumbers(px, py)), event.shiftKey ? "add" : event.altKey ? "cut" : "set");
  }

  leave() {
    this.held = this.drawn = null;
    this.mark();
  }

  act(change) {
    change();
    this.draw();
    this.acts.moved();
  }

  wheel(event, [px, py]) {
    event.preventDefault();
    const by = Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY * 0.0015)));
    this.act(() => this.zoom(by, ...this.toNumbers(px, py), px >= LEFT, py <= this.size()[1] - BOTTOM));
  }

  /** Zoom about a place; beside an axis that axis alone. */
  zoom(by, x, y, inY = true, inX = true) {
    const [x0, x1, y0, y1] = this.edges();
    const both = this.square || (inX && inY);
    const [kx, ky] = [both || inY ? by : 1, both || inX ? by : 1];
    this.range([x + (x0 - x) * kx, x + (x1 - x) * kx, y + (y0 - y) * ky, y + (y1 - y) * ky]);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [x0, x1, y0, y1] = this.edges();
    const by = (dx, dy) => {
      const [mx, my] = [(x1 - x0) * STEP * dx * (this.flipX ? -1 : 1), (y1 - y0) * STEP * dy * (this.flipY ? -1 : 1)];
      this.range([x0 + mx, x1 + mx, y0 + my, y1 + my]);
    };
    const middle = [(x0 + x1) / 2, (y0 + y1) / 2];
    const acts = {
      ArrowLeft: () => by(-1, 0), ArrowRight: () => by(1, 0), ArrowUp: () => by(0, 1), ArrowDown: () => by(0, -1),
      "+": () => this.zoom(0.7, ...middle), "=": () => this.zoom(0.7, ...middle), "-": () => this.zoom(1 / 0.7, ...middle),
      Home: () => this.home(),
    };
    if (event.key in acts) this.act(acts[event.key]);
    else if (event.key === "n" || event.key === "p") this.acts.step(event.key === "n" ? 1 : -1);
    else if (event.key === "Enter") {
      const outline = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
      this.acts.lassoed(/** @type {[number, number][]} */ (outline), event.shiftKey ? "add" : "set");
    } else return;
    event.preventDefault();
  }
}

/** Give round numbers in a range, about `most`. */
export function roundNumbers(low, high, most) {
  const rough = (high - low) / Math.max(most, 2);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? power;
  const marks = [];
  for (let k = Math.ceil(low / step); k * step <= high && marks.length < 60; k++) marks.push(k * step);
  return marks;
}

/** @param {number} value */
export function shortNumber(value) {
  const size = Math.abs(value);
  return size && (size >= 1e5 || size < 1e-3) ? value.toExponential(1) : String(Math.round(value * 1e4) / 1e4);
}

// Where panels stand on the canvas, in CSS pixels, and the marks and words around them.
import { drawColourBar } from "./painters.js";
import { lineColour } from "./colours.js";
import { numberTicks, toPixel } from "./axes.js";
import { timeTicks } from "./ticks.js";

export const MARGIN = { left: 84, right: 128, top: 22, foot: 42, gap: 8 };
const ROOM = { left: 92, right: 20, top: 28, bottom: 46, bar: 92 };
const FONT = "12px system-ui, sans-serif";
const SMALL = "11px system-ui, sans-serif";

/**
 * Place panels: those on time in one column, the others below, side by side.
 * @param {import("./record.js").Panel[]} panels
 * @param {number} width
 * @param {number} [room] height that should be used if it suffices
 * @returns {{height: number, boxes: {left: number, top: number, width: number, height: number, lowest: boolean}[]}}
 */
export function placePanels(panels, width, room = 0) {
  const timed = panels.filter((panel) => panel.x.time).length;
  const others = panels.length - timed;
  const spare = others ? 0 : (room - MARGIN.top - MARGIN.foot) / Math.max(timed, 1);
  const each = Math.max(timed > 6 ? 96 : timed > 3 ? 124 : 150, Math.min(spare, 260));
  const columns = Math.max(1, Math.min(others, Math.floor(width / 320), others === 4 ? 2 : 3));
  const cell = { width: width / columns, height: Math.min((width / columns) * 0.85, 560) };
  const below = timed ? MARGIN.top + timed * each + MARGIN.foot : 0;
  let time = 0;
  let other = 0;
  const boxes = panels.map((panel) => {
    if (!panel.x.time) return placeFree(panel, cell, columns, other++, below);
    const top = MARGIN.top + time++ * each;
    const inner = Math.max(width - MARGIN.left - MARGIN.right, 40);
    return { left: MARGIN.left, top, width: inner, height: each - MARGIN.gap, lowest: time === timed };
  });
  return { height: below + Math.ceil(others / columns) * cell.height, boxes };
}

/** Give the largest box of the panel's shape in its cell. */
function placeFree(panel, cell, columns, number, below) {
  const left = (number % columns) * cell.width + ROOM.left;
  const top = below + Math.floor(number / columns) * cell.height + ROOM.top;
  let width = Math.max(cell.width - ROOM.left - ROOM.right - (panel.colour ? ROOM.bar : 0), 40);
  let height = Math.max(cell.height - ROOM.top - ROOM.bottom, 40);
  if (panel.aspect) {
    const shape = ((panel.y.high - panel.y.low) / (panel.x.high - panel.x.low)) * panel.aspect;
    const wide = Math.max(Math.min(width, height / shape), 20);
    height = Math.max(Math.min(height, width * shape), 20);
    width = wide;
  }
  return { left, top, width, height, lowest: true };
}

/**
 * Draw frame, marks, labels and colour bar of a panel.
 * @param {CanvasRenderingContext2D} canvas in CSS pixels
 * @param {any} box
 * @param {import("./record.js").Panel} panel
 * @param {{x: import("./axes.js").Ruler, y: import("./axes.js").Ruler}} rulers
 * @param {ReturnType<typeof import("./colours.js").pageColours>} look
 */
export function drawFrame(canvas, box, panel, rulers, look) {
  canvas.strokeStyle = look.frame;
  canvas.fillStyle = look.ink;
  canvas.lineWidth = 1;
  canvas.font = FONT;
  canvas.strokeRect(box.left + 0.5, box.top + 0.5, box.width - 1, box.height - 1);
  drawYMarks(canvas, box, panel, rulers.y);
  if (panel.x.time) drawTimeMarks(canvas, box, rulers.x);
  else drawXMarks(canvas, box, panel, rulers.x);
  upright(canvas, [panel.y.label, bracketed(panel.y.units)], box.left - (panel.x.time ? 72 : 82), box.top + box.height / 2, box.height);
  if (panel.colour) drawBar(canvas, box, panel.colour, look);
}

/** @param {string} units */
function bracketed(units) {
  return units ? `[${units}]` : "";
}

function drawYMarks(canvas, box, panel, ruler) {
  canvas.textAlign = "right";
  canvas.textBaseline = "middle";
  const labels = panel.kind === "events" ? (panel.traces[0]?.labels ?? []) : null;
  const ticks = labels
    ? labels.map((label, at) => ({ at, label: fitted(canvas, label, 66) }))
    : numberTicks(ruler, box.height / 32);
  for (const tick of ticks) {
    const y = toPixel(ruler, tick.at);
    if (y < box.top - 0.5 || y > box.top + box.height + 0.5) continue;
    const size = tick.label ? 5 : 2.5;
    stroke(canvas, box.left, y, box.left + size, y);
    stroke(canvas, box.left + box.width, y, box.left + box.width - size, y);
    const inside = y > box.top + 5 && y < box.top + box.height - 5;
    if (tick.label && (inside || box.lowest)) canvas.fillText(tick.label, box.left - 5, y);
  }
}

function drawTimeMarks(canvas, box, ruler) {
  canvas.textAlign = "center";
  canvas.textBaseline = "top";
  for (const tick of timeTicks(ruler.low, ruler.high, box.width / (ruler.high - ruler.low < 9000 ? 110 : 76))) {
    const x = toPixel(ruler, tick.at);
    stroke(canvas, x, box.top, x, box.top + 5);
    stroke(canvas, x, box.top + box.height, x, box.top + box.height - 5);
    if (!box.lowest) continue;
    canvas.fillText(tick.label, x, box.top + box.height + 5);
    canvas.fillText(tick.below, x, box.top + box.height + 20);
  }
}

function drawXMarks(canvas, box, panel, ruler) {
  canvas.textAlign = "center";
  canvas.textBaseline = "top";
  const bottom = box.top + box.height;
  for (const tick of numberTicks(ruler, box.width / 64)) {
    const x = toPixel(ruler, tick.at);
    stroke(canvas, x, bottom, x, bottom - (tick.label ? 5 : 2.5));
    if (tick.label) canvas.fillText(tick.label, x, bottom + 4);
  }
  const label = [panel.x.label, bracketed(panel.x.units)].join(" ");
  canvas.fillText(fitted(canvas, label, box.width + 60), box.left + box.width / 2, bottom + 20);
  canvas.textBaseline = "bottom";
  canvas.fillText(fitted(canvas, panel.title, box.width + 80), box.left + box.width / 2, box.top - 5);
}

function drawBar(canvas, box, colour, look) {
  const bar = { left: box.left + box.width + 8, top: box.top, width: 12, height: box.height };
  drawColourBar(canvas, bar, colour.map);
  canvas.strokeStyle = look.frame;
  canvas.fillStyle = look.ink;
  canvas.strokeRect(bar.left + 0.5, bar.top + 0.5, bar.width - 1, bar.height - 1);
  const log = colour.scale === "log";
  const ruler = { low: colour.low, high: colour.high, log, from: bar.top + bar.height, to: bar.top };
  canvas.textAlign = "left";
  canvas.textBaseline = "middle";
  canvas.font = SMALL;
  for (const tick of numberTicks(ruler, box.height / 32)) {
    const y = toPixel(ruler, tick.at);
    stroke(canvas, bar.left + bar.width, y, bar.left + bar.width + (tick.label ? 4 : 2), y);
    if (tick.label && y > bar.top + 4 && y < bar.top + bar.height - 4) canvas.fillText(tick.label, bar.left + 19, y);
  }
  upright(canvas, [colour.label, bracketed(colour.units)], bar.left + 74, box.top + box.height / 2, box.height);
}

/**
 * Draw events across a panel.
 * @param {CanvasRenderingContext2D} canvas
 * @param {any} box
 * @param {import("./axes.js").Ruler} ruler
 * @param {import("./record.js").Band[]} bands
 * @param {{labelled: boolean, dark: boolean}} how
 */
export function drawBands(canvas, box, ruler, bands, how) {
  let written = -Infinity;
  canvas.font = SMALL;
  canvas.textAlign = "left";
  canvas.textBaseline = "bottom";
  for (const band of bands) {
    const from = Math.max(toPixel(ruler, band.start), box.left);
    const to = Math.min(Math.max(toPixel(ruler, band.stop), from + 1), box.left + box.width);
    if (to < box.left || from > box.left + box.width) continue;
    canvas.fillStyle = lineColour(band.colour, how.dark);
    canvas.globalAlpha = 0.22;
    canvas.fillRect(from, box.top, to - from, box.height);
    canvas.globalAlpha = 1;
    if (!how.labelled || !band.label || from < written) continue;
    const label = fitted(canvas, band.label, 160);
    canvas.fillText(label, from, box.top - 4);
    written = from + canvas.measureText(label).width + 8;
  }
}

/** Mark the time that planes and volumes are drawn for; ms, or null for none. */
export function drawCursor(canvas, box, ruler, cursor, look) {
  if (cursor === null || cursor === undefined || cursor < ruler.low || cursor > ruler.high) return;
  const x = toPixel(ruler, cursor);
  canvas.strokeStyle = look.ink;
  canvas.setLineDash([5, 3]);
  stroke(canvas, x, box.top, x, box.top + box.height);
  canvas.setLineDash([]);
}

/** Write lines upwards, centred on a point, each shortened to the room it has. */
function upright(canvas, lines, x, y, room) {
  const texts = lines.filter(Boolean);
  canvas.save();
  canvas.translate(x, y);
  canvas.rotate(-Math.PI / 2);
  canvas.textAlign = "center";
  canvas.textBaseline = "middle";
  texts.forEach((text, k) => canvas.fillText(fitted(canvas, text, room), 0, k * 14));
  canvas.restore();
}

/** Shorten a text until it fits. */
function fitted(canvas, text, room) {
  if (canvas.measureText(text).width <= room) return text;
  let short = text;
  while (short.length > 1 && canvas.measureText(`${short}…`).width > room) short = short.slice(0, -1);
  return `${short}…`;
}

function stroke(canvas, x0, y0, x1, y1) {
  canvas.beginPath();
  canvas.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  canvas.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  canvas.stroke();
}

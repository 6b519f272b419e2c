// A panel in space: surfaces and arrows in a box, seen without perspective from where the reader turned it.
import { lineColour } from "./colours.js";

/** Where the reader stands at first, degrees; the same as on paper. */
export const FIRST_TURN = { azimuth: 35, elevation: 22, size: 1 };
const LIGHT = [-0.35, 0.55, 0.76];
/** Where the words of each axis stand: on the edges that face the reader at first. */
const BESIDE = [[0, 1.25, -1.2], [1.25, 0, -1.2], [1.2, -1.25, 0]];
const SOLID_FONT = "11px system-ui, sans-serif";

/** @typedef {{azimuth: number, elevation: number, size: number}} Turn */

/**
 * Draw a panel in space into its box, in CSS pixels.
 * @param {CanvasRenderingContext2D} canvas
 * @param {{left: number, top: number, width: number, height: number}} box
 * @param {import("./record.js").Panel} panel
 * @param {Turn} turn
 * @param {{look: any, hidden: (label: string) => boolean}} how
 */
export function drawSolid(canvas, box, panel, turn, { look, hidden }) {
  const place = placing(box, turn);
  canvas.save();
  canvas.font = SOLID_FONT;
  canvas.textAlign = "center";
  canvas.textBaseline = "middle";
  drawBox(canvas, panel, place, look);
  const shown = panel.traces.filter((trace) => !hidden(trace.label ?? ""));
  drawSurfaces(canvas, panel, shown, place);
  for (const trace of shown) if (trace.type === "arrow") drawArrow(canvas, panel, trace, place, look);
  canvas.fillStyle = look.ink;
  canvas.textBaseline = "bottom";
  canvas.fillText(panel.title, box.left + box.width / 2, box.top - 6);
  canvas.restore();
}

/**
 * Turn and enlarge.
 * @param {Turn} turn
 * @param {number} right pixels the pointer went
 * @param {number} down
 * @returns {Turn}
 */
export function turned(turn, right, down) {
  const elevation = Math.max(-90, Math.min(90, turn.elevation + down * 0.5));
  return { ...turn, azimuth: turn.azimuth - right * 0.5, elevation };
}

/** Give a function from parts of the half axes to [x, y, depth] in pixels. */
function placing(box, turn) {
  const [a, e] = [(turn.azimuth * Math.PI) / 180, (turn.elevation * Math.PI) / 180];
  const right = [-Math.sin(a), Math.cos(a), 0];
  const towards = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
  const up = [
    towards[1] * right[2] - towards[2] * right[1],
    towards[2] * right[0] - towards[0] * right[2],
    towards[0] * right[1] - towards[1] * right[0],
  ];
  const unit = (Math.min(box.width, box.height) / 3.5) * turn.size;
  const [x0, y0] = [box.left + box.width / 2, box.top + box.height / 2];
  const along = (axis, p) => axis[0] * p[0] + axis[1] * p[1] + axis[2] * p[2];
  return (p) => [x0 + unit * along(right, p), y0 - unit * along(up, p), unit * along(towards, p)];
}

function partsOf(panel) {
  const sides = [panel.x, panel.y, panel.z];
  const middle = sides.map((side) => (side.low + side.high) / 2);
  const half = sides.map((side) => (side.high - side.low) / 2);
  return (data, at) => [0, 1, 2].map((k) => (data[at + k] - middle[k]) / half[k]);
}

function drawBox(canvas, panel, place, look) {
  canvas.strokeStyle = look.faint;
  canvas.fillStyle = look.ink;
  canvas.lineWidth = 1;
  for (let axis = 0; axis < 3; axis++) {
    for (const [u, v] of [[-1, -1], [-1, 1], [1, -1], [1, 1]]) {
      const end = (w) => [0, 1, 2].map((k) => (k === axis ? w : k === (axis + 1) % 3 ? u : v));
      segment(canvas, place(end(-1)), place(end(1)));
    }
    const side = [panel.x, panel.y, panel.z][axis];
    const [x, y] = place(BESIDE[axis]);
    canvas.fillText(`${side.label} ±${Number(side.high.toPrecision(3))} ${side.units}`, x, y);
  }
}

/** Draw the triangles of all surfaces together, the farthest first. */
function drawSurfaces(canvas, panel, traces, place) {
  const parts = partsOf(panel);
  const drawn = [];
  for (const trace of traces) {
    if (trace.type !== "surface") continue;
    const count = trace.vertices.shape[0];
    const points = Array.from({ length: count }, (_, i) => place(parts(trace.vertices.data, 3 * i)));
    const faces = trace.faces.data;
    const paint = shades(trace.colour, trace.opacity);
    for (let i = 0; i < faces.length; i += 3) {
      const [p, q, r] = [points[faces[i]], points[faces[i + 1]], points[faces[i + 2]]];
      drawn.push({ p, q, r, depth: p[2] + q[2] + r[2], paint });
    }
  }
  drawn.sort((one, two) => one.depth - two.depth);
  for (const { p, q, r, paint } of drawn) {
    canvas.fillStyle = paint[Math.round(brightness(p, q, r) * 15)];
    canvas.beginPath();
    canvas.moveTo(p[0], p[1]);
    canvas.lineTo(q[0], q[1]);
    canvas.lineTo(r[0], r[1]);
    canvas.fill();
  }
}

/** Say how bright a triangle is, 0 to 1, from both sides alike. */
function brightness(p, q, r) {
  const u = [q[0] - p[0], p[1] - q[1], q[2] - p[2]];
  const v = [r[0] - p[0], p[1] - r[1], r[2] - p[2]];
  const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
  const length = Math.hypot(...n) || 1;
  return Math.min(1, Math.abs(n[0] * LIGHT[0] + n[1] * LIGHT[1] + n[2] * LIGHT[2]) / length);
}

/** Give sixteen shades of a colour, dark to bright. */
function shades(colour, opacity) {
  const [red, green, blue] = [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));
  return Array.from({ length: 16 }, (_, k) => {
    const part = 0.45 + (0.55 * k) / 15;
    return `rgb(${red * part} ${green * part} ${blue * part} / ${opacity})`;
  });
}

function drawArrow(canvas, panel, trace, place, look) {
  const tip = place(partsOf(panel)(trace.tip.data, 0));
  const from = place(partsOf(panel)([0, 0, 0], 0));
  canvas.strokeStyle = canvas.fillStyle = lineColour(trace.colour, look.dark);
  canvas.lineWidth = 2;
  segment(canvas, from, tip);
  const angle = Math.atan2(tip[1] - from[1], tip[0] - from[0]);
  canvas.beginPath();
  canvas.moveTo(tip[0], tip[1]);
  for (const side of [2.7, -2.7]) canvas.lineTo(tip[0] + 9 * Math.cos(angle + side), tip[1] + 9 * Math.sin(angle + side));
  canvas.fill();
  canvas.fillText(trace.label, tip[0] + 12 * Math.cos(angle), tip[1] + 12 * Math.sin(angle));
}

function segment(canvas, from, to) {
  canvas.beginPath();
  canvas.moveTo(from[0], from[1]);
  canvas.lineTo(to[0], to[1]);
  canvas.stroke();
}

// Draw the traces of a panel on a canvas. Pixels here are those of the device.
import { colourTable, cssColour, lineColour } from "./colours.js";
import { fromPixel, toPixel } from "./axes.js";

/**
 * A panel's place and ranges.
 * @typedef {{left: number, top: number, width: number, height: number, x: import("./axes.js").Ruler,
 *   y: import("./axes.js").Ruler}} Frame
 */

/**
 * Give the first index whose value is greater than `value` in a rising array.
 * @param {ArrayLike<number>} values
 * @param {number} value
 * @param {number} [first]
 * @param {number} [last]
 * @returns {number}
 */
export function above(values, value, first = 0, last = values.length) {
  while (first < last) {
    const middle = (first + last) >> 1;
    if (values[middle] > value) last = middle;
    else first = middle + 1;
  }
  return first;
}

/**
 * Draw one trace; the caller has clipped to the frame.
 * @param {CanvasRenderingContext2D} canvas
 * @param {Frame} frame
 * @param {import("./record.js").Trace} trace
 * @param {import("./record.js").Panel} panel
 * @param {{dark: boolean, scale: number}} look
 */
export function drawTrace(canvas, frame, trace, panel, look) {
  const painters = { line: drawLine, cells: drawCells, points: drawPoints, image: drawImage, spans: drawSpans };
  painters[trace.type](canvas, frame, trace, panel, look);
}

/** Draw a line; where many points share a column of pixels their lowest and highest stay. */
function drawLine(canvas, frame, trace, panel, look) {
  const x = trace.x.data;
  const y = trace.y.data;
  const first = Math.max(above(x, frame.x.low) - 2, 0);
  const last = Math.min(above(x, frame.x.high) + 2, x.length);
  canvas.strokeStyle = canvas.fillStyle = lineColour(trace.colour, look.dark);
  canvas.lineWidth = 1.1 * look.scale;
  canvas.lineJoin = "round";
  canvas.beginPath();
  let down = false;
  let column = NaN;
  let low = 0;
  let high = 0;
  let close = 0;
  const finish = () => {
    if (low < high) {
      canvas.moveTo(column, low);
      canvas.lineTo(column, high);
      canvas.moveTo(column, close);
    }
  };
  for (let i = first; i < last; i++) {
    const v = toPixel(frame.y, y[i]);
    if (!Number.isFinite(v)) {
      finish();
      low = high = 0;
      down = false;
      column = NaN;
      continue;
    }
    const h = toPixel(frame.x, x[i]);
    const py = Math.max(-1e5, Math.min(1e5, v));
    if (down && Math.abs(h - column) < 0.5) {
      low = Math.min(low, py);
      high = Math.max(high, py);
      close = py;
      continue;
    }
    if (down) {
      finish();
      canvas.lineTo(h, py);
    } else if (!Number.isFinite(y[i + 1]) || i + 1 === last) {
      canvas.fillRect(h - look.scale, py - look.scale, 2 * look.scale, 2 * look.scale);
    } else canvas.moveTo(h, py);
    down = true;
    column = h;
    low = high = close = py;
  }
  finish();
  canvas.stroke();
  if (panel.at_cursor && trace.label) nameArrow(canvas, frame, trace, look);
}

/** Write the label at the tip, because a colour bar stands beside the panel. */
function nameArrow(canvas, frame, trace, look) {
  const [x, y] = [trace.x.data, trace.y.data].map((values) => 1.12 * values[values.length - 1]);
  canvas.font = `${12 * look.scale}px system-ui, sans-serif`;
  canvas.textAlign = "center";
  canvas.textBaseline = "middle";
  canvas.fillText(trace.label, toPixel(frame.x, x), toPixel(frame.y, y));
}

/** Paint cells pixel by pixel, so that borders are exact on logarithmic axes and with borders that vary in time. */
function drawCells(canvas, frame, trace, panel) {
  const width = Math.max(Math.round(frame.width), 1);
  const height = Math.max(Math.round(frame.height), 1);
  const pixels = new Uint32Array(width * height);
  const left = trace.left.data;
  const right = trace.right.data;
  const paint = colourOf(panel.colour);
  const pixel = (frame.x.high - frame.x.low) / width;
  const levels = Float64Array.from({ length: height }, (_, row) => fromPixel(frame.y, frame.top + row + 0.5));
  const rows = cellRows(trace, levels);
  for (let column = 0; column < width; column++) {
    const from = frame.x.low + column * pixel;
    let first = Math.max(above(left, from) - 1, 0);
    const last = above(left, from + pixel);
    while (first < last && right[first] <= from) first++;
    if (first < last) paintColumn(pixels, column, width, trace, rows, first, last, paint);
  }
  const sheet = new OffscreenCanvas(width, height);
  sheet.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0);
  canvas.drawImage(sheet, Math.round(frame.left), Math.round(frame.top));
}

/** Average the columns `first`..`last` (at most eight of them) under one column of pixels. */
function paintColumn(pixels, column, width, trace, rows, first, last, paint) {
  const count = trace.values.shape[1];
  const values = trace.values.data;
  const step = Math.max(1, Math.floor((last - first) / 8));
  const height = pixels.length / width;
  for (let row = 0; row < height; row++) {
    let sum = 0;
    let known = 0;
    for (let k = first; k < last; k += step) {
      const cell = rows(k)[row];
      const value = cell < 0 ? NaN : values[k * count + cell];
      if (value === value) {
        sum += value;
        known++;
      }
    }
    if (known) pixels[row * width + column] = paint(sum / known);
  }
}

/** Give a function from a column to the cell under each row of pixels, -1 for none. */
function cellRows(trace, levels) {
  const edges = trace.edges.data;
  const size = trace.values.shape[1] + 1;
  const find = (offset) => {
    let end = offset + size;
    while (end > offset && !Number.isFinite(edges[end - 1])) end--;
    return Int32Array.from(levels, (level) => {
      const cell = above(edges, level, offset, end) - 1 - offset;
      return cell < 0 || cell > end - offset - 2 ? -1 : cell;
    });
  };
  if (trace.edges.shape.length === 1) {
    const same = find(0);
    return () => same;
  }
  const found = new Map();
  return (column) => {
    let rows = found.get(column);
    if (!rows) found.set(column, (rows = find(column * size)));
    return rows;
  };
}

/** Give a function from a value to a packed colour; 0 is transparent. */
export function colourOf(axis) {
  const table = colourTable(axis?.map ?? "viridis");
  const log = axis?.scale === "log";
  const low = log ? Math.log(axis.low) : (axis?.low ?? 0);
  const span = (log ? Math.log(axis.high) : (axis?.high ?? 1)) - low;
  return (value) => {
    // as in saved pictures: what has no logarithm has no colour
    if (value !== value || (log && value <= 0)) return 0;
    const part = ((log ? Math.log(value) : value) - low) / span;
    return table[Math.max(0, Math.min(255, Math.floor(part * 256)))];
  };
}

function drawPoints(canvas, frame, trace, panel, look) {
  const x = trace.x.data;
  const y = trace.y.data;
  const many = x.length;
  const size = (many < 500 ? 4 : many < 10_000 ? 2.5 : 1.5) * look.scale;
  canvas.fillStyle = lineColour(trace.colour, look.dark);
  canvas.globalAlpha = many < 500 ? 0.9 : many < 10_000 ? 0.65 : 0.45;
  for (let i = 0; i < many; i++) {
    const h = toPixel(frame.x, x[i]);
    const v = toPixel(frame.y, y[i]);
    canvas.fillRect(h - size / 2, v - size / 2, size, size);
  }
  canvas.globalAlpha = 1;
}

const PAINTED = new WeakMap();

function drawImage(canvas, frame, trace, panel) {
  let sheet = PAINTED.get(trace);
  if (!sheet) PAINTED.set(trace, (sheet = paintImage(trace, panel)));
  const left = toPixel(frame.x, trace.left);
  const top = toPixel(frame.y, trace.top);
  canvas.imageSmoothingEnabled = false;
  canvas.drawImage(sheet, left, top, toPixel(frame.x, trace.right) - left, toPixel(frame.y, trace.bottom) - top);
}

function paintImage(trace, panel) {
  const [height, width, channels] = trace.values.shape;
  const sheet = new OffscreenCanvas(width, height);
  const values = trace.values.data;
  const bytes = channels
    ? new Uint8ClampedArray(values)
    : new Uint8ClampedArray(Uint32Array.from(values, colourOf(panel.colour)).buffer);
  sheet.getContext("2d").putImageData(new ImageData(bytes, width, height), 0, 0);
  return sheet;
}

function drawSpans(canvas, frame, trace, panel, look) {
  canvas.fillStyle = lineColour(trace.colour, look.dark);
  canvas.globalAlpha = 0.75;
  for (let i = 0; i < trace.start.data.length; i++) {
    const from = toPixel(frame.x, trace.start.data[i]);
    const to = Math.max(toPixel(frame.x, trace.stop.data[i]), from + look.scale);
    if (to < frame.left || from > frame.left + frame.width) continue;
    const top = toPixel(frame.y, trace.row.data[i] + 0.35);
    canvas.fillRect(from, top, to - from, toPixel(frame.y, trace.row.data[i] - 0.35) - top);
  }
  canvas.globalAlpha = 1;
}

/**
 * Draw a colour bar with its frame; marks and words are the caller's.
 * @param {CanvasRenderingContext2D} canvas
 * @param {{left: number, top: number, width: number, height: number}} box
 * @param {string} map
 */
export function drawColourBar(canvas, box, map) {
  const table = colourTable(map);
  for (let i = 0; i < 256; i++) {
    canvas.fillStyle = cssColour(table[255 - i]);
    canvas.fillRect(box.left, box.top + (i / 256) * box.height, box.width, box.height / 256 + 1);
  }
}

/**
 * Give what stands under a place, in words' parts: the nearest sample of a line, the value of a cell or pixel.
 * @param {import("./record.js").Trace} trace
 * @param {number} x
 * @param {number} y
 * @param {number} reach how far a sample of a line may be, in units of x
 * @returns {number|null}
 */
export function valueAt(trace, x, y, reach) {
  if (trace.type === "line") {
    const times = trace.x.data;
    const after = above(times, x);
    const near = after > 0 && (after === times.length || x - times[after - 1] <= times[after] - x) ? after - 1 : after;
    return near < times.length && Math.abs(times[near] - x) <= reach ? trace.y.data[near] : null;
  }
  if (trace.type === "cells") {
    const column = above(trace.left.data, x) - 1;
    if (column < 0 || x >= trace.right.data[column]) return null;
    const cell = cellRows(trace, [y])(column)[0];
    return cell < 0 ? null : trace.values.data[column * trace.values.shape[1] + cell];
  }
  if (trace.type === "image" && trace.values.shape.length === 2) {
    const [height, width] = trace.values.shape;
    const column = Math.floor(((x - trace.left) / (trace.right - trace.left)) * width);
    const row = Math.floor(((trace.top - y) / (trace.top - trace.bottom)) * height);
    const inside = column >= 0 && column < width && row >= 0 && row < height;
    return inside ? trace.values.data[row * width + column] : null;
  }
  return null;
}

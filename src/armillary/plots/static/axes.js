// Axes with numbers: from values to pixels and back, marks, and how numbers are written.

/**
 * A range of an axis that is drawn along some pixels; `low` stands at `from`, `high` at `to`.
 * @typedef {{low: number, high: number, log: boolean, from: number, to: number}} Ruler
 */

/** @param {Ruler} ruler @param {number} value @returns {number} */
export function toPixel(ruler, value) {
  const part = ruler.log
    ? Math.log(value / ruler.low) / Math.log(ruler.high / ruler.low)
    : (value - ruler.low) / (ruler.high - ruler.low);
  return ruler.from + part * (ruler.to - ruler.from);
}

/** @param {Ruler} ruler @param {number} pixel @returns {number} */
export function fromPixel(ruler, pixel) {
  const part = (pixel - ruler.from) / (ruler.to - ruler.from);
  return ruler.log ? ruler.low * (ruler.high / ruler.low) ** part : ruler.low + part * (ruler.high - ruler.low);
}

/**
 * Give new limits after a zoom about a value and a move, both measured along the axis as drawn.
 * @param {{low: number, high: number, log: boolean}} range
 * @param {number} part where the fixed point stands, 0 at low and 1 at high
 * @param {number} factor below 1 comes closer
 * @param {number} [shift] of the limits, in parts of the range
 * @returns {[number, number]}
 */
export function zoomed(range, part, factor, shift = 0) {
  const [low, high] = range.log ? [Math.log(range.low), Math.log(range.high)] : [range.low, range.high];
  const span = high - low;
  const start = low + part * span * (1 - factor) + shift * span;
  const limits = [start, start + span * factor];
  return /** @type {[number, number]} */ (range.log ? limits.map(Math.exp) : limits);
}

/**
 * Give marks at round numbers.
 * @param {Ruler} ruler
 * @param {number} most about how many
 * @returns {{at: number, label: string}[]} those without a label are small
 */
export function numberTicks(ruler, most) {
  const decades = ruler.log ? Math.log10(ruler.high / ruler.low) : 0;
  return decades > 1.2 ? logTicks(ruler, most, decades) : linearTicks(ruler, most);
}

/** @param {Ruler} ruler @param {number} most */
function linearTicks(ruler, most) {
  const wanted = (ruler.high - ruler.low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = ([1, 2, 2.5, 5, 10].find((k) => k * power >= wanted) ?? 10) * power;
  const digits = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9) + (step / power === 2.5 ? 1 : 0)));
  const ticks = [];
  for (let k = Math.ceil(ruler.low / step - 1e-9); k * step <= ruler.high * (1 + 1e-12) + 1e-9 * step; k++) {
    const at = k * step;
    const plain = Math.abs(at) < 1e8 && digits <= 4;
    ticks.push({ at, label: k === 0 ? "0" : plain ? at.toFixed(digits).replace("-", "−") : number(at, 6) });
    if (ticks.length > 100) break;
  }
  return ticks;
}

/** @param {Ruler} ruler @param {number} most @param {number} decades */
function logTicks(ruler, most, decades) {
  const every = Math.max(1, Math.ceil(decades / Math.max(most, 1)));
  const ticks = [];
  const first = Math.floor(Math.log10(ruler.low));
  for (let power = first; power <= Math.ceil(Math.log10(ruler.high)); power++) {
    const named = power % every === 0;
    for (const k of decades > 8 ? [1] : [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const at = k * 10 ** power;
      if (at < ruler.low * 0.999 || at > ruler.high * 1.001) continue;
      ticks.push({ at, label: k === 1 && named ? `10${raised(power)}` : "" });
    }
  }
  return ticks;
}

/** @param {number} power @returns {string} */
export function raised(power) {
  return [...String(power)].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(sign)])).join("");
}

/**
 * Write a number for people.
 * @param {number} value
 * @param {number} [digits] how many count
 * @returns {string}
 */
export function number(value, digits = 5) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e6)) return String(Number(value.toPrecision(digits))).replace("-", "−");
  const [front, power] = value.toExponential(Math.max(digits - 2, 1)).split("e");
  return `${Number(front)}·10${raised(Number(power))}`.replace("-", "−");
}

// Marks of a time axis in UTC; the rules of src/armillary/plots/ticks.py. Times are milliseconds since 1970.

const SECOND = 1000;
const DAY = 86_400 * SECOND;
const FINE = Array.from({ length: 21 }, (_, k) => [1, 2, 5][k % 3] * 10 ** Math.floor(k / 3) * 1e-4).filter((s) => s < SECOND);
const CLOCK = [1, 2, 5, 10, 15, 30].flatMap((k) => [k * SECOND, k * 60 * SECOND]).sort((a, b) => a - b);
const STEPS = [...FINE, ...CLOCK, ...[1, 2, 3, 6, 12].map((k) => k * 3600 * SECOND), ...[1, 2, 5, 10].map((k) => k * DAY)];
const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * Give at most about `most` marks at round times.
 * @param {number} start
 * @param {number} stop
 * @param {number} most
 * @returns {{at: number, label: string, below: string}[]}
 */
export function timeTicks(start, stop, most) {
  const ticks = ticksOf(start, stop, most);
  return ticks.length || most >= 64 ? ticks : timeTicks(start, stop, 2 * most);
}

/** @param {number} start @param {number} stop @param {number} most */
function ticksOf(start, stop, most) {
  const wanted = (stop - start) / Math.max(most, 1);
  const step = STEPS.find((one) => one >= wanted);
  if (step === undefined) return monthTicks(start, stop, wanted);
  if (step > DAY) return dayTicks(start, stop, step / DAY);
  const marks = [];
  for (let k = Math.ceil(start / step); k * step <= stop && marks.length < 200; k++) {
    const at = k * step;
    marks.push({ at, label: step === DAY ? isoTime(at).slice(5, 10) : clock(at, step) });
  }
  return withBelow(marks, step === DAY ? 4 : 10);
}

/**
 * Write a time, to the digits that a step needs.
 * @param {number} ms
 * @param {number} [step]
 * @returns {string}
 */
export function timeText(ms, step = SECOND) {
  return `${isoTime(ms).slice(0, 10)} ${clock(ms, Math.min(step, SECOND))}`;
}

/** @param {number} ms @returns {string} */
export function isoTime(ms) {
  return new Date(Math.floor(ms + 1e-6)).toISOString();
}

/** @param {number} at @param {number} step */
function clock(at, step) {
  const text = isoTime(at).slice(11, 23);
  if (step >= 60 * SECOND) return text.slice(0, 5);
  if (step >= SECOND) return text.slice(0, 8);
  if (step >= 1) return text;
  const rest = Math.round((at - Math.floor(at + 1e-6)) * 1000);
  return text + String(Math.max(rest, 0)).padStart(3, "0");
}

/** @param {number} start @param {number} stop @param {number} step days */
function dayTicks(start, stop, step) {
  const marks = [];
  for (let day = Math.ceil(start / DAY); day * DAY <= stop; day++) {
    const date = new Date(day * DAY).getUTCDate() - 1;
    if (date % step === 0 && date + Math.floor(step / 2) < 31) {
      marks.push({ at: day * DAY, label: isoTime(day * DAY).slice(5, 10) });
    }
  }
  return withBelow(marks, 4);
}

/** @param {number} start @param {number} stop @param {number} wanted */
function monthTicks(start, stop, wanted) {
  const step = MONTH_STEPS.find((one) => one * 30.4 * DAY >= wanted) ?? 1200;
  const first = new Date(start);
  const marks = [];
  for (let month = Math.floor((first.getUTCFullYear() * 12) / step) * step; ; month += step) {
    const at = Date.UTC(Math.floor(month / 12), month % 12, 1);
    if (at > stop) break;
    if (at >= start) marks.push({ at, label: step < 12 ? MONTHS[month % 12] : String(Math.floor(month / 12)) });
  }
  return step < 12 ? withBelow(marks, 4) : marks.map((mark) => ({ ...mark, below: "" }));
}

/** @param {{at: number, label: string}[]} marks @param {number} letters */
function withBelow(marks, letters) {
  const dates = marks.map((mark) => isoTime(mark.at).slice(0, letters));
  const fresh = dates.map((date, k) => k === 0 || date !== dates[k - 1]);
  return marks.map((mark, k) => ({ ...mark, below: fresh[k] && !fresh[k + 1] ? dates[k] : "" }));
}

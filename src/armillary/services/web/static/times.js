// Times as people write them and as the picture counts them: milliseconds since 1970 UTC.

const ISO =
  /^(\d{4})(?:-(\d{3})|-?(\d{2})(?:-?(\d{2}))?)?(?:[T ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?)?\s*(?:Z|UTC|([+-])(\d{2})(?::?(\d{2}))?)?$/i;
export const EARLIEST = Date.UTC(1678, 0, 2);
export const LATEST = Date.UTC(2261, 11, 30);

/**
 * Read a time; without a zone it is UTC, as everything here.
 * @param {string} text
 * @returns {number} NaN where it is not a time
 */
export function readTime(text) {
  const match = ISO.exec(text.trim());
  if (!match) return NaN;
  const [year, ofYear, month, day, hour, minute, second] = match.slice(1, 8).map((part) => Number(part ?? NaN));
  const date = ofYear ? Date.UTC(year, 0, ofYear) : Date.UTC(year, (month || 1) - 1, day || 1);
  const wrong = month > 12 || month === 0 || day === 0 || hour > 24 || minute > 59 || second > 60;
  const overflow = ofYear ? new Date(date).getUTCFullYear() !== year : day > 28 && new Date(date).getUTCDate() !== day;
  if (wrong || overflow) return NaN;
  const east = match[9] ? Number(`${match[9]}1`) * (Number(match[10]) * 60 + Number(match[11] ?? 0)) : 0;
  const part = match[8] ? Number(`0.${match[8]}`) : 0;
  return date + (((hour || 0) * 60 + (minute || 0) - east) * 60 + (second || 0) + part) * 1000;
}

/**
 * Write a time, as short as it stays exact to a microsecond.
 * @param {number} ms
 * @returns {string}
 */
export function writeTime(ms) {
  const micros = Math.round((ms - Math.floor(ms)) * 1000);
  const text = new Date(Math.floor(ms) + (micros === 1000 ? 1 : 0)).toISOString();
  if (micros % 1000) return `${text.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
  return text.replace(/\.000Z$/, "Z");
}

/**
 * Round to what the eye can tell, so that addresses stay short: a hundred thousandth of the span.
 * @param {number} ms
 * @param {number} span
 * @returns {number}
 */
export function rounded(ms, span) {
  const step = 10 ** Math.floor(Math.log10(Math.max(span, 1e-3) / 1e5));
  return step >= 1000 ? Math.round(ms / 1000) * 1000 : step < 1 ? ms : Math.round(ms / step) * step;
}

/**
 * Give an interval that is wider by a part on both sides, inside what can be asked for.
 * @param {[number, number]} span
 * @param {number} part
 * @returns {[number, number]}
 */
export function widened([start, stop], part) {
  const more = (stop - start) * part;
  return [Math.max(start - more, EARLIEST), Math.min(stop + more, LATEST)];
}

/** @param {number} seconds */
export function lengthInWords(seconds) {
  const units = [["year", 31557600], ["day", 86400], ["h", 3600], ["min", 60], ["s", 1], ["ms", 1e-3], ["µs", 1e-6]];
  const [name, size] = units.find(([, one]) => seconds >= Number(one)) ?? ["µs", 1e-6];
  const count = Number((seconds / Number(size)).toPrecision(3));
  return `${count} ${name}${count !== 1 && Number(size) >= 86400 ? "s" : ""}`;
}

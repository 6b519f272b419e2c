// A table of sources as typed arrays: places, columns, axes made of bands, classes.

const KINDS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/**
 * Read a message of the desk (src/armillary/services/object_tables.py): a length, a JSON head, arrays.
 * @param {ArrayBuffer} message
 */
export function decodeMessage(message) {
  const size = new DataView(message).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, size)));
  if (head.version !== 1) throw new Error(`a message of version ${head.version} is not understood`);
  return withArrays(head, message, 4 + size);
}

function withArrays(part, message, body) {
  if (!part || typeof part !== "object") return part;
  if (Array.isArray(part)) return part.map((one) => withArrays(one, message, body));
  if (part.shape && part.type in KINDS) {
    const length = part.shape.reduce((all, one) => all * one, 1);
    return new KINDS[part.type](message, body + part.at, length);
  }
  return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, withArrays(one, message, body)]));
}

/** Colours that people with any colour vision tell apart (Okabe and Ito), and quieter ones for more classes. */
const PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b8a800", "#8c6bb1", "#7f7f7f", "#a6761d"];

/** @param {number} k */
export const paletteColour = (k) => PALETTE[k % PALETTE.length];

export class Objects {
  /** @param {ArrayBuffer} message */
  constructor(message) {
    const head = decodeMessage(message);
    Object.assign(this, head);
    this.count = head.rows;
    this.idBytes = head.ids;
    /** @type {Map<string, {name: string, unit: string, about: string, values: Float32Array}>} */
    this.byName = new Map(head.columns.map((one) => [one.name, one]));
    this.byName.set("ra", { name: "ra", unit: "deg", about: "Right ascension", values: head.ra });
    this.byName.set("dec", { name: "dec", unit: "deg", about: "Declination", values: head.dec });
    /** @type {Map<string, {name: string, names: string[], codes: Uint8Array}>} */
    this.classes = new Map(head.classes.map((one) => [one.name, one]));
    this.bandColumns = new Map(head.bands.map((one) => [one.name, one.column]));
    /** Magnitudes without upper limits, of columns that have some. @type {Map<string, Float32Array>} */
    this.measured = new Map(Object.entries(head.limits).map(([band, limit]) => this.withoutLimits(this.bandColumns.get(band) ?? "", limit)));
    this.made = new Map();
  }

  /** @param {string} column @param {Uint8Array} limit @returns {[string, Float32Array]} */
  withoutLimits(column, limit) {
    return [column, this.byName.get(column).values.map((one, k) => (limit[k] ? NaN : one))];
  }

  /** Give the names of all sources, split when first asked for. */
  names() {
    this.allNames ??= new TextDecoder().decode(this.idBytes).split("\n");
    return this.allNames;
  }

  /** @param {string} name @returns {number} the row of a source, or -1 */
  rowOf(name) {
    this.byId ??= new Map(this.names().map((one, row) => [one, row]));
    return this.byId.get(name) ?? -1;
  }

  /** Put further numbers beside the columns. */
  add(name, unit, about, values) {
    this.byName.set(name, { name, unit, about, values });
    this.made.delete(name);
  }

  /** Give the axes that can be chosen: magnitudes first, then colours of neighbouring bands, then all columns. */
  axes() {
    const bands = Array.from(this.bandColumns.keys());
    const colours = bands.flatMap((one, k) => bands.slice(k + 1, k + 4).map((other) => `${one}-${other}`));
    return [...(this.byName.has("G_abs") ? ["G_abs"] : []), ...bands, ...colours, ...this.byName.keys()].filter(
      (one, k, all) => all.indexOf(one) === k,
    );
  }

  /** Say whether a larger number is fainter, so that the axis goes downwards. */
  isMagnitude(axis) {
    return this.bandColumns.has(axis) || axis === "G_abs" || this.byName.get(axis)?.unit === "mag" && !axis.includes("error");
  }

  /** @param {string} axis a column, a band or two bands with a minus between @returns {Float32Array|Float64Array} NaN where it is an upper limit */
  values(axis) {
    const column = this.byName.has(axis) ? axis : this.bandColumns.get(axis);
    if (column !== undefined) return this.measured.get(column) ?? this.byName.get(column).values;
    if (!this.made.has(axis)) this.made.set(axis, this.difference(axis));
    return this.made.get(axis);
  }

  difference(axis) {
    const [one, other] = axis.split("-").map((band) => (this.bandColumns.has(band) ? this.values(this.bandColumns.get(band)) : null));
    const made = new Float32Array(this.count).fill(NaN);
    if (one && other) for (let k = 0; k < this.count; k++) made[k] = one[k] - other[k];
    return made;
  }

  /** @param {string} axis */
  knows(axis) {
    const [one, other] = axis.split("-");
    return this.byName.has(axis) || this.bandColumns.has(axis) || (this.bandColumns.has(one) && this.bandColumns.has(other));
  }

  /** @param {string} axis @returns {string} what stands at the axis */
  words(axis) {
    const unit = this.byName.get(axis)?.unit ?? (this.knows(axis) ? "mag" : "");
    return unit ? `${axis} [${unit}]` : axis;
  }
}

/** Give the range in which all but the outermost thousandths lie. @returns {[number, number]} */
export function usualRange(values) {
  const step = Math.max(1, Math.floor(values.length / 20000));
  const some = [];
  for (let k = 0; k < values.length; k += step) if (Number.isFinite(values[k])) some.push(values[k]);
  if (!some.length) return [0, 1];
  some.sort((a, b) => a - b);
  const cut = some.length > 1000 ? Math.floor(some.length / 1000) : 0;
  const [low, high] = [some[cut], some[some.length - 1 - cut]];
  const more = (high - low) * 0.06 || 0.5;
  return [low - more, high + more];
}

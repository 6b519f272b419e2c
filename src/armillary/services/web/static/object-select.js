// Selections: a list of steps, each a polygon on two axes, a range of a column, a class or names; together they are a mask.

/**
 * @typedef {{how: string, kind: "polygon", x: string, y: string, points: [number, number][]}
 *   | {how: string, kind: "range", column: string, low: number, high: number}
 *   | {how: string, kind: "class", column: string, name: string}
 *   | {how: string, kind: "names", names: string[]}} Step
 */

const CORNERS = 80;

/** Leave out corners of a lasso that lie nearly on the line between others. @returns {[number, number][]} */
export function simplified(points, most = CORNERS) {
  if (points.length <= most) return points;
  const step = points.length / most;
  return Array.from({ length: most }, (_, k) => points[Math.floor(k * step)]);
}

/**
 * Give which sources steps select.
 * @param {Step[]} steps
 * @param {number} count
 * @param {(axis: string) => ArrayLike<number>} values
 * @param {(column: string) => {names: string[], codes: Uint8Array}|undefined} classes
 * @param {(name: string) => number} rowOf
 */
export function maskOf(steps, count, values, classes, rowOf) {
  const mask = new Uint8Array(count);
  for (const step of steps) {
    const found = oneMask(step, count, values, classes, rowOf);
    if (step.how === "set") mask.set(found);
    else for (let k = 0; k < count; k++) mask[k] = step.how === "cut" ? mask[k] & ~found[k] & 1 : step.how === "and" ? mask[k] & found[k] : mask[k] | found[k];
  }
  return mask;
}

function oneMask(step, count, values, classes, rowOf) {
  const mask = new Uint8Array(count);
  if (step.kind === "polygon") inside(mask, values(step.x), values(step.y), step.points);
  else if (step.kind === "range") {
    const one = values(step.column);
    for (let k = 0; k < count; k++) mask[k] = one[k] >= step.low && one[k] <= step.high ? 1 : 0;
  } else if (step.kind === "class") {
    const one = classes(step.column);
    const code = one ? one.names.indexOf(step.name) : -1;
    if (one && code >= 0) for (let k = 0; k < count; k++) mask[k] = one.codes[k] === code ? 1 : 0;
  } else for (const name of step.names) if (rowOf(name) >= 0) mask[rowOf(name)] = 1;
  return mask;
}

/** Mark the points inside a polygon, by counting the edges to their right. */
export function inside(mask, xs, ys, points) {
  const [px, py] = [points.map((one) => one[0]), points.map((one) => one[1])];
  const [x0, x1, y0, y1] = [Math.min(...px), Math.max(...px), Math.min(...py), Math.max(...py)];
  for (let k = 0; k < mask.length; k++) {
    const [x, y] = [xs[k], ys[k]];
    if (!(x >= x0 && x <= x1 && y >= y0 && y <= y1)) continue;
    let within = false;
    for (let i = 0, j = px.length - 1; i < px.length; j = i++) {
      if (py[i] > y !== py[j] > y && x < ((px[j] - px[i]) * (y - py[i])) / (py[j] - py[i]) + px[i]) within = !within;
    }
    mask[k] = within ? 1 : 0;
  }
}

/** Write a step so that a person can read it in the address. @param {Step} step */
export function writeStep(step) {
  if (step.kind === "polygon") return [step.how, step.x, step.y, step.points.map((one) => one.map(fine).join(",")).join(" ")].join(";");
  if (step.kind === "range") return [step.how, "range", step.column, fine(step.low), fine(step.high)].join(";");
  if (step.kind === "class") return [step.how, "class", step.column, step.name].join(";");
  return [step.how, "names", step.names.join(",")].join(";");
}

/** @param {string} text @returns {Step|null} */
export function readStep(text) {
  const [how, first, ...rest] = text.split(";");
  if (!["set", "add", "cut", "and"].includes(how)) return null;
  if (first === "range") {
    const [low, high] = rest.slice(1).map(Number);
    return Number.isFinite(low + high) ? { how, kind: "range", column: rest[0], low, high } : null;
  }
  if (first === "class") return { how, kind: "class", column: rest[0], name: rest.slice(1).join(";") };
  if (first === "names") return { how, kind: "names", names: (rest[0] ?? "").split(",").filter(Boolean) };
  const points = /** @type {[number, number][]} */ ((rest[1] ?? "").split(" ").map((one) => one.split(",").map(Number)));
  const good = points.length > 2 && points.every((one) => one.length === 2 && Number.isFinite(one[0] + one[1]));
  return good ? { how, kind: "polygon", x: first, y: rest[0], points } : null;
}

const fine = (value) => String(Number(value.toPrecision(7)));

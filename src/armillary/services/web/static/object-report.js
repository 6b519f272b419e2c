// What runs found, side by side: scores, the confusion matrix, precision and recall, calibration, by brightness and latitude.
import { make } from "./elements.js";
import { paletteColour } from "./object-data.js";
import { draw } from "./object-sed.js";

const SIZE = 130;
const DASHES = ["4 3", ""];

/** @param {any[]} told see /api/objects/report, the old run first @returns {Node[]} */
export function report(told) {
  const made = [scores(told)];
  for (const one of told) made.push(confusion(one, told.length > 1));
  made.push(figure("Precision by recall", "recall", "precision", told, (one) => Object.entries(one.curves).map(([name, curve]) => ({ name, points: curve }))));
  made.push(figure("Calibration", "probability", "share that is right", told, (one) => [{ name: "all", points: one.calibration }], true));
  for (const one of told) made.push(...Object.entries(one.by).map(([name, bins]) => parts(one, name, bins)));
  if (told.length > 1) made.push(make("p", { className: "faint" }, "Each run is judged on its own held-out sources: where these differ, so may the numbers, for that reason alone."));
  return made.map((one) => make("div", { className: "card" }, one));
}

/** Give the scores alone, old beside new. @param {any[]} told */
export function scores(told) {
  const names = [...new Set(told.flatMap((one) => Object.keys(one.scores)))];
  const head = make("tr", {}, make("th", { scope: "col" }, ""), ...told.map((one) => make("th", { scope: "col" }, one.run)));
  const lines = names.map((name) => make("tr", {}, make("th", { scope: "row" }, name.replaceAll("_", " ")), ...told.map((one) => make("td", {}, number(one.scores[name])))));
  return make("table", { className: "scores" }, make("caption", {}, `Held-out sources: ${told.map((one) => one.judged.toLocaleString("en")).join(", ")}`), make("thead", {}, head), make("tbody", {}, ...lines));
}

function confusion(one, several) {
  const head = make("tr", {}, make("th", { scope: "col" }, "is / said"), ...one.classes.map((name) => make("th", { scope: "col" }, name)));
  const lines = one.classes.map((name, k) => make("tr", {}, make("th", { scope: "row" }, name), ...one.confusion[k].map((count) => make("td", {}, String(count)))));
  return make("table", {}, make("caption", {}, several ? `Confusion, ${one.run}` : "Confusion"), make("thead", {}, head), make("tbody", {}, ...lines));
}

function figure(title, x, y, told, curves, diagonal = false) {
  const svg = draw("svg", { viewBox: `0 0 ${SIZE + 120} ${SIZE + 30}`, role: "img", "aria-label": `${title} of ${told.map((one) => one.run).join(" and ")}` });
  const [left, top] = [30, 6];
  svg.append(draw("rect", { x: left, y: top, width: SIZE, height: SIZE - 10, fill: "none", stroke: "var(--arm-frame)" }));
  const names = [...new Set([...told.at(-1).classes, ...told.flatMap((one) => one.classes)])];
  const at = ([a, b]) => [left + a * SIZE, top + (1 - b) * (SIZE - 10)];
  if (diagonal) svg.append(draw("line", { x1: left, y1: top + SIZE - 10, x2: left + SIZE, y2: top, stroke: "var(--arm-faint)", "stroke-dasharray": "2 3" }));
  told.forEach((one, which) => {
    curves(one).forEach(({ name, points }, k) => {
      const text = points.map((point) => at(point).map((p) => p.toFixed(1)).join(",")).join(" ");
      const colour = paletteColour(Math.max(0, names.indexOf(name)));
      svg.append(draw("polyline", { points: text, fill: "none", stroke: colour, "stroke-width": 1.6, "stroke-dasharray": DASHES[told.length > 1 ? which : 1] }));
      if (which === told.length - 1 && k < 8) {
        svg.append(draw("rect", { x: left + SIZE + 5, y: top + 2 + 13 * k, width: 8, height: 8, fill: colour }));
        svg.append(draw("text", { x: left + SIZE + 17, y: top + 10 + 13 * k }, name));
      }
    });
  });
  svg.append(draw("text", { x: left + SIZE / 2, y: SIZE + 12, "text-anchor": "middle" }, x));
  svg.append(draw("text", { x: 10, y: top + SIZE / 2, "text-anchor": "middle", transform: `rotate(-90 10 ${top + SIZE / 2})` }, y));
  for (const [text, px, py] of [["0", left, SIZE + 8], ["1", left + SIZE, SIZE + 8]]) svg.append(draw("text", { x: px, y: py, "text-anchor": "middle", class: "faint" }, String(text)));
  const caption = told.length > 1 ? `${title}; dashed: ${told[0].run}` : title;
  return make("div", {}, svg, make("p", { className: "faint" }, caption));
}

/** Completeness and purity of each class in bins; the 95 % intervals stand in the title of a cell. */
function parts(one, name, bins) {
  const head = make("tr", {}, ...["class", ...bins.map((bin) => `${bin.low} to ${bin.high}`)].map((words) => make("th", { scope: "col" }, words)));
  const lines = one.classes.map((title) => make("tr", {}, make("th", { scope: "row" }, title), ...bins.map((bin) => cell(bin.classes[title]))));
  return make("table", {}, make("caption", {}, `Completeness / purity by ${name}, ${one.run}`), make("thead", {}, head), make("tbody", {}, ...lines));
}

function cell(told) {
  if (!told?.samples) return make("td", {}, "-");
  const [complete, pure] = [told.completeness, told.purity];
  const title = `${told.samples} samples; completeness ${withEdges(complete)}, purity ${withEdges(pure)}`;
  return make("td", { title }, `${number(complete.value, 2)} / ${number(pure.value, 2)}`);
}

const withEdges = ({ value, interval }) => number(value) + (interval ? ` [${interval.map((one) => number(one)).join(", ")}]` : "");
const number = (value, digits = 3) => (typeof value === "number" ? value.toFixed(digits) : "-");

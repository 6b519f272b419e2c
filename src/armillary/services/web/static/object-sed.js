// The energy distribution of one source: fluxes with errors, limits as arrows, the photosphere; classes as bars.
import { make } from "./elements.js";
import { paletteColour } from "./object-data.js";

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name @param {Object<string, any>} traits @param {...(Node|string)} inside */
export function draw(name, traits, ...inside) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(traits)) made.setAttribute(key, String(value));
  made.append(...inside);
  return made;
}

/**
 * Draw what a source is like.
 * @param {HTMLElement} place
 * @param {any} told see /api/objects/source
 * @param {{classes: string[], probabilities: number[], set: string[], trust: string, said: string}|null} answer
 */
export function drawSed(place, told, answer) {
  const [width, height] = [Math.max(place.clientWidth, 260), Math.max(place.clientHeight, 160)];
  const bars = answer ? Math.min(170, width * 0.34) : 0;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": inWords(told, answer) });
  spectrum(svg, told, { left: 46, right: width - bars - 10, top: 22, bottom: height - 30 });
  if (answer) probabilities(svg, answer, width - bars, width - 6, height);
  svg.append(draw("text", { x: 50, y: 14, class: "faint" }, facts(told)));
  place.replaceChildren(svg);
}

/** Say in words what the picture shows. */
export function inWords(told, answer) {
  const bands = told.sed.bands.map((one) => one.name + (one.limit ? " (limit)" : "")).join(", ");
  const said = answer ? ` Said to be ${answer.said || "nothing"}; ${answer.trust || "trust unknown"}.` : "";
  return `Energy distribution of ${told.id} in ${bands || "no band"}. ${facts(told)}.${said}`;
}

/** @param {any} told @returns {string} */
export function facts(told) {
  const alpha = told.alpha === null ? "no alpha" : `α ${told.alpha.toFixed(2)}${told.alpha_error === null ? "" : ` ± ${told.alpha_error.toFixed(2)}`}`;
  const body = told.sed.photosphere ? `T ${Math.round(told.sed.photosphere.teff)} K` : "no photosphere";
  return [alpha, told.lada ? `Lada ${told.lada}` : "", body, told.check].filter(Boolean).join(" · ");
}

function spectrum(svg, told, { left, right, top, bottom }) {
  const bands = told.sed.bands.filter((one) => one.power > 0);
  if (!bands.length) {
    svg.append(draw("text", { x: left, y: top + 30 }, told.note || "No band was measured"));
    return;
  }
  const powers = bands.map((one) => Math.log10(one.power));
  const [low, high] = [Math.min(...powers) - 0.4, Math.max(...powers) + 0.4];
  const [l0, l1] = [Math.log10(0.35), Math.log10(30)];
  const x = (um) => left + ((Math.log10(um) - l0) / (l1 - l0)) * (right - left);
  const y = (log) => bottom - ((log - low) / (high - low)) * (bottom - top);
  frame(svg, { left, right, top, bottom, low, high, x, y });
  const body = told.sed.photosphere;
  if (body) {
    const points = body.wavelength.map((um, k) => [x(um), y(Math.log10(Math.max(body.power[k], 1e-40)))]).filter(([across, at]) => across > left && across < right && at < bottom && at > top);
    svg.append(draw("polyline", { points: points.map((one) => one.map((at) => at.toFixed(1)).join(",")).join(" "), fill: "none", stroke: "#d55e00", "stroke-width": 1.4 }));
  }
  for (const one of bands) svg.append(mark(one, x(one.wavelength), y));
}

function frame(svg, { left, right, top, bottom, low, high, x, y }) {
  const ink = "var(--arm-frame)";
  svg.append(draw("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: "none", stroke: ink }));
  for (const um of [0.5, 1, 2, 5, 10, 20]) {
    svg.append(draw("line", { x1: x(um), x2: x(um), y1: bottom - 4, y2: bottom, stroke: ink }));
    svg.append(draw("text", { x: x(um), y: bottom + 12, "text-anchor": "middle" }, String(um)));
  }
  const step = high - low > 6 ? 2 : 1;
  for (let log = Math.ceil(low); log <= high; log += step) {
    svg.append(draw("line", { x1: left, x2: left + 4, y1: y(log), y2: y(log), stroke: ink }));
    svg.append(draw("text", { x: left - 4, y: y(log) + 4, "text-anchor": "end" }, String(log)));
  }
  svg.append(draw("text", { x: (left + right) / 2, y: bottom + 26, "text-anchor": "middle" }, "wavelength [μm]"));
  const middle = (top + bottom) / 2;
  svg.append(draw("text", { x: 11, y: middle, "text-anchor": "middle", transform: `rotate(-90 11 ${middle})` }, "log λFλ [W/m²]"));
}

function mark(one, x, y) {
  const at = y(Math.log10(one.power));
  const made = draw("g", { stroke: "#0072b2", fill: "#0072b2", "stroke-width": 1.4 });
  const error = one.error === null ? "" : ` ± ${one.error.toExponential(1)}`;
  made.append(draw("title", {}, `${one.name} ${one.power.toExponential(2)}${error} W/m²${one.limit ? ", upper limit" : ""}`));
  if (one.limit) made.append(draw("path", { d: `M${x - 4} ${at}h8M${x} ${at}v12m-3 -4l3 4l3 -4`, fill: "none" }));
  else {
    if (one.error > 0) {
      const up = y(Math.log10(one.power + one.error));
      const down = y(Math.log10(Math.max(one.power - one.error, one.power / 10)));
      made.append(draw("line", { x1: x, x2: x, y1: up, y2: down }));
    }
    made.append(draw("circle", { cx: x, cy: at, r: 3.2 }));
  }
  return made;
}

function probabilities(svg, answer, left, right, height) {
  const most = Math.max(1, Math.floor((height - 58) / 17));
  const order = answer.classes.map((_, k) => k).sort((a, b) => answer.probabilities[b] - answer.probabilities[a]).slice(0, most);
  order.forEach((k, line) => {
    const at = 24 + line * 17;
    const share = answer.probabilities[k] || 0;
    const inSet = answer.set.includes(answer.classes[k]);
    svg.append(draw("rect", { x: left, y: at, width: Math.max(1, share * (right - left)), height: 13, rx: 2, fill: paletteColour(k), opacity: 0.75 }));
    if (inSet) svg.append(draw("rect", { x: left - 0.5, y: at - 0.5, width: right - left, height: 14, rx: 2, fill: "none", stroke: "var(--arm-frame)" }));
    svg.append(draw("text", { x: left + 3, y: at + 10.5 }, `${answer.classes[k]} ${share.toFixed(2)}`));
  });
  svg.append(draw("text", { x: left, y: height - 18, class: "faint" }, answer.set.length ? "framed: in the set" : "no class is in the set"));
  svg.append(draw("text", { x: left, y: height - 4, class: "faint" }, answer.trust ? `trust: ${answer.trust}` : "trust not known"));
}

/** Say that there is nothing to draw yet. */
export function drawNothing(place) {
  place.replaceChildren(make("p", { className: "faint", style: "padding:10px" }, "Point at a source, or step with n and p."));
}

// The whole state of the page in its address.
import { readStep, writeStep } from "./object-select.js";

/**
 * @typedef {{table: string, parts: [string, string][], one: [string, string], two: [string, string], ranges: Object<string, number[]>,
 *   projection: string, frame: string, middle: number[]|null, colour: string, run: string, catalogue: string, at: string,
 *   hidden: string[], steps: import("./object-select.js").Step[]}} State
 */

const PARTS = ["where", "cone", "bbox", "rows"];

/** @param {string} search @returns {State} */
export function readState(search) {
  const asked = new URLSearchParams(search);
  const axes = (name) => /** @type {[string, string]} */ ((asked.get(name) ?? "").split(";").slice(0, 2));
  const numbers = (name) => (asked.get(name) ?? "").split(",").map(Number);
  const ranges = {};
  for (const name of ["sky", "one", "two"]) {
    const edges = numbers(`in-${name}`);
    if (edges.length === 4 && edges.every(Number.isFinite) && edges[0] < edges[1] && edges[2] < edges[3]) ranges[name] = edges;
  }
  const middle = numbers("middle");
  return {
    table: asked.get("table") ?? "",
    parts: Array.from(asked).filter(([name]) => PARTS.includes(name) || name.startsWith("param.")),
    one: axes("one"), two: axes("two"), ranges,
    projection: asked.get("projection") ?? "", frame: asked.get("frame") === "galactic" ? "galactic" : "icrs",
    middle: middle.length === 2 && middle.every(Number.isFinite) ? middle : null,
    colour: asked.get("colour") ?? "", run: asked.get("run") ?? "", catalogue: asked.get("catalogue") ?? "",
    at: asked.get("at") ?? "", hidden: asked.getAll("hidden"),
    steps: /** @type {any} */ (asked.getAll("select").map(readStep).filter(Boolean)),
  };
}

/** @param {State} state @param {string} [path] */
export function writeState(state, path = location.pathname) {
  const pairs = [["table", state.table], ...state.parts];
  const put = (name, text) => text && pairs.push([name, text]);
  put("one", state.one.filter(Boolean).join(";"));
  put("two", state.two.filter(Boolean).join(";"));
  put("projection", state.projection);
  if (state.frame !== "icrs") put("frame", state.frame);
  if (state.middle) put("middle", state.middle.join(","));
  for (const [name, edges] of Object.entries(state.ranges)) put(`in-${name}`, edges.map((one) => Number(one.toPrecision(7))).join(","));
  for (const name of ["colour", "run", "catalogue", "at"]) put(name, state[name]);
  for (const name of state.hidden) pairs.push(["hidden", name]);
  for (const step of state.steps) put("select", writeStep(step));
  return `${path}?${pairs.map((pair) => pair.map(readable).join("=")).join("&")}`;
}

/** Give the table as the request that routes take. @param {State} state */
export function requestOf(state) {
  return [["product", state.table], ...state.parts].map((pair) => pair.map(readable).join("=")).join("&");
}

function readable(text) {
  return encodeURIComponent(text).replace(/%(2F|3A|2C|3B)/g, (code) => decodeURIComponent(code)).replace(/%20/g, "+");
}

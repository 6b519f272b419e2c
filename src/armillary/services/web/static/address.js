// The whole view in the address of the page, so that a link brings the same picture. Names are those of /api/view.
import { DESK } from "./calls.js";

/**
 * @typedef {{product: string, params: Object<string, any>, more: Object<string, string>}} Shown
 * @typedef {{shown: Shown[], span: [string, string]|null, at: string|null, catalogues: string[]}} State
 */

const PARTS = ["bbox", "cone", "where", "rows"];

/** @param {string} search @returns {State} */
export function readAddress(search) {
  const asked = new URLSearchParams(search);
  const [start, stop] = [asked.get("start"), asked.get("stop")];
  return {
    shown: asked.getAll("request").map(readRequest).filter((one) => one.product),
    span: start && stop ? [start, stop] : null,
    at: asked.get("at"),
    catalogues: asked.getAll("catalogue"),
  };
}

/** @param {State} state @returns {string} */
export function writeAddress(state) {
  const text = pairsOf(state).map((pair) => pair.map(readable).join("=")).join("&");
  return text ? `${DESK}?${text}` : DESK;
}

/** Encode only what must be, so that people can read the address. */
function readable(text) {
  return encodeURIComponent(text).replace(/%(2F|3A|3D|2C)/g, (code) => decodeURIComponent(code));
}

/**
 * Give a state as the names and values that the routes take.
 * @param {State} state
 * @returns {[string, string][]}
 */
export function pairsOf(state) {
  const pairs = state.shown.map((one) => /** @type {[string, string]} */ (["request", writeRequest(one)]));
  if (state.span) pairs.push(["start", state.span[0]], ["stop", state.span[1]]);
  if (state.at) pairs.push(["at", state.at]);
  return [...pairs, ...state.catalogues.map((name) => /** @type {[string, string]} */ (["catalogue", name]))];
}

/** @param {Shown} shown @returns {string} */
export function writeRequest(shown) {
  const params = Object.entries(shown.params).sort(([one], [two]) => (one < two ? -1 : 1));
  const pairs = [
    ["product", shown.product],
    ...Object.entries(shown.more),
    ...params.map(([name, value]) => [`param.${name}`, JSON.stringify(value)]),
  ];
  return pairs.map((pair) => pair.map(readable).join("=")).join("&");
}

/** @param {string} text @returns {Shown} */
export function readRequest(text) {
  const asked = new URLSearchParams(text);
  const params = {};
  for (const [name, value] of asked) if (name.startsWith("param.")) params[name.slice(6)] = plain(value);
  const more = Object.fromEntries(PARTS.filter((name) => asked.get(name)).map((name) => [name, asked.get(name)]));
  return { product: asked.get("product") ?? "", params, more };
}

/** @param {string} text */
function plain(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

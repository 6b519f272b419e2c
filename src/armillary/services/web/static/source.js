// The page of one source: everything that its table, a run and a catalogue say of it.
import { DESK, ask, askJson } from "./calls.js";
import { byId, make } from "./elements.js";
import { readState, requestOf, writeState } from "./object-address.js";
import { drawSed } from "./object-sed.js";

const state = readState(location.search);
const name = decodeURIComponent(location.pathname.split("/").pop());

async function begin() {
  byId("title").textContent = document.title = name;
  byId("back").href = writeState({ ...state, at: name }, `${DESK}objects`);
  const told = await askJson("objects/source", [["request", requestOf(state)], ["id", name]]);
  const [answer, labels] = await Promise.all([answerOf(), labelsOf(told.row)]);
  drawSed(byId("sed-plot"), told, answer && shape(answer));
  addEventListener("resize", () => drawSed(byId("sed-plot"), told, answer && shape(answer)));
  showFacts(told, answer, labels);
  showNear(told);
  showColumns(told);
  document.body.dataset.ready = "yes";
}

async function answerOf() {
  if (!state.run) return null;
  const how = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ run: state.run, table: requestOf(state), ids: [name] }) };
  return (await (await ask("classify", [], how)).json()).rows[0];
}

async function labelsOf(row) {
  if (!state.catalogue) return "";
  const told = await askJson("objects/labels", [["request", requestOf(state)], ["catalogue", state.catalogue]]).catch(() => null);
  const at = told ? told.rows.indexOf(row) : -1;
  return at < 0 ? "" : told.classes[told.codes[at]];
}

function shape(answer) {
  const classes = Object.keys(answer.probabilities);
  return { classes, probabilities: Object.values(answer.probabilities), set: answer.set, trust: answer.trust ?? "", said: answer.class ?? "" };
}

function showFacts(told, answer, label) {
  const number = (value, digits) => (value === null ? "" : value.toFixed(digits));
  const body = told.sed.photosphere;
  const pairs = [
    ["Position (ICRS)", told.ra === null ? "" : `${number(told.ra, 6)}°, ${number(told.dec, 6)}°`],
    ["Spectral index α", told.alpha === null ? "not measured" : `${number(told.alpha, 2)}${told.alpha_error === null ? "" : ` ± ${number(told.alpha_error, 2)}`}`],
    ["Lada class", told.lada], ["Check", told.check],
    ["Photosphere", body ? `${Math.round(body.teff)} ± ${Math.round(body.teff_error)} K (black body, no dust)` : "could not be fitted"],
    ["Label", label ? `${label} (${state.catalogue})` : ""],
    ["Class", answer?.class ? `${answer.class}, probability ${answer.probability.toFixed(3)} (${state.run})` : ""],
    ["Set", answer ? answer.set.join(", ") || "none" : ""], ["Trust", answer?.trust ?? ""],
  ];
  const list = make("dl");
  for (const [key, text] of pairs) if (text) list.append(make("dt", {}, key), make("dd", {}, text));
  const links = told.links.map((one) => make("a", { href: one.href, rel: "noopener noreferrer", target: "_blank" }, one.title));
  byId("facts").replaceChildren(make("h2", {}, "What is known"), list, make("p", { className: "row" }, ...links));
}

function showNear(told) {
  const made = [make("h2", {}, "Neighbours")];
  if (told.near.length) made.push(table("Within 2 arcmin", ["source", "arcsec"], told.near.map((one) => [one.id, one.arcsec.toFixed(1)])));
  else made.push(make("p", { className: "faint" }, "No other source of this table lies within 2 arcmin."));
  if (told.alike.length) made.push(table("Most alike energy distributions", ["source", "mean difference [mag]"], told.alike.map((one) => [one.id, one.mag.toFixed(3)])));
  byId("near").replaceChildren(...made);
}

function table(title, heads, lines) {
  const rows = lines.map(([id, ...cells]) => make("tr", {}, make("td", {}, make("a", { href: `${DESK}source/${encodeURIComponent(id)}${location.search}` }, id)), ...cells.map((one) => make("td", {}, one))));
  return make("table", {}, make("caption", { className: "faint" }, title), make("thead", {}, make("tr", {}, ...heads.map((one) => make("th", { scope: "col" }, one)))), make("tbody", {}, ...rows));
}

function showColumns(told) {
  const heads = ["column", "value", "unit", "UCD", "what it is"];
  const lines = told.columns.map((one) => [one.name, one.value === null ? "-" : String(one.value), one.unit, one.ucd, one.about]);
  const rows = lines.map((cells) => make("tr", {}, ...cells.map((one) => make("td", {}, one))));
  byId("columns").replaceChildren(make("h2", {}, "Columns"), make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((one) => make("th", { scope: "col" }, one)))), make("tbody", {}, ...rows)));
}

begin().catch((broken) => byId("problems").replaceChildren(make("p", {}, [broken.message, broken.nextStep].filter(Boolean).join("; "))));

// What the desk tells about a product: its card, and the form of its parameters.
import { DESK, ask, askJson } from "./calls.js";
import { button, make } from "./elements.js";
import { writeRequest } from "./address.js";

/** @type {Map<string, Promise<any>>} */
const known = new Map();

/** @param {string} path @returns {Promise<any>} all about a product, asked for once */
export function aboutProduct(path) {
  if (!known.has(path)) {
    const told = askJson("product", [["path", path]]);
    told.catch(() => known.delete(path));
    known.set(path, told);
  }
  return /** @type {Promise<any>} */ (known.get(path));
}

/**
 * Fill the card of a selected product.
 * @param {HTMLElement} card
 * @param {string} path
 * @param {[string, string]|null} span
 * @param {(path: string) => void} add
 */
export async function showAbout(card, path, span, add) {
  card.dataset.path = path;
  const told = await aboutProduct(path);
  if (card.dataset.path !== path) return;
  const facts = [
    ["Kind", told.recipe ? `${told.kind}, made by ${told.recipe}` : told.kind],
    ["Units", told.units],
    ["Covers", told.start ? `${short(told.start)} to ${short(told.stop)}` : ""],
    ["From", told.source],
    ["Licence", told.licence],
    ["Cite", told.citation],
  ];
  const list = make("dl");
  for (const [name, text] of facts) if (text) list.append(make("dt", {}, name), make("dd", {}, text));
  const cost = make("p", { className: "faint cost" });
  const heading = make("div", { className: "heading" }, make("h2", {}, told.title || path), button("Add", () => add(path)));
  card.replaceChildren(heading, make("p", { className: "path" }, path));
  if (told.kind === "sources") heading.append(make("a", { href: `${DESK}objects?table=${encodeURIComponent(path).replaceAll("%2F", "/")}` }, "Explore"));
  if (told.description && told.description !== told.title) card.append(make("p", {}, told.description));
  card.append(list, cost);
  card.hidden = false;
  await showCost(cost, path, span);
}

/** Say what it costs to get the shown times of a product. */
async function showCost(line, path, span) {
  if (!span) return;
  const request = new URLSearchParams([["product", path], ["start", span[0]], ["stop", span[1]]]).toString();
  try {
    const plan = await (await ask("plan", [["request", request]])).json();
    const [answer] = plan.steps.slice(-1);
    const size = answer.bytes === null ? "unknown size" : inBytes(answer.bytes);
    const steps = plan.steps.length === 1 ? "" : `, ${plan.steps.length} steps`;
    line.textContent = `For the shown time: ${size}${steps}${plan.cached ? ", in the cache" : ""}.`;
  } catch (broken) {
    line.textContent = `For the shown time: ${broken.message}.`;
  }
}

/**
 * Make the form of a product's parameters; what is changed is given back as soon as it is complete.
 * @param {any} told the product
 * @param {Object<string, any>} params
 * @param {(params: Object<string, any>) => void} changed
 */
export function parameterForm(told, params, changed) {
  const form = make("div", { className: "params", role: "group", "aria-label": `Parameters of ${told.title || told.path}` });
  for (const one of told.parameters) {
    const field = fieldOf(one, params[one.name] ?? one.default);
    const words = make("span", { title: one.description }, one.units ? `${one.name} [${one.units}]` : one.name);
    form.append(make("label", {}, words, field));
    field.addEventListener("change", () => {
      if (!field.reportValidity()) return;
      const value = valueOf(one, field);
      const next = { ...params, [one.name]: value };
      if (value === one.default) delete next[one.name];
      changed(next);
    });
  }
  return form;
}

function fieldOf(one, value) {
  const traits = { name: one.name, title: one.description };
  if (one.choices.length) {
    const options = one.choices.map((choice) =>
      make("option", { value: String(choice), selected: choice === value }, String(choice)),
    );
    return make("select", traits, ...options);
  }
  if (one.type === "bool") return make("input", { ...traits, type: "checkbox", checked: Boolean(value) });
  if (one.type === "str") return make("input", { ...traits, type: "text", value: String(value ?? "") });
  if (one.type === "product") return productField(traits, value);
  const field = make("input", { ...traits, type: "number", step: one.type === "int" ? "1" : "any", required: true });
  if (one.low !== null) field.min = String(one.low);
  if (one.high !== null) field.max = String(one.high);
  field.value = String(value ?? "");
  return field;
}

/** A field for the path of a product, which may be dropped on it. */
function productField(traits, value) {
  const field = make("input", { ...traits, type: "text", value: String(value ?? ""), placeholder: "drop a product here", spellcheck: false });
  field.addEventListener("dragover", (event) => event.preventDefault());
  field.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    field.value = (event.dataTransfer?.getData("text/plain") ?? "").split("\n")[0].trim();
    field.dispatchEvent(new Event("change"));
  });
  return field;
}

function valueOf(one, field) {
  if (one.type === "bool" && field.type === "checkbox") return field.checked;
  if (field.tagName === "SELECT") return one.choices.find((choice) => String(choice) === field.value);
  if (one.type === "product") return field.value.trim();
  return one.type === "str" ? field.value : Number(field.value);
}

/**
 * Fill the list of what is shown.
 * @param {HTMLElement} list
 * @param {import("./address.js").State} state
 * @param {Map<string, import("./calls.js").Problem>} notes by request text
 * @param {(shown: import("./address.js").Shown[]) => void} changed
 */
export async function showList(list, state, notes, changed) {
  const told = await Promise.all(state.shown.map((one) => aboutProduct(one.product).catch(() => null)));
  const items = state.shown.map((one, k) => listItem(one, k, told[k], state.shown, changed));
  items.forEach((item, k) => {
    const note = notes.get(writeRequest(state.shown[k]));
    if (note) item.append(make("p", { className: "note" }, `${note.message}. ${note.nextStep}.`));
  });
  const focused = document.activeElement?.closest?.("#shown li") ? document.activeElement.getAttribute("aria-label") : null;
  list.replaceChildren(...items);
  if (focused) list.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
}

function listItem(one, k, told, all, changed) {
  const name = told?.title || one.product;
  const moved = (by) => {
    const next = [...all];
    next.splice(k + by, 0, ...next.splice(k, 1));
    changed(next);
  };
  const item = make("li", {}, make("span", { className: "label", title: one.product }, name));
  const parts = Object.entries(one.more).map(([part, text]) => `${part} ${text}`).join(", ");
  item.append(make("span", { className: "path" }, parts ? `${one.product} · ${parts}` : one.product));
  const tools = make("span", { className: "tools" });
  tools.append(
    button("↑", () => moved(-1), { disabled: k === 0, "aria-label": `Move up: ${name}`, title: "Move up" }),
    button("↓", () => moved(1), { disabled: k === all.length - 1, "aria-label": `Move down: ${name}`, title: "Move down" }),
    button("✕", () => changed(all.filter((_, other) => other !== k)), { "aria-label": `Remove: ${name}`, title: "Remove" }),
  );
  item.append(tools);
  if (told?.parameters.length) {
    item.append(parameterForm(told, one.params, (params) => changed(all.map((any, n) => (n === k ? { ...any, params } : any)))));
  }
  return item;
}

/** @param {string} time */
function short(time) {
  return time.replace(/T00:00:00Z$/, "").replace(/(:\d\d)\.\d+Z$/, "$1Z");
}

/** @param {number} count */
function inBytes(count) {
  const step = count >= 1e9 ? [1e9, "GB"] : count >= 1e6 ? [1e6, "MB"] : [1e3, "kB"];
  return `${Math.max(count / Number(step[0]), 0.1).toFixed(1)} ${step[1]}`;
}

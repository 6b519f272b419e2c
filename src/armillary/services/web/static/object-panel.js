// The panel: the legend, the selection with its classes, the table of its rows, what can be saved.
import { ask } from "./calls.js";
import { button, byId, make } from "./elements.js";
import { paletteColour } from "./object-data.js";
import { requestOf } from "./object-address.js";

const ROWS = 100;
const ENDINGS = ["vot", "parquet", "csv"];

/** Fill a select. @param {any} field @param {string[][]} options value and words @param {string} value */
export function choice(field, options, value) {
  field.replaceChildren(...options.map(([one, words]) => make("option", { value: one }, words)));
  field.value = options.some(([one]) => one === value) ? value : options[0]?.[0] ?? "";
}

export class Panel {
  /** @param {import("./objects.js").Page} page */
  constructor(page) {
    this.page = page;
    this.from = 0;
  }

  legend() {
    const { painting, state } = this.page;
    const place = byId("legend");
    if (!painting.coded) {
      place.replaceChildren(...(painting.range ? [make("h2", {}, state.colour), this.scale(painting.range)] : []));
      return;
    }
    const total = this.page.data.count;
    const items = painting.coded.names.map((name, k) => (painting.counts[k] ? this.item(name, k, painting, total) : "")).filter(Boolean);
    place.replaceChildren(make("h2", {}, `Colours: ${state.colour}`), make("ul", { className: "legend" }, ...items));
  }

  item(name, k, painting, total) {
    const { state } = this.page;
    const shown = !state.hidden.includes(name);
    const spot = make("i", {});
    spot.style.background = name ? paletteColour(k - (painting.coded.names[0] === "" ? 1 : 0)) : "#9aa0a6";
    const made = button("", () => {
      state.hidden = shown ? [...state.hidden, name] : state.hidden.filter((one) => one !== name);
      this.page.recolour();
      this.page.keep();
    }, { "aria-pressed": shown, title: shown ? "Hide" : "Show" });
    const count = painting.counts[k];
    made.append(spot, make("span", { className: "word" }, name || "none"), make("span", {}, count.toLocaleString("en")), make("span", { className: "faint" }, percent(count / total)));
    return make("li", {}, made);
  }

  scale([low, high]) {
    const bar = make("div", { className: "bar", role: "img", "aria-label": `Colours from ${low.toPrecision(3)} to ${high.toPrecision(3)}` });
    bar.style.background = "linear-gradient(90deg, #440154, #3b528b, #21918c, #5ec962, #fde725)";
    return make("div", {}, bar, make("div", { className: "row" }, make("span", {}, low.toPrecision(3)), make("span", { className: "faint" }, "to"), make("span", {}, high.toPrecision(3))));
  }

  /** Tell the selection: how many, of which classes, and the table of its rows. */
  selection() {
    const { page } = this;
    this.from = 0;
    const clear = button("Clear", () => page.addStep(null), { disabled: !page.any });
    const undo = button("Back", () => {
      page.state.steps = page.state.steps.slice(0, -1);
      page.select();
    }, { disabled: !page.any, title: "Take the last step of the selection back" });
    this.table = make("div", { className: "list" });
    const head = make("h2", { id: "selected" }, page.any ? `${page.chosen.length.toLocaleString("en")} selected` : "Nothing selected");
    byId("selection").replaceChildren(head, make("div", { className: "row" }, clear, undo), this.mix(), this.form(), this.table);
    this.rows();
    page.labels?.show();
  }

  mix() {
    const { page } = this;
    const coded = page.painting.coded;
    if (!coded || !page.any) return make("p", { className: "faint" }, page.any ? "" : "Drag a box or a lasso in a view, or select by numbers.");
    const counts = coded.names.map(() => 0);
    for (const row of page.chosen) counts[coded.codes[row]] += 1;
    const told = coded.names.map((name, k) => [name || "none", counts[k]]).filter(([, count]) => count).sort((a, b) => Number(b[1]) - Number(a[1]));
    const words = told.slice(0, 6).map(([name, count]) => `${name} ${percent(Number(count) / page.chosen.length)}`);
    return make("p", { id: "mix" }, words.join(", "));
  }

  /** Select without a mouse: a column and its lowest and highest value, or a class. */
  form() {
    const { page } = this;
    const column = make("select", { "aria-label": "Column" });
    const classes = Array.from(page.data.classes.values()).flatMap((one) => one.names.filter(Boolean).map((name) => [`class;${one.name};${name}`, `${one.name} = ${name}`]));
    choice(column, [...page.data.axes().map((one) => [one, one]), ...classes], this.column ?? "");
    const [low, high] = ["Lowest", "Highest"].map((name) => make("input", { type: "number", step: "any", size: 6, placeholder: name, "aria-label": name }));
    const how = make("select", { "aria-label": "How" });
    choice(how, [["set", "only"], ["and", "and"], ["add", "or"], ["cut", "without"]], page.any ? "and" : "set");
    for (const field of [low, high]) field.style.width = "5.2em";
    column.onchange = () => {
      this.column = column.value;
      low.hidden = high.hidden = column.value.startsWith("class;");
    };
    column.onchange();
    const form = make("form", { className: "row" }, how, column, low, high, make("button", {}, "Select"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [kind, of, name] = column.value.split(";");
      if (kind === "class") page.addStep({ how: how.value, kind: "class", column: of, name });
      else page.addStep({ how: how.value, kind: "range", column: column.value, low: low.value === "" ? -1e30 : Number(low.value), high: high.value === "" ? 1e30 : Number(high.value) });
    });
    return make("details", { open: this.opened ?? false, ontoggle: (event) => (this.opened = event.target.open) }, make("summary", {}, "Select by numbers"), form);
  }

  /** Fill the table with a hundred rows of the selection. */
  rows() {
    const { page } = this;
    const { data, chosen, state } = page;
    if (!page.any || !chosen.length) {
      this.table.replaceChildren();
      return;
    }
    const axes = [...new Set([...state.one, ...state.two])].slice(0, 3);
    const coded = page.painting.coded;
    const head = make("tr", {}, ...["source", ...(coded ? [state.colour] : []), ...axes].map((one) => make("th", { scope: "col" }, one)));
    const body = make("tbody", {}, ...chosen.slice(this.from, this.from + ROWS).map((row) => {
      const cells = [data.names()[row], ...(coded ? [coded.names[coded.codes[row]]] : []), ...axes.map((axis) => shown(data.values(axis)[row]))];
      const line = make("tr", { tabIndex: -1, "aria-selected": row === page.row }, ...cells.map((one) => make("td", {}, one)));
      line.dataset.row = String(row);
      return line;
    }));
    if (body.firstChild) body.firstElementChild.tabIndex = 0;
    body.addEventListener("click", (event) => this.go(event.target.closest("tr")));
    body.addEventListener("keydown", (event) => this.key(event));
    body.addEventListener("focusin", (event) => page.look(Number(event.target.closest("tr").dataset.row), true));
    this.table.replaceChildren(make("table", { "aria-label": "Selected sources" }, make("thead", {}, head), body), this.pages());
  }

  pages() {
    const { chosen } = this.page;
    const go = (by) => {
      this.from = Math.max(0, this.from + by);
      this.rows();
    };
    const words = `${this.from + 1} to ${Math.min(this.from + ROWS, chosen.length)}`;
    return make("div", { className: "row" }, button("Earlier", () => go(-ROWS), { disabled: !this.from }), make("span", {}, words), button("Later", () => go(ROWS), { disabled: this.from + ROWS >= chosen.length }));
  }

  go(line) {
    line?.focus();
  }

  key(event) {
    const line = event.target.closest("tr");
    const next = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling, Home: line.parentNode.firstElementChild, End: line.parentNode.lastElementChild }[event.key];
    if (!next) return;
    event.preventDefault();
    line.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  /** Mark the row of the source that is looked at. */
  follow(row) {
    for (const line of this.table?.querySelectorAll("tbody tr") ?? []) line.setAttribute("aria-selected", String(line.dataset.row === String(row)));
  }

  /** Fill the menu of what can be saved. @param {HTMLElement} menu */
  saving(menu) {
    const { page } = this;
    const all = ENDINGS.map((ending) => button(ending, () => this.save(ending, false)));
    const some = ENDINGS.map((ending) => button(ending, () => this.save(ending, true), { "aria-label": `${ending} of the selection`, disabled: !page.any || !page.chosen.length }));
    const words = page.state.run ? "with the answers of the run" : "";
    menu.replaceChildren(make("h2", {}, "All sources"), make("p", {}, ...all), make("h2", {}, "The selection"), make("p", {}, ...some), make("p", { className: "faint" }, words));
  }

  async save(ending, selected) {
    const { page } = this;
    page.status.busy(`Writing .${ending}`, () => {});
    try {
      const body = { request: requestOf(page.state), run: page.state.run, ending, rows: selected ? bits(page.mask) : "", link: location.href };
      const answer = await ask("objects/file", [], { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
      const name = `${page.state.table.split("/").at(-1)}${selected ? "-selection" : ""}.${ending}`;
      const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      page.status.say(`Saved ${name}`);
    } catch (broken) {
      page.fail(broken);
    }
  }
}

/** Write a mask as base64 of its bits, the first source in the lowest bit. @param {Uint8Array} mask */
export function bits(mask) {
  const bytes = new Uint8Array(Math.ceil(mask.length / 8));
  for (let k = 0; k < mask.length; k++) if (mask[k]) bytes[k >> 3] |= 1 << (k & 7);
  let text = "";
  for (let k = 0; k < bytes.length; k += 8192) text += String.fromCharCode(...bytes.subarray(k, k + 8192));
  return btoa(text);
}

/** @param {number} share */
export const percent = (share) => `${(100 * share).toFixed(share && share < 0.1 ? 1 : 0)} %`;
const shown = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(6))) : "-");

// Labels: the selected sources get a class in a catalogue of objects; each is one change, which can be undone.
import { ask, askJson } from "./calls.js";
import { button, byId, make } from "./elements.js";
import { requestOf } from "./object-address.js";
import { bits, choice } from "./object-panel.js";

export class Labels {
  /** @param {import("./objects.js").Page} page */
  constructor(page) {
    this.page = page;
    /** @type {{change: number, author: string}[]} */
    this.done = [];
    this.known = [];
    this.author = "";
  }

  async open() {
    const told = await askJson("catalogues").catch(() => ({ catalogues: [] }));
    this.catalogues = told.catalogues.filter((one) => one.kind === "objects" && !one.name.endsWith(".proposals")).map((one) => one.name);
    if (this.page.state.catalogue) await this.read();
  }

  /** Read the labels of the catalogue: they become a column of classes. */
  async read() {
    const { page } = this;
    const { data, state } = page;
    data.classes.delete("label");
    if (!state.catalogue || !this.catalogues.includes(state.catalogue)) return;
    const told = await askJson("objects/labels", [["request", requestOf(state)], ["catalogue", state.catalogue]]);
    const codes = new Uint8Array(data.count);
    told.rows.forEach((row, k) => (codes[row] = told.codes[k] + 1));
    data.classes.set("label", { name: "label", names: ["", ...told.classes], codes });
    this.known = told.classes;
    this.counted = told.rows.length;
  }

  /** Draw the form. */
  show() {
    const { page } = this;
    const catalogue = make("input", { value: page.state.catalogue || "labels", "aria-label": "Catalogue", autocomplete: "off", spellcheck: false });
    catalogue.setAttribute("list", "catalogues");
    catalogue.onchange = () => this.use(catalogue.value.trim());
    const names = make("datalist", { id: "catalogues" }, ...this.catalogues.map((one) => make("option", { value: one })));
    const word = make("input", { value: this.word ?? "", "aria-label": "Class", placeholder: "class", autocomplete: "off", spellcheck: false, required: true });
    word.setAttribute("list", "classes");
    const classes = make("datalist", { id: "classes" }, ...this.suggested().map((one) => make("option", { value: one })));
    const author = make("input", { value: this.author, "aria-label": "Author", placeholder: "author (you)", autocomplete: "name" });
    const set = make("button", { disabled: !page.any || !page.chosen.length }, `Label ${page.any ? page.chosen.length : 0}`);
    const form = make("form", { className: "row" }, word, classes, author, set, button("Undo", () => this.undo(), { disabled: !this.done.length, title: "Undo (u)" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      Object.assign(this, { word: word.value.trim(), author: author.value.trim() });
      this.label(catalogue.value.trim(), this.word).catch((broken) => page.fail(broken));
    });
    const counted = page.data.classes.has("label") ? `${this.counted} labelled` : "";
    byId("labels").replaceChildren(make("h2", {}, "Labels"), make("div", { className: "row" }, catalogue, names, make("span", { className: "faint" }, counted)), form);
  }

  suggested() {
    const coded = this.page.painting?.coded?.names ?? [];
    return [...new Set([...this.known, ...(this.page.answers?.classes ?? []), ...coded])].filter(Boolean);
  }

  async use(name) {
    this.page.state.catalogue = name;
    await this.refresh();
  }

  async label(catalogue, class_) {
    const { page } = this;
    const body = { request: requestOf(page.state), catalogue, class: class_, rows: bits(page.mask), author: this.author };
    const told = await post("objects/labels", body);
    this.done.push({ change: told.change, author: this.author });
    page.state.catalogue = catalogue;
    if (!this.catalogues.includes(catalogue)) this.catalogues.push(catalogue);
    page.forgive();
    await this.refresh();
    page.status.say(`${told.added + told.changed} sources are ${class_} now: ${told.added} new, ${told.changed} changed`);
  }

  async undo() {
    const { page } = this;
    const last = this.done.at(-1);
    if (!last) return page.status.say("There is nothing to undo");
    try {
      await post("objects/labels/undo", { catalogue: page.state.catalogue, ...last });
      this.done.pop();
      this.catalogues = (await askJson("catalogues")).catalogues.filter((one) => one.kind === "objects").map((one) => one.name);
      await this.refresh();
      page.status.say("Undone");
    } catch (broken) {
      page.fail(broken);
    }
  }

  async refresh() {
    const { page } = this;
    await this.read();
    page.fillColours();
    if (page.state.colour === "label" || !page.data.classes.has(page.state.colour)) page.recolour();
    page.select(false);
    page.keep();
    page.training.show();
  }
}

/** Send something and give the answer. @param {string} path @param {any} body @returns {Promise<any>} */
export async function post(path, body) {
  const how = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return (await ask(path, [], how)).json();
}

// Training: labels of the catalogue and columns of the table make a study; its numbers stand beside those of the run before.
import { DESK, askJson } from "./calls.js";
import { button, byId, make } from "./elements.js";
import { requestOf } from "./object-address.js";
import { post } from "./object-labels.js";
import { report, scores } from "./object-report.js";

const EVERY = 500;

export class Training {
  /** @param {import("./objects.js").Page} page */
  constructor(page) {
    this.page = page;
    /** @type {string[]} runs whose numbers are shown, the old one first */
    this.compared = [];
  }

  show() {
    const { page } = this;
    const name = make("input", { value: this.free(), "aria-label": "Name of the run", autocomplete: "off", spellcheck: false });
    const labelled = page.labels.counted ?? 0;
    const form = make("form", { className: "row" }, name, make("button", { disabled: !labelled || !page.data.classes.has("label") }, page.state.run ? "Retrain" : "Train"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.train(name.value.trim()).catch((broken) => page.fail(broken));
    });
    this.said = make("p", { role: "status", className: "faint" }, labelled ? "" : "Label sources of two classes or more, then train.");
    this.place ??= make("div", {});
    byId("train").replaceChildren(make("h2", {}, "Training"), form, this.said, this.place);
  }

  free() {
    const taken = (this.page.runs ?? []).map((one) => one.name);
    let k = 1;
    while (taken.includes(`objects-${k}`)) k += 1;
    return `objects-${k}`;
  }

  async train(name) {
    const { page } = this;
    const body = { request: requestOf(page.state), catalogue: page.state.catalogue, name, base: page.state.run };
    const told = await post("objects/train", body);
    page.forgive();
    this.said.textContent = `${told.rows} labelled sources; training`;
    page.status.busy("Training", () => fetch(`${DESK}api/jobs/${told.job}`, { method: "DELETE" }).catch(() => {}));
    const ended = await this.follow(told.job);
    if (ended.state !== "done") throw Object.assign(new Error(ended.error?.problem ?? `the training is ${ended.state}`), { nextStep: ended.error?.next_step ?? "" });
    const before = page.state.run;
    await page.fillRuns();
    this.compared = [before, name].filter(Boolean);
    page.state.run = name;
    await page.fillRuns();
    await page.useRun(name);
    this.show();
    this.open();
    page.status.say(`The run ${name} is trained and asked about all sources`);
  }

  async follow(number) {
    for (;;) {
      const told = await askJson(`jobs/${number}`);
      if (!["queued", "running"].includes(told.state)) return told;
      this.page.status.tell(told.fraction, told.message);
      this.said.textContent = told.message || "waiting";
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  /** Show the numbers of the chosen run, beside those of the one before it. */
  async chosen() {
    const { run } = this.page.state;
    const place = byId("report");
    if (!run) {
      place.hidden = true;
      this.place?.replaceChildren();
      return;
    }
    if (!this.compared.includes(run)) this.compared = [...this.compared.slice(-1), run];
    const told = await Promise.all(this.compared.map((name) => askJson("objects/report", [["run", name]])));
    const alone = button("Only this run", () => {
      this.compared = [run];
      this.chosen();
    }, { hidden: told.length < 2 });
    const head = make("div", { className: "head" }, make("h2", {}, `What ${this.compared.join(" and ")} found`), make("span", { className: "row" }, alone, button("Close", () => this.close())));
    place.replaceChildren(head, ...report(told));
    this.place.replaceChildren(scores(told), button("All numbers", () => this.open()));
  }

  open() {
    byId("report").hidden = false;
    byId("report").focus();
  }

  /** @returns {boolean} whether the numbers were open */
  close() {
    const open = !byId("report").hidden;
    byId("report").hidden = true;
    if (open) this.place?.querySelector("button")?.focus();
    return open;
  }
}

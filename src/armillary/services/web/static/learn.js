// Studies: run one, read what it found, apply its model to what is in view, let it propose labels.
import { DESK, ask, askJson } from "./calls.js";
import { button, make } from "./elements.js";
import { isProposals } from "./review.js";
import { readTime } from "./times.js";

const EVERY = 500;
const RUNNING = ["queued", "running"];
const CADENCES = [["1s", 1], ["10s", 10], ["1min", 60], ["5min", 300], ["15min", 900], ["1h", 3600], ["4h", 14400], ["1d", 86400]];

/**
 * @typedef {import("./address.js").State} State
 * @typedef {{state: () => State, about: (path: string) => Promise<any>, draw: (catalogue: string) => void}} Acts
 */

export class Learn {
  /** @param {HTMLDetailsElement} place @param {Acts} acts */
  constructor(place, acts) {
    this.acts = acts;
    this.place = place;
    this.runs = [];
    /** @type {number|null} the job that is followed */
    this.job = null;
    this.fill();
    place.addEventListener("toggle", () => place.open && this.open().catch((broken) => this.fail(broken)));
  }

  fill() {
    this.choice = make("select", { "aria-label": "Run" });
    this.choice.addEventListener("change", () => this.chosen().catch((broken) => this.fail(broken)));
    this.said = make("p", { role: "status" });
    this.bar = make("progress", { max: 1, hidden: true, "aria-label": "Progress of the study" });
    this.stop = button("Cancel", () => this.cancel(), { hidden: true });
    this.report = make("div", { className: "report" });
    const work = make("div", { className: "work" }, this.bar, this.stop, this.said);
    this.place.querySelector("div").replaceChildren(make("label", { className: "run" }, make("span", {}, "Run"), this.choice), work, this.report);
  }

  /** List the runs; one that is under way is followed. */
  async open(wanted = "") {
    this.runs = await askJson("runs");
    const options = this.runs.map((one) => make("option", { value: one.name }, optionWords(one)));
    this.choice.replaceChildren(make("option", { value: "" }, "New study"), ...options);
    this.choice.value = wanted || (this.runs.find((one) => RUNNING.includes(one.state)) ?? this.runs[0])?.name || "";
    await this.chosen();
  }

  async chosen() {
    const run = this.runs.find((one) => one.name === this.choice.value);
    this.say("");
    if (!run) await this.write();
    else if (run.state === "done") await this.read(run.name);
    else if (RUNNING.includes(run.state)) {
      this.report.replaceChildren();
      this.follow(run.job, (told) => this.ended(run.name, told));
    } else this.broken(run);
  }

  say(words) {
    this.said.textContent = words;
  }

  fail(broken) {
    this.say([broken.message, broken.nextStep].filter(Boolean).join("; "));
  }

  /** Write the text of a new study: it begins with what is in view. */
  async write() {
    const text = make("textarea", { rows: 18, spellcheck: false, value: await this.template() });
    const name = make("input", { value: freeName(this.runs), autocomplete: "off", spellcheck: false });
    const form = make(
      "form",
      { className: "study" },
      make("label", {}, make("span", {}, "Study (TOML)"), text),
      make("p", {}, make("label", {}, make("span", {}, "Name of the run "), name), make("button", {}, "Run the study")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.run(name.value, text.value).catch((broken) => this.fail(broken));
    });
    this.report.replaceChildren(form);
  }

  async template() {
    const { shown, span, catalogues } = this.acts.state();
    const told = await Promise.all(shown.map((one) => this.acts.about(one.product).catch(() => null)));
    const series = told.filter((one) => ["series", "spectrogram"].includes(one?.kind)).map((one) => one.path);
    return studyText(series, span, catalogues.find((one) => !isProposals(one)) ?? "");
  }

  async run(name, toml) {
    const told = await post("studies", { name, toml });
    this.runs = await askJson("runs");
    await this.open(told.run);
  }

  /** Follow a job until it ends. @param {number} number @param {(told: any) => any} then */
  async follow(number, then) {
    if (this.job === number) return;
    this.job = number;
    this.bar.hidden = this.stop.hidden = false;
    while (this.job === number) {
      const told = await askJson(`jobs/${number}`).catch(() => null);
      if (this.job !== number) return;
      if (told && !RUNNING.includes(told.state)) {
        this.job = null;
        this.bar.hidden = this.stop.hidden = true;
        await Promise.resolve(then(told)).catch((broken) => this.fail(broken));
        return;
      }
      if (told) this.tell(told);
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  tell(told) {
    if (told.fraction > 0) this.bar.value = told.fraction;
    const words = told.message || "waiting";
    if (this.said.textContent !== words) this.say(words);
  }

  cancel() {
    if (this.job === null) return;
    this.say("Stopping");
    ask(`jobs/${this.job}`, [], { method: "DELETE" }).catch((broken) => this.fail(broken));
  }

  async ended(name, told) {
    await this.open(name);
    if (told.state === "done") this.say("The study has run.");
  }

  /** Say why a run has no report, and offer to go on. */
  broken(run) {
    const why = run.problem || "it was stopped";
    const again = button("Go on with it", () =>
      post(`jobs/${run.job}/retry`, {})
        .then((told) => this.follow(told.job, (ended) => this.ended(run.name, ended)))
        .catch((broken) => this.fail(broken)),
    );
    const parts = [make("p", { className: "note" }, `This run is not complete: ${why}.`)];
    if (run.job && run.state !== "damaged") parts.push(again);
    this.report.replaceChildren(...parts);
  }

  /** Show the report of a run: warnings first. @param {string} name */
  async read(name) {
    const told = await askJson(`runs/${encodeURIComponent(name)}`);
    const address = `${DESK}api/runs/${encodeURIComponent(name)}`;
    const warnings = told.warnings.length
      ? told.warnings.map((one) => make("p", { className: "note warning" }, one))
      : [make("p", { className: "faint" }, "No leak was found.")];
    const caption = `Scores on ${told.judged_on}. Brackets: 95 % intervals over blocks. Rows in parentheses need no skill.`;
    const card = make("a", { href: `${address}/card`, target: "_blank", rel: "noopener" }, "The whole card");
    this.report.replaceChildren(
      make("h3", {}, told.title),
      ...warnings,
      tableOf(told.table, caption),
      ...told.words.map((one) => make("p", {}, one)),
      this.actions(told),
      make("p", {}, card),
      more("Classes", told.class_table.length ? tableOf(told.class_table, "Each class") : null),
      more("Figures", ...told.figures.map((one) => figureOf(address, one))),
      more("Data", ...told.notes.map((one) => make("p", {}, one))),
    );
  }

  /** Let the model work on what is in view. */
  actions(told) {
    const to = make("input", { value: told.labels || told.study.name, autocomplete: "off", spellcheck: false });
    const count = make("input", { type: "number", min: "1", max: "1000", value: "20", "aria-label": "How many proposals at most" });
    const start = (verb, more) => this.start(told, verb, { to: to.value.trim(), ...more }).catch((broken) => this.fail(broken));
    return make(
      "p",
      { className: "acts" },
      make("label", {}, make("span", {}, "Catalogue "), to),
      button("Propose labels", () => start("propose", { count: Number(count.value) })),
      make("label", {}, make("span", {}, "at most "), count),
      button("Apply to what is in view", () => start("apply", { to: foundName(to.value.trim(), told) })),
    );
  }

  async start(told, verb, body) {
    const { shown, span } = this.acts.state();
    const paths = shown.map((one) => one.product);
    const known = Object.values(told.products);
    // other products than those of the study are another spacecraft's: they are taken by their names
    const products = known.length && (!paths.length || known.some((one) => paths.includes(one))) ? [] : paths;
    const times = span ? { start: span[0], stop: span[1] } : {};
    const begun = await post(`runs/${encodeURIComponent(told.name)}/${verb}`, { ...body, ...times, products });
    await this.follow(begun.job, (ended) => this.answered(ended));
  }

  answered(told) {
    if (told.state !== "done") {
      const why = told.error ?? {};
      this.say([why.problem ?? `The job was ${told.state}`, why.next_step].filter(Boolean).join("; "));
      return;
    }
    const { catalogue, proposed, added, already, drift } = told.result;
    if (proposed === undefined) {
      const again = already ? `, ${already} were there already` : "";
      this.say(`Put ${added} rows into ${catalogue}${again}. ${drift?.text ?? ""}`);
    } else this.say(`${proposed} proposals are on the picture. Keys: n next, a accept, r reject, u undo.`);
    this.acts.draw(catalogue);
  }
}

/** @param {string} path @param {any} body */
async function post(path, body) {
  const how = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return (await ask(path, [], how)).json();
}

function optionWords(run) {
  const score = typeof run.score === "number" ? ` ${run.chosen_by} ${run.score.toFixed(3)}` : "";
  return run.state === "done" ? `${run.name}: ${run.best}${score}` : `${run.name}: ${run.state}`;
}

/** Answers of a model do not go among the labels of people unless that is asked for. */
function foundName(to, told) {
  return to === told.labels ? `${to}.found` : to;
}

/** @param {string[][]} rows @param {string} caption */
function tableOf([head, ...rows], caption) {
  const cell = (text, k) => (k ? make("td", {}, text) : make("th", { scope: "row" }, text));
  return make(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    make(
      "table",
      {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows.map((row) => make("tr", { className: row[0].startsWith("(") ? "control" : "" }, ...row.map(cell)))),
    ),
  );
}

function figureOf(address, name) {
  return make("img", { src: `${address}/figures/${encodeURIComponent(name)}`, alt: name.replace(".png", ""), loading: "lazy" });
}

function more(words, ...inside) {
  const parts = inside.filter(Boolean);
  return make("details", { hidden: !parts.length }, make("summary", {}, words), ...parts);
}

function freeName(runs) {
  const taken = new Set(runs.map((one) => one.name));
  let number = 1;
  while (taken.has(`study-${number}`)) number++;
  return `study-${number}`;
}

/** Write a study of what is in view. @param {string[]} paths @param {[string, string]|null} span @param {string} labels */
function studyText(paths, span, labels) {
  const [start, stop] = span ?? ["2020-01-01", "2021-01-01"];
  const seconds = (readTime(stop) - readTime(start)) / 1000;
  const cadence = (CADENCES.find(([, one]) => seconds / one <= 5000) ?? CADENCES.at(-1))[0];
  const block = Math.max(Math.round(seconds / 15), 1);
  const quoted = (text) => JSON.stringify(text);
  const products = paths.map((path) => `${quoted(path.slice(path.lastIndexOf("/") + 1))} = ${quoted(path)}`);
  return [
    'task = "events"', "seeds = 2", "",
    "[data]", 'layout = "products"', "",
    "[data.options]", `start = ${quoted(start)}`, `stop = ${quoted(stop)}`, `cadence = ${quoted(cadence)}`,
    `labels = ${quoted(labels || "name of a catalogue")}`, "",
    "[data.options.products]", ...(products.length ? products : ['# column = "path of a series"']), "",
    "[split]", 'time_on = "time"', `block = "${block}s"`, "folds = 4", "",
    "[[features]]", 'use = "columns"', "", "[[models]]", 'use = "logistic"', "", "[[models]]", 'use = "extra_trees"', "",
  ].join("\n");
}

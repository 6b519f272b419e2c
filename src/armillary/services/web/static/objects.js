// The page of a table of sources: one state, kept in the address; four linked views and a panel follow it.
import { colourTable } from "../renderer/colours.js";
import { DESK, Waiting, askJson } from "./calls.js";
import { byId, make } from "./elements.js";
import { Objects, decodeMessage, paletteColour, usualRange } from "./object-data.js";
import { readState, requestOf, writeState } from "./object-address.js";
import { Labels } from "./object-labels.js";
import { Panel, choice } from "./object-panel.js";
import { Plot } from "./object-plot.js";
import { drawNothing, drawSed, facts } from "./object-sed.js";
import { maskOf, simplified } from "./object-select.js";
import { fromFrame, graticule, inFrame, middleOf, project, projector, unprojector } from "./object-sky.js";
import { Training } from "./object-training.js";
import { Status } from "./status.js";

const FIRST = { one: [["BP-RP", "G_abs"], ["BP-RP", "G"], ["J-Ks", "J"]], two: [["H-Ks", "J-H"], ["W1-W2", "J-Ks"], ["BP-RP", "G-RP"]] };
const REST = 90;

export class Page {
  constructor() {
    this.status = new Status();
    this.state = readState(location.search);
    this.embedded = location.pathname.includes("/embed/");
    document.body.classList.toggle("embedded", this.embedded);
    /** @type {Map<string, Promise<any>>} */
    this.told = new Map();
    const acts = (name) => ({
      moved: () => this.moved(name),
      lassoed: (points, how) => this.lassoed(name, points, how),
      pointed: (row) => row >= 0 && this.look(row, false),
      chosen: (row) => this.look(row, true),
      step: (by) => this.step(by),
      drag: () => document.querySelector("#drag input:checked")?.value ?? "move",
    });
    this.plots = Object.fromEntries(["sky", "one", "two"].map((name) => {
      const section = byId(name);
      return [name, new Plot(section.querySelector(".plot"), section.getAttribute("aria-label"), acts(name))];
    }));
    this.panel = new Panel(this);
    this.labels = new Labels(this);
    this.training = new Training(this);
    this.listen();
  }

  async begin() {
    if (!this.state.table) return this.fail({ message: "No table is named", nextStep: "choose a leaf of sources in the tree, and press Explore" });
    const waiting = new Waiting("objects", [["request", requestOf(this.state)]], (fraction, message) => this.status.tell(fraction, message));
    this.status.busy("Reading the table", () => waiting.cancel());
    const began = performance.now();
    this.data = new Objects(await (await waiting.answer).arrayBuffer());
    byId("title").textContent = document.title = this.data.title;
    byId("notes").replaceChildren(...this.data.notes.map((one) => make("p", { className: "faint" }, one)));
    this.complete();
    this.fillAxes();
    this.arrange();
    this.recolour();
    await Promise.all([this.fillRuns(), this.labels.open()]);
    this.training.show();
    this.recolour();
    this.select(false);
    if (this.state.run) await this.useRun(this.state.run, this.state.colour);
    if (this.state.at) this.look(this.data.rowOf(this.state.at), true);
    else drawNothing(byId("sed-plot"));
    this.keep(true);
    this.status.say(`${this.data.count.toLocaleString("en")} sources drawn in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    document.body.dataset.ready = "yes";
  }

  /** Fill in what the address leaves open. */
  complete() {
    const { state, data } = this;
    for (const name of ["one", "two"]) {
      if (state[name].every((axis) => axis && data.knows(axis)) && state[name].length === 2) continue;
      const known = FIRST[name].find((pair) => pair.every((axis) => data.knows(axis)));
      state[name] = known ?? [data.axes()[0] ?? "ra", data.axes()[1] ?? "dec"];
      delete state.ranges[name];
    }
    const middle = middleOf(data.ra, data.dec, state.frame);
    state.projection ||= middle.narrow ? "tangent" : "mollweide";
    this.home = middle;
    if (!state.colour) state.colour = state.run ? "class" : data.classes.has("class") ? "class" : "";
  }

  projection() {
    const [lon, lat] = this.state.middle ?? [this.home.lon, this.home.lat];
    const { projection: kind, frame } = this.state;
    return { kind, frame, lon: kind === "mollweide" ? (frame === "galactic" ? 0 : Math.round(lon / 90) * 90) : lon, lat };
  }

  /** Put numbers into the plots. */
  arrange() {
    const { data, state } = this;
    for (const name of ["one", "two"]) {
      const [x, y] = state[name];
      const [xs, ys] = [data.values(x), data.values(y)];
      const flips = { flipX: data.isMagnitude(x) && !x.includes("-"), flipY: data.isMagnitude(y) && !y.includes("-") };
      this.plots[name].show(xs, ys, [...usualRange(xs), ...usualRange(ys)], [data.words(x), data.words(y)], flips);
    }
    const projection = this.projection();
    [this.skyX, this.skyY] = project(data.ra, data.dec, projection);
    const whole = projection.kind === "mollweide" ? [-170, 170, -88, 88] : [...usualRange(this.skyX), ...usualRange(this.skyY)];
    const words = state.frame === "galactic" ? ["l [deg]", "b [deg]"] : ["RA [deg]", "Dec [deg]"];
    this.plots.sky.show(this.skyX, this.skyY, whole, words, { flipX: true, square: true });
    this.plots.sky.grid = graticule(projection);
    for (const [name, plot] of Object.entries(this.plots)) {
      if (state.ranges[name]) plot.range(/** @type {any} */ (state.ranges[name]));
      else plot.home();
      plot.draw();
    }
  }

  fillAxes() {
    const names = this.data.axes();
    for (const name of ["one", "two"]) {
      byId(name).querySelectorAll("select").forEach((field, k) => {
        choice(field, names.map((one) => [one, this.data.words(one)]), this.state[name][k]);
        field.onchange = () => {
          this.state[name] = /** @type {[string, string]} */ (this.state[name].map((old, at) => (at === k ? field.value : old)));
          delete this.state.ranges[name];
          this.arrange();
          this.keep();
        };
      });
    }
    byId("projection").value = this.state.projection;
    byId("frame").value = this.state.frame;
  }

  async fillRuns() {
    const told = await askJson("objects/runs", [["request", requestOf(this.state)]]).catch(() => []);
    this.runs = told;
    choice(byId("run"), [["", "none"], ...told.map((one) => [one.name, one.title])], this.state.run);
    this.fillColours();
  }

  fillColours() {
    const { data } = this;
    const names = [...data.classes.keys(), ...Array.from(data.byName.keys()).filter((one) => !one.startsWith("P("))];
    choice(byId("colour"), [["", "none"], ...names.map((one) => [one, one])], this.state.colour);
  }

  /** Ask the model of the chosen run about all sources. */
  async answer() {
    const pairs = /** @type {[string, string][]} */ ([["request", requestOf(this.state)], ["run", this.state.run]]);
    const waiting = new Waiting("objects/answers", pairs, (fraction, message) => this.status.tell(fraction, message));
    this.status.busy("Asking the model", () => waiting.cancel());
    try {
      const told = decodeMessage(await (await waiting.answer).arrayBuffer());
      this.take(told);
      this.status.say(`${told.title} answered for ${told.known.toLocaleString("en")} sources`);
    } catch (broken) {
      this.fail(broken);
    }
  }

  take(told) {
    const { data } = this;
    this.answers = told;
    const wide = told.classes.length;
    data.classes.set("class", { name: "class", names: ["", ...told.classes], codes: told.said });
    data.classes.set("trust", { name: "trust", names: ["", ...told.states], codes: told.trust });
    const best = new Float32Array(data.count).fill(NaN);
    for (let k = 0; k < data.count; k++) if (told.said[k]) best[k] = told.probabilities[k * wide + told.said[k] - 1];
    data.add("probability", "", "Probability of the class that is said", best);
    told.classes.forEach((name, at) => {
      const one = new Float32Array(data.count);
      for (let k = 0; k < data.count; k++) one[k] = told.probabilities[k * wide + at];
      data.add(`P(${name})`, "", `Probability of ${name}`, one);
    });
    this.fillColours();
    this.fillAxes();
  }

  /** What the model says of one source, for its picture. */
  answerOf(row) {
    const told = this.answers;
    if (!told) return null;
    const wide = told.classes.length;
    return {
      classes: told.classes, said: told.said[row] ? told.classes[told.said[row] - 1] : "",
      probabilities: Array.from(told.probabilities.subarray(row * wide, row * wide + wide)),
      set: told.classes.filter((_, k) => told.sets[row * wide + k]), trust: told.trust[row] ? told.states[told.trust[row] - 1] : "",
    };
  }

  /** Work out colours and the order of painting: rare classes last, so that they are seen. */
  recolour() {
    const { data, state } = this;
    const coded = data.classes.get(state.colour);
    const colours = new Uint32Array(data.count);
    if (coded) this.byClass(coded, colours);
    else this.byNumber(state.colour, colours);
    this.panel.legend();
    this.repaint();
  }

  byClass(coded, colours) {
    const { data, state } = this;
    const counts = new Uint32Array(coded.names.length);
    for (let k = 0; k < data.count; k++) counts[coded.codes[k]] += 1;
    const table = coded.names.map((name, k) => packed(name ? paletteColour(k - (coded.names[0] === "" ? 1 : 0)) : "#9aa0a6"));
    for (let k = 0; k < data.count; k++) colours[k] = table[coded.codes[k]];
    const shown = coded.names.map((_, k) => k).filter((k) => !state.hidden.includes(coded.names[k]));
    const places = new Map(shown.sort((a, b) => counts[b] - counts[a]).map((k, place) => [k, place]));
    const starts = shown.map((_, place) => shown.slice(0, place).reduce((sum, k) => sum + counts[k], 0));
    const order = new Uint32Array(shown.reduce((sum, k) => sum + counts[k], 0));
    for (let k = 0; k < data.count; k++) {
      const place = places.get(coded.codes[k]);
      if (place !== undefined) order[starts[place]++] = k;
    }
    this.painting = { colours, order, counts, coded };
  }

  byNumber(name, colours) {
    const { data } = this;
    const order = Uint32Array.from({ length: data.count }, (_, k) => k);
    this.painting = { colours, order, range: null };
    if (!name || !data.knows(name)) {
      colours.fill(packed("#2f7fc1"));
      return;
    }
    const [values, table] = [data.values(name), colourTable("viridis")];
    const [low, high] = usualRange(values);
    for (let k = 0; k < data.count; k++) {
      const share = (values[k] - low) / (high - low);
      colours[k] = share === share ? table[Math.max(0, Math.min(255, Math.round(share * 255)))] : 0xffa6a09a;
    }
    this.painting.range = [low, high];
  }

  repaint() {
    const { colours, order } = this.painting;
    for (const plot of Object.values(this.plots)) plot.look({ colours, order, selected: this.mask ?? new Uint8Array(this.data.count), any: this.any ?? false, density: !this.painting.coded && !this.painting.range });
  }

  /** Follow the steps of the selection. */
  select(keep = true) {
    const { data, state } = this;
    const values = (axis) => (data.knows(axis) ? data.values(axis) : new Float32Array(data.count).fill(NaN));
    const steps = state.steps.map((one) => this.onPlane(one));
    this.mask = maskOf(/** @type {any} */ (steps), data.count, (axis) => (axis === "·x" ? this.skyX : axis === "·y" ? this.skyY : values(axis)), (name) => data.classes.get(name), (name) => data.rowOf(name));
    this.any = state.steps.length > 0;
    this.chosen = [];
    for (let k = 0; k < data.count; k++) if (this.mask[k]) this.chosen.push(k);
    this.repaint();
    this.panel.selection();
    if (keep) {
      this.keep();
      this.status.say(this.any ? `${this.chosen.length.toLocaleString("en")} sources are selected` : "Nothing is selected");
    }
    if (this.embedded && parent !== window) this.tellParent();
  }

  /** A polygon on the sky is kept as right ascension and declination, and put on the plane of now. */
  onPlane(step) {
    if (step.kind !== "polygon" || step.x !== "ra") return step;
    const [put, { frame }] = [projector(this.projection()), this.state];
    return { ...step, x: "·x", y: "·y", points: step.points.map(([ra, dec]) => put(...inFrame(ra, dec, frame))) };
  }

  tellParent() {
    const ids = this.chosen.slice(0, 10000).map((row) => this.data.names()[row]);
    parent.postMessage({ armillary: "selection", count: this.chosen.length, ids }, "*");
  }

  lassoed(name, points, how) {
    const polygon = simplified(points);
    const [x, y] = name === "sky" ? ["ra", "dec"] : this.state[name];
    const back = unprojector(this.projection());
    const placed = name === "sky" ? polygon.map(([px, py]) => fromFrame(...back(px, py), this.state.frame)) : polygon;
    this.addStep({ how, kind: "polygon", x, y, points: /** @type {any} */ (placed) });
  }

  /** @param {import("./object-select.js").Step|null} step null takes the selection away */
  addStep(step) {
    const kept = step && step.how !== "set" ? this.state.steps : [];
    this.state.steps = step ? [...kept, step] : [];
    this.select();
  }

  /** Look at a source; `fixed` until another one is chosen. */
  look(row, fixed) {
    if (!fixed && this.state.at) return;
    if (fixed) {
      const name = row >= 0 ? this.data.names()[row] : "";
      if (this.state.at !== name) this.state.at = name;
      this.keep();
    }
    this.row = row;
    for (const plot of Object.values(this.plots)) plot.point(row);
    this.panel.follow(row);
    clearTimeout(this.resting);
    if (row < 0) return;
    this.resting = setTimeout(() => this.show(row, fixed), fixed ? 0 : REST);
  }

  async show(row, fixed) {
    const name = this.data.names()[row];
    try {
      const told = await this.about(name);
      if (this.row !== row) return;
      drawSed(byId("sed-plot"), told, this.answerOf(row));
      byId("sed-name").textContent = name;
      const link = byId("sed-link");
      link.href = `${DESK}source/${encodeURIComponent(name)}${location.search}`;
      link.hidden = this.embedded;
      if (fixed) this.status.say(`${name}: ${facts(told)}${this.said(row)}`);
    } catch (broken) {
      this.fail(broken);
    }
  }

  said(row) {
    const one = this.answerOf(row);
    return one?.said ? `; ${one.said}, ${one.trust}` : "";
  }

  about(name) {
    if (!this.told.has(name)) {
      if (this.told.size > 500) this.told.clear();
      this.told.set(name, askJson("objects/source", [["request", requestOf(this.state)], ["id", name]]));
    }
    return /** @type {Promise<any>} */ (this.told.get(name));
  }

  /** Go to the next source: of the selection, or of those that are drawn. */
  step(by) {
    const rows = this.any ? this.chosen : this.painting.order;
    if (!rows.length) return;
    const at = rows.indexOf(this.row ?? -1);
    this.look(rows[at < 0 ? 0 : (at + by + rows.length) % rows.length], true);
  }

  moved(name) {
    this.state.ranges[name] = this.plots[name].edges();
    this.keep();
  }

  /** Write the state into the address; a new one does not become a step of the history while it moves. */
  keep() {
    history.replaceState(null, "", writeState(this.state));
  }

  listen() {
    byId("colour").onchange = () => {
      Object.assign(this.state, { colour: byId("colour").value, hidden: [] });
      this.recolour();
      this.keep();
    };
    byId("run").onchange = () => this.useRun(byId("run").value);
    for (const name of ["projection", "frame"]) {
      byId(name).onchange = () => {
        Object.assign(this.state, { [name]: byId(name).value, middle: null });
        delete this.state.ranges.sky;
        this.home = middleOf(this.data.ra, this.data.dec, this.state.frame);
        this.arrange();
        this.select();
      };
    }
    byId("share").onclick = () => this.share();
    byId("saving").ontoggle = () => this.panel.saving(byId("save-menu"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Object.values(this.plots).forEach((plot) => plot.draw()));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  async useRun(name, colour = "class") {
    this.state.run = name;
    if (name) {
      this.state.colour = colour;
      await this.answer();
    }
    this.recolour();
    this.select(false);
    this.keep();
    if (this.row >= 0) this.show(this.row, true);
    this.training.chosen().catch((broken) => this.fail(broken));
  }

  key(event) {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target?.tagName) && event.target.type !== "radio";
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const kind = { m: "move", b: "box", l: "lasso" }[event.key];
    if (kind) document.querySelector(`#drag input[value=${kind}]`).checked = true;
    else if (event.key === "Escape") this.training.close() || this.addStep(null);
    else if (event.key === "u") this.labels.undo();
  }

  async share() {
    try {
      await navigator.clipboard.writeText(location.href);
      this.status.say("The link to this view is copied");
    } catch {
      this.status.say(`Copy the address of the page: ${location.href}`);
    }
  }

  /** @param {any} broken */
  fail(broken) {
    const words = [broken.message, broken.nextStep].filter(Boolean).join("; ");
    byId("problems").replaceChildren(make("p", {}, words));
    this.status.say("This did not work");
  }

  forgive() {
    byId("problems").replaceChildren();
  }
}

/** @param {string} colour "#rrggbb" @returns {number} as a pixel */
function packed(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

const page = new Page();
Object.assign(window, { objects: page });
page.begin().catch((broken) => page.fail(broken));

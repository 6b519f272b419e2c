// Proposals of a model on the picture: look at each, move its edges, accept it or reject it.
import { ask, askJson, Problem } from "./calls.js";
import { button, make } from "./elements.js";
import { readTime, rounded, writeTime } from "./times.js";

const ENDING = ".proposals";
/** How often it is looked whether others have changed something, ms. */
const LOOK = 2000;
/** So many bands are drawn at once. */
const MOST = 400;
/** Width of a letter of a label, pixels. */
const LETTER = 6.2;
/** Widest label, pixels; as in desk.css. */
const LONGEST = 180;
const KEYS = { n: "next", p: "previous", a: "accept", r: "reject", u: "undo" };

/** @param {string} name @returns {boolean} whether a catalogue holds proposals */
export function isProposals(name) {
  return name.endsWith(ENDING);
}

/**
 * @typedef {{id: string, version: number, start: string|null, stop: string|null, from: number, to: number, label: string, class: string,
 *   probability: number|null, trust: string|null, model: string}} Proposal
 */

export class Review {
  /**
   * @param {HTMLElement} root the picture
   * @param {HTMLElement} bar
   * @param {{panels: () => any, go: (span: [string, string]) => void, changed: (name: string) => void,
   *   fail: (broken: any) => void}} acts
   */
  constructor(root, bar, acts) {
    Object.assign(this, { root, bar, acts });
    this.name = "";
    this.revision = -1;
    /** @type {Proposal[]} */
    this.rows = [];
    this.chosen = "";
    /** @type {{id: string, start: string, stop: string, from: number, to: number}|null} edges that were moved and not sent yet */
    this.draft = null;
    /** @type {number[]} changes that this page made */
    this.done = [];
    this.layer = make("div", { className: "review-bands" });
    this.bands = new Map();
    this.fill();
    root.addEventListener("drawn", () => this.place());
    document.addEventListener("keydown", (event) => this.key(event));
    setInterval(() => this.look(), LOOK);
  }

  /** Show the proposals among the catalogues of a view. @param {string[]} catalogues */
  async show(catalogues) {
    const name = (catalogues.find(isProposals) ?? "").slice(0, -ENDING.length);
    this.bar.hidden = !name;
    if (name === this.name) return;
    Object.assign(this, { name, rows: [], chosen: "", draft: null, done: [] });
    this.heading.textContent = name && `Proposals for ${name}`;
    this.place();
    if (name) await this.load();
  }

  /** Read the open proposals; the chosen one stays, or the next takes its place. */
  async load() {
    const name = this.name;
    const told = await askJson(`catalogues/${encodeURIComponent(name)}/proposals`);
    if (name !== this.name) return;
    const at = Math.max(this.index, 0);
    this.rows = told.proposals.map((one) => ({ ...one, from: one.start && readTime(one.start), to: one.stop && readTime(one.stop) }));
    this.revision = told.revision;
    if (this.index < 0) this.chosen = (this.rows[at] ?? this.rows.at(-1))?.id ?? "";
    if (this.draft && !this.rows.some((one) => one.id === this.draft.id)) this.draft = null;
    this.write();
  }

  /** See whether somebody has changed catalogues, and show it. */
  async look() {
    if (!this.name || document.hidden || this.busy) return;
    const told = await askJson("catalogues").catch(() => null);
    if (!told || this.busy || told.revision === this.revision) return;
    const before = JSON.stringify(this.rows);
    await this.load().catch((broken) => this.acts.fail(broken));
    if (JSON.stringify(this.rows) === before) return;
    this.say(`Changed elsewhere. ${this.left()}`);
    this.acts.changed("");
  }

  get index() {
    return this.rows.findIndex((one) => one.id === this.chosen);
  }

  /** The chosen proposal with its moved edges. @returns {Proposal|undefined} */
  get row() {
    const row = this.rows[this.index];
    return row && this.draft?.id === row.id ? { ...row, ...this.draft } : row;
  }

  fill() {
    this.heading = make("h2", {});
    this.which = make("p", { className: "which" });
    this.said = make("p", { role: "status", className: "faint" });
    const act = (words, name, key) => {
      const made = button(words, () => this[name](), { "aria-keyshortcuts": key });
      made.append(make("kbd", { "aria-hidden": "true" }, key));
      return made;
    };
    this.buttons = make(
      "p",
      { className: "acts" },
      act("Previous", "previous", "p"),
      act("Next", "next", "n"),
      act("Accept", "accept", "a"),
      act("Reject", "reject", "r"),
      act("Undo", "undo", "u"),
    );
    const edge = (label, name) => {
      const field = make("input", { autocomplete: "off", spellcheck: false });
      field.addEventListener("change", () => this.typed(name, field));
      this[`${name}Field`] = field;
      return make("label", {}, make("span", {}, label), field);
    };
    this.buttons.append(edge("from", "start"), edge("to", "stop"));
    this.bar.replaceChildren(make("div", { className: "what" }, this.heading, this.which), this.buttons, this.said);
  }

  /** Write what the bar says, and draw the bands. */
  write() {
    const { row, index } = this;
    this.which.textContent = row ? `${index + 1} of ${this.rows.length}: ${words(row)}` : "There is no open proposal.";
    for (const [name, field] of [["start", this.startField], ["stop", this.stopField]]) {
      field.value = row?.[name] ? short(row[name]) : "";
      field.disabled = !row?.start;
      field.setCustomValidity("");
    }
    const [previous, next, accept, reject, undo] = this.buttons.querySelectorAll("button");
    previous.disabled = next.disabled = this.rows.length < 2;
    accept.disabled = reject.disabled = !row;
    undo.disabled = !this.done.length;
    this.place();
  }

  /** Tell what happened; what stands on the bar anyhow is told to screen readers only. */
  say(text, heard = "") {
    this.said.replaceChildren(text, make("span", { className: "unseen" }, heard));
  }

  left() {
    return `${this.rows.length} left.`;
  }

  key(event) {
    if (!this.name || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const from = /** @type {HTMLElement} */ (event.target);
    const ours = from === document.body || this.root.contains(from) || this.bar.contains(from);
    if (!ours || from.closest("input, select, textarea") || !(event.key in KEYS)) return;
    event.preventDefault();
    this[KEYS[event.key]]();
  }

  next() {
    this.step(1);
  }

  previous() {
    this.step(-1);
  }

  step(by) {
    const count = this.rows.length;
    if (count) this.choose(this.rows[(Math.max(this.index, 0) + by + count) % count].id);
  }

  /** Look at a proposal, and bring its time into the picture. @param {string} id */
  choose(id) {
    this.chosen = id;
    this.draft = null;
    this.write();
    if (!this.row) return;
    this.say("", this.which.textContent);
    this.bring();
  }

  bring() {
    const panels = this.acts.panels();
    if (!panels || !this.row?.start) return;
    const [start, stop] = [readTime(this.row.start), readTime(this.row.stop)];
    if (start >= panels.start && stop <= panels.stop) return;
    const half = Math.max(panels.stop - panels.start, 3 * (stop - start)) / 2;
    const middle = (start + stop) / 2;
    this.acts.go([writeTime(Math.floor(middle - half)), writeTime(Math.ceil(middle + half))]);
  }

  accept() {
    return this.decide("accepted", "Accepted");
  }

  reject() {
    return this.decide("rejected", "Rejected");
  }

  /** Send a decision on the chosen proposal; a mended one stays open. */
  async decide(status, verb) {
    const { row } = this;
    if (!row || this.busy) return;
    const moved = this.draft ? { start: row.start, stop: row.stop } : {};
    const done = await this.send("", { status, rows: { [row.id]: row.version }, ...moved });
    if (!done) return;
    this.done.push(done.change);
    this.draft = null;
    await this.load().catch((broken) => this.acts.fail(broken));
    const next = status !== "proposed" && this.row ? ` Next: ${words(this.row)}` : "";
    this.say(`${verb} ${words({ ...row, ...(done.proposals[0] ?? {}) })}. ${this.left()}`, next);
    if (status === "accepted") this.acts.changed(this.name);
    if (status !== "proposed") this.bring();
  }

  async undo() {
    const change = this.done.at(-1);
    if (change === undefined || this.busy) {
      if (change === undefined) this.say("This page has changed nothing that could be undone.");
      return;
    }
    const before = new Set(this.rows.map((one) => one.id));
    if (!(await this.send("/undo", { change }))) return;
    this.done.pop();
    await this.load().catch((broken) => this.acts.fail(broken));
    const back = this.rows.find((one) => !before.has(one.id));
    if (back) this.chosen = back.id;
    this.write();
    this.say(`Undone. ${this.left()}`, this.row ? ` Now: ${words(this.row)}` : "");
    this.acts.changed("");
    this.bring();
  }

  /** Send something; a conflict is told, and what others did is shown. @returns {Promise<any>} null if it was refused */
  async send(more, body) {
    this.busy = true;
    const how = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    try {
      return await (await ask(`catalogues/${encodeURIComponent(this.name)}/proposals${more}`, [], how)).json();
    } catch (broken) {
      this.draft = null;
      await this.load().catch(() => this.write());
      const said = broken instanceof Problem ? `${broken.message}; ${broken.nextStep}` : String(broken);
      this.say(`Nothing was changed: ${said}`);
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** Take an edge that was typed. */
  typed(name, field) {
    const ms = readTime(field.value);
    const said = Number.isNaN(ms) ? "Write a time like 2015-10-17T04:30 (UTC)." : "The start must come before the end.";
    const good = !Number.isNaN(ms) && this.move(name, ms);
    field.setCustomValidity(good ? "" : said);
    if (good) this.mend(name);
    else field.reportValidity();
  }

  /** Move an edge here only. @returns {boolean} whether it may lie there */
  move(name, ms) {
    const { row } = this;
    if (!row?.start) return false;
    const moved = { id: row.id, start: row.start, stop: row.stop, [name]: writeTime(ms) };
    if (!(readTime(moved.start) < readTime(moved.stop))) return false;
    this.draft = { ...moved, from: readTime(moved.start), to: readTime(moved.stop) };
    this.write();
    return true;
  }

  /** Keep a moved edge: a new version of the proposal. */
  mend(name) {
    if (!this.draft) return undefined;
    return this.decide("proposed", name === "start" ? "Moved the start:" : "Moved the end:");
  }

  /** Put the bands where their times are seen. */
  place() {
    const panels = this.acts.panels();
    const timed = panels?.boxes?.filter((_, k) => panels.view.panels[k]?.x.time) ?? [];
    if (!this.name || !timed.length) {
      this.layer.remove();
      return;
    }
    if (this.layer.parentElement !== this.root) this.root.append(this.layer);
    const seen = this.rows.filter((one) => one.start && one.to > panels.start && one.from < panels.stop);
    const shown = seen.length > MOST ? seen.filter((one, k) => k < MOST || one.id === this.chosen) : seen;
    const wanted = new Set(shown.map((one) => one.id));
    for (const [id, band] of this.bands) {
      if (wanted.has(id)) continue;
      band.remove();
      this.bands.delete(id);
    }
    const box = { left: timed[0].left, right: timed[0].left + timed[0].width, top: timed[0].top };
    const height = Math.max(...timed.map((one) => one.top + one.height)) - box.top;
    let written = -Infinity;
    for (const one of shown.sort((a, b) => a.from - b.from)) {
      const [left, right, chip] = this.placeBand(panels, one, box, height);
      const long = Math.min(one.label.length * LETTER + 16, LONGEST);
      const before = left + long > box.right;
      const from = before ? right - long : left;
      const tight = from < written && one.id !== this.chosen;
      chip.classList.toggle("before", before);
      chip.classList.toggle("tight", tight);
      if (!tight) written = from + long;
    }
  }

  /** @returns {[number, number, HTMLElement]} where it begins and ends, and its label */
  placeBand(panels, row, box, height) {
    const chosen = row.id === this.chosen;
    const now = chosen && this.draft ? this.row : row;
    const band = this.bands.get(row.id) ?? this.makeBand(row.id);
    const [from, to] = [panels.pixel(now.from), panels.pixel(now.to)];
    const [left, right] = [Math.max(from, box.left), Math.min(Math.max(to, from + 2), box.right)];
    Object.assign(band.style, { left: `${left}px`, width: `${right - left}px`, top: `${box.top}px`, height: `${height}px` });
    band.classList.toggle("chosen", chosen);
    this.nameBand(band, row, now, chosen);
    const [chip, ...edges] = band.children;
    edges.forEach((edge, k) => {
      const pixel = k ? to : from;
      edge.hidden = !chosen || pixel < box.left - 1 || pixel > box.right + 1;
      if (edge.hidden) return;
      edge.setAttribute("aria-valuemin", String(panels.start));
      edge.setAttribute("aria-valuemax", String(panels.stop));
    });
    return [left, right, /** @type {HTMLElement} */ (chip)];
  }

  /** Write what a band says, where that has changed. */
  nameBand(band, row, now, chosen) {
    const key = `${row.version} ${chosen} ${now.start} ${now.stop}`;
    if (band.dataset.said === key) return;
    band.dataset.said = key;
    const [chip, ...edges] = band.children;
    chip.textContent = row.label;
    chip.setAttribute("aria-label", `Proposal ${words(now)}`);
    chip.setAttribute("aria-pressed", String(chosen));
    edges.forEach((edge, k) => {
      edge.setAttribute("aria-valuenow", String(k ? now.to : now.from));
      edge.setAttribute("aria-valuetext", k ? now.stop : now.start);
    });
  }

  makeBand(id) {
    const chip = button("", () => this.choose(id), { className: "chip" });
    const band = make("div", { className: "review-band" }, chip, this.makeEdge("start"), this.makeEdge("stop"));
    this.bands.set(id, band);
    this.layer.append(band);
    return band;
  }

  makeEdge(name) {
    const label = name === "start" ? "Start of the proposal" : "End of the proposal";
    const edge = make("span", { className: `edge ${name}`, role: "slider", tabIndex: 0, "aria-label": label });
    edge.addEventListener("pointerdown", (event) => this.grab(event, edge));
    edge.addEventListener("pointermove", (event) => this.drag(event, edge, name));
    edge.addEventListener("pointerup", () => this.mend(name));
    edge.addEventListener("keydown", (event) => this.nudge(event, name));
    edge.addEventListener("keyup", (event) => event.key.startsWith("Arrow") && this.mend(name));
    return edge;
  }

  grab(event, edge) {
    if (event.button !== 0) return;
    edge.setPointerCapture(event.pointerId);
    edge.focus();
    event.preventDefault();
  }

  drag(event, edge, name) {
    if (!edge.hasPointerCapture(event.pointerId)) return;
    const panels = this.acts.panels();
    const k = panels.view.panels.findIndex((panel) => panel.x.time);
    const { from, to } = panels.rulers(k).x;
    const x = event.clientX - this.root.getBoundingClientRect().left;
    const part = Math.min(Math.max((x - from) / (to - from), 0), 1);
    const length = panels.stop - panels.start;
    this.move(name, rounded(panels.start + part * length, length));
  }

  /** Move an edge by the keyboard: a 500th of what is seen, with Shift ten times as far. */
  nudge(event, name) {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    const panels = this.acts.panels();
    if (!way || !panels || !this.row?.start) return;
    event.preventDefault();
    const length = panels.stop - panels.start;
    this.move(name, rounded(readTime(this.row[name]) + (way * length * (event.shiftKey ? 10 : 1)) / 500, length));
  }
}

/** @param {any} row @returns {string} */
function words(row) {
  const parts = [row.class || "event"];
  if (typeof row.probability === "number") parts.push(`probability ${row.probability.toFixed(2)}`);
  if (row.trust) parts.push(`trust ${row.trust}`);
  if (row.start) parts.push(`${short(row.start)} to ${short(row.stop)}`);
  else parts.push(row.source_id || `${row.ra}, ${row.dec}`);
  return parts.join(", ");
}

/** @param {string} time */
function short(time) {
  return time.replace(/(:00)?(\.\d+)?Z$/, "");
}

// The workbench: one state, kept in the address; everything on the page follows it.
import { readAddress, readRequest, writeAddress, writeRequest } from "./address.js";
import { button, byId, make } from "./elements.js";
import { showCatalogues } from "./events.js";
import { Learn } from "./learn.js";
import { Picture } from "./picture.js";
import { aboutProduct, showAbout, showList } from "./products.js";
import { Review } from "./review.js";
import { fillMenu } from "./saving.js";
import { Status } from "./status.js";
import { lengthInWords, readTime, widened, writeTime } from "./times.js";
import { Tree } from "./tree.js";
import { welcome } from "./welcome.js";

/** @typedef {import("./address.js").State} State */

class Desk {
  constructor() {
    this.status = new Status();
    /** @type {State} */
    this.state = readAddress(location.search);
    this.picture = new Picture(byId("picture"), {
      moved: (span) => this.change({ span }),
      pointed: (at) => this.change({ at }),
      drawn: (view, seconds) => this.drawn(view, seconds),
      problems: (all) => this.showProblems(all),
      busy: (words, stop) => this.status.busy(words, stop),
      tell: (fraction, message) => this.status.tell(fraction, message),
      ended: (words) => this.status.say(words),
    });
    const acts = {
      add: (path) => this.add([path]),
      select: (leaf) => this.select(leaf.path),
      fail: (broken) => this.fail(broken),
    };
    this.tree = new Tree(byId("tree"), byId("search"), byId("found"), acts);
    this.review = new Review(byId("picture"), byId("review"), {
      panels: () => this.picture.panels,
      go: (span) => this.change({ span }),
      changed: (name) => this.drawWith(name),
      fail: (broken) => this.fail(broken),
    });
    this.learn = new Learn(byId("learn"), {
      state: () => this.state,
      about: aboutProduct,
      draw: (name) => this.drawWith(name),
    });
    this.listen();
  }

  async begin() {
    history.replaceState(null, "", writeAddress(this.state));
    this.tree.search();
    await this.draw();
  }

  /**
   * Go to another state; it becomes a step of the browser's history.
   * @param {Partial<State>} what
   */
  change(what) {
    this.state = { ...this.state, ...what };
    const address = writeAddress(this.state);
    if (address !== location.pathname + location.search) history.pushState(null, "", address);
    return this.draw();
  }

  /** Draw anew, with the events of a catalogue if there is a name. @param {string} name */
  drawWith(name) {
    const { catalogues } = this.state;
    if (!name || catalogues.includes(name)) return this.draw();
    return this.change({ catalogues: [...catalogues, name] });
  }

  async draw() {
    const empty = this.state.shown.length === 0;
    byId("below").hidden = byId("picture").hidden = byId("learn").hidden = empty;
    byId("welcome").hidden = !empty;
    document.body.classList.toggle("empty", empty);
    this.writeTimes();
    this.showProblems([]);
    document.title = this.title();
    if (empty) this.status.say("Ready");
    this.fillAround(empty);
    const { state } = this;
    this.review.show(empty ? [] : state.catalogues).catch((broken) => this.fail(broken));
    await this.picture.draw(state);
  }

  /** Fill what stands around the picture. */
  fillAround(empty) {
    const { state } = this;
    const work = empty
      ? [welcome(byId("welcome"))]
      : [this.list(new Map()), showCatalogues(byId("catalogues"), state.catalogues, (catalogues) => this.change({ catalogues }))];
    for (const one of work) one.catch((broken) => this.fail(broken));
  }

  list(notes) {
    return showList(byId("shown"), this.state, notes, (shown) => this.change({ shown }));
  }

  title() {
    const names = this.state.shown.map((one) => one.product.slice(one.product.lastIndexOf("/") + 1));
    return [names.join(", "), "Armillary"].filter(Boolean).join(" · ");
  }

  drawn(view, seconds) {
    if (!this.state.span && this.picture.span) {
      this.state = { ...this.state, span: this.picture.span };
      history.replaceState(null, "", writeAddress(this.state));
      this.writeTimes();
    }
    const count = view.panels.length;
    const span = this.picture.span?.map(readTime);
    const length = span ? `, ${lengthInWords((span[1] - span[0]) / 1000)}` : "";
    this.status.say(`${count} panel${count === 1 ? "" : "s"}${length}, drawn in ${seconds.toFixed(1)} s`);
    this.status.countCache();
  }

  /** Add products to the picture. @param {string[]} paths */
  add(paths) {
    const has = new Set(this.state.shown.map(writeRequest));
    const found = paths.map((path) => ({ product: path, params: {}, more: {} }));
    const fresh = found.filter((one) => !has.has(writeRequest(one)));
    if (fresh.length) this.change({ shown: [...this.state.shown, ...fresh] });
    else this.status.say("It is in the picture already");
  }

  select(path) {
    showAbout(byId("about"), path, this.state.span, (one) => this.add([one])).catch((broken) => this.fail(broken));
  }

  fail(broken) {
    this.status.say("That did not work");
    this.showProblems(broken.all ?? [broken]);
  }

  /** Say in words what went wrong: at the product where it is only empty there, above the picture else. */
  showProblems(all) {
    const empty = all.filter((one) => one.kind === "NoData" && this.picture.panels);
    if (empty.length) this.list(new Map(empty.map((one) => [writeRequest(readRequest(one.request)), one])));
    const rest = all.filter((one) => !empty.includes(one));
    byId("problems").replaceChildren(...rest.map((one) => this.problem(one)));
  }

  problem(one) {
    const said = make("p", {}, make("strong", {}, `${capital(one.message)}.`), ` ${capital(one.nextStep ?? "Try again")}. `);
    if (one.request) said.append(button("Remove it", () => this.remove(one.request)));
    said.append(button("Try again", () => this.draw()));
    return said;
  }

  /** @param {string} request a product's request, or the name of a catalogue */
  remove(request) {
    const wanted = writeRequest(readRequest(request));
    const shown = this.state.shown.filter((one) => writeRequest(one) !== wanted);
    this.change({ shown, catalogues: this.state.catalogues.filter((name) => name !== request) });
  }

  writeTimes() {
    const [start, stop] = this.state.span ?? ["", ""];
    Object.assign(byId("start"), { value: start });
    Object.assign(byId("stop"), { value: stop });
    byId("start").setCustomValidity("");
    byId("stop").setCustomValidity("");
    for (const id of ["earlier", "later", "wider"]) byId(id).disabled = !this.state.span;
  }

  /** Go to the times that were typed. */
  go() {
    const fields = [byId("start"), byId("stop")];
    const times = fields.map((field) => readTime(field.value));
    const wrong = times.findIndex((one) => Number.isNaN(one));
    const said = wrong >= 0 ? "Write a time like 2015-10-17T04:30 (UTC) or 2015-290." : "Give a later time than the start.";
    const place = wrong >= 0 ? wrong : times[0] < times[1] ? -1 : 1;
    fields.forEach((field, k) => field.setCustomValidity(k === place ? said : ""));
    if (place >= 0) fields[place].reportValidity();
    else this.change({ span: /** @type {[string, string]} */ (times.map(writeTime)) });
  }

  /** Move or widen the shown time. @param {(span: [number, number]) => number[]} how */
  shift(how) {
    if (!this.state.span) return;
    const span = how(/** @type {[number, number]} */ (this.state.span.map(readTime)));
    this.change({ span: /** @type {[string, string]} */ (span.map(writeTime)) });
  }

  /** Show all that the products cover. */
  async whole() {
    const told = await Promise.all(this.state.shown.map((one) => aboutProduct(one.product).catch(() => null)));
    const timed = told.filter((one) => one?.start);
    if (!timed.length) return;
    const start = Math.min(...timed.map((one) => readTime(one.start)));
    const stop = Math.max(...timed.map((one) => readTime(one.stop)));
    this.change({ span: [writeTime(start), writeTime(stop)] });
  }

  async share() {
    try {
      await navigator.clipboard.writeText(location.href);
      this.status.say("The link is copied; it brings this picture again");
    } catch {
      this.status.say(`The address of this page is the link: ${location.href}`);
    }
  }

  listen() {
    const on = (id, act) => byId(id).addEventListener("click", act);
    on("back", () => history.back());
    on("forward", () => history.forward());
    on("earlier", () => this.shift(([start, stop]) => [2 * start - stop, start]));
    on("later", () => this.shift(([start, stop]) => [stop, 2 * stop - start]));
    on("wider", () => this.shift((span) => widened(span, 0.5)));
    on("whole", () => this.whole());
    on("share", () => this.share());
    byId("times").addEventListener("submit", (event) => {
      event.preventDefault();
      this.go();
    });
    byId("times").addEventListener("input", (event) => event.target.setCustomValidity(""));
    window.addEventListener("popstate", () => {
      this.state = readAddress(location.search);
      this.draw();
    });
    byId("saving").addEventListener("toggle", () => this.openSaving());
    this.listenToDrops();
  }

  openSaving() {
    if (!byId("saving").open) return;
    const reports = {
      tell: (fraction, message) => this.status.tell(fraction, message),
      busy: (words, stop) => this.status.busy(words, stop),
      done: (words) => this.status.say(words),
      fail: (broken) => this.fail(broken),
    };
    fillMenu(byId("save-menu"), this.state, aboutProduct, reports).catch((broken) => this.fail(broken));
  }

  /** Whatever is dropped on the page: paths of products, one a line. */
  listenToDrops() {
    const mark = (is) => document.body.classList.toggle("dropping", is);
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("text/plain")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      mark(true);
    });
    document.addEventListener("dragleave", (event) => mark(event.relatedTarget !== null));
    document.addEventListener("dragend", () => mark(false));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      mark(false);
      const lines = (event.dataTransfer?.getData("text/plain") ?? "").split("\n").map((line) => line.trim());
      const paths = lines.filter((line) => line && line.length < 1000);
      if (paths.length) this.add(paths.slice(0, 20));
    });
  }
}

/** @param {string} words @returns {string} as a sentence begins, unless that is a name */
function capital(words) {
  return !/^[a-z]+[ ,:]/.test(words) ? words : words.charAt(0).toUpperCase() + words.slice(1);
}

const desk = new Desk();
Object.assign(window, { armillary: desk });
desk.begin();

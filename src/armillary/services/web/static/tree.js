// The tree of products: branches are asked for when they are opened; words typed above it show the leaves that hold them.
import { askJson } from "./calls.js";
import { button, make } from "./elements.js";

const TYPED = 180;
const MOST = 200;

/**
 * @typedef {{path: string, title: string, kind: string, units: string, start: string|null, stop: string|null,
 *   source: string, recipe: string}} Leaf
 * @typedef {{add: (path: string) => void, select: (leaf: Leaf) => void, fail: (broken: any) => void}} Acts
 */

/** The tree and its search. */
export class Tree {
  /**
   * @param {HTMLElement} root the element with role tree
   * @param {HTMLInputElement} field
   * @param {HTMLElement} found where the number of results is told
   * @param {Acts} acts
   */
  constructor(root, field, found, acts) {
    Object.assign(this, { root, field, found, acts });
    /** @type {WeakMap<Element, {path: string, leaf: Leaf|null}>} */
    this.told = new WeakMap();
    this.asked = 0;
    this.timer = 0;
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("click", (event) => this.click(event));
    root.addEventListener("dblclick", (event) => this.choose(itemOf(event.target)));
    root.addEventListener("dragstart", (event) => this.drag(event));
    field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), TYPED);
    });
    field.addEventListener("keydown", (event) => this.leaveField(event));
  }

  /** Show the archives, or what is searched for. */
  async search() {
    const words = this.field.value.trim();
    const number = ++this.asked;
    try {
      if (words) await this.showFound(words, number);
      else await this.showArchives(number);
    } catch (broken) {
      this.acts.fail(broken);
    }
  }

  async showFound(words, number) {
    const leaves = await askJson("search", [["words", words], ["limit", String(MOST)]]);
    if (number !== this.asked) return;
    this.fill(this.root, leaves.map((leaf) => this.item({ path: leaf.path, has_children: false, leaf }, true)));
    const count = leaves.length < MOST ? `${leaves.length}` : `The first ${MOST}`;
    this.found.textContent = leaves.length ? `${count} found` : `Nothing has all of these words. Try fewer.`;
  }

  async showArchives(number) {
    const branches = await askJson("tree");
    if (number !== this.asked) return;
    this.found.textContent = "";
    this.fill(this.root, branches.map((one) => this.item(one)));
  }

  fill(list, items) {
    list.replaceChildren(...items);
    const first = this.root.querySelector("[role=treeitem]");
    if (first && !this.root.querySelector('[tabindex="0"]')) first.tabIndex = 0;
  }

  /** @param {{path: string, has_children: boolean, leaf: Leaf|null}} branch @param {boolean} [whole] show the path too */
  item(branch, whole = false) {
    const { path, leaf } = branch;
    const name = path.slice(path.lastIndexOf("/") + 1);
    const row = make("span", { className: "row" }, make("span", { className: "twig", "aria-hidden": "true" }));
    row.append(make("span", { className: "label" }, whole && leaf ? leaf.title || name : name));
    const item = make("li", { role: "treeitem", tabIndex: -1, "aria-selected": "false" }, row);
    if (whole) item.append(make("span", { className: "path" }, path));
    if (branch.has_children) item.setAttribute("aria-expanded", "false");
    if (leaf) this.asLeaf(item, row, leaf);
    this.told.set(item, { path, leaf });
    return item;
  }

  asLeaf(item, row, leaf) {
    item.draggable = true;
    item.dataset.kind = leaf.kind;
    item.dataset.path = leaf.path;
    row.title = [leaf.title, leaf.kind, leaf.units].filter(Boolean).join(" · ");
    row.append(make("span", { className: "units" }, leaf.units));
    const add = button("+", () => this.acts.add(leaf.path), { className: "add", tabIndex: -1, title: "Add to the picture" });
    add.setAttribute("aria-hidden", "true");
    row.append(add);
  }

  async open(item) {
    if (item.getAttribute("aria-expanded") !== "false") return;
    item.setAttribute("aria-expanded", "true");
    let list = item.querySelector(":scope > [role=group]");
    if (list) return;
    list = item.appendChild(make("ul", { role: "group" }));
    try {
      const branches = await askJson("tree", [["path", this.told.get(item).path]]);
      this.fill(list, branches.map((one) => this.item(one)));
      const only = list.children.length === 1 ? list.children[0] : null;
      if (only?.hasAttribute("aria-expanded")) await this.open(only);
    } catch (broken) {
      list.remove();
      item.setAttribute("aria-expanded", "false");
      this.acts.fail(broken);
    }
  }

  close(item) {
    if (item.getAttribute("aria-expanded") === "true") item.setAttribute("aria-expanded", "false");
  }

  /** Put the focus on an item and tell about it. */
  focus(item) {
    if (!item) return;
    for (const other of this.root.querySelectorAll('[tabindex="0"], [aria-selected="true"]')) {
      if (other.getAttribute("role") === "treeitem") other.tabIndex = -1;
      other.setAttribute("aria-selected", "false");
    }
    item.tabIndex = 0;
    item.setAttribute("aria-selected", "true");
    item.focus();
    const leaf = this.told.get(item)?.leaf;
    if (leaf) this.acts.select(leaf);
  }

  choose(item) {
    const told = item && this.told.get(item);
    if (told?.leaf) this.acts.add(told.path);
  }

  click(event) {
    const item = itemOf(event.target);
    if (!item) return;
    this.focus(item);
    if (!item.hasAttribute("aria-expanded")) return;
    if (item.getAttribute("aria-expanded") === "true") this.close(item);
    else this.open(item);
  }

  drag(event) {
    const told = this.told.get(itemOf(event.target));
    if (!told?.leaf) return;
    event.dataTransfer.setData("text/plain", told.path);
    event.dataTransfer.effectAllowed = "copy";
  }

  leaveField(event) {
    if (event.key === "ArrowDown") this.focus(this.visible()[0]);
    else if (event.key === "Escape" && this.field.value) this.clear();
    else return;
    event.preventDefault();
  }

  clear() {
    this.field.value = "";
    this.search();
  }

  key(event) {
    const item = itemOf(event.target);
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowDown: () => this.step(item, 1),
      ArrowUp: () => this.step(item, -1),
      ArrowRight: () => this.inwards(item),
      ArrowLeft: () => this.outwards(item),
      Home: () => this.focus(this.visible()[0]),
      End: () => this.focus(this.visible().at(-1)),
      Enter: () => this.enter(item),
      " ": () => this.enter(item),
    }[event.key];
    if (act) act();
    else if (!this.typed(event.key, item)) return;
    event.preventDefault();
  }

  step(item, by) {
    const all = this.visible();
    const next = all[all.indexOf(item) + by];
    if (next) this.focus(next);
    else if (by < 0) this.field.focus();
  }

  inwards(item) {
    if (item.getAttribute("aria-expanded") === "true") this.focus(item.querySelector("[role=treeitem]"));
    else this.open(item);
  }

  outwards(item) {
    if (item.getAttribute("aria-expanded") === "true") this.close(item);
    else this.focus(itemOf(item.parentElement));
  }

  enter(item) {
    if (this.told.get(item)?.leaf) this.choose(item);
    else if (item.getAttribute("aria-expanded") === "true") this.close(item);
    else this.open(item);
  }

  /** Go to the next item that begins with a letter. */
  typed(key, item) {
    if (key.length !== 1) return false;
    const all = this.visible();
    const at = all.indexOf(item);
    const begins = (one) => one.querySelector(".label").textContent.toLowerCase().startsWith(key.toLowerCase());
    this.focus([...all.slice(at + 1), ...all.slice(0, at)].find(begins));
    return true;
  }

  /** @returns {HTMLElement[]} items that are not inside a closed one */
  visible() {
    const all = Array.from(this.root.querySelectorAll("[role=treeitem]"));
    return all.filter((item) => !item.parentElement.closest('[aria-expanded="false"]'));
  }
}

/** @param {any} target @returns {any} */
function itemOf(target) {
  return target?.closest?.("[role=treeitem]") ?? null;
}

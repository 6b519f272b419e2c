// The line at the bottom: what happens now, how far it is, and how to stop it.
import { askJson } from "./calls.js";
import { byId } from "./elements.js";

export class Status {
  constructor() {
    this.line = byId("status");
    this.bar = byId("progress");
    this.button = byId("cancel");
    this.cache = byId("cache");
    /** @type {(() => void)|null} */
    this.stop = null;
    this.button.addEventListener("click", () => this.stop?.());
  }

  /** @param {string} words */
  say(words) {
    this.line.value = words;
    this.bar.hidden = this.button.hidden = true;
    this.stop = null;
  }

  /**
   * @param {string} words
   * @param {() => void} stop what Cancel does
   */
  busy(words, stop) {
    this.line.value = words;
    this.stop = stop;
    this.bar.removeAttribute("value");
  }

  /** @param {number} fraction @param {string} message */
  tell(fraction, message) {
    if (!this.stop) return;
    this.bar.hidden = this.button.hidden = false;
    if (fraction > 0) this.bar.value = fraction;
    this.bar.title = message;
  }

  async countCache() {
    const told = await askJson("cache").catch(() => null);
    if (!told) return;
    const asked = told.hits + told.misses;
    this.cache.textContent = asked ? `From the cache: ${Math.round((100 * told.hits) / asked)} %` : "";
    this.cache.title = `${told.hits} of ${asked} questions; it holds ${(told.bytes / 1e6).toFixed(1)} MB`;
  }
}

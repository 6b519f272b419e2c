// The catalogues whose events are drawn on the picture.
import { askJson } from "./calls.js";
import { make } from "./elements.js";

/**
 * Fill the list of catalogues.
 * @param {HTMLElement} place
 * @param {string[]} chosen
 * @param {(names: string[]) => void} changed
 */
export async function showCatalogues(place, chosen, changed) {
  const told = await askJson("catalogues");
  const events = told.catalogues.filter((one) => one.kind === "events");
  if (!events.length) {
    const how = make("code", {}, "armillary catalogue import FILE");
    place.replaceChildren(make("p", { className: "faint" }, "There is no catalogue of events yet. Bring one with ", how, "."));
    return;
  }
  const boxes = events.map((one) => {
    const box = make("input", { type: "checkbox", value: one.name, checked: chosen.includes(one.name) });
    return make("label", { title: one.description }, box, make("span", {}, one.name));
  });
  place.replaceChildren(...boxes);
  place.onchange = () => {
    changed(Array.from(place.querySelectorAll("input:checked"), (box) => /** @type {HTMLInputElement} */ (box).value));
  };
}

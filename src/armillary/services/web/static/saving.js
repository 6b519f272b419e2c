// Saving the picture and the data behind it.
import { pairsOf, writeRequest } from "./address.js";
import { Waiting } from "./calls.js";
import { button, make } from "./elements.js";

const SERIES = ["nc", "csv", "parquet", "cdf"];
const ENDINGS = { raster: ["tif", "nc"], sources: ["vot", "fits", "csv", "parquet"], events: ["csv", "vot", "parquet"] };

/**
 * Fill the menu of what can be saved.
 * @param {HTMLElement} menu
 * @param {import("./address.js").State} state
 * @param {(path: string) => Promise<any>} about
 * @param {{tell: (fraction: number, message: string) => void, busy: (words: string, stop: () => void) => void,
 *   done: (words: string) => void, fail: (broken: any) => void}} reports
 */
export async function fillMenu(menu, state, about, reports) {
  if (!state.shown.length) {
    menu.replaceChildren(make("p", { className: "faint" }, "There is nothing to save yet."));
    return;
  }
  const picture = ["png", "svg", "pdf", "html"].map((ending) =>
    button(ending.toUpperCase(), () => save("figure", [...pairsOf(state), ["ending", ending]], `armillary.${ending}`, reports)),
  );
  menu.replaceChildren(make("h3", {}, "Picture"), make("p", {}, ...picture));
  for (const one of state.shown) {
    const told = await about(one.product).catch(() => null);
    if (told) menu.append(make("h3", {}, told.title || one.product), dataButtons(one, told, state, reports));
  }
}

function dataButtons(one, told, state, reports) {
  const timed = told.start && !one.more.rows && told.kind !== "packets";
  const time = state.span && timed ? { start: state.span[0], stop: state.span[1] } : {};
  const request = writeRequest({ ...one, more: { ...time, ...one.more } });
  const name = one.product.slice(one.product.lastIndexOf("/") + 1);
  const made = (ENDINGS[told.kind] ?? SERIES).map((ending) =>
    button(ending, () => save("file", [["request", request], ["ending", ending]], `${name}.${ending}`, reports)),
  );
  return make("p", {}, ...made);
}

async function save(route, pairs, name, reports) {
  const waiting = new Waiting(route, pairs, reports.tell);
  reports.busy(`Writing ${name}`, () => {
    waiting.cancel();
    reports.done("Stopped");
  });
  try {
    const link = make("a", { href: URL.createObjectURL(await (await waiting.answer).blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    reports.done(`Saved ${name}`);
  } catch (broken) {
    if (!waiting.leaving.signal.aborted) reports.fail(broken);
  }
}

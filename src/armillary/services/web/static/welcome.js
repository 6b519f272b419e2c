// The first page: what to do, and pictures of the simulated observatory to begin with.
import { writeAddress } from "./address.js";
import { askJson } from "./calls.js";
import { make } from "./elements.js";

const EXAMPLES = [
  ["A storm in the solar wind", "Field, velocity and density while a coronal mass ejection passes",
    ["wind/b_gse", "wind/v_gse", "wind/density", "wind/truth/icme"], "2020-01-05", "2020-01-20"],
  ["In and out of the magnetosphere", "A spacecraft crosses the magnetopause; its ions as a spectrogram",
    ["sentry/ion_omni", "sentry/ion_density", "sentry/b_gse"], "2024-01-03T00:00", "2024-01-03T06:00"],
  ["An instrument with planted faults", "Temperature, current and wheel speed of a flying instrument",
    ["instrument/temperature", "instrument/current", "instrument/wheel_speed"], "2024-03-01", "2024-03-02"],
  ["A field of stars", "Photometry of young stars, with what is missing", ["stars/photometry"], "", ""],
  ["A tile of land", "The green of fields, seen from above", ["tile/ndvi"], "2020-08-19", "2020-09-04"],
];

/**
 * Fill the first page.
 * @param {HTMLElement} place
 */
export async function welcome(place) {
  const [leaves, archives] = await Promise.all([
    askJson("search", [["under", "simulated"], ["limit", "2000"]]), askJson("archives"),
  ]);
  const there = new Set(leaves.map((leaf) => leaf.path));
  const links = EXAMPLES.map((one) => linkOf(one, there)).filter(Boolean);
  const list = make("ul", { className: "examples" }, ...links);
  const first = "Drag a product from the left to here, or select one and press Enter.";
  place.replaceChildren(make("h1", {}, "What would you like to see?"), make("p", {}, first));
  if (links.length) place.append(make("h2", {}, "Or begin with the simulated observatory"), list);
  place.append(make("h2", {}, "Archives"), archiveList(archives));
}

function linkOf([title, about, names, start, stop], there) {
  const paths = names.map((name) => `simulated/${name}`).filter((path) => there.has(path));
  if (!paths.length) return "";
  const shown = paths.map((product) => ({ product, params: {}, more: {} }));
  const href = writeAddress({ shown, span: start ? [start, stop] : null, catalogues: [] });
  return make("li", {}, make("a", { href }, title), make("span", {}, about));
}

function archiveList(archives) {
  const items = archives.map((one) => {
    const item = make("li", {}, make("b", {}, one.name), ` ${one.title}, ${one.products} products`);
    if (one.problem) item.append(make("p", { className: "note" }, one.problem));
    return item;
  });
  return make("ul", { className: "archives" }, ...items);
}

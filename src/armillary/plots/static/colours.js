// Colour maps and the colours of a light and a dark page.

/** Evenly spaced stops of each map, six hexadecimal digits a stop (viridis: CC0; turbo: Apache-2.0, A. Mikhailov). */
const STOPS = {
  viridis:
    "440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e21918c1f988b1fa08822a78528ae8032b67a3fbc734ec36b5ec96270cf5784d44b98d83eaddc30c2df23d8e219ece51bfde725",
  turbo:
    "30123b392a734040a24456c7466be34680f64294ff37a8fa28bceb1ccdd818ddc21fe9af32f2984ef97d6dfe628bff4ba4fc3cb9f635cdec34dfdf37eecf3af8be39fdac34fe962bfb7e21f46617eb500edf3f08d02f05be2102a91601920b017a0403",
  grey: "000000ffffff",
};

/**
 * Give a colour map as 256 packed colours for an ImageData seen as Uint32Array.
 * @param {string} name
 * @returns {Uint32Array}
 */
export function colourTable(name) {
  const text = STOPS[name] ?? STOPS.viridis;
  const count = text.length / 6;
  const part = (stop, channel) => parseInt(text.slice(stop * 6 + channel * 2, stop * 6 + channel * 2 + 2), 16);
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (count - 1);
    const low = Math.min(Math.floor(place), count - 2);
    const mix = (channel) => Math.round(part(low, channel) * (1 - place + low) + part(low + 1, channel) * (place - low));
    table[i] = (255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0);
  }
  return table;
}

/** @param {number} packed @returns {string} */
export function cssColour(packed) {
  return `rgb(${packed & 255} ${(packed >> 8) & 255} ${(packed >> 16) & 255})`;
}

/**
 * Give the colours of the page as its style sheet says, so that light and dark follow the reader's choice.
 * @param {Element} element
 * @returns {{ink: string, faint: string, ground: string, frame: string, dark: boolean}}
 */
export function pageColours(element) {
  const style = getComputedStyle(element);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    ink: read("--arm-ink", "#1a1a1a"),
    faint: read("--arm-faint", "#777777"),
    ground: read("--arm-ground", "#ffffff"),
    frame: read("--arm-frame", "#444444"),
    dark: read("--arm-dark", "0") === "1",
  };
}

/**
 * Lighten a line's colour for a dark page, so that black and deep blue stay readable.
 * @param {string} colour "#rrggbb"
 * @param {boolean} dark
 * @returns {string}
 */
export function lineColour(colour, dark) {
  if (!dark || !/^#[0-9a-f]{6}$/i.test(colour)) return /^#[0-9a-f]{6}$/i.test(colour) ? colour : "#0072b2";
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const bright = 0.3 * parts[0] + 0.6 * parts[1] + 0.1 * parts[2];
  const add = bright < 40 ? 0.9 : 0.3;
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * add)).join(" ")})`;
}

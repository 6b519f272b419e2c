// Making elements. Text that came from archives is only ever set as text, never as HTML.

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Object<string, any>} [traits] properties; names with a dash or "role" become attributes
 * @param {...(Node|string)} inside
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, traits = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(traits)) {
    if (key.includes("-") || key === "role") element.setAttribute(key, String(value));
    else element[key] = value;
  }
  element.append(...inside);
  return element;
}

/** @param {string} id @returns {any} */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * @param {string} words
 * @param {() => void} act
 * @param {Object<string, any>} [traits]
 */
export function button(words, act, traits = {}) {
  const made = make("button", { type: "button", ...traits }, words);
  made.addEventListener("click", (event) => {
    event.stopPropagation();
    act();
  });
  return made;
}

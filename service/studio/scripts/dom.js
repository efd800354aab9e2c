// Find and make elements. Text is only ever text here: no markup is parsed.

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element; `on…` are listeners, `--…` custom properties, names with a dash attributes. */
export function make(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("--")) node.style.setProperty(key, value);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key.includes("-") || key === "role") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** One of the page's symbols. */
export function icon(name) {
  const picture = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  picture.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  picture.append(use);
  return picture;
}

/** Whether the parts of the page stand below each other, as on a phone. */
export const isNarrow = () => !matchMedia("(min-width: 60rem)").matches;

/** Let a screen reader say something without moving anybody. */
export function announce(text) {
  byId("announcer").textContent = text;
}

// The report of a refinement in words: what was understood, done, not done, and the colours.

import { icon, make } from "../dom.js";
import { capital } from "../words.js";

const OUTCOMES = {
  complete: "All of it was done",
  partial: "Some of it was done",
  none: "None of it was done",
};
const COLOUR = /^#[0-9a-f]{6}$/i;
const TITLES = {
  bytes: "file",
  chroma: "colourfulness",
  degrees: "turned by",
  factor: "size",
  factor_wanted: "asked for",
};
const SHARE = /lightness$|area$|chroma$|warmth$|contrast$|^factor/;
const UNIT = /(?:^|_)(px|degrees)$/;

/** The report of a version that was made by it. */
export function reportOf(report, prompt) {
  const head = make(
    "header",
    { className: "report-head" },
    make("h2", {}, OUTCOMES[report.outcome] ?? "Report"),
    make("p", { className: "wish" }, `“${prompt}”`),
  );
  return make("section", { className: "card report" }, head, ...partsOf(report));
}

/** What a report tells below its headline, without what has nothing to say. */
export function partsOf(report) {
  const parts = [
    listed("Done", report.applied.map(appliedItem), "done"),
    listed("Not done", report.not_applied.map(declinedItem), "skipped"),
    report.outcome === "none" ? null : palettes(report.palette),
    listed("Understood as", report.understood.map(understoodItem), "plain-list"),
    listed("Spelling", report.corrections.map(correctionItem), "plain-list"),
    listed("Taken for granted", report.assumptions.map(noteItem), "plain-list"),
    listed("Worth knowing", report.warnings.map(noteItem), "plain-list"),
    make("p", { className: "engine" }, `Engine: ${report.engine}`),
  ];
  return parts.filter(Boolean);
}

function listed(title, items, className) {
  if (items.length === 0) return null;
  const list = make("ul", { className, role: "list" }, ...items);
  return make("section", { className: "part" }, make("h3", {}, title), list);
}

function appliedItem({ summary, measured, span }) {
  const numbers = measuredWords(measured);
  return make(
    "li",
    {},
    icon("done"),
    make("div", {}, make("p", {}, summary), quoted(span), ...(numbers ? [small(numbers)] : [])),
  );
}

function declinedItem({ span, message }) {
  return make("li", {}, icon("skip"), make("div", {}, make("p", {}, message), quoted(span)));
}

function understoodItem({ span, op, target, amount }) {
  const words = [op.replaceAll("_", " "), target === op ? "" : targetWords(target)];
  if (amount !== null) words.push(amountWords(amount));
  return make("li", {}, quoted(span), small(capital(words.filter(Boolean).join(" · "))));
}

const correctionItem = ([from, to]) =>
  make("li", {}, make("del", {}, from), " ", make("ins", {}, to));
const noteItem = (text) => make("li", {}, text);
const quoted = (span) => make("q", {}, span);
const small = (text) => make("small", {}, text);

/** "colour:brown@icon" is "brown in the icon", "noun:mountain" the mountain. */
function targetWords(target) {
  const [kind, rest] = target.includes(":") ? target.split(/:(.*)/) : ["", target];
  const [what, where] = rest.split("@");
  if (kind === "colour") return where ? `${what} in the ${where}` : what;
  return `the ${what.replaceAll("_", " ")}`;
}

const amountWords = (amount) => (amount > 1 ? `${rounded(amount)} times` : percent(amount));

/** "Lightness 41% to 61%, 18% of the picture": pairs are told as a change, if it can be seen in
 * what is told, and the rest as it is. */
function measuredWords(measured) {
  const words = [];
  for (const [key, value] of Object.entries(measured)) {
    const [, name, when] = /^(.*?)(_before|_after)?$/.exec(key);
    const after = measured[`${name}_after`];
    if (when === "_before" && after !== undefined) words.push(changeWords(name, value, after));
    else if (name === "area") words.push(`${percent(value)} of the picture`);
    else if (isSaidAlready(name, measured)) continue;
    else if (when !== "_after" || !(`${name}_before` in measured)) {
      words.push(`${titleOf(name)} ${told(name, value)}`);
    }
  }
  return capital(words.filter(Boolean).join(", "));
}

/** Whether a size is none that anybody asked for, or just the one that was. */
function isSaidAlready(name, { factor, factor_wanted }) {
  if (name === "factor") return factor === 1;
  return name === "factor_wanted" && factor === factor_wanted;
}

function changeWords(name, before, after) {
  if (name === "distance") {
    return before > 0 ? `${percent(1 - after / before)} nearer to that colour` : "";
  }
  const [from, to] = [told(name, before), told(name, after)];
  return from === to ? "" : `${titleOf(name)} ${from} to ${to}`;
}

const titleOf = (name) => TITLES[name] ?? name.replace(UNIT, "").replaceAll("_", " ");

/** A measured value in the unit that its name tells. */
function told(name, value) {
  if (SHARE.test(name)) return percent(value);
  if (name === "bytes") return `${rounded(value / 1000)} kB`;
  const [, unit] = UNIT.exec(name) ?? [];
  return `${rounded(value)}${{ px: " px", degrees: "°" }[unit] ?? ""}`;
}

const percent = (value) => `${signed(Math.round(value * 100))}%`;
const rounded = (value) => signed(Number(value.toPrecision(Math.abs(value) < 1 ? 2 : 3)));
const signed = (value) => String(value + 0).replace("-", "−"); // 0 for what rounds to -0

function palettes({ before, after }) {
  if (before.length === 0 && after.length === 0) return null;
  return make(
    "section",
    { className: "part palettes" },
    make("h3", {}, "Colours"),
    make("div", {}, swatches("Before", before), swatches("After", after)),
  );
}

function swatches(title, colours) {
  const items = colours
    .filter((colour) => COLOUR.test(colour))
    .map((colour) => make("li", { "--colour": colour }, make("span", {}, colour)));
  return make(
    "div",
    { className: "palette" },
    make("h4", {}, title),
    make("ul", { role: "list" }, ...items),
  );
}

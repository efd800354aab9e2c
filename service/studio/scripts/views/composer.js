// Say what should change: the instruction, suggestions for it, and what may go with it.

import { byId, make } from "../dom.js";
import { suggestionsFor } from "../samples.js";
import { isActive, openConcept } from "../state.js";
import { nameOf } from "../tree.js";
import { capital, secondsUntil, usedUp } from "../words.js";

export function showComposer(state, library, refining) {
  const field = byId("instruction");
  const write = (prompt) => state.update({ prompt, promptError: "" });
  const send = () => {
    const isIdle = !isActive(state.value.task) && !state.value.isSending;
    refining.refine(wishOf(byId("composer")));
    if (isIdle && !state.value.prompt.trim()) field.focus();
  };
  field.addEventListener("input", () => write(field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  });
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  showSuggestions(state.value, write);
  state.listen((now, before) => {
    const open = openConcept(now);
    if (field.value !== now.prompt) field.value = now.prompt;
    showError(now);
    showButton(now);
    if (open !== openConcept(before)) {
      showSource(now, open);
      showDescriptions(open);
      if (before.openId === null) focusIfLost(field);
    }
    showSuggestions(now, write);
  });
}

/** What the form adds to the instruction; what is empty is left out. */
function wishOf(form) {
  const wish = {};
  for (const name of ["logo_description", "theme_description"]) {
    const text = form.elements[name].value.trim();
    if (text) wish[name] = text;
  }
  const kept = [...byId("keep").querySelectorAll(":checked")].map((box) => box.value);
  if (kept.length) wish.preserve_aspects = kept;
  return wish;
}

function showError({ promptError }) {
  byId("instruction").setAttribute("aria-invalid", String(promptError !== ""));
  byId("instruction-error").textContent = promptError;
}

/** The button stays where the focus is; while it can do nothing it only says so. */
function showButton(now) {
  const isBusy = isActive(now.task) || now.isSending;
  byId("refine").setAttribute("aria-disabled", String(isBusy));
  const { quota } = now;
  const isUsedUp = quota !== null && quota.remaining === 0 && !isBusy;
  byId("used-up").textContent = isUsedUp ? usedUp(quota.limit, secondsUntil(quota.resets_at)) : "";
}

function showSource(now, open) {
  if (open === null) return byId("source").replaceChildren("To begin, choose an image.");
  const picture = make("img", { src: open.image_url, alt: "", width: 40, height: 40 });
  const text = make("span", {}, "From ", make("strong", {}, nameOf(now.tree, open)));
  return byId("source").replaceChildren(picture, text);
}

function showDescriptions(open) {
  byId("logo-description").value = open?.logo_description ?? "";
  byId("theme-description").value = open?.theme_description ?? "";
}

/** The pointer's owner can write at once; on a touch screen the keyboard would cover all. */
function focusIfLost(field) {
  const isLost = document.activeElement === document.body;
  if (isLost && matchMedia("(pointer: fine)").matches) field.focus({ preventScroll: true });
}

function showSuggestions(now, write) {
  const said = now.prompt.toLowerCase();
  const phrases = suggestionsFor(now.upload?.descriptions ?? openConcept(now));
  const chips = [...byId("suggestions").children];
  const isSame = chips.length === phrases.length && chips.every((c, i) => c.value === phrases[i]);
  if (!isSame) byId("suggestions").replaceChildren(...phrases.map((p) => chip(p, write)));
  for (const one of byId("suggestions").children) {
    one.setAttribute("aria-pressed", String(said.includes(one.value)));
  }
}

function chip(phrase, write) {
  const onclick = () => write(toggled(byId("instruction").value, phrase));
  return make(
    "button",
    { type: "button", className: "chip", value: phrase, onclick },
    capital(phrase),
  );
}

/** The instruction with a phrase added at its end, or taken out where it was. */
function toggled(prompt, phrase) {
  const at = prompt.toLowerCase().indexOf(phrase);
  if (at < 0)
    return capital([prompt.trim().replace(/[.,;]+$/, ""), phrase].filter(Boolean).join(", "));
  const rest = [prompt.slice(0, at), prompt.slice(at + phrase.length)];
  return capital(
    rest
      .map((part) => part.replace(/^[\s,]+|[\s,]+$/g, ""))
      .filter(Boolean)
      .join(", "),
  );
}

// The history as a strip: every version in its place in the family, the open one marked.

import { byId, make } from "../dom.js";
import { beforeConcept, isAtStart } from "../state.js";
import { arrange, nameOf } from "../tree.js";

const EDGE_PX = 8;
const MOST_ROWS = 2;

export function showVersions(state, library) {
  const list = byId("versions");
  state.listen((now, before) => {
    byId("history").hidden = isAtStart(now);
    const isSame = now.openId === before.openId && now.beforeId === before.beforeId;
    if (now.tree === before.tree && isSame) return;
    if (now.tree !== before.tree) {
      list.replaceChildren(...arrange(now.tree).map((place) => version(place, now.tree, library)));
    }
    mark(list, now);
  });
}

function version({ concept, column, row, rise }, tree, library) {
  const name = nameOf(tree, concept);
  const wish = concept.refinement_prompt ?? "As it was uploaded";
  const noteId = `wish-${concept.concept_id}`;
  const picture = make("img", { src: concept.image_url, alt: "", decoding: "async" });
  const button = make(
    "button",
    { type: "button", "aria-label": `Show ${name.toLowerCase()}`, "aria-describedby": noteId },
    make("span", { className: "frame" }, picture),
  );
  button.dataset.id = concept.concept_id;
  button.addEventListener("click", () => library.show(concept.concept_id));
  const item = make(
    "li",
    { "--column": column + 1, "--row": row + 1, "--rise": rise ?? 0 },
    button,
    make("strong", {}, name),
    make("span", { className: "wish", id: noteId, title: wish }, wish),
  );
  item.classList.toggle("child", rise !== null);
  item.classList.toggle("branch", rise > 0);
  item.classList.toggle("orphan", concept.parent_deleted);
  return item;
}

function mark(list, now) {
  const other = beforeConcept(now);
  list.style.setProperty("--rows", rowsFor(now));
  for (const button of list.querySelectorAll("button")) {
    const isOpen = button.dataset.id === now.openId;
    if (isOpen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    button.parentElement.classList.toggle("compared", button.dataset.id === other?.concept_id);
    if (isOpen) bringIntoView(list, button.parentElement);
  }
}

/** The rows to show: room for a branch is made when a version is opened that has gone on already,
 * not when its branch arrives. */
function rowsFor({ tree, openId }) {
  const rows = Math.max(1, ...arrange(tree).map((place) => place.row + 1));
  const wouldBranch = tree.some((one) => one.parent_id === openId);
  return Math.min(MOST_ROWS, wouldBranch ? rows + 1 : rows);
}

/** Scroll the strip and nothing else. */
function bringIntoView(list, item) {
  const [frame, box] = [list.getBoundingClientRect(), item.getBoundingClientRect()];
  if (box.left < frame.left + EDGE_PX || box.right > frame.right - EDGE_PX) {
    list.scrollLeft += box.left - frame.left - (frame.width - box.width) / 2;
  }
  if (box.top < frame.top || box.bottom > frame.bottom) {
    list.scrollTop += box.top - frame.top - EDGE_PX;
  }
}

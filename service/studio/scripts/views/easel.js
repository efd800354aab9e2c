// The picture: one version by itself, or two under a slider or side by side.

import { byId, isNarrow, make } from "../dom.js";
import { beforeConcept, isActive, isAtStart, openConcept } from "../state.js";
import { nameOf } from "../tree.js";
import { makeZoomable } from "./zoom.js";

export function showEasel(state, library, confirm) {
  const viewport = byId("viewport");
  const panes = { before: pane("before", library), after: pane("after", library) };
  const zoom = makeZoomable(viewport);
  listenToTools(state, library, confirm);
  listenToSlider(viewport);
  listenToModes(viewport);
  state.listen((now, before) => {
    const [open, other] = [openConcept(now), beforeConcept(now)];
    byId("easel").hidden = isAtStart(now);
    viewport.classList.toggle("busy", isActive(now.task) || now.isSending);
    showSending(now.upload);
    if (now.tree === before.tree && now.openId === before.openId && now.upload === before.upload) {
      if (now.beforeId === before.beforeId) return;
    }
    showPictures(panes, now.upload, open, other);
    showTools(now, open, other);
    if (now.openId !== before.openId) {
      zoom.reset();
      moveSlider(viewport, 50);
      if (other !== null && before.task?.status === "completed") reveal(viewport);
    }
  });
}

/** The slider opens on a result from the right, so that the change is seen to arrive. */
function reveal(viewport) {
  if (isNarrow()) byId("easel").scrollIntoView({ block: "start" });
  viewport.classList.remove("reveal");
  requestAnimationFrame(() => viewport.classList.add("reveal"));
}

/** One side of the comparison; its image exists only while there is something to show. */
function pane(side, library) {
  const image = make("img", { draggable: false, decoding: "async" });
  const shape = (width, height) => image.style.setProperty("--ratio", width / height);
  image.addEventListener("load", () => shape(image.naturalWidth, image.naturalHeight));
  image.addEventListener("error", () => library.refreshImages({ isBroken: true }));
  return (picture) => {
    if (picture === null) return image.remove();
    image.alt = picture.alt;
    if (image.src !== picture.src) image.src = picture.src;
    if (picture.width) shape(picture.width, picture.height);
    if (!image.isConnected) byId(`pane-${side}`).append(image);
    return undefined;
  };
}

function showPictures(panes, upload, open, other) {
  const isUpload = upload !== null;
  byId("viewport").classList.toggle("single", isUpload || other === null);
  if (isUpload) {
    panes.before(null);
    panes.after({ src: upload.preview, alt: "Original concept" });
  } else {
    const isOriginal = open !== null && open.parent_id === null && other === null;
    panes.before(other && pictureOf(other, "Original concept"));
    panes.after(open && pictureOf(open, isOriginal ? "Original concept" : "Refined concept"));
  }
}

const pictureOf = ({ image_url: src, width, height }, alt) => ({ src, alt, width, height });

function showTools(now, open, other) {
  const isReady = open !== null && now.upload === null;
  byId("modes").hidden = !isReady || other === null;
  byId("compare").hidden = !isReady || other === null;
  for (const id of ["download", "delete", "before-caption", "after-caption", "facts"]) {
    byId(id).hidden = !isReady;
  }
  if (!isReady) return;
  byId("download").href = open.image_url;
  byId("download").download = fileName(now.tree, open);
  byId("before-caption").hidden = now.tree.length < 2;
  byId("after-caption").hidden = now.tree.length < 2;
  byId("after-word").textContent = other ? "After" : "Showing";
  byId("facts").textContent = factsOf(open);
  const nothing = make("option", { value: "" }, "Nothing");
  const hasParent = now.tree.some((one) => one.concept_id === open.parent_id);
  const others = optionsOf(
    now.tree.filter((one) => one !== open),
    now.tree,
  );
  byId("before").replaceChildren(...(hasParent ? [] : [nothing]), ...others);
  byId("before").value = other?.concept_id ?? "";
  byId("after").replaceChildren(...optionsOf(now.tree, now.tree));
  byId("after").value = open.concept_id;
}

function optionsOf(concepts, tree) {
  return concepts.map((one) => make("option", { value: one.concept_id }, nameOf(tree, one)));
}

const ENDINGS = { "image/jpeg": "jpg", "image/webp": "webp", "image/svg+xml": "svg" };
const endingOf = ({ content_type: type }) => ENDINGS[type] ?? "png";
const factsOf = (one) => `${one.width} × ${one.height} ${endingOf(one).toUpperCase()}`;

const fileName = (tree, one) =>
  `${nameOf(tree, one).toLowerCase().replace(" ", "-")}.${endingOf(one)}`;

function listenToTools(state, library, confirm) {
  byId("all").addEventListener("click", () => library.home());
  byId("before").addEventListener("change", ({ target }) => library.compareWith(target.value));
  byId("after").addEventListener("change", ({ target }) => library.show(target.value));
  byId("delete").addEventListener("click", async () => {
    const { openId } = state.value;
    if (await confirm()) library.remove(openId);
  });
}

function listenToModes(viewport) {
  const buttons = [...byId("modes").querySelectorAll("button")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      viewport.dataset.mode = button.value;
      for (const one of buttons) one.ariaPressed = String(one === button);
    });
  }
}

function listenToSlider(viewport) {
  byId("compare").addEventListener("input", ({ target }) => {
    viewport.classList.remove("reveal");
    moveSlider(viewport, Number(target.value));
  });
}

function moveSlider(viewport, percent) {
  const slider = byId("compare");
  slider.value = percent;
  slider.setAttribute("aria-valuenow", percent);
  slider.setAttribute("aria-valuetext", `${percent}% before, ${100 - percent}% after`);
  viewport.style.setProperty("--split", `${percent}%`);
}

function showSending(upload) {
  byId("sending").hidden = upload === null;
  if (upload === null) return;
  const percent = Math.round(upload.fraction * 100);
  byId("sending-text").textContent = `Uploading ${upload.name}`;
  byId("sending-bar").setAttribute("aria-valuenow", percent);
  byId("sending-bar").style.setProperty("--done", upload.fraction);
}

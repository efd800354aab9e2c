// Where one begins: drop, paste or choose an image, take a sample, or go on with an earlier one.

import { byId, make } from "../dom.js";
import { SAMPLES, thumbnailOf } from "../samples.js";
import { isAtStart } from "../state.js";
import { capital } from "../words.js";

const THUMBNAIL_PX = 192;

export function showStart(state, library) {
  byId("samples").append(...SAMPLES.map((sample) => sampleCard(sample, library)));
  byId("more").addEventListener("click", () => library.more());
  takeFiles(library);
  state.listen((now, before) => {
    byId("start").hidden = !isAtStart(now);
    byId("more").hidden = !now.hasMore;
    if (now.recent !== before.recent) showRecent(now.recent, library);
  });
}

function sampleCard(sample, library) {
  const picture = make("img", {
    src: thumbnailOf(sample),
    alt: "",
    width: THUMBNAIL_PX,
    height: THUMBNAIL_PX,
    decoding: "async",
  });
  return card(picture, sample.title, () => library.takeSample(sample));
}

function showRecent(concepts, library) {
  byId("recent-shelf").hidden = concepts.length === 0;
  byId("recent").replaceChildren(
    ...concepts.map((concept) => {
      const picture = make("img", {
        alt: "",
        loading: "lazy",
        decoding: "async",
        width: concept.width,
        height: concept.height,
        src: concept.image_url,
      });
      const title = concept.refinement_prompt ?? concept.logo_description ?? "Original";
      return card(picture, capital(title), () => library.show(concept.concept_id));
    }),
  );
}

function card(picture, title, onclick) {
  const frame = make("span", { className: "frame" }, picture);
  const caption = make("span", { className: "title" }, title);
  return make("li", {}, make("button", { type: "button", onclick }, frame, caption));
}

/** Take an image from the file dialog, from anywhere on the page, or from the clipboard. */
function takeFiles(library) {
  const input = byId("image");
  input.addEventListener("change", () => {
    if (input.files[0]) library.takeFile(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // dragenter and dragleave come for every element on the way
  const drag = (change) => (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = change === 0 ? depth : Math.max(0, depth + change);
    document.body.classList.toggle("dragging", depth > 0);
  };
  document.addEventListener("dragenter", drag(1));
  document.addEventListener("dragleave", drag(-1));
  document.addEventListener("dragover", drag(0));
  document.addEventListener("drop", (event) => {
    drag(-Infinity)(event);
    if (hasFiles(event) && event.dataTransfer.files[0]) {
      library.takeFile(event.dataTransfer.files[0]);
    }
  });
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    // office programs put a picture beside the text that they copy
    const isText = event.target.closest?.("textarea, input") && event.clipboardData.getData("text");
    if (!file || isText) return;
    event.preventDefault();
    library.takeFile(file);
  });
}

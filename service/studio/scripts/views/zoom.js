// Look closer: zoom and move every picture of the viewport alike, by button, wheel, drag or key.

import { byId } from "../dom.js";

const LEVELS = [1, 1.5, 2, 3, 4, 6, 8];
const KEY_STEP_PX = 60;
const MOVES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Make what is in the viewport zoomable; returns {reset}. */
export function makeZoomable(viewport) {
  const view = { zoom: 1, x: 0, y: 0 };
  const show = () => {
    const [width, height] = [viewport.clientWidth, viewport.clientHeight];
    view.x = clamp(view.x, (width * (view.zoom - 1)) / 2);
    view.y = clamp(view.y, (height * (view.zoom - 1)) / 2);
    viewport.style.setProperty("--zoom", view.zoom);
    viewport.style.setProperty("--x", `${view.x}px`);
    viewport.style.setProperty("--y", `${view.y}px`);
    viewport.classList.toggle("zoomed", view.zoom > 1);
    viewport.tabIndex = view.zoom > 1 ? 0 : -1;
    const level = `${Math.round(view.zoom * 100)}%`;
    byId("zoom-fit").textContent = level;
    byId("zoom-fit").ariaLabel = `${level}: fit to view`;
    byId("zoom-out").ariaDisabled = String(view.zoom <= LEVELS[0]);
    byId("zoom-in").ariaDisabled = String(view.zoom >= LEVELS.at(-1));
  };
  /** Zoom so that the point (px from the middle) stays where it is. */
  const zoomTo = (zoom, [x, y] = [0, 0]) => {
    const factor = zoom / view.zoom;
    Object.assign(view, { zoom, x: x + (view.x - x) * factor, y: y + (view.y - y) * factor });
    show();
  };
  const move = (x, y) => {
    Object.assign(view, { x: view.x + x, y: view.y + y });
    show();
  };
  byId("zoom-in").addEventListener("click", () => zoomTo(stepped(view.zoom, 1)));
  byId("zoom-out").addEventListener("click", () => zoomTo(stepped(view.zoom, -1)));
  byId("zoom-fit").addEventListener("click", () => zoomTo(1));
  listenToKeys(viewport, view, zoomTo, move);
  listenToWheel(viewport, view, zoomTo, move);
  listenToDrag(viewport, view, move);
  show();
  return { reset: () => zoomTo(1) };
}

function listenToKeys(viewport, view, zoomTo, move) {
  viewport.addEventListener("keydown", (event) => {
    if (event.target !== viewport) return;
    if (event.key in MOVES) move(...MOVES[event.key].map((way) => way * KEY_STEP_PX));
    else if (event.key === "+") zoomTo(stepped(view.zoom, 1));
    else if (event.key === "-") zoomTo(stepped(view.zoom, -1));
    else if (event.key === "0") zoomTo(1);
    else return;
    event.preventDefault();
  });
}

function listenToWheel(viewport, view, zoomTo, move) {
  const turn = (event) => {
    if (!event.ctrlKey && view.zoom === 1) return; // the page scrolls
    event.preventDefault();
    if (!event.ctrlKey) return void move(-event.deltaX, -event.deltaY);
    const box = viewport.getBoundingClientRect();
    const point = [
      event.clientX - box.left - box.width / 2,
      event.clientY - box.top - box.height / 2,
    ];
    const zoom = view.zoom * Math.exp(-event.deltaY / 300);
    zoomTo(Math.min(LEVELS.at(-1), Math.max(1, zoom)), point);
  };
  viewport.addEventListener("wheel", turn, { passive: false });
}

function listenToDrag(viewport, view, move) {
  let from = null;
  viewport.addEventListener("pointerdown", (event) => {
    if (view.zoom === 1 || event.target.id === "compare") return;
    from = [event.clientX, event.clientY];
    viewport.setPointerCapture(event.pointerId);
  });
  viewport.addEventListener("pointermove", (event) => {
    if (from === null) return;
    move(event.clientX - from[0], event.clientY - from[1]);
    from = [event.clientX, event.clientY];
  });
  const release = () => (from = null);
  viewport.addEventListener("pointerup", release);
  viewport.addEventListener("pointercancel", release);
}

const clamp = (value, most) => Math.min(most, Math.max(-most, value));

function stepped(zoom, way) {
  if (way > 0) return LEVELS.find((level) => level > zoom + 0.01) ?? LEVELS.at(-1);
  return LEVELS.findLast((level) => level < zoom - 0.01) ?? LEVELS[0];
}

// The person's concepts: find, bring, open and delete them.

import { readAddress, writeAddress } from "./address.js";
import { announce } from "./dom.js";
import { fileOf } from "./samples.js";
import { conceptOf, isActive } from "./state.js";

const IMAGE_TYPES = ["image/png", "image/jpeg", "image/webp"];
const MOST_BYTES = 10 * 1024 * 1024;
const PAGE = 50;
const ADDRESSES_LAST_MS = 25 * 60_000; // image addresses work for at least 30 minutes
const BROKEN_AGAIN_MS = 5_000;

export class Library {
  #api;
  #state;
  #notices;
  #uploading = null;
  #cursor = null;
  #loadedAtMs = 0;

  constructor(api, state, notices) {
    this.#api = api;
    this.#state = state;
    this.#notices = notices;
  }

  /** Resolves when no image is on its way any more. */
  get settled() {
    return this.#uploading?.done;
  }

  /** Go where the address says: at the start, and after the back and forward buttons. */
  async revisit() {
    const { concept, before } = readAddress();
    if (concept === this.#now.openId && before === this.#now.beforeId) return;
    if (!concept) this.#leave();
    else {
      this.#state.update({ isOpening: this.#now.openId === null });
      if (!(await this.show(concept, before, { isNew: false }))) this.write(false);
      this.#state.update({ isOpening: false });
    }
  }

  /** Open a version, beside another when one is named. */
  show(conceptId, beforeId = null, { isNew = true } = {}) {
    return this.#notices.attempt(async () => {
      if (conceptOf(this.#now, conceptId)) this.#open(conceptId, beforeId);
      else await this.load(conceptId, beforeId);
      this.write(isNew);
    });
  }

  /** Choose what the open version is compared with. */
  compareWith(beforeId) {
    this.#state.update({ beforeId });
    this.write(false);
  }

  /** Back to the samples and one's concepts. */
  home() {
    this.#leave();
    this.write(true);
    return this.#notices.attempt(() => this.readRecent());
  }

  /** Show earlier concepts too. */
  more() {
    return this.#notices.attempt(() => this.#readPage(this.#cursor));
  }

  /** Begin with one of the sample logos. */
  takeSample(sample) {
    const read = async () => {
      const response = await fetch(fileOf(sample));
      return new File([await response.blob()], `${sample.name}.png`, { type: "image/png" });
    };
    const descriptions = { logo_description: sample.logo, theme_description: sample.theme };
    return this.#take({ read, name: sample.title, descriptions, preview: fileOf(sample).href });
  }

  /** Begin with an image of one's own. */
  takeFile(file) {
    if (!IMAGE_TYPES.includes(file.type)) {
      this.#notices.tell("This is not a PNG, JPEG or WebP image. Please choose another file.");
    } else if (file.size > MOST_BYTES) {
      this.#notices.tell(
        "This image is too large: 10 MB is the most. Please choose a smaller one.",
      );
    } else {
      const preview = URL.createObjectURL(file);
      this.#take({ read: async () => file, name: file.name, descriptions: {}, preview });
    }
  }

  /** Delete a version; what was made from it stays. */
  remove(conceptId) {
    return this.#notices.attempt(async () => {
      const { tree, recent } = this.#now;
      const gone = conceptOf(this.#now, conceptId);
      await this.#api.send("DELETE", `api/concepts/${conceptId}`);
      announce("Deleted.");
      this.#state.update({ recent: recent.filter((one) => one.concept_id !== conceptId) });
      const rest = tree.filter((one) => one.concept_id !== conceptId);
      const next = rest.find((one) => one.concept_id === gone.parent_id) ?? rest.at(-1);
      if (!next) return this.home();
      await this.load(next.concept_id);
      return this.write(false);
    });
  }

  /** Read the tree again when the addresses of its images may have run out. */
  refreshImages({ isBroken = false } = {}) {
    const { openId, beforeId } = this.#now;
    const ageMs = Date.now() - this.#loadedAtMs;
    if (!openId || ageMs < (isBroken ? BROKEN_AGAIN_MS : ADDRESSES_LAST_MS)) return;
    this.#notices.attempt(() => this.load(openId, beforeId));
  }

  /** Read the tree of a version and open it there. */
  async load(conceptId, beforeId = null) {
    const tree = await this.#api.get(`api/concepts/${conceptId}/lineage`);
    this.#loadedAtMs = Date.now();
    this.#state.update({ tree });
    this.#open(conceptId, beforeId);
  }

  /** Read the newest of one's concepts. */
  readRecent() {
    return this.#readPage(null);
  }

  /** Show in the address what is open. */
  write(isNew) {
    const { openId, beforeId, task } = this.#now;
    writeAddress({ concept: openId, before: beforeId, task: task?.task_id }, isNew);
  }

  get #now() {
    return this.#state.value;
  }

  async #take(image) {
    this.#uploading?.controller.abort();
    const controller = new AbortController();
    const show = (fraction) => this.#state.update({ upload: { ...image, fraction } });
    this.#state.update({ notice: null });
    show(0);
    const action = { label: "Try again", run: () => this.#take(image) };
    const work = () => this.#upload(image, show, controller.signal);
    const done = this.#notices.attempt(work, action);
    this.#uploading = { controller, done };
    await done;
    if (controller.signal.aborted) return; // another image has taken its place
    this.#uploading = null;
    this.#state.update({ upload: null });
  }

  async #upload({ read, name, descriptions }, show, signal) {
    const concept = await this.#api.upload(await read(), descriptions, show, signal);
    this.#loadedAtMs = Date.now();
    this.#state.update({ tree: [concept], recent: [concept, ...this.#now.recent] });
    this.#open(concept.concept_id, null);
    this.write(true);
    announce(`${name} is here. Say what should change.`);
  }

  #open(openId, beforeId) {
    this.#go({ openId, beforeId, promptError: "" });
  }

  #leave() {
    this.#go({ tree: [], openId: null, beforeId: null });
  }

  /** Go elsewhere: a running task comes along, the trace of a failed one does not. */
  #go(place) {
    const task = isActive(this.#now.task) ? this.#now.task : null;
    this.#state.update({ ...place, task, notice: null });
  }

  async #readPage(cursor) {
    const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const page = await this.#api.page(`api/concepts?limit=${PAGE}${after}`);
    const roots = new Map((cursor ? this.#now.recent : []).map((one) => [one.root_id, one]));
    for (const one of page.items) if (!roots.has(one.root_id)) roots.set(one.root_id, one);
    this.#cursor = page.cursor;
    this.#state.update({ recent: [...roots.values()], hasMore: page.cursor !== null });
  }
}

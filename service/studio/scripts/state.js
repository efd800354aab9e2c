// What the page knows, in one object, and who wants to hear when it changes.

const START = {
  isOpening: false, // whether the version that the address names is still being read
  quota: null, // {limit, used, remaining, resets_at}
  recent: [], // the newest concept of every tree, newest first
  hasMore: false, // whether there are earlier ones
  tree: [], // the open tree: concepts, parents before children
  openId: null, // the version that is shown and would be refined
  beforeId: null, // what it is compared with; null for its parent
  upload: null, // {preview, name, descriptions, fraction} while an image is on its way
  prompt: "",
  promptError: "",
  isSending: false, // a request to refine is on its way
  isCanceling: false,
  task: null, // the task that runs, or the one that has just failed
  isSignInNeeded: false,
  notice: null, // {text, kind, action?: {label, run}}
};

export class State {
  #value = { ...START };
  #listeners = [];

  get value() {
    return this.#value;
  }

  update(patch) {
    const before = this.#value;
    this.#value = { ...before, ...patch };
    for (const listener of this.#listeners) listener(this.#value, before);
  }

  /** Call with the value and the one before it, at every change. */
  listen(listener) {
    this.#listeners.push(listener);
  }
}

export const isActive = (task) => task?.status === "pending" || task?.status === "processing";
export const conceptOf = (state, id) => state.tree.find((one) => one.concept_id === id) ?? null;
/** Whether there is no picture, and none on its way. */
export const isAtStart = (state) => !state.openId && !state.upload && !state.isOpening;
export const openConcept = (state) => conceptOf(state, state.openId);

/** What the open version is compared with: the chosen one, or else its parent. */
export function beforeConcept(state) {
  const open = openConcept(state);
  const chosen = conceptOf(state, state.beforeId ?? open?.parent_id);
  return chosen === open ? null : chosen;
}

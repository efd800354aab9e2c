// Ask for refinements of the open version, and follow each to its end.

import { announce } from "./dom.js";
import { follow } from "./follow.js";
import { conceptOf, isActive, openConcept } from "./state.js";
import { failureTitle } from "./words.js";

const SVG = "image/svg+xml";

export class Refining {
  #api;
  #state;
  #notices;
  #library;
  #onLink;
  #following = null;

  constructor(api, state, notices, library, onLink) {
    this.#api = api;
    this.#state = state;
    this.#notices = notices;
    this.#library = library;
    this.#onLink = onLink;
  }

  /** Ask for what the instruction says; `wish` is what else the request may hold. */
  async refine(wish) {
    if (isActive(this.#now.task) || this.#now.isSending) return;
    const refinement_prompt = this.#now.prompt.trim();
    if (!refinement_prompt) {
      this.#state.update({ promptError: "Say what should change, or choose a suggestion." });
      return;
    }
    this.#state.update({ isSending: true, promptError: "", notice: null, task: null });
    await this.#library.settled;
    const open = openConcept(this.#now);
    if (open?.content_type === SVG) this.#refuseSvg(open);
    else if (open) {
      const request = { original_image_url: open.image_url, refinement_prompt, ...wish };
      await this.#notices.attempt(() => this.#ask(request));
    } else if (!this.#now.notice) {
      this.#notices.tell("First choose an image to refine, or one of the samples.");
    }
    this.#state.update({ isSending: false });
  }

  /** Stop the running task; its stream tells when it has ended. */
  async cancel() {
    this.#state.update({ isCanceling: true });
    const path = `api/tasks/${this.#now.task.task_id}/cancel`;
    await this.#notices.attempt(() => this.#api.insist("POST", path));
    this.#state.update({ isCanceling: false });
  }

  /** Find the newest task as it is: one that runs, or the one that `taskId` names. */
  async resume(taskId) {
    const [newest] = await this.#api.get("api/tasks?limit=1");
    if (newest && (isActive(newest) || newest.task_id === taskId)) await this.#join(newest);
  }

  async readQuota() {
    const { refinements } = await this.#api.get("api/quota");
    this.#state.update({ quota: refinements });
  }

  get #now() {
    return this.#state.value;
  }

  /** Engines draw in pixels: from a drawing one goes on with what it was traced from. */
  #refuseSvg({ parent_id: parentId }) {
    const text = "An SVG cannot be refined any further. Go on from the version it was traced from.";
    const run = () => this.#library.show(parentId);
    const isThere = conceptOf(this.#now, parentId) !== null;
    this.#notices.tell(text, "info", isThere ? { label: "Open it", run } : null);
  }

  async #ask(request) {
    const { task, isJoined } = await this.#api.refine(request);
    await this.#join(task);
    if (isJoined) {
      this.#notices.tell("Another refinement of yours was running already: here it is.", "info");
    }
  }

  async #join(task) {
    const { concept_id: conceptId } = task;
    if (conceptId && this.#now.openId !== conceptId) {
      await this.#library.load(conceptId).catch((error) => {
        if (error.status !== 404) throw error; // deleted since; its task goes on all the same
      });
    }
    this.#state.update({ task });
    this.#library.write(false);
    if (isActive(task)) this.#follow(task.task_id);
    else await this.#settle(task);
  }

  #follow(taskId) {
    this.#following?.abort();
    this.#following = new AbortController();
    const { signal } = this.#following;
    this.#notices.attempt(async () => {
      for await (const task of follow(this.#api, taskId, { signal, onLink: this.#onLink })) {
        if (isActive(task)) this.#state.update({ task });
        else await this.#settle(task);
      }
    });
    this.#notices.attempt(() => this.readQuota());
  }

  async #settle(task) {
    if (task.status === "completed" && task.result_id) await this.#showResult(task);
    else {
      this.#state.update({ task });
      announce(`${failureTitle(task)}. ${task.error_message ?? ""}`);
    }
    await this.readQuota();
  }

  async #showResult(task) {
    this.#state.update({ task, prompt: "" });
    const { openId, upload } = this.#now;
    if (upload === null && (!openId || conceptOf(this.#now, task.concept_id))) {
      await this.#library.load(task.result_id);
      this.#library.write(true);
      announce("Done. The refined version stands beside the one before.");
    } else {
      const run = () => this.#library.show(task.result_id);
      this.#state.update({ task: null });
      this.#notices.tell("Your refinement is done.", "info", { label: "Show it", run });
    }
  }
}

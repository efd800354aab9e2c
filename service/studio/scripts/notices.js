// Run what a person asked for, and say in a sentence when it does not work.

import { SignInNeeded } from "./session.js";
import { fieldErrors, sentenceFor } from "./words.js";

export class Notices {
  #state;

  constructor(state) {
    this.#state = state;
  }

  /** Tell the person something; `action` is {label, run}. */
  tell(text, kind = "problem", action = null) {
    this.#state.update({ notice: { text, kind, action } });
  }

  dismiss() {
    this.#state.update({ notice: null });
  }

  /** Do the work; what goes wrong becomes a notice. True when it went well. */
  async attempt(work, action = null) {
    try {
      await work();
      return true;
    } catch (error) {
      if (error.name !== "AbortError") this.#report(error, action);
      return false;
    }
  }

  #report(error, action) {
    const promptError = fieldErrors(error).refinement_prompt;
    if (error instanceof SignInNeeded) this.#state.update({ isSignInNeeded: true });
    else if (promptError) this.#state.update({ promptError });
    else this.tell(sentenceFor(error), "problem", action);
  }
}

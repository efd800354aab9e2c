// Who one is: a token kept in this browser, from a guest sign-in or pasted by the person.

const TOKEN = "studio.token";
const KIND = "studio.token-kind";

/** Guests are off and there is no token that works: the person has to bring one. */
export class SignInNeeded extends Error {}

export class Session {
  #memory = new Map(); // for browsers that refuse to keep anything
  #renewing = null;

  get token() {
    return this.#read(TOKEN);
  }

  get isOwn() {
    return this.#read(KIND) === "own";
  }

  /** Take the person's own token. */
  use(token) {
    this.#keep(TOKEN, token);
    this.#keep(KIND, "own");
  }

  forget() {
    this.#keep(TOKEN, null);
    this.#keep(KIND, null);
  }

  /** Get a token that is not `refused`; several callers at once share one sign-in. */
  renew(refused, signInAsGuest) {
    if (this.token && this.token !== refused) return Promise.resolve();
    this.#renewing ??= this.#signIn(signInAsGuest).finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #signIn(signInAsGuest) {
    const wasOwn = this.isOwn;
    this.forget();
    const guest = wasOwn ? null : await signInAsGuest();
    if (guest === null) throw new SignInNeeded();
    this.#keep(TOKEN, guest.access_token);
    this.#keep(KIND, "guest");
  }

  #read(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return this.#memory.get(name) ?? null;
    }
  }

  #keep(name, value) {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {
      this.#memory.set(name, value);
    }
  }
}

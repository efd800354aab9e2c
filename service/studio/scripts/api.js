// Talk to the API: sign in when needed, try again when it cannot be reached, name what is wrong.

import { Problem, Unreachable } from "./problems.js";
import { SignInNeeded } from "./session.js";
import { upload } from "./upload.js";
import { backoffMs, pause } from "./waiting.js";

const ANSWER_MS = 30_000; // how long a plain request may take

/** Turn a refusal into a `Problem`; a proxy's page of HTML too. */
async function problemFrom(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, body ?? {}, response.headers);
}

export class Api {
  #session;
  #onLink;

  /** `onLink(trouble)` hears of each failed try, and null once an answer has come. */
  constructor(session, onLink) {
    this.#session = session;
    this.#onLink = onLink;
  }

  /** Make sure that there is a token; whether it works is not asked. */
  async ready() {
    if (!this.#session.token) await this.#renew(null);
  }

  /** Whether the token that the person has just brought works. */
  async accepts() {
    try {
      await this.insist("GET", "api/quota");
      return true;
    } catch (error) {
      if (error instanceof SignInNeeded) return false;
      throw error;
    }
  }

  /** One request with the person's token; 304 is an answer. Raises Problem and Unreachable. */
  async send(method, path, { json, headers = {}, signal, limitMs, accept = [] } = {}) {
    await this.ready();
    for (let isRetry = false; ; isRetry = true) {
      const { token } = this.#session;
      const all = { ...headers, Authorization: `Bearer ${token}` };
      if (json !== undefined) all["Content-Type"] = "application/json";
      const body = json === undefined ? undefined : JSON.stringify(json);
      const response = await reach(path, { method, headers: all, body, signal, limitMs });
      if (response.ok || response.status === 304 || accept.includes(response.status)) {
        return response;
      }
      if (response.status !== 401 || isRetry) throw await problemFrom(response);
      await this.#renew(token);
    }
  }

  /** As `send`, again and again while the service cannot be reached: for what may be repeated. */
  async insist(method, path, options = {}) {
    return this.#patiently(() => this.send(method, path, { limitMs: ANSWER_MS, ...options }));
  }

  async get(path) {
    return (await this.insist("GET", path)).json();
  }

  /** A page of a list, and whether another follows. */
  async page(path) {
    const response = await this.insist("GET", path);
    const next = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "");
    const cursor = next && new URL(next[1], document.baseURI).searchParams.get("cursor");
    return { items: await response.json(), cursor };
  }

  /** Ask for a refinement. The key makes it safe to ask again when an answer was lost. */
  async refine(wish) {
    const options = { json: wish, headers: { "Idempotency-Key": freshKey() }, accept: [409] };
    const response = await this.insist("POST", "api/concepts/refine", options);
    return { task: await response.json(), isJoined: response.status === 409 };
  }

  /** Upload an image; `onProgress` hears the fraction that has gone out. */
  async upload(image, descriptions, onProgress, signal) {
    await this.ready();
    for (let isRetry = false; ; isRetry = true) {
      const { token } = this.#session;
      try {
        const form = { ...descriptions, image };
        return await upload(address("api/concepts"), token, form, { onProgress, signal });
      } catch (error) {
        if (error.status !== 401 || isRetry) throw error;
        await this.#renew(token);
      }
    }
  }

  #renew(refused) {
    const signIn = async () => {
      const response = await reach("api/auth/guest", { method: "POST", limitMs: ANSWER_MS });
      if (response.status === 404) return null;
      if (!response.ok) throw await problemFrom(response);
      return response.json();
    };
    return this.#session.renew(refused, () => this.#patiently(signIn));
  }

  async #patiently(work) {
    for (let failures = 0; ; failures++) {
      try {
        const result = await work();
        this.#onLink(null);
        return result;
      } catch (error) {
        if (!error.isPassing) throw error;
        this.#onLink(error);
        await pause(Math.max(backoffMs(failures), error.retryAfterMs));
      }
    }
  }
}

const address = (path) => new URL(path, document.baseURI);

async function reach(path, { signal, limitMs, ...options }) {
  const signals = [signal, limitMs && AbortSignal.timeout(limitMs)].filter(Boolean);
  try {
    const either = AbortSignal.any(signals);
    return await fetch(address(path), { ...options, signal: either, cache: "no-store" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable("The service cannot be reached.", { cause: error });
  }
}

/** 128 random bits; `crypto.randomUUID` exists on https only. */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

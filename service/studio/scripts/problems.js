// The two ways in which a request can fail.

const PASSING = new Set([502, 503, 504]); // answers that another try may change

/** The service answered that it cannot do this; `code` is from its catalogue. */
export class Problem extends Error {
  /** `headers` has `get(name)`. */
  constructor(status, body, headers) {
    super(body.detail ?? body.message ?? "");
    this.status = status;
    this.code = body.code ?? "";
    this.body = body;
    this.retryAfterMs = 1000 * (Number(headers.get("Retry-After")) || 0);
  }

  get isPassing() {
    return PASSING.has(this.status);
  }
}

/** There was no answer at all. */
export class Unreachable extends Error {
  isPassing = true;
  retryAfterMs = 0;
}

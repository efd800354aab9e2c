// Say in plain sentences what went wrong, how much is left, and until when.

const DAY_MS = 86_400_000;

const SENTENCES = {
  authentication_required: () => "Please sign in to go on.",
  token_invalid: () => "This access token is not valid. Please sign in again.",
  token_expired: () => "Your sign-in has run out. Please sign in again.",
  validation_error: (body) => listed(body.errors) ?? "Something in the request is not right.",
  malformed_json: () => "The request was garbled on its way. Please try again.",
  unsupported_media_type: () => "The service does not take this kind of file.",
  payload_too_large: () => "That is more than the service takes at once. Please shorten it.",
  not_found: () => "There is nothing at this address.",
  concept_not_found: () => "This version does not exist any more.",
  task_not_found: () => "This refinement does not exist any more.",
  task_active: () => "This refinement is still running. Cancel it first, or wait until it ends.",
  idempotency_key_reused: () => "This request was sent before with other words. Please try again.",
  quota_exceeded: (body) => usedUp(body.limit, body.reset_after_seconds),
  image_invalid: (body) => told(body, "This file is not an image that can be read."),
  image_too_large: (body) => told(body, "This image is too large: 10 MB is the most."),
  service_unavailable: () => "The service is not available at the moment. Please try again soon.",
  internal_error: () => "Something went wrong on our side. Please try again.",
  malformed_request: () => "The request was garbled on its way. Please try again.",
  headers_too_large: () => "The request was garbled on its way. Please try again.",
  request_timeout: () => "The connection is too slow for this. Please try again.",
  too_many_streams: () => "This is open in too many windows. Please close some of them.",
  method_not_allowed: () => "The service does not do this here.",
};

const FAILURES = {
  canceled: "Stopped, as you asked",
  timed_out: "It took too long",
  source_unavailable: "The image could not be fetched",
  source_invalid: "The image cannot be read",
  source_too_large: "The image is too large",
  content_rejected: "The engine declined this request",
  nothing_to_apply: "Nothing of this could be done",
  engine_unavailable: "The engine is not available",
  engine_failed: "The engine could not do it",
  internal_error: "Something went wrong on our side",
};

const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** A sentence for a request that failed. */
export function sentenceFor(error) {
  const say = SENTENCES[error.code];
  if (say) return say(error.body);
  if (error.isPassing) return troubleSentence(error);
  return error.message || SENTENCES.internal_error();
}

/** A sentence for a connection that does not work now and is tried again. */
export function troubleSentence(error) {
  if (!navigator.onLine) return "You are offline. Everything goes on as soon as you are back.";
  if (error.status) return "The service is busy at the moment. Trying again…";
  return "The service cannot be reached. Trying again…";
}

/** What to call a failed task, and whether it was charged. */
export function failureTitle(task) {
  return FAILURES[task.error_code] ?? "It did not work";
}

/** What was wrong with each field: {refinement_prompt: "…"}. */
export function fieldErrors(error) {
  const errors = error.body?.errors ?? [];
  return Object.fromEntries(errors.map((one) => [one.loc.at(-1), capital(one.message)]));
}

/** "7 of 10 left · resets on 1 December" in its two parts. */
export function quotaWords(quota) {
  const left = `${quota.remaining} of ${quota.limit} left`;
  return { left, resets: `resets on ${date.format(new Date(quota.resets_at))}` };
}

export function usedUp(limit, afterSeconds) {
  const when = new Date(Date.now() + afterSeconds * 1000);
  return (
    `This month’s ${limit} refinements are used up. ` +
    `You get new ones on ${date.format(when)}, ${inDays(afterSeconds * 1000)}.`
  );
}

/** The seconds until a time, by this machine's clock. */
export const secondsUntil = (time) => Math.max(0, (new Date(time) - Date.now()) / 1000);

function inDays(ms) {
  if (ms < DAY_MS) return relative.format(Math.max(1, Math.round(ms / 3_600_000)), "hour");
  return relative.format(Math.round(ms / DAY_MS), "day");
}

function told(body, otherwise) {
  return body.detail || otherwise;
}

function listed(errors) {
  if (!errors?.length) return null;
  return errors.map((one) => `${label(one.loc)}${one.message}.`).join(" ");
}

function label(loc) {
  const name = loc.filter((part) => typeof part === "string").at(-1);
  return name ? `${capital(name.replaceAll("_", " "))}: ` : "";
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// Follow a task to its end: by its event stream, or by long polls where streams do not get through.

import { Unreachable } from "./problems.js";
import { eventsIn } from "./sse.js";
import { isActive } from "./state.js";
import { backoffMs, pause } from "./waiting.js";

const STREAM_TRIES = 2; // streams in a row that bring nothing before polling takes over
const SILENCE_MS = 40_000; // the service sends a heartbeat every 15 s
const POLL_S = 25;

/** Every state of the task that is seen, the final one last. `onLink` as for `Api`. */
export async function* follow(api, taskId, { signal, onLink }) {
  const path = `api/tasks/${taskId}`;
  const seen = { eventId: "", etag: "" };
  let emptyStreams = 0;
  for (let failures = 0; ; failures++) {
    const isStream = emptyStreams < STREAM_TRIES;
    const states = isStream ? streamed(api, path, seen, signal) : polled(api, path, seen, signal);
    emptyStreams++;
    try {
      for await (const task of states) {
        if (isStream) emptyStreams = 0;
        failures = 0;
        onLink(null);
        yield task;
        if (!isActive(task)) return;
      }
      if (!isStream) failures = 0;
    } catch (error) {
      if (!error.isPassing) throw error;
      onLink(error);
    }
    await pause(backoffMs(failures), signal);
  }
}

async function* streamed(api, path, seen, signal) {
  const watchdog = new AbortController();
  const either = AbortSignal.any([signal, watchdog.signal]);
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => watchdog.abort(), SILENCE_MS);
  };
  alive();
  try {
    const headers = { Accept: "text/event-stream" };
    if (seen.eventId) headers["Last-Event-ID"] = seen.eventId;
    const response = await api.send("GET", `${path}/events`, { headers, signal: either });
    if (response.status === 204) {
      yield await (await api.send("GET", path, { signal: either })).json();
      return;
    }
    for await (const event of eventsIn(response.body, alive)) {
      seen.eventId = event.id || seen.eventId;
      if (event.name === "task") yield JSON.parse(event.data);
    }
  } catch (error) {
    if (signal.aborted || error.status) throw error;
    throw new Unreachable("The stream broke off.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function* polled(api, path, seen, signal) {
  // the first poll asks for the state at once, later ones wait for another
  const headers = seen.etag ? { Prefer: `wait=${POLL_S}`, "If-None-Match": seen.etag } : {};
  const response = await api.send("GET", path, { headers, signal, limitMs: SILENCE_MS });
  seen.etag = response.headers.get("ETag") ?? "";
  if (response.status !== 304) yield response.json();
}

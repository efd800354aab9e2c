// Wait before trying again, but not a moment longer than the network is away.

const MOST_MS = 10_000;
const FIRST_MS = 500;

/** The pause before another try: longer each time, never in step with other clients. */
export function backoffMs(failures) {
  const longest = Math.min(MOST_MS, FIRST_MS * 2 ** failures);
  return longest / 2 + (Math.random() * longest) / 2;
}

/** Resolve after `ms`, at once when the browser comes online; reject when `signal` aborts. */
export function pause(ms, signal) {
  const done = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const options = { once: true, signal: done.signal };
    globalThis.addEventListener("online", resolve, options);
    signal?.addEventListener("abort", () => reject(signal.reason), options);
    done.signal.addEventListener("abort", () => clearTimeout(timer));
    if (signal?.aborted) reject(signal.reason);
  }).finally(() => done.abort());
}

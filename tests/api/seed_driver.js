// Calls the functions of seed.js, which are run as they are: the only thing around them is a fetch
// that knows where the service is and who asks. Says what happens as one JSON document a line.
"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { runInThisContext } = require("node:vm");

const { BASE, TOKEN, IMAGE_URL, PROMPT } = process.env;
const plainFetch = globalThis.fetch;
globalThis.fetch = (path, options = {}) =>
  plainFetch(BASE + path, {
    ...options,
    headers: { ...options.headers, Authorization: `Bearer ${TOKEN}` },
  });
// what the seed logs is for people
console.log = () => {};
console.error = () => {};
const say = (event, value) => process.stdout.write(`${JSON.stringify({ event, value })}\n`);

runInThisContext(readFileSync(join(__dirname, "seed.js"), "utf8"));

refineConceptWithPrompt(IMAGE_URL, PROMPT, "A cup", undefined)
  .then(async (task) => {
    say("started", task);
    say("ended", await pollTaskUntilComplete(task.task_id, (status) => say("progress", status)));
  })
  .catch((error) => say("thrown", error.message));

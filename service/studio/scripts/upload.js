// Send an image and hear how far it has come, which only XMLHttpRequest can tell.

import { Problem, Unreachable } from "./problems.js";

/** Post a form's fields with a token; resolves to the JSON. Raises Problem and Unreachable. */
export function upload(address, token, fields, { onProgress, signal }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && !signal.aborted) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status === 201 && body !== null) resolve(body);
      else reject(new Problem(request.status, body ?? {}, headersOf(request)));
    };
    request.onerror = () => reject(new Unreachable("The service cannot be reached."));
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

const headersOf = (request) => ({ get: (name) => request.getResponseHeader(name) });

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Send an image and hear how far it has come, which only XMLHttpRequest can tell.

import { Problem, Unreachable } from "./problems.js";

/** Upload to `address`; resolves to the Concept. Raises Problem and Unreachable. */
export function upload(address, token, image, descriptions, onProgress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(descriptions)) form.append(name, value);
  form.append("image", image, image.name || "image");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status === 201 && body !== null) resolve(body);
      else reject(new Problem(request.status, body ?? {}, headersOf(request)));
    };
    request.onerror = () => reject(new Unreachable("The service cannot be reached."));
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

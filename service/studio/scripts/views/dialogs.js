// The two questions that stop everything else: really delete, and who are you.

import { byId } from "../dom.js";

/** Ask before a version is deleted; resolves to the answer. */
export function showConfirm() {
  const dialog = byId("confirm");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), {
      once: true,
    });
  });
}

/** Ask for a token whenever one is needed; `signIn` tells whether it works. */
export function showSignIn(state, signIn) {
  const dialog = byId("sign-in");
  const field = byId("token");
  const fail = (text) => {
    byId("token-error").textContent = text;
    field.setAttribute("aria-invalid", String(text !== ""));
  };
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  byId("sign-in-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = field.value.trim();
    if (!token) return fail("Paste your access token first.");
    fail("");
    if (await signIn(token)) return undefined;
    field.select();
    return fail("This token is not valid, or has run out.");
  });
  state.listen(({ isSignInNeeded }) => {
    if (isSignInNeeded && !dialog.open) dialog.showModal();
    if (!isSignInNeeded && dialog.open) {
      field.value = "";
      dialog.close();
    }
  });
}

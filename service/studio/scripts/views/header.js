// The bar at the top: the way home, what is left of the month; and the banner of a lost connection.

import { byId, make } from "../dom.js";
import { quotaWords, troubleSentence } from "../words.js";

export function showHeader(state, session, { home, signOut }) {
  byId("home").addEventListener("click", home);
  byId("sign-out").addEventListener("click", signOut);
  state.listen((now, before) => {
    byId("sign-out").hidden = !session.isOwn;
    if (now.quota !== before.quota) showQuota(now.quota);
  });
}

function showQuota(quota) {
  const { left, resets } = quotaWords(quota);
  const share = quota.limit ? quota.remaining / quota.limit : 0;
  byId("quota").replaceChildren(
    make("span", { className: "gauge", "aria-hidden": "true", "--share": share }),
    make("span", {}, left),
    make("span", { className: "resets" }, resets),
  );
  byId("quota").classList.toggle("empty", quota.remaining === 0);
}

/** Say that the service cannot be reached, or with null that it can. */
export function showTrouble(error) {
  const text = error ? troubleSentence(error) : "";
  if (byId("link").textContent !== text) byId("link").textContent = text;
  byId("link").classList.toggle("shown", text !== "");
}

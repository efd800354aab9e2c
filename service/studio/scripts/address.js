// Keep in the page's address what a reload, a bookmark or the back button should bring back.

const FIELDS = ["concept", "before", "task"];

/** What the address asks for; absent fields are null. */
export function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(FIELDS.map((name) => [name, given.get(name)]));
}

/** Show a place in the address; `isNew` makes it a step that the back button undoes. */
export function writeAddress(place, isNew) {
  const fields = new URLSearchParams();
  for (const name of FIELDS) if (place[name]) fields.set(name, place[name]);
  const text = fields.size ? `#${fields}` : location.pathname + location.search;
  if (fields.toString() === location.hash.slice(1)) return;
  if (isNew) history.pushState(null, "", text);
  else history.replaceState(null, "", text);
}

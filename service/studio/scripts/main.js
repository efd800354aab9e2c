// Put the studio together: what is known, what can be done, what is shown.

import { readAddress } from "./address.js";
import { Api } from "./api.js";
import { Library } from "./library.js";
import { Notices } from "./notices.js";
import { Refining } from "./refining.js";
import { Session } from "./session.js";
import { State } from "./state.js";
import { showComposer } from "./views/composer.js";
import { showConfirm, showSignIn } from "./views/dialogs.js";
import { showEasel } from "./views/easel.js";
import { showHeader, showTrouble } from "./views/header.js";
import { showOutcome } from "./views/outcome.js";
import { showStart } from "./views/start.js";
import { showVersions } from "./views/versions.js";

const session = new Session();
const state = new State();
const api = new Api(session, showTrouble);
const notices = new Notices(state);
const library = new Library(api, state, notices);
const refining = new Refining(api, state, notices, library, showTrouble);

async function begin() {
  const { task } = readAddress();
  await notices.attempt(() => api.ready());
  if (state.value.isSignInNeeded) return;
  await Promise.all([
    library.revisit(),
    notices.attempt(() => library.readRecent()),
    notices.attempt(() => refining.readQuota()),
  ]);
  await notices.attempt(() => refining.resume(task));
}

async function signIn(token) {
  session.use(token);
  const works = await api.accepts();
  if (works) {
    state.update({ isSignInNeeded: false });
    await begin();
  }
  return works;
}

function signOut() {
  session.forget();
  location.replace(location.pathname);
}

showHeader(state, session, { home: () => library.home(), signOut });
showStart(state, library);
showEasel(state, library, showConfirm);
showVersions(state, library);
showComposer(state, library, refining);
showOutcome(state, notices, refining);
showSignIn(state, signIn);
state.listen(({ isOpening }) => {
  if (!isOpening) document.documentElement.classList.remove("opening");
});
state.update({ isOpening: readAddress().concept !== null });

addEventListener("popstate", () => library.revisit());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) library.refreshImages();
});

begin();

// What comes of an instruction: its progress, why it failed, or the report of the open version.

import { announce, byId, icon, isNarrow, make } from "../dom.js";
import { isActive, openConcept } from "../state.js";
import { failureTitle } from "../words.js";
import { partsOf, reportOf } from "./report.js";

export function showOutcome(state, notices, refining) {
  const progress = makeProgress(refining);
  const place = byId("outcome");
  state.listen((now, before) => {
    if (now.notice !== before.notice) showNotice(now.notice, notices);
    const open = openConcept(now);
    const isSame = now.task === before.task && open === openConcept(before);
    if (isSame && now.isCanceling === before.isCanceling) return;
    if (isActive(now.task) || now.task?.status === "completed") {
      progress.show(now.task, now.isCanceling);
      if (place.firstChild !== progress.card) {
        place.replaceChildren(progress.card);
        if (isNarrow()) progress.card.scrollIntoView({ block: "nearest" });
      }
    } else if (!isSame) {
      const hadFocus = place.contains(document.activeElement);
      place.replaceChildren(...outcomeOf(now.task, open));
      if (hadFocus) byId("refine").focus();
    }
  });
}

/** The card of a running task; made once, so that its button keeps the focus. */
function makeProgress(refining) {
  const stage = make("p", { className: "step" });
  const wish = make("p", { className: "wish" });
  const bar = make("div", {
    className: "track",
    role: "progressbar",
    "aria-label": "Refinement progress",
    "aria-valuemin": "0",
    "aria-valuemax": "100",
  });
  bar.append(make("span"));
  const cancel = make("button", { type: "button", className: "plain" }, "Cancel");
  cancel.addEventListener("click", () => {
    if (cancel.ariaDisabled !== "true") refining.cancel();
  });
  const foot = make("div", { className: "foot" }, stage, cancel);
  const card = make("section", { className: "card progress" }, wish, bar, foot);
  card.ariaLabel = "Running";
  const show = (task, isCanceling) => {
    const percent = Math.round(task.progress * 100);
    const text = isCanceling ? "Stopping…" : stepOf(task);
    if (stage.textContent !== text) {
      stage.textContent = text;
      announce(text);
    }
    wish.textContent = `“${task.metadata.refinement_prompt}”`;
    bar.setAttribute("aria-valuenow", percent);
    bar.setAttribute("aria-valuetext", `${percent}%, ${text}`);
    bar.style.setProperty("--done", task.progress);
    bar.classList.toggle("waiting", task.status === "pending");
    cancel.ariaDisabled = String(isCanceling || !isActive(task));
  };
  return { card, show };
}

function stepOf(task) {
  if (task.status === "completed") return "Done";
  if (task.status === "pending") {
    return task.attempt > 0 ? "That did not work; trying once more" : "Waiting for its turn";
  }
  return task.message;
}

/** Why a task failed, with the report where there is one. */
function failureOf(task) {
  const isCanceled = task.error_code === "canceled";
  const { report } = task.metadata;
  const lines = [make("h2", {}, failureTitle(task))];
  if (task.error_message && !isCanceled && !report) lines.push(make("p", {}, task.error_message));
  const note = isCanceled ? "Nothing was changed." : "This did not count against your month.";
  lines.push(make("p", { className: "hint" }, note));
  const head = make("header", { className: `verdict${isCanceled ? " calm" : ""}` }, ...lines);
  const parts = report ? partsOf(report) : [];
  return make("section", { className: "card failure report" }, head, ...parts);
}

function outcomeOf(task, open) {
  if (task) return [failureOf(task)];
  return open?.report ? [reportOf(open.report, open.refinement_prompt)] : [];
}

function showNotice(notice, notices) {
  const place = byId("notice");
  place.className = `notice ${notice?.kind ?? ""}`;
  if (notice === null) return place.replaceChildren();
  const { text, action } = notice;
  const close = make(
    "button",
    { type: "button", className: "bare", "aria-label": "Dismiss" },
    icon("close"),
  );
  close.addEventListener("click", () => notices.dismiss());
  const again = action && make("button", { type: "button", className: "plain" }, action.label);
  again?.addEventListener("click", () => {
    notices.dismiss();
    action.run();
  });
  return place.replaceChildren(make("p", {}, text), ...(again ? [again] : []), close);
}

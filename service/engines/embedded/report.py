"""Tell the person what was understood, done and not done."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from service.engines.contract import Applied, NotApplied, Outcome, Reason, Report, Understood
from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, hex_of, oklab
from service.engines.embedded.outcome import NAME
from service.engines.embedded.palette import cluster
from service.engines.embedded.plan import Edit, Plan

_PALETTE_COLOURS = 6
_SAME_COLOUR = 0.04
_LEAST_SHARE = 0.0005
_BINS = 16


@dataclass(slots=True)
class Account:
    """What has happened so far to the edits of a plan."""

    applied: list[Applied] = field(default_factory=list)
    not_applied: list[NotApplied] = field(default_factory=list)
    fulfilled: list[NotApplied] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def apply(self, edit: Edit, summary: str, measured: dict[str, float]) -> None:
        """Say that an edit was made."""
        self.applied.append(
            {"span": edit.span, "op": str(edit.op), "summary": summary, "measured": measured}
        )

    def refuse(self, span: str, reason: Reason, message: str, *, fulfilled: bool = False) -> None:
        """Say that a part of the prompt was not carried out, or need not be."""
        refusal: NotApplied = {"span": span, "reason": reason, "message": message}
        (self.fulfilled if fulfilled else self.not_applied).append(refusal)

    def settle(self) -> None:
        """Say what need not be done: beside the rest of its words a note, alone a refusal."""
        done = {edit["span"] for edit in self.applied}
        self.not_applied += [x for x in self.fulfilled if x["span"] not in done]
        self.note(tuple(x["message"] for x in self.fulfilled if x["span"] in done), ())
        self.fulfilled.clear()

    def undo_all(self) -> None:
        """Say of every edit that it is not to be seen: together they came to nothing."""
        for edit in self.applied:
            message = "Together with the other changes this left the image as it was."
            self.refuse(edit["span"], "conflict", message)
        self.applied.clear()

    def note(self, assumptions: tuple[str, ...], warnings: tuple[str, ...]) -> None:
        """Add notes, each once."""
        self.assumptions += [x for x in assumptions if x not in self.assumptions]
        self.warnings += [x for x in warnings if x not in self.warnings]


def make_report(plan: Plan, account: Account, before: Canvas, after: Canvas) -> Report:
    """The report of a plan that was carried out from `before` to `after`."""
    declined: list[NotApplied] = [
        {"span": d.span, "reason": d.reason, "message": d.message} for d in plan.declined
    ]
    not_applied = declined + account.not_applied
    return {
        "engine": NAME,
        "outcome": _outcome(account.applied, not_applied),
        "understood": [_understood(edit) for edit in plan.edits],
        "applied": account.applied,
        "not_applied": not_applied,
        "assumptions": [*plan.assumptions, *account.assumptions],
        "corrections": [list(pair) for pair in plan.corrections],
        "warnings": account.warnings,
        "palette": {"before": main_colours(before), "after": main_colours(after)},
    }


def _outcome(applied: list[Applied], not_applied: list[NotApplied]) -> Outcome:
    if not applied:
        return "none"
    return "partial" if not_applied else "complete"


def _understood(edit: Edit) -> Understood:
    return {
        "span": edit.span,
        "op": str(edit.op),
        "target": str(edit.target),
        "amount": edit.amount,
    }


def main_colours(canvas: Canvas) -> list[str]:
    """The main visible colours as `#rrggbb`, largest area first."""
    rgb, area = _histogram(canvas.image)
    if not area.size:
        return []
    of = cluster(oklab(rgb), area, nearest=_SAME_COLOUR)
    colours = []
    for number in range(int(of.max()) + 1):
        rows = np.flatnonzero(of == number)
        colours.append(hex_of(rgb[rows[np.argmax(area[rows])]]))
    return colours[:_PALETTE_COLOURS]


def _histogram(image: Bytes) -> tuple[Bytes, np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """The most frequent colours of an image and their shares, transparent pixels left out."""
    pixels = image.reshape(-1, 4)[:: max(1, image.size // 4 // 65536)]
    seen = pixels[pixels[:, 3] > 127][:, :3]
    packed = seen.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, counts = np.unique(packed, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:64]
    share = counts[order] / max(pixels.shape[0], 1)
    chosen = colours[order][share >= _LEAST_SHARE]
    rgb = np.stack([chosen >> 16, chosen >> 8 & 255, chosen & 255], axis=1).astype(np.uint8)
    return rgb, share[share >= _LEAST_SHARE].astype(np.float32)

"""Carry out a plan: each edit is tried, measured, and kept only if it did what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes
from service.engines.embedded.ops import GROUPS, OPS, CannotApply, Done
from service.engines.embedded.ops.base import named
from service.engines.embedded.plan import Constraint, Edit, Keep, Op, Plan
from service.engines.embedded.report import Account
from service.engines.embedded.scene.core import Flags
from service.engines.embedded.targets import select

_SEEN_LEVELS = 3
_LEAST_CHANGED = 0.00002  # of the image
_SOFTER = 0.6
_SOFTENINGS = 2


def carry_out(
    plan: Plan, canvas: Canvas, progress: Callable[[float, str], None]
) -> tuple[Canvas, Account]:
    """The canvas after all edits that could be made, and the account of them."""
    account = Account()
    edits = sorted(plan.edits, key=lambda edit: (edit.step, GROUPS.get(edit.op, len(GROUPS))))
    guard = Guard(canvas, plan.constraints)
    for number, edit in enumerate(edits):
        progress(number / len(edits), f"Working on “{edit.span}”")
        try:
            done = _attempt(canvas, edit, guard)
        except CannotApply as refusal:
            account.not_applied.append(
                {"span": edit.span, "reason": refusal.reason, "message": refusal.message}
            )
            continue
        canvas = done.canvas
        account.note(done.assumptions, done.warnings)
        account.applied.append(
            {
                "span": edit.span,
                "op": str(edit.op),
                "summary": done.summary,
                "measured": done.measured,
            }
        )
    return canvas, account


class Guard:
    """What the person wants kept: asked before an edit, checked after it."""

    def __init__(self, canvas: Canvas, constraints: tuple[Constraint, ...]) -> None:
        self._constraints = constraints
        self._start = canvas

    def allowed(self, canvas: Canvas, edit: Edit, chosen: Flags) -> Flags:
        """The chosen surfaces that are free to change; raises `CannotApply` when none is."""
        free = chosen.copy()
        for constraint in self._constraints:
            if constraint.keep in (Keep.EVERYTHING, Keep.COLOUR):
                free &= ~select(canvas, constraint.target)
        if chosen.any() and not free.any():
            raise CannotApply(
                "conflict",
                f"You asked to keep {named(edit.target)} as it is, so it was left alone.",
            )
        return free

    def violated(self, before: Canvas, after: Canvas) -> bool:
        """Whether an edit changed what was to be kept."""
        kept = [c for c in self._constraints if c.keep in (Keep.EVERYTHING, Keep.COLOUR)]
        if not kept or before.image.shape != after.image.shape:
            return False
        different = changed_pixels(before.image, after.image)
        return any(
            bool((different & before.scene.core(select(before, c.target))).any()) for c in kept
        )


def _attempt(canvas: Canvas, edit: Edit, guard: Guard) -> Done:
    """The edit, softened if need be, that moved something and nothing protected."""
    apply = OPS.get(edit.op)
    if apply is None:
        raise CannotApply("limit", "This engine cannot make that change yet.")
    chosen = select(canvas, edit.target)
    if not chosen.any():
        raise CannotApply("not_in_image", f"The image has nothing like {named(edit.target)}.")
    chosen = guard.allowed(canvas, edit, chosen)
    for _ in range(_SOFTENINGS + 1):
        done = apply(canvas, edit, chosen)
        if not guard.violated(canvas, done.canvas):
            break
        if edit.amount is None:
            raise CannotApply("conflict", "It would have changed what you asked to keep.")
        edit = replace(edit, amount=edit.amount * _SOFTER)
    else:
        raise CannotApply("conflict", "It would have changed what you asked to keep.")
    if not moved(canvas.image, done.canvas.image):
        raise CannotApply("limit", _already(edit))
    return done


def _already(edit: Edit) -> str:
    if edit.op is Op.BACKGROUND:
        return "The background is like that already."
    return f"Nothing would change: {named(edit.target)} is like that already."


def changed_pixels(before: Bytes, after: Bytes) -> Flags:
    """Which pixels differ visibly between two images of one size."""
    low, high = np.minimum(before, after), np.maximum(before, after)
    return np.asarray((high - low).max(axis=2) > _SEEN_LEVELS)


def moved(before: Bytes, after: Bytes) -> bool:
    """Whether a person could see a difference."""
    if before.shape != after.shape:
        return True
    return float(changed_pixels(before, after).mean()) > _LEAST_CHANGED

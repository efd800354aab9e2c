"""Carry out a plan: each edit is tried, measured, and kept only if it did what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import hex_of
from service.engines.embedded.guard import Guard, moved
from service.engines.embedded.ops import GROUPS, NEEDS_NO_SHAPES, OPS, CannotApply, Done
from service.engines.embedded.ops.base import named
from service.engines.embedded.plan import Edit, Op, Part, Plan, Target
from service.engines.embedded.report import Account
from service.engines.embedded.scene.core import Flags
from service.engines.embedded.targets import select

_SOFTER = 0.6
_TRIES = 3
_PHOTOGRAPH = (
    "This looks like a photograph: its parts cannot be told apart without a generative engine."
)
_BROKEN = "It would have changed what you asked to keep, so it was not done."


def carry_out(
    plan: Plan, canvas: Canvas, progress: Callable[[float, str], None]
) -> tuple[Canvas, Account]:
    """The canvas after all edits that could be made, and the account of them."""
    account = Account()
    edits = sorted(plan.edits, key=lambda edit: (edit.step, GROUPS[edit.op]))
    guard = Guard(canvas, plan.constraints)
    for number, edit in enumerate(edits):
        progress(number / len(edits), f"Working on “{edit.span}”")
        try:
            done = _attempt(canvas, edit, guard)
        except CannotApply as refusal:
            account.refuse(edit.span, refusal.reason, refusal.message, fulfilled=refusal.fulfilled)
            continue
        canvas = done.canvas
        account.note(done.assumptions, done.warnings)
        account.apply(edit, done.summary, done.measured)
    account.settle()
    return guard.restored(canvas, (Op(done["op"]) for done in account.applied)), account


def _attempt(canvas: Canvas, edit: Edit, guard: Guard) -> Done:
    """The edit, softened if need be, that moved something and nothing protected."""
    if canvas.scene.photographic and edit.op not in NEEDS_NO_SHAPES:
        raise CannotApply("needs_generative", _PHOTOGRAPH)
    chosen = select(canvas, edit.target)
    if not chosen.any():
        raise CannotApply("not_in_image", _missing(edit))
    if edit.op is Op.REMOVE and edit.target.colour and chosen[canvas.scene.background].any():
        edit = replace(edit, op=Op.BACKGROUND, target=Target(Part.BACKGROUND))
        chosen = select(canvas, edit.target)  # "knock out the cream" of a cream ground
    edit, chosen = guard.allowed(canvas, edit, chosen)
    if edit.op is Op.BACKGROUND:  # artwork that may change to show on a new ground
        chosen = chosen | (guard.free(canvas, edit) & ~canvas.scene.background)
    for _ in range(_TRIES):
        done = OPS[edit.op](canvas, edit, chosen)
        if not guard.violated(canvas, done.canvas, edit):
            break
        if edit.amount is None:
            raise CannotApply("conflict", _BROKEN)
        edit = replace(edit, amount=edit.amount * _SOFTER)
    else:
        raise CannotApply("conflict", _BROKEN)
    if done.canvas.svg is None and not moved(canvas.image, done.canvas.image):
        raise CannotApply("limit", _already(edit), fulfilled=True)
    return replace(done, assumptions=(*_reading(canvas, edit, chosen), *done.assumptions))


def _reading(canvas: Canvas, edit: Edit, chosen: Flags) -> tuple[str, ...]:
    """What a person's own word for a shape was taken to mean."""
    if edit.target.noun is None:
        return ()
    icon = select(canvas, Target(Part.ICON))
    what = "the whole icon" if (chosen == icon).all() else f"the {_colours(canvas, chosen)} shapes"
    return (f"“{edit.target.noun}” was taken to mean {what}.",)


def _colours(canvas: Canvas, chosen: Flags) -> str:
    """The hex codes of the largest of some surfaces, at most three."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(-canvas.scene.regions.area[rows], kind="stable")]
    codes = dict.fromkeys(hex_of(np.rint(canvas.means[row, :3])) for row in rows)
    return ", ".join(list(codes)[:3])


def _missing(edit: Edit) -> str:
    if edit.target.noun is not None:
        return f"It is not clear which part of the image “{edit.target.noun}” is."
    if edit.target.part is Part.BACKGROUND:
        return "No background was found that could be told from the artwork."
    return f"The image has nothing that could be {named(edit.target)}."


def _already(edit: Edit) -> str:
    if edit.op is Op.BACKGROUND:
        return "The background is like that already."
    if edit.op is Op.RECOLOUR:
        return f"Nothing would change: {named(edit.target)} has that colour already."
    return f"Nothing would change: {named(edit.target)} cannot go further that way."

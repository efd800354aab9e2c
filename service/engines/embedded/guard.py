"""Hold edits to what the person wants kept: ask before each, and look afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, packed
from service.engines.embedded.ops import TOUCHES, CannotApply
from service.engines.embedded.ops.base import named
from service.engines.embedded.plan import Constraint, Edit, Keep, Op, Part, Target
from service.engines.embedded.scene.core import Flags
from service.engines.embedded.targets import select

_VISIBLE_BITS = np.uint32(0xFCFCFCFC)
_LEAST_CHANGED = 0.0001  # of the image
_MOST_VIOLATED = 0.004  # of the protected pixels
_PURE = 0.97  # of a pixel
_ASPECTS = {Keep.COLOUR: "colours", Keep.SHAPE: "shapes", Keep.PLACE: "layout"}


class Guard:
    """The constraints of a plan, against the image as it was at the start."""

    def __init__(self, start: Canvas, constraints: tuple[Constraint, ...]) -> None:
        self._start = start
        self._constraints = constraints

    def allowed(self, canvas: Canvas, edit: Edit, chosen: Flags) -> tuple[Edit, Flags]:
        """The edit and its surfaces less what is kept; raises `CannotApply` when none is left."""
        free = chosen & self.free(canvas, edit)
        for constraint in self._constraints:
            if edit.op is Op.SIMPLIFY and constraint.keep in (Keep.COLOUR, Keep.SHAPE):
                edit = replace(edit, mode=f"keep_{constraint.keep}")
        if chosen.any() and not free.any():
            message = f"You asked to keep {_kept_name(self._constraints, edit)} as it is."
            raise CannotApply("conflict", message)
        return edit, free

    def free(self, canvas: Canvas, edit: Edit) -> Flags:
        """The surfaces that nothing keeps from the edit."""
        free = np.ones(len(canvas.scene.regions), np.bool_)
        for constraint in self._constraints:
            gentle = edit.op is Op.SIMPLIFY and constraint.keep in (Keep.COLOUR, Keep.SHAPE)
            if not gentle and self._forbids(constraint, edit):
                free &= ~self._kept(canvas, constraint.target)
        return free

    def violated(self, before: Canvas, after: Canvas, edit: Edit) -> bool:
        """Whether an edit changed what was to be kept."""
        if before.image.shape != after.image.shape:
            return False
        for constraint in self._constraints:
            drawn_over = constraint.target.part is Part.BACKGROUND and (
                TOUCHES[edit.op] is not Keep.COLOUR
            )
            if drawn_over or not self._forbids(constraint, edit):
                continue
            kept = before.scene.core(self._kept(before, constraint.target))
            if kept.any() and changed(before.image, after.image)[kept].mean() > _MOST_VIOLATED:
                return True
        return False

    def restored(self, after: Canvas, ops: Iterable[Op]) -> Canvas:
        """The canvas with what is kept from every change of colour as its bytes were.

        Blended pixels may hold a trace of a colour that was changed elsewhere.
        """
        kept = [c.target for c in self._constraints if c.keep in (Keep.EVERYTHING, Keep.COLOUR)]
        stayed = after.scene is self._start.scene and after.svg is None
        if not kept or not stayed or any(TOUCHES[op] is not Keep.COLOUR for op in ops):
            return after
        whole = np.zeros(len(after.scene.regions), np.bool_)
        for target in kept:
            whole |= self._kept(after, target)
        pure = after.scene.coverage(whole) >= _PURE
        return after.redrawn(np.where(pure[..., None], self._start.image, after.image))

    def _forbids(self, constraint: Constraint, edit: Edit) -> bool:
        return constraint.keep in (Keep.EVERYTHING, TOUCHES[edit.op])

    def _kept(self, canvas: Canvas, target: Target) -> Flags:
        """What a kept target means: as it was at the start while the shapes are still the same."""
        state = self._start if canvas.scene is self._start.scene else canvas
        kept = select(state, target)
        if target.noun is not None and not kept.any():
            return select(state, Target(Part.ICON))
        return kept


def _kept_name(constraints: tuple[Constraint, ...], edit: Edit) -> str:
    forbidding = [c for c in constraints if c.keep in (Keep.EVERYTHING, TOUCHES[edit.op])]
    what = named(forbidding[0].target if forbidding else edit.target)
    keep = forbidding[0].keep if forbidding else Keep.EVERYTHING
    if keep is Keep.EVERYTHING:
        return what
    return f"the {_ASPECTS[keep]} of {what}"


def changed(before: Bytes, after: Bytes) -> Flags:
    """Which pixels differ by at least 4 levels in some channel between two images of one size."""
    difference = packed(np.asarray(cv2.absdiff(before, after), dtype=np.uint8))
    return np.asarray((difference & _VISIBLE_BITS) != 0)


def moved(before: Bytes, after: Bytes) -> bool:
    """Whether a person could see a difference."""
    if before.shape != after.shape:
        return True
    return float(changed(before, after).mean()) > _LEAST_CHANGED

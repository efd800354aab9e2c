"""Carry targets from clause to clause: pronouns, omissions, and what an op is for by default."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from service.engines.embedded.language.acts import (
    IT,
    SAME,
    Act,
    Assume,
    Narrow,
    Protect,
    Soften,
    Topic,
)
from service.engines.embedded.language.amounts import WITHOUT_AMOUNT
from service.engines.embedded.language.constraints import Protection
from service.engines.embedded.plan import Constraint, Declined, Edit, Keep, Op, Part, Target

_WHOLE_IMAGE = {
    Op.INVERT, Op.DARK_MODE, Op.LIGHT_MODE, Op.BLACK_AND_WHITE, Op.MONOCHROME, Op.ONE_COLOUR,
    Op.DUOTONE, Op.LIMIT_PALETTE, Op.UPSCALE, Op.VECTORIZE, Op.SIMPLIFY, Op.FLATTEN, Op.PAD,
    Op.CROP, Op.SQUARE, Op.ROTATE, Op.FLIP, Op.VINTAGE, Op.GRAIN, Op.BLUR, Op.HARMONY,
    Op.SHARPEN, Op.SMOOTH, Op.ARRANGE,
}  # fmt: skip
"""Ops that are of the whole picture by nature, where nothing smaller was named."""

_ALWAYS_WHOLE = {
    Op.DARK_MODE, Op.LIGHT_MODE, Op.LIMIT_PALETTE, Op.UPSCALE, Op.VECTORIZE, Op.PAD, Op.CROP,
    Op.SQUARE, Op.HARMONY,
}  # fmt: skip

_NEVER_BACKGROUND = {
    Op.SCALE, Op.SIMPLIFY, Op.BOLDER, Op.THINNER, Op.CENTRE, Op.MOVE, Op.ROUND, Op.SHADOW, Op.GLOW,
    Op.ADD_OUTLINE, Op.OUTLINE_ONLY, Op.ROTATE, Op.FLIP, Op.ARRANGE,
}  # fmt: skip

_MILD = 0.5
_GENERAL = (Target(Part.IMAGE), Target(Part.ARTWORK))


@dataclass(slots=True)
class Context:
    """What the clauses so far were about, and what they made."""

    about: Target | None = None
    disliked: Target | None = None
    narrowed: tuple[Target, ...] = ()
    edits: list[Edit] = field(default_factory=list)
    protections: list[Protection] = field(default_factory=list)
    declined: list[Declined] = field(default_factory=list)
    praised: list[Target] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    def take(self, act: Act, span: str, step: int) -> None:
        """Take in one act of a clause with the words of it."""
        match act:
            case Edit():
                self._edit(replace(act, span=span, step=step))
            case Protect():
                self._protect(act, span)
            case Assume():
                self.assumptions.append(act.sentence)
            case Declined():
                self.declined.append(replace(act, span=span))
            case Topic():
                self._speak_of(act)
            case Narrow():
                self._narrow(act, span, step)
            case Soften():
                self._soften(act, span, step)

    def _protect(self, act: Protect, span: str) -> None:
        target = act.target
        if target in (IT, SAME):
            target = self.about or Target(Part.ARTWORK)
        if target == Target(Part.IMAGE) and act.keep is not Keep.EVERYTHING:
            target = Target(Part.ARTWORK)
        self.protections.append(Protection(Constraint(act.keep, target, span), act.soft, act.op))
        if target not in _GENERAL:
            self.about = target

    def _edit(self, edit: Edit) -> None:
        target = edit.target
        if target == SAME and edit.op is Op.RECOLOUR and self.disliked is not None:
            target = self.disliked
        elif target in (IT, SAME):
            target = self._antecedent(edit.op)
        if target in _GENERAL and self.narrowed and edit.op not in _ALWAYS_WHOLE:
            for narrow in self.narrowed:
                self._append(replace(edit, target=narrow))
            return
        if target in _GENERAL or edit.op in _ALWAYS_WHOLE:
            target = Target(Part.IMAGE if edit.op in _WHOLE_IMAGE else Part.ARTWORK)
        self._append(replace(edit, target=target))
        if edit.op not in (Op.BACKGROUND, Op.REMOVE) and target not in _GENERAL:
            self.about = target
        elif edit.op is Op.REMOVE:
            self.about = None

    def _append(self, edit: Edit) -> None:
        """Add an edit; one that says the same again only makes it stronger."""
        for i, other in enumerate(self.edits):
            if replace(other, span="", amount=None, confidence=1) == replace(
                edit, span="", amount=None, confidence=1
            ):
                stronger = max(other, edit, key=_strength)
                self.edits[i] = replace(stronger, span=edit.span)
                return
        self.edits.append(edit)

    def _antecedent(self, op: Op) -> Target:
        """What "it" is: the last thing named that the op can be for, or the whole."""
        last = self.about
        if last is None or (last == Target(Part.BACKGROUND) and op in _NEVER_BACKGROUND):
            return Target(Part.ARTWORK)
        return last

    def _speak_of(self, topic: Topic) -> None:
        if not topic.targets or topic.targets[0] in (IT, SAME):
            return
        self.about = topic.targets[0]
        if topic.liked:
            self.praised += topic.targets
        else:
            self.disliked = topic.targets[0]

    def _narrow(self, narrow: Narrow, span: str, step: int) -> None:
        """Aim the edit before at these alone; with none before, keep only these."""
        last = self.edits[-1] if self.edits else None
        if last is not None and last.target in _GENERAL and last.op not in _ALWAYS_WHOLE:
            self.edits[-1:] = [replace(last, target=t) for t in narrow.targets]
            return
        complement = {
            Part.ICON: Part.TEXT,
            Part.TEXT: Part.ICON,
        }
        other = complement.get(narrow.targets[0].part)
        if other is not None:
            self._append(Edit(Op.REMOVE, Target(other), span, step=step))
        else:
            self.narrowed = narrow.targets

    def _soften(self, soften: Soften, span: str, step: int) -> None:
        for i in range(len(self.edits) - 1, -1, -1):
            edit = self.edits[i]
            if soften.op in (None, edit.op) and edit.op not in WITHOUT_AMOUNT:
                self.edits[i] = replace(edit, amount=_halved(edit))
                return
        for edit in soften.otherwise:
            self._edit(replace(edit, span=span, step=step))


def _strength(edit: Edit) -> float:
    """How far an amount is from no change at all."""
    if edit.amount is None:
        return 0.0
    return abs(math.log(edit.amount)) if edit.op is Op.SCALE else abs(edit.amount)


def _halved(edit: Edit) -> float:
    amount = edit.amount if edit.amount is not None else 0.4
    if edit.op is Op.SCALE:
        return round(1 + (amount - 1) * _MILD, 4)
    return round(amount * _MILD, 3)

"""Carry targets from clause to clause: pronouns, omissions, and what an op is for by default."""

from __future__ import annotations

import math
from collections.abc import Iterable
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

_NEVER_COLOUR = _NEVER_BACKGROUND | {
    Op.SHARPEN, Op.SMOOTH, Op.UPSCALE, Op.BLUR, Op.FLATTEN, Op.MONOCHROME, Op.BLACK_AND_WHITE,
    Op.ONE_COLOUR, Op.DUOTONE, Op.INVERT, Op.VINTAGE, Op.GRAIN,
}  # fmt: skip

_MILD = 0.5
_GENERAL = (Target(Part.IMAGE), Target(Part.ARTWORK))
_ONLY_NAMED = "This names a part and no change to it."
_ONLY_DISLIKED = "Say what it should be instead."
_REMOVE_WHAT = "It is not clear what should be taken away."
_COUNTERPART = {Part.ICON: Part.TEXT, Part.TEXT: Part.ICON}


@dataclass(slots=True)
class Context:
    """What the clauses so far were about, and what they made."""

    about: Target | None = None
    disliked: Target | None = None
    narrowed: tuple[Target, ...] = ()
    said_of_it: Declined | None = None
    open_topic: Declined | None = None
    open_wish: Edit | None = None
    rest_kept: str | None = None
    edits: list[Edit] = field(default_factory=list)
    protections: list[Protection] = field(default_factory=list)
    declined: list[Declined] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    def take(self, act: Act, span: str, step: int) -> None:
        """Take in one act of a clause with the words of it."""
        match act:
            case Edit():
                self._edit(replace(act, span=span, step=step))
            case Protect():
                self._protect(act, span)
            case Assume():
                self.assumptions.append(act.sentence.replace("%s", span))
            case Declined():
                self.declined.append(replace(act, span=span))
            case Topic():
                self._speak_of(act, span, step)
            case Narrow():
                self._narrow(act, span, step)
            case Soften():
                self._soften(act, span, step)

    def pass_over(self, declined: Declined, mentioned: Iterable[Target]) -> None:
        """Note a clause that was not read; a later "it" may still mean what stood in it."""
        self.declined.append(declined)
        named = {t for t in mentioned if t not in (*_GENERAL, IT, SAME) and t.noun is None}
        if len(named) == 1:
            self.about = named.pop()
            if self.about.colour is not None:  # "I am allergic to pink. Green, please."
                self.disliked, self.said_of_it = self.about, declined

    def close(self) -> None:
        """Decline what was named and never came back in a wish."""
        topic, wish = self.open_topic, self.open_wish
        self.open_topic = self.open_wish = None
        if wish is not None and not self.edits:
            self.about = None
            self._edit(wish)
        elif topic is not None:
            self.declined.append(topic)

    def rest(self) -> list[Protection]:
        """Protections of what no edit is for, if "everything else" is to stay."""
        if self.rest_kept is None or not self.edits:
            return []
        parts = {edit.target.part for edit in self.edits}
        whole = {Part.IMAGE, Part.ARTWORK} & parts
        free = {Part.BACKGROUND} if whole else {Part.BACKGROUND, Part.ICON, Part.TEXT}
        free -= parts | {Part.TEXT} if Part.TAGLINE in parts else parts
        if parts - {Part.BACKGROUND, Part.TEXT, Part.TAGLINE}:
            free -= {Part.ICON}
        if Part.IMAGE in parts or any(e.target.noun for e in self.edits):
            return []
        kept = (Constraint(Keep.EVERYTHING, Target(p), self.rest_kept) for p in sorted(free))
        return [Protection(constraint) for constraint in kept]

    def _protect(self, act: Protect, span: str) -> None:
        if act.rest:
            self.rest_kept = span
            return
        target = act.target
        if target in (IT, SAME):
            target = self.about or Target(Part.ARTWORK)
            self.open_topic = self.open_wish = None
        if target == Target(Part.IMAGE) and act.keep is not Keep.EVERYTHING:
            target = Target(Part.ARTWORK)
        self.protections.append(Protection(Constraint(act.keep, target, span), act.soft, act.op))
        if target not in _GENERAL:
            self.about = target

    def _edit(self, edit: Edit) -> None:
        target = self._meant(edit)
        self.open_topic = self.open_wish = None
        if edit.op is Op.REMOVE and edit.target == IT and self._removed_last():
            return
        if edit.op is Op.REMOVE and target in _GENERAL:
            self.declined.append(Declined(edit.span, "not_understood", _REMOVE_WHAT))
            return
        if target in _GENERAL and self.narrowed and edit.op not in _ALWAYS_WHOLE:
            for narrow in self.narrowed:
                self._append(_fitting(replace(edit, target=narrow)))
            return
        edit = _fitting(replace(edit, target=target))
        if target in _GENERAL or edit.op in _ALWAYS_WHOLE:
            target = Target(Part.IMAGE if edit.op in _WHOLE_IMAGE else Part.ARTWORK)
        self._append(replace(edit, target=target))
        if edit.op is Op.REMOVE or edit.target in _GENERAL:
            self.about = None
        elif edit.op is not Op.BACKGROUND and target not in _GENERAL:
            self.about = target

    def _meant(self, edit: Edit) -> Target:
        """What an edit is for, with its pronoun or omission filled in."""
        if edit.target not in (IT, SAME):
            return edit.target
        if edit.op is Op.RECOLOUR and self._colour_removed_last():
            return self.edits.pop().target  # "the orange has to go, make it teal"
        if edit.target == SAME and edit.op is Op.RECOLOUR and self.disliked is not None:
            self._is_explained()
            return self.disliked
        return self._antecedent(edit.op)

    def _is_explained(self) -> None:
        """What was said of a colour and not read was the reason for another colour."""
        if self.said_of_it in self.declined:
            self.declined.remove(self.said_of_it)

    def _removed_last(self) -> bool:
        """Whether "remove it" only says again what was said: "the tagline can go, remove it"."""
        return bool(self.edits) and self.edits[-1].op is Op.REMOVE

    def _colour_removed_last(self) -> bool:
        last = self.edits[-1] if self.edits else None
        return last is not None and last.op is Op.REMOVE and last.target.colour is not None

    def _append(self, edit: Edit) -> None:
        """Add an edit; one that says the same again only makes it stronger."""
        if edit.op is Op.RECOLOUR and edit.target.colour is not None:
            # "brown looks stale, try olive": what is wrong with a colour is why it is replaced
            self.edits = [
                e for e in self.edits if e.target != edit.target or e.confidence == 1 or e.to
            ]
        for i, other in enumerate(self.edits):
            if edit.op is Op.ADD_OUTLINE and other.to is None:  # "a border, a white border"
                other = replace(other, to=edit.to)
            if _bare(other) == _bare(edit):
                stronger = max(other, edit, key=_strength)
                self.edits[i] = replace(stronger, span=edit.span)
                return
        self.edits.append(edit)

    def _antecedent(self, op: Op) -> Target:
        """What "it" is: the last thing named that the op can be for, or the whole."""
        last = self.about
        if last is None or (last == Target(Part.BACKGROUND) and op in _NEVER_BACKGROUND):
            return Target(Part.ARTWORK)
        if last.colour is not None and last.noun is None and op in _NEVER_COLOUR:
            return Target(Part.ARTWORK)
        return last

    def _speak_of(self, topic: Topic, span: str, step: int) -> None:
        wish = replace(topic.otherwise, span=span, step=step) if topic.otherwise else None
        if wish is not None and self.disliked is not None:
            self._edit(wish)
            return
        self.close()
        self.open_wish = wish
        target = topic.targets[0]
        if target not in (IT, SAME):
            self.about = target
        if topic.manner == "disliked":
            self.disliked = self.about
            self.open_topic = Declined(span, "not_understood", _ONLY_DISLIKED)
        elif topic.manner == "named":
            self.open_topic = Declined(span, "not_understood", _ONLY_NAMED)

    def _narrow(self, narrow: Narrow, span: str, step: int) -> None:
        """Aim the edit before at these alone; with none before, keep only these."""
        last = self.edits[-1] if self.edits else None
        if last is not None and last.target in _GENERAL and last.op not in _ALWAYS_WHOLE:
            self.edits[-1:] = [replace(last, target=t) for t in narrow.targets]
            return
        forbidden = next((one.op for one in reversed(self.protections) if one.op), None)
        if last is None and forbidden is not None:  # "don't make the text lighter, only the icon"
            for target in narrow.targets:
                self._append(Edit(forbidden, target, span, step=step))
            return
        other = None if self.protections else _COUNTERPART.get(narrow.targets[0].part)
        if other is not None and len(narrow.targets) == 1:
            self._append(Edit(Op.REMOVE, Target(other), span, step=step))
        else:
            self.narrowed = narrow.targets
            self.open_topic = Declined(span, "not_understood", _ONLY_NAMED)

    def _soften(self, soften: Soften, span: str, step: int) -> None:
        for i in range(len(self.edits) - 1, -1, -1):
            edit = self.edits[i]
            if soften.op in (None, edit.op) and edit.op not in WITHOUT_AMOUNT:
                self.edits[i] = replace(edit, amount=_halved(edit))
                return
        for edit in soften.otherwise:
            self._edit(replace(edit, span=span, step=step))


def _fitting(edit: Edit) -> Edit:
    """A background that is recoloured is a new background."""
    if edit.op is Op.RECOLOUR and edit.target == Target(Part.BACKGROUND):
        return replace(edit, op=Op.BACKGROUND)
    return edit


def _bare(edit: Edit) -> Edit:
    """An edit without what may differ between two that say the same."""
    return replace(edit, span="", amount=None, confidence=1)


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

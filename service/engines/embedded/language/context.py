"""Carry targets from clause to clause: pronouns, omissions, and what an op is for by default."""

from __future__ import annotations

from dataclasses import dataclass, replace

from service.engines.embedded.language.acts import IT, SAME
from service.engines.embedded.plan import Edit, Op, Part, Target

_WHOLE_IMAGE = {
    Op.INVERT, Op.DARK_MODE, Op.LIGHT_MODE, Op.BLACK_AND_WHITE, Op.MONOCHROME, Op.ONE_COLOUR,
    Op.DUOTONE, Op.LIMIT_PALETTE, Op.UPSCALE, Op.VECTORIZE, Op.SIMPLIFY, Op.FLATTEN, Op.PAD,
    Op.CROP, Op.SQUARE, Op.ROTATE, Op.FLIP, Op.VINTAGE, Op.GRAIN, Op.BLUR, Op.HARMONY,
}  # fmt: skip


@dataclass(slots=True)
class Context:
    """What the clauses so far were about."""

    about: Target | None = None

    def resolved(self, edit: Edit) -> Edit:
        """The edit with its real target; remembers it for the next."""
        target = edit.target
        if target in (IT, SAME):
            target = self.about or Target(Part.ARTWORK)
        if target in (Target(Part.IMAGE), Target(Part.ARTWORK)):
            whole = edit.op in _WHOLE_IMAGE
            target = Target(Part.IMAGE if whole else Part.ARTWORK)
        if edit.op is Op.BACKGROUND:
            target = Target(Part.BACKGROUND)
        else:
            self.about = target
        return replace(edit, target=target)

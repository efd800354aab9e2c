"""What a clause asks for before its pronouns and omissions are filled in."""

from __future__ import annotations

from dataclasses import dataclass

from service.engines.embedded.language.amounts import amount_of
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Item, Sense
from service.engines.embedded.plan import Constraint, Declined, Edit, Op, Part, Target

IT = Target(noun="\0it")
"""Stands for a pronoun until the context gives what it means."""

SAME = Target(noun="\0same")
"""Stands for a target that was not said."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Something spoken of without a wish: "I'm not keen on the grey"."""

    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Narrow:
    """ "Only the text": what was asked before, or next, is for these alone."""

    targets: tuple[Target, ...]


type Act = Edit | Constraint | Declined | Topic | Narrow


def targets_of(items: list[Item]) -> tuple[Target, ...]:
    """The targets that the items of a capture name; SAME when there are none."""
    found: list[Target] = []
    for item in items:
        if item.has("pronoun"):
            found.append(IT)
        elif item.has("target", "noun"):
            found += item.sense("target", "noun").targets
        elif item.has("colour"):
            found.append(Target(colour=item.sense("colour").colour))
    return tuple(found) or (SAME,)


def on_scale(scale: str, sign: int, target: Target, degree: Sense | None = None) -> Edit | None:
    """The edit that moves a target along a scale; None where no op goes that way."""
    more, less = lexicon().scales[scale]
    name = more if sign > 0 else less
    if name is None:
        return None
    op, direction = Op(name.removeprefix("-")), -1 if name.startswith("-") else 1
    amount = None if degree is None else degree.amount
    literal = degree is not None and degree.literal
    return Edit(op, target, "", amount_of(op, direction, amount, literal=literal))


def asked_of(value: Item, target: Target) -> list[Edit] | None:
    """The edits that give `target` a value: "lighter", "navy", "greyscale"."""
    if value.has("pred", "adj", "ptarget"):
        sense = value.sense("pred", "adj", "ptarget")
        edit = on_scale(sense.key, sense.sign, target, sense if sense.tag != "adj" else None)
        return [edit] if edit else None
    if value.has("colour"):
        colour = value.sense("colour").colour
        if target.part is Part.BACKGROUND and target.colour is None and target.noun is None:
            return [Edit(Op.BACKGROUND, target, "", to=colour)]
        return [Edit(Op.RECOLOUR, target, "", to=colour)]
    if value.has("style"):
        return [Edit(Op(value.sense("style").key), target, "")]
    return None

"""From an instruction to a plan: tokens, items, clauses, context, and what must stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.engines.contract import Instruction
from service.engines.embedded.language.chunks import chunked
from service.engines.embedded.language.clauses import Clause, clauses
from service.engines.embedded.language.constraints import Protection, weighed
from service.engines.embedded.language.context import Context
from service.engines.embedded.language.descriptions import Description, described
from service.engines.embedded.language.foreign import is_foreign
from service.engines.embedded.language.items import Item
from service.engines.embedded.language.phrases import phrased
from service.engines.embedded.language.spelling import corrected
from service.engines.embedded.language.tokens import Token, tokenise
from service.engines.embedded.language.unread import (
    declined_as_foreign,
    declined_for,
    only_kept,
)
from service.engines.embedded.plan import Edit, Plan, Target


def _span(prompt: str, tokens: Sequence[Token], clause: Clause) -> str:
    end = max(max(item.end, item.reach) for item in clause.items)
    return prompt[tokens[clause.items[0].first].start : tokens[end - 1].end]


def mentioned(items: Sequence[Item]) -> list[Target]:
    """Everything that the items name."""
    parts = [t for item in items for sense in item.senses for t in sense.targets]
    hues = [Target(colour=i.sense("colour").colour) for i in items if i.has("colour")]
    return [*parts, *hues]


def _gathered(prompt: str, tokens: Sequence[Token]) -> Context:
    """What the clauses ask for, with their pronouns filled in."""
    context = Context()
    for clause in clauses(phrased(chunked(tokens))):
        span = _span(prompt, tokens, clause)
        if clause.acts is None:
            context.pass_over(declined_for(clause.items, span), mentioned(clause.items))
        for act in clause.acts or ():
            context.take(act, span, clause.step)
    context.close()
    return context


def _placed(edit: Edit, told: Description) -> Edit:
    return replace(edit, target=told.placed(edit.target))


def _protecting(one: Protection, told: Description) -> Protection:
    target = told.placed(one.constraint.target)
    return replace(one, constraint=replace(one.constraint, target=target))


def read(instruction: Instruction) -> Plan:
    """Everything that can be read from an instruction; what cannot be is declined by span."""
    prompt = instruction.prompt
    if is_foreign(prompt):
        return Plan((), (), (declined_as_foreign(prompt.strip()),))
    told = described(instruction.logo_description, instruction.theme_description)
    tokens, corrections = corrected(told.named(tokenise(prompt)), prompt, told.words)
    context = _gathered(prompt, tokens)
    result = weighed(
        [_placed(edit, told) for edit in context.edits],
        [_protecting(one, told) for one in (*context.protections, *context.rest())],
        instruction.preserve_aspects,
    )
    declined = [*context.declined, *result.declined]
    if not result.edits and not declined:
        nothing = only_kept(prompt) if context.protections else declined_for((), prompt.strip())
        declined.append(nothing)
    return Plan(
        result.edits,
        result.constraints,
        tuple(declined),
        corrections,
        (*context.assumptions, *result.assumptions),
    )

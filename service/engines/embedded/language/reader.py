"""From an instruction to a plan: tokens, items, clauses, frames, context, constraints."""

from __future__ import annotations

from dataclasses import replace

from service.engines.contract import Instruction
from service.engines.embedded.language.chunks import chunked
from service.engines.embedded.language.clauses import Clause, clauses
from service.engines.embedded.language.context import Context
from service.engines.embedded.language.phrases import phrased
from service.engines.embedded.language.spelling import british
from service.engines.embedded.language.tokens import Token, tokenise
from service.engines.embedded.plan import Constraint, Declined, Edit, Plan

_UNREAD = "This part was not understood."


def _span(prompt: str, tokens: list[Token], clause: Clause) -> str:
    first, last = clause.items[0], clause.items[-1]
    return prompt[tokens[first.first].start : tokens[last.end - 1].end]


def read(instruction: Instruction) -> Plan:
    """Everything that can be read from an instruction; what cannot be is declined by span."""
    prompt = instruction.prompt
    tokens = [replace(t, text=british(t.text)) if t.kind == "word" else t for t in tokenise(prompt)]
    edits: list[Edit] = []
    constraints: list[Constraint] = []
    declined: list[Declined] = []
    context = Context()
    for clause in clauses(phrased(chunked(tokens))):
        span = _span(prompt, tokens, clause)
        if clause.acts is None:
            declined.append(Declined(span, "not_understood", _UNREAD))
        for act in clause.acts or ():
            match act:
                case Edit():
                    edits.append(replace(context.resolved(act), span=span, step=clause.step))
                case Constraint():
                    constraints.append(replace(act, span=span))
                case Declined():
                    declined.append(replace(act, span=span))
                case _:
                    pass
    return Plan(tuple(edits), tuple(constraints), tuple(declined))

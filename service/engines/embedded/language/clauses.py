"""Cut a prompt's items into clauses so that as much as possible of it is understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from service.engines.embedded.language.acts import IT, SAME, Act, Acts, Topic
from service.engines.embedded.language.chunks import VERBS
from service.engines.embedded.language.frames import read_items
from service.engines.embedded.language.items import Item
from service.engines.embedded.language.patterns import JOINTS
from service.engines.embedded.language.salvage import made_out
from service.engines.embedded.plan import Edit

_CUTS = (
    "and", "comma", "colon", "also", "but", "adjunct", "relative", "so", "with", "without",
    "refrain", "except", "save", "instead", "why",
)  # fmt: skip
_ENDS = frozenset({"and", "comma", "colon", "also", "but", "then", "so", "likewise"})
_LONGEST = 18
"""Items of the longest run that is tried as one clause."""

_LONGEST_REASON = 9
_READ, _LOOSE, _TOPIC, _MADE_OUT, _UNREAD = 1.0, 0.3, 0.4, 5.0, 10.0
_REASON, _RELATIVE = 0.5, 1.2


@dataclass(frozen=True, slots=True)
class Clause:
    """Items that belong together, and what they ask for; `acts` is None when nobody knows."""

    items: tuple[Item, ...]
    acts: Acts
    step: int


def _sentences(items: Sequence[Item]) -> Iterator[tuple[int, list[Item]]]:
    """Runs between full stops; a "then" begins the next step."""
    step, run = 0, list[Item]()
    for item in items:
        if item.has("stop", "then"):
            yield step, run
            run = []
            step += item.has("then")
        else:
            run.append(item)
    yield step, run


def _trimmed(items: Sequence[Item]) -> tuple[Item, ...]:
    """Without what only joins, at both ends; "but" stays where it can also mean "except"."""
    first, last = 0, len(items)
    while first < last and items[first].tags <= _ENDS:
        first += 1
    while last > first and items[last - 1].tags <= _ENDS:
        last -= 1
    return tuple(items[first:last])


def _without(items: Sequence[Item], *tags: str) -> tuple[Item, ...]:
    return tuple(i for i in items if not i.has(*tags))


def _attempts(items: tuple[Item, ...]) -> Iterator[tuple[tuple[Item, ...], float]]:
    """The items as they stand, then without what may be missing, with what each costs."""
    plain = _without(items, "colon") if len(items) > 1 else items
    plain = tuple(i for i in plain if not i.tags <= {"also"})
    yield plain, 0
    if plain and plain[0].has(*_ENDS, "adjunct", "relative"):
        plain = plain[1:]
        yield plain, 0
    if len(plain) > 1 and plain[-1].has("also", "likewise"):
        plain = plain[:-1]
        yield plain, 0
    pointing = {i for i, (one, two) in enumerate(pairwise(plain)) if _points(one, two)}
    pointing |= {i + 1 for i, (one, two) in enumerate(pairwise(plain)) if _resumes(one, two)}
    if pointing:
        plain = tuple(item for i, item in enumerate(plain) if i not in pointing)
        yield plain, 0
    if any(i.has("comma") for i in plain):
        yield _without(plain, "comma"), _LOOSE
    afresh = any(one.has(*JOINTS) and two.has("only") for one, two in pairwise(plain))
    if any(i.has("only") for i in plain) and not afresh:
        yield _without(plain, "only"), _LOOSE


def _points(one: Item, two: Item) -> bool:
    """Whether a pronoun only points at a colour: "that orange"."""
    return one.words in ("this", "that", "these", "those") and two.has("colour")


def _resumes(one: Item, two: Item) -> bool:
    """Whether a pronoun only takes up what stands before it: "the green it should be blue"."""
    return two.words in ("it", "they") and one.article == "the" and one.has("colour", "target")


def _read(items: tuple[Item, ...]) -> tuple[Acts, float]:
    for attempt, cost in _attempts(items) if len(items) <= _LONGEST else ():
        acts = read_items(attempt) if attempt else None
        if acts is not None:
            topic = all(isinstance(act, Topic) for act in acts)
            return acts, cost + (_READ + _TOPIC if topic else _READ)
    made = made_out(items)
    if made is not None:
        return made, _MADE_OUT + len(items)
    return None, _UNREAD + 2 * len(items)


def _reason_price(part: Sequence[Item]) -> float | None:
    """What it costs to take a part for a reason, which asks nothing; None where it cannot be."""
    head, follows = part[0], part[1] if len(part) > 1 else None
    if len(part) > _LONGEST_REASON or any(item.has("but") for item in part[1:]):
        return None
    if head.has("so"):
        verb = follows is not None and not follows.tags.isdisjoint(VERBS)
        return None if verb or len(part) < 3 else _REASON
    if head.has("adjunct"):
        return _REASON
    return _RELATIVE if head.has("relative") and head.words != "where" else None


def _cut(items: list[Item], step: int, *, reasons: bool) -> list[Clause]:
    """The cheapest cut at the joints: few clauses, few of them unread."""
    cuts = [0, *(i for i, item in enumerate(items) if i and item.has(*_CUTS)), len(items)]

    @cache
    def best(at: int) -> tuple[float, tuple[Clause, ...]]:
        if at == len(cuts) - 1:
            return 0, ()
        options: list[tuple[float, tuple[Clause, ...]]] = []
        for to in range(len(cuts) - 1, at, -1):
            part = _trimmed(items[cuts[at] : cuts[to]])
            cost, rest = best(to)
            if not part:
                options.append((cost, rest))
                continue
            acts, price = _read(part)
            options.append((price + cost, (Clause(part, acts, step), *rest)))
            passed = _reason_price(items[cuts[at] : cuts[to]]) if reasons else None
            if passed is not None:
                options.append((passed + cost, (Clause(part, [], step), *rest)))
        return min(options, key=lambda option: option[0])

    return list(best(0)[1])


def _doubtful(clause: Clause) -> bool:
    """Whether a clause names nothing known, compares nothing and does not begin with a verb of
    change: "negative".
    """
    if clause.acts is None or not clause.items[0].tags.isdisjoint({*VERBS, "pred"}):
        return False
    edits = [act for act in clause.acts if isinstance(act, Edit)]
    return bool(edits) and all(
        edit.target == SAME or (edit.target.noun is not None and edit.target != IT)
        for edit in edits
    )


def _sober(found: list[Clause]) -> list[Clause]:
    """The clauses of a sentence; beside what nobody understands a doubtful one is not either.

    What nobody understands is put together again up to the next verb.
    """
    if all(clause.acts is not None for clause in found):
        return found
    sober = [replace(c, acts=None) if _doubtful(c) else c for c in found]
    merged: list[Clause] = []
    for clause in sober:
        last = merged[-1] if merged else None
        verb = not clause.items[0].tags.isdisjoint(VERBS)
        if last is not None and last.acts is None and clause.acts is None and not verb:
            merged[-1] = replace(last, items=(*last.items, *clause.items))
        else:
            merged.append(clause)
    return merged


def _asks(act: Act) -> bool:
    return not isinstance(act, Topic)


def clauses(items: Sequence[Item]) -> list[Clause]:
    """All the clauses of a prompt in the person's order.

    Reasons and purposes are passed over, unless nothing is asked for outside of them: "it needs
    work because it is too dark".
    """
    found = [c for step, run in _sentences(items) for c in _sober(_cut(run, step, reasons=True))]
    if any(_asks(act) for clause in found for act in clause.acts or ()):
        return found
    return [c for step, run in _sentences(items) for c in _sober(_cut(run, step, reasons=False))]

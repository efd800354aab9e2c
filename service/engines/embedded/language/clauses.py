"""Cut a prompt's items into clauses so that as much as possible of it is understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from service.engines.embedded.language.acts import Act, Acts, Topic
from service.engines.embedded.language.frames import read_items
from service.engines.embedded.language.items import Item
from service.engines.embedded.language.patterns import JOINTS

_CUTS = (
    "and", "comma", "colon", "also", "but", "adjunct", "with", "without", "refrain", "except",
    "save", "instead",
)  # fmt: skip
_ENDS = ("and", "comma", "colon", "also", "but", "then")
_LONGEST = 18
"""Items of the longest run that is tried as one clause."""

_READ, _LOOSE, _TOPIC, _REASON, _UNREAD = 1.0, 0.3, 0.4, 0.6, 10.0


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
    while first < last and items[first].tags <= frozenset(_ENDS):
        first += 1
    while last > first and items[last - 1].tags <= frozenset(_ENDS):
        last -= 1
    return tuple(items[first:last])


def _without(items: Sequence[Item], *tags: str) -> tuple[Item, ...]:
    return tuple(i for i in items if not (i.tags and i.has(*tags)))


def _attempts(items: tuple[Item, ...]) -> Iterator[tuple[tuple[Item, ...], float]]:
    """The items as they stand, then without what may be missing, with what each costs."""
    plain = _without(items, "colon") if len(items) > 1 else items
    plain = tuple(i for i in plain if not i.tags <= {"also"})
    yield plain, 0
    if plain and plain[0].has(*_ENDS, "adjunct"):
        plain = plain[1:]
        yield plain, 0
    if plain and plain[-1].has("also"):
        plain = plain[:-1]
        yield plain, 0
    if any(i.has("comma") for i in plain):
        yield _without(plain, "comma"), _LOOSE
    afresh = any(one.has(*JOINTS) and two.has("only") for one, two in pairwise(plain))
    if any(i.has("only") for i in plain) and not afresh:
        yield _without(plain, "only"), _LOOSE


def _read(items: tuple[Item, ...]) -> tuple[Acts, float]:
    for attempt, cost in _attempts(items):
        acts = read_items(attempt) if attempt else None
        if acts is not None:
            topic = all(isinstance(act, Topic) for act in acts)
            return acts, cost + (_READ + _TOPIC if topic else _READ)
    return None, _unread(items)


def _unread(items: Sequence[Item]) -> float:
    return _UNREAD + 2 * len(items)


def _cut(items: list[Item], step: int) -> list[Clause]:
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
            acts, price = _read(part) if len(part) <= _LONGEST else (None, _unread(part))
            if acts is None and part[0].has("adjunct"):
                acts, price = list[Act](), _REASON
            options.append((price + cost, (Clause(part, acts, step), *rest)))
        return min(options, key=lambda option: option[0])

    return list(best(0)[1])


def clauses(items: Sequence[Item]) -> list[Clause]:
    """All the clauses of a prompt in the person's order."""
    return [c for step, run in _sentences(items) for c in _cut(run, step)]

"""Cut a prompt's items into clauses so that as much as possible of it is understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from service.engines.embedded.language.acts import Act
from service.engines.embedded.language.frames import read_clause
from service.engines.embedded.language.patterns import Item

_JOINTS = ("and", "comma")
_UNREAD = 10


@dataclass(frozen=True, slots=True)
class Clause:
    """Items that belong together, and what they ask for; `acts` is None when nobody knows."""

    items: tuple[Item, ...]
    acts: list[Act] | None
    step: int


def _sentences(items: Sequence[Item]) -> Iterator[tuple[int, list[Item]]]:
    step, run = 0, list[Item]()
    for item in items:
        if item.has("stop", "but", "then"):
            yield step, run
            run = []
            step += item.has("then")
        else:
            run.append(item)
    yield step, run


def _trimmed(items: Sequence[Item]) -> tuple[Item, ...]:
    first, last = 0, len(items)
    while first < last and items[first].has(*_JOINTS):
        first += 1
    while last > first and items[last - 1].has(*_JOINTS):
        last -= 1
    return tuple(items[first:last])


def _cut(items: list[Item], step: int) -> list[Clause]:
    """The cheapest cut at "and"s and commas: few clauses, few of them unread."""
    cuts = [0, *(i for i, item in enumerate(items) if i and item.has(*_JOINTS)), len(items)]

    @cache
    def best(at: int) -> tuple[float, tuple[Clause, ...]]:
        if at == len(cuts) - 1:
            return 0, ()
        options: list[tuple[float, tuple[Clause, ...]]] = []
        for to in range(len(cuts) - 1, at, -1):
            part = _trimmed(items[cuts[at] : cuts[to]])
            if not part:
                options.append(best(to))
                continue
            acts = read_clause(part)
            cost, rest = best(to)
            price = 1 if acts is not None else _UNREAD + len(part)
            options.append((price + cost, (Clause(part, acts, step), *rest)))
        return min(options, key=lambda option: option[0])

    return list(best(0)[1])


def clauses(items: Sequence[Item]) -> list[Clause]:
    """All the clauses of a prompt in the person's order."""
    return [c for step, run in _sentences(items) for c in _cut(run, step)]

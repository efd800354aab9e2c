"""Build larger items from smaller ones, stage by stage."""

from __future__ import annotations

from dataclasses import replace

from service.engines.embedded.language.chunks import VERBS
from service.engines.embedded.language.items import Item, Sense
from service.engines.embedded.language.patterns import Coded
from service.engines.embedded.language.phrases import amounts, colours, comparisons, things
from service.engines.embedded.language.phrases.rule import Stage

_STAGES: tuple[Stage, ...] = (
    *amounts.STAGES,
    *colours.STAGES,
    *things.NAMES,
    *comparisons.STAGES,
    *things.WISHES,
)


def _applied(items: list[Item], rules: Stage) -> list[Item]:
    """The items after one stage: at each place the longest rule that applies."""
    coded = Coded(items)
    rules = tuple(rule for rule in rules if rule[0].possible(coded))
    if not rules:
        return items
    out: list[Item] = []
    at = 0
    while at < len(items):
        found = [(m, build) for p, build in rules if (m := p.match(coded, at))]
        for match, build in sorted(found, key=lambda pair: -pair[0].end):
            senses = build(match)
            if senses:
                run = items[at : match.end]
                if len(run) == 1:  # "lower" may still be a verb
                    senses = [*senses, *(s for s in run[0].senses if s.tag in VERBS)]
                words = " ".join(i.words for i in run)
                reach = max(i.reach for i in run)
                first, end, article = run[0].first, run[-1].end, run[0].article
                out.append(Item(first, end, tuple(senses), words, article, reach))
                at = match.end
                break
        else:
            out.append(items[at])
            at += 1
    return out


_LEADING = ("in", "to", "with", "for", "as", "become", "arrow")


def _variety(items: list[Item], at: int) -> Item:
    """ "a raspberry pink", "in autumn orange": which of its kind a colour is."""
    item = items[at]
    if at + 1 == len(items) or not items[at + 1].has("hue") or items[at + 1].first != item.end:
        return item
    before = items[at - 1] if at and not item.article else None
    thing = before is not None and before.article == "the" and before.has("noun", "target")
    contrasted = at == 0 and items[at + 2 : at + 3] and items[at + 2].has("instead")
    led = (
        item.article == "a"
        or contrasted
        or (before is not None and (before.has(*_LEADING) or thing))
    )
    unsaid = item.has("noun") or (item.has("adj") and not item.has("mod", "hue"))
    return replace(item, senses=(Sense("mod"),)) if led and unsaid else item


def _plain(items: list[Item], at: int) -> Item:
    """An unknown word between two colours is no thing: "let teal succeed orange"."""
    around = items[at - 1 : at] + items[at + 1 : at + 2]
    hemmed = len(around) == 2 and all(item.has("hue", "colour") for item in around)
    if items[at].has("noun") and not items[at].article and hemmed and not around[0].article:
        return replace(items[at], senses=(Sense("stray"),))
    return items[at]


def phrased(items: list[Item]) -> list[Item]:
    """The items after every stage."""
    items = [_variety(items, i) for i in range(len(items))]
    items = [_plain(items, i) for i in range(len(items))]
    for stage in _STAGES:
        items = _applied(items, stage)
    return items

"""Build larger items from smaller ones: amounts, colours, comparisons, and what they are about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from service.engines.embedded.language.chunks import VERBS
from service.engines.embedded.language.colours import mixed, modified, named
from service.engines.embedded.language.items import Degree, Item, Sense
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Coded, Match, Pattern
from service.engines.embedded.plan import Part, Target

type Build = Callable[[Match], Sequence[Sense] | None]
"""The senses of the new item, or None when the rule does not apply after all."""

_POINTING = ("this", "that", "these", "those", "its")
_SCALES_OF_COLOUR = (
    "lightness", "darkness", "brightness", "warmth", "saturation", "pastel", "neon", "strength",
    "softness", "earthiness", "vintage",
)  # fmt: skip
_WHOLE = (Part.IMAGE, Part.ARTWORK)
_SCALES_OF_QUANTITY = ("extent", "size", "strength", "brightness", "weight", "space")


def named_targets(item: Item) -> tuple[Target, ...]:
    """The targets that an item names: a part, what a part has, a colour, a noun."""
    if item.has("target", "noun", "aspect"):
        return item.sense("target", "noun", "aspect").targets
    return (Target(colour=item.sense("colour").colour),)


# Amounts


def _percent(m: Match) -> list[Sense]:
    number = (m.sense("n", "number").number or 0) / 100
    return [Sense("degree", degree=Degree(number, "to" if "to" in m else "literal"))]


def _times(m: Match) -> list[Sense]:
    return [Sense("degree", degree=Degree(m.sense("n", "number").number or 1, "times"))]


def _steps(m: Match) -> list[Sense]:
    number = m.sense("n", "number").number or 1
    shades = m.item("s").words.startswith(("shade", "tone"))
    return [Sense("degree", degree=Degree(min(2.5, 0.5 * number), shades=shades))]


def _twofold(m: Match) -> list[Sense] | None:
    """ "just a tiny bit", "very slightly": the smaller of two small, the larger of two large."""
    one, other = (m.sense(name, "degree").degree or Degree() for name in ("d", "e"))
    if one.kind != "factor" or other.kind != "factor":
        return None
    amount = (min if min(one.amount, other.amount) < 1 else max)(one.amount, other.amount)
    return [Sense("degree", degree=Degree(amount))]


def _degree(m: Match) -> Degree | None:
    return m.sense("d", "degree").degree if "d" in m else None


# Colours


def _colour(m: Match) -> list[Sense]:
    base = named(m.sense("h", "hue").key)
    assert base is not None
    modifiers = [i.words for i in m.items("m") if i.words in lexicon().modifiers]
    degree = _degree(m)
    if degree is not None and modifiers and degree.amount > 1:
        modifiers.insert(0, modifiers[0])
    if "tint" in m:
        tint = named(m.sense("tint", "tinted").key)
        assert tint is not None
        base = mixed(base, tint, m.item("tint").words)
    return [Sense("colour", colour=modified(base, modifiers))]


def _tinted(m: Match) -> list[Sense]:
    base = named(m.sense("tint", "tinted").key)
    assert base is not None
    return [Sense("colour", colour=modified(base, [i.words for i in m.items("m")]))]


def _shades(m: Match) -> list[Sense]:
    key = "shades" if m.item("s").words.split()[0].endswith("s") else ""
    return [replace(m.sense("c", "colour"), key=key)]


def _toned(m: Match) -> list[Sense]:
    many = m.item("b").words.endswith("s")
    return [replace(m.sense("c", "colour"), key="shades" if many else "")]


def _coloured(m: Match) -> list[Sense]:
    return [Sense("target", targets=(Target(colour=m.sense("c", "colour").colour),))]


# Comparisons


def _scale(m: Match) -> Sense:
    return m.sense("q", "comp", "adj", "measure", "colourfulness")


def _pred(m: Match, sign: int, default: float | None = None) -> list[Sense]:
    scale = _scale(m)
    if scale.tag == "colourfulness":
        scale = replace(scale, key="saturation")
    degree = _degree(m) or (Degree(default) if default is not None else None)
    return [Sense("pred", scale.key, scale.sign * sign, degree, targets=scale.targets)]


def _more(m: Match) -> list[Sense]:
    return _pred(m, 1)


def _less(m: Match) -> list[Sense]:
    return _pred(m, -1)


def _too(m: Match) -> list[Sense]:
    return [*_less(m), *(replace(s, tag="excess") for s in _less(m))]


def _rather_less(m: Match) -> list[Sense]:
    return _pred(m, -1, 0.5)


def _none(m: Match) -> list[Sense]:
    """ "no saturation" is none at all."""
    return _pred(m, -1, 2.5)


def _lacking(m: Match) -> list[Sense]:
    """ "not very readable" complains."""
    return [replace(m.sense("q", "adj"), tag="unmet")]


def _opposite(m: Match) -> list[Sense] | None:
    """ "less corporate" is taken as livelier; for most vague words there is no opposite."""
    other = lexicon().vague[m.sense("vague", "vague").key].opposite
    return [Sense("vague", other)] if other else [Sense("stray")]


def _overdone(m: Match) -> list[Sense]:
    """ "not too dark" sets a limit to what was asked, or is a wish of its own."""
    return [replace(s, tag="overdone") for s in _rather_less(m)]


def _most(m: Match) -> list[Sense]:
    return _pred(m, 1, 2.5)


def _times_as(m: Match) -> list[Sense]:
    degree = _degree(m)
    return _pred(m, -1 if degree is not None and degree.amount < 1 else 1)


def _factor_of(m: Match) -> list[Sense] | None:
    """ "twice the size", "half the weight"; "a lot of clutter" is a complaint."""
    degree, scale = _degree(m), _scale(m)
    assert degree is not None
    if degree.kind == "times":
        return _pred(m, 1 if degree.amount >= 1 else -1)
    if degree.kind != "factor":
        return None
    if lexicon().scales[scale.key].more is None:
        return [Sense("clutter", scale.key, -scale.sign, degree)]
    return _pred(m, 1)


def _not(m: Match) -> list[Sense]:
    """ "not warm": less warm as a wish, and as a complaint a wish for warm."""
    return [*_rather_less(m), replace(m.sense("q", "adj"), tag="unmet")]


def _adjective(m: Match) -> list[Sense]:
    return [replace(m.sense("q", "adj"), degree=_degree(m))]


def _quantity(m: Match) -> list[Sense] | None:
    """ "higher contrast", "wider margins", "a smaller amount of padding"."""
    how, scale = m.sense("p", "pred", "adj"), m.sense("q", "measure")
    if scale.key == "complexity" and m.item("p").has("adj"):  # "fussy little details"
        return [scale]
    if how.key not in _SCALES_OF_QUANTITY:
        return None
    if scale.key == how.key and scale.key == "size":
        return None
    return [replace(scale, tag="pred", sign=how.sign * scale.sign, degree=how.degree)]


# Things


def _measured(m: Match) -> list[Sense]:
    return [replace(m.sense("q", "measure"), targets=named_targets(m.item("t")))]


def _aspect_of(m: Match) -> list[Sense] | None:
    beside = "of" not in m and "own" not in m
    if beside and (m.item("a").article or m.item("a").has("seem")):
        return None
    return [replace(m.sense("a", "aspect"), targets=named_targets(m.item("t")))]


def _wished(m: Match) -> list[Sense] | None:
    """ "bigger text" is a wish, "the bigger text" only says which text."""
    values = tuple(i.sense("pred", "adj", "style", "vague") for i in m.items("p"))
    value, thing = values[-1], m.item("t")
    if len(values) > 1 and m.first > 0 and m.item("p").article != "a":
        return None  # "make the icon bigger, bolder text"
    of_colour = value.tag in ("pred", "adj") and value.key in _SCALES_OF_COLOUR
    if thing.article or value.targets or (thing.has("colour") and not of_colour):
        return None
    targets = named_targets(thing)
    if "the" in m and m.item("the").words not in _POINTING:
        return None
    if m.item("p").article != "the" and "the" not in m:
        key = thing.sense("aspect").key if thing.has("aspect") else ""
        return [Sense("ptarget", key, targets=targets, values=values)]
    if value.key == "size" and value.sign < 0 and targets == (Target(Part.TEXT),):
        return [Sense("target", targets=(Target(Part.TAGLINE),))]
    colour = targets[0].colour
    if value.key == "lightness" and colour is not None and thing.has("colour"):
        told = modified(colour, ["light" if value.sign > 0 else "dark"])
        return [Sense("target", targets=(Target(colour=told),))]
    return [
        replace(s, targets=targets) for s in thing.senses if s.tag in ("target", "noun", "aspect")
    ]


def _coloured_part(m: Match) -> list[Sense] | None:
    thing, colour = m.item("t"), m.sense("c", "colour").colour
    if thing.article or colour is None:
        return None
    if (
        thing.has("noun") and colour.name in lexicon().compounds
    ):  # "coffee cup" is not a colour's cup
        noun = f"{m.item('c').words} {thing.words}"
        return [Sense("noun", noun, targets=(Target(noun=noun),))]
    whole = named_targets(thing)[0]
    ground = whole == Target(Part.BACKGROUND)
    targets = (whole if ground else replace(whole, colour=colour),)
    if m.item("c").article == "the":
        return [Sense("target", targets=targets)]
    wish = Sense("cpart", whole.part, colour=colour, targets=(whole,))
    return [wish, Sense("ctarget", targets=targets)]


def _within(m: Match) -> list[Sense] | None:
    inner, outer = named_targets(m.item("a"))[0], named_targets(m.item("b"))[0]
    colour_alone = m.item("a").has("colour")
    if m.item("b").has("cpart") or (inner.part in _WHOLE and not colour_alone and not inner.noun):
        return None
    if outer == Target(Part.BACKGROUND) and colour_alone:
        return [Sense("placed", colour=inner.colour, targets=(outer,))]
    if outer.part in _WHOLE and outer.noun is None:
        return [Sense("target", targets=(inner,))]
    part = outer.part if inner.part is Part.IMAGE else inner.part
    target = Target(part, inner.colour, inner.noun or outer.noun)
    if not colour_alone:
        return [Sense("target", targets=(target,))]
    return [
        Sense("target", targets=(target,)),
        Sense("placed", colour=inner.colour, targets=(outer,)),
    ]


def _compound(m: Match) -> list[Sense] | None:
    """ "bean icon" is the icon, "coffee text" the text."""
    thing = m.item("t")
    if thing.article:
        return None
    return [s for s in thing.senses if s.tag in ("target", "aspect", "measure")]


def _single(_: Match) -> list[Sense]:
    """ "the first letter", "the left leaf": one of several alike."""
    return [Sense("single")]


def _except(m: Match) -> list[Sense]:
    left_out = tuple(t for i in m.items("e") for t in named_targets(i))
    thing = m.sense("t", "target") if "t" in m else Sense("target", targets=(Target(Part.ARTWORK),))
    return [replace(thing, excepts=left_out)]


def _pointed(m: Match) -> list[Sense] | None:
    """ "this icon"; but "make it text"."""
    if m.item("this").words not in _POINTING or m.item("t").has("cpart"):
        return None
    return list(m.item("t").senses)


def _same(name: str, *tags: str) -> Build:
    def build(m: Match) -> list[Sense]:
        senses = m.item(name).senses
        return [s for s in senses if not tags or s.tag in tags]

    return build


_STAGES: tuple[tuple[tuple[Pattern, Build], ...], ...] = tuple(
    tuple((Pattern(text), build) for text, build in stage)
    for stage in (
        (
            ("(to:to|with)? n:number percent", _percent),
            ("n:number times", _times),
            ("with? n:number s:shade_steps", _steps),
        ),
        (("d:degree e:degree", _twofold),),
        (
            ("(d:degree? m:(mod (comma? mod)*))? tint:tinted? h:hue ish?", _colour),
            ("m:mod? tint:tinted", _tinted),
        ),
        (
            ("s:shades c:colour bits?", _shades),
            ("c:colour b:tones", _toned),
            ("tones c:colour", _same("c", "colour")),
            ("c:colour bits", _coloured),
            ("any (be|seem)? c:colour", _coloured),
            ("this:pronoun t:(N|measure)", _pointed),
        ),
        (
            ("t:target q:measure", _measured),
            ("q:measure (of|in|on|for) t:N", _measured),
            ("t:(target|noun) own:possessive a:aspect", _aspect_of),
            ("t:(target|noun) a:aspect", _aspect_of),
            ("a:aspect of:(of|in|on|for) t:(target|noun)", _aspect_of),
            ("n:noun t:(target|aspect)", _compound),
            ("(ordinal|single) (target|noun|aspect|colour|single)", _single),
            ("(target|noun) single", _single),
        ),
        (
            ("d:degree? q:comp", _more),
            ("d:degree? too d:degree? q:(adj|measure)", _too),
            ("too_much q:(measure|colourfulness)", _less),
            ("not_enough q:(measure|colourfulness)", _more),
            ("d:degree? more d:degree? q:(adj|measure|colourfulness)", _more),
            ("d:degree? (more|less) more? q:comp", _more),
            ("d:degree? less q:(adj|measure|colourfulness)", _less),
            ("not (too|too_much) d:degree? q:(adj|measure)", _overdone),
            ("rather_less d:degree? q:(adj|comp|measure|colourfulness)", _rather_less),
            ("(no|without) q:measure", _none),
            ("not (more|as|adjunct)+ d:degree? q:(adj|comp)", _rather_less),
            ("not q:adj", _not),
            ("not q:adj enough", _more),
            ("not so? q:comp enough", _more),
            ("not_enough q:adj", _more),
            ("not enough q:(adj|measure)", _more),
            ("d:degree as q:adj as?", _times_as),
            ("as q:adj as_possible", _most),
            ("d:degree more? q:measure", _factor_of),
            ("more vague:vague", _same("vague", "vague")),
            ("d:degree? (too|less|rather_less) d:degree? vague:vague", _opposite),
            ("not_very q:adj", _lacking),
            ("d:degree more? vague:vague more?", _same("vague", "vague")),
            ("d:degree q:adj", _adjective),
        ),
        (
            ("p:(pred|adj) adj? with? q:measure", _quantity),
            (
                "x:(adj|pred|style|vague|scheme) look",
                _same("x", "adj", "pred", "style", "vague", "scheme"),
            ),
            ("(p:(pred|adj) (and|comma)+)? p:(pred|adj|style|vague) t:(N|colour)", _wished),
            ("the:pronoun p:(pred|adj|style|vague) t:N", _wished),
        ),
        (
            ("c:colour t:(target|noun)", _coloured_part),
            ("c:colour possessive? look", _same("c", "colour")),
        ),
        (("adj c:cpart", _same("c")),),
        (
            ("a:(target|colour) (in|on|of) b:(target|noun)", _within),
            ("b:(target|noun) possessive a:(target|colour)", _within),
        ),
        (
            ("everything_but e:T+", _except),
            ("t:target (bits|look)? comma? except e:T+", _except),
        ),
    )
)


def _applied(items: list[Item], rules: Sequence[tuple[Pattern, Build]]) -> list[Item]:
    """The items after one stage: at each place the longest rule that applies."""
    coded = Coded(items)
    rules = [(pattern, build) for pattern, build in rules if pattern.possible(coded)]
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


def phrased(items: list[Item]) -> list[Item]:
    """The items after every stage."""
    for stage in _STAGES:
        items = _applied(items, stage)
    return items

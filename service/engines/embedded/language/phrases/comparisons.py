"""Rules for comparisons: "much lighter", "too dark", "not bold enough", "half as bright"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.engines.embedded.language.items import Degree, Sense
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Match
from service.engines.embedded.language.phrases.rule import degree_of, same, stage

_SCALES_OF_QUANTITY = ("extent", "size", "strength", "brightness", "weight", "space")


def _scale(m: Match) -> Sense:
    return m.sense("q", "comp", "adj", "measure", "colourfulness")


def _pred(m: Match, sign: int, default: float | None = None) -> list[Sense]:
    scale = _scale(m)
    if scale.tag == "colourfulness":
        scale = replace(scale, key="saturation")
    degree = degree_of(m) or (Degree(default) if default is not None else None)
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
    degree = degree_of(m)
    return _pred(m, -1 if degree is not None and degree.amount < 1 else 1)


def _factor_of(m: Match) -> list[Sense] | None:
    """ "twice the size", "half the weight"; "a lot of clutter" is a complaint."""
    degree, scale = degree_of(m), _scale(m)
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
    return [replace(m.sense("q", "adj"), degree=degree_of(m))]


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


def _twice(m: Match) -> list[Sense] | None:
    """ "a one-colour stamp" is one wish."""
    alike = m.sense("x", "style").key == m.sense("y", "style").key
    return [m.sense("x", "style")] if alike else None


def _look(m: Match) -> Sequence[Sense] | None:
    """ "a vintage look"; but "the lighter one" is a thing."""
    return None if m.item("x").article == "the" else same("x", *_LOOKS)(m)


_LOOKS = ("adj", "pred", "style", "vague", "scheme")
STAGES = (
    stage(
        ("d:degree? q:comp", _more),
        ("d:degree? too d:degree? q:(adj|measure)", _too),
        ("d:degree? on q:adj side", _too),
        ("too_much q:(measure|colourfulness)", _less),
        ("not_enough q:(measure|colourfulness)", _more),
        ("d:degree? more d:degree? q:(adj|measure|colourfulness)", _more),
        ("d:degree? (more|less) more? q:comp", _more),
        ("d:degree? less q:(adj|measure|colourfulness)", _less),
        ("not (too|too_much) d:degree? q:(adj|measure)", _overdone),
        ("rather_less d:degree? q:(adj|comp|measure|colourfulness)", _rather_less),
        ("(no|without) q:measure", _none),
        ("not (more|as|so)+ d:degree? q:(adj|comp)", _rather_less),
        ("not q:adj", _not),
        ("not q:adj enough", _more),
        ("not so? q:comp enough", _more),
        ("not_enough q:adj", _more),
        ("not enough q:(adj|measure)", _more),
        ("d:degree as q:adj as?", _times_as),
        ("as q:adj as_possible", _most),
        ("d:degree more? q:measure", _factor_of),
        ("more vague:vague", same("vague", "vague")),
        ("d:degree? (too|less|rather_less) d:degree? vague:vague", _opposite),
        ("not_very q:adj", _lacking),
        ("d:degree more? vague:vague more?", same("vague", "vague")),
        ("vague:vague d:degree more?", same("vague", "vague")),
        ("d:degree q:adj", _adjective),
    ),
    stage(("x:(adj|pred|excess) compared T", same("x")), ("x:style y:style", _twice)),
    stage(
        ("p:(pred|adj) adj? with? q:measure", _quantity),
        ("x:(adj|pred|style|vague|scheme) look", _look),
    ),
)

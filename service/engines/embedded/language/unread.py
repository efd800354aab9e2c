"""Say why a clause is not carried out: it asks for a drawing, or nobody knows what it asks."""

from __future__ import annotations

from collections.abc import Sequence

from service.engines.embedded.language.items import Item
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.patterns import Coded, Pattern
from service.engines.embedded.plan import Declined

_NEW_THING = "Drawing something new needs a generative engine."
_ONLY_KEPT = "This says what should stay as it is, and asks for no change."
_ONE_OF_SEVERAL = "One of several letters or parts alike cannot be edited apart from the others."
_ENGLISH_ONLY = "This engine reads English only."
_NOT_UNDERSTOOD = "I could not tell what to change here."

_MOST_UNKNOWN = 2
"""Unknown words in a clause about single letters; more of them are another language."""

_DRAWING = Pattern(
    "(P|then)* (add (in|on)? (pred|adj|colour|more|degree|number)*"
    " (noun|quote|target|cpart|ptarget)"
    "|(swap|change|make) (T|noun) (to|with|for|in|become|as|arrow|seem)+ (adj|pred|colour)*"
    " (noun|quote|cpart|colour)"
    "|put noun (O|on|place|in)|give (T|noun) (noun|adj noun))"
)


def declined_for(items: Sequence[Item], span: str) -> Declined:
    """The decline of a clause that no frame read."""
    unknown = sum(len(item.words.split()) for item in items if item.has("noun"))
    if any(item.has("single") for item in items) and unknown <= _MOST_UNKNOWN:
        return Declined(span, "limit", _ONE_OF_SEVERAL)
    for item in items:
        if item.has("cue"):
            said = lexicon().beyond[item.sense("cue").key]
            return Declined(span, "needs_generative", said)
    if any(item.has("aspect") and item.sense("aspect").key == "font" for item in items):
        return Declined(span, "needs_generative", lexicon().beyond["lettering"])
    if any(item.has("quote") for item in items):
        return Declined(span, "needs_generative", lexicon().beyond["wording"])
    if _DRAWING.match(Coded(items), 0) is not None:
        return Declined(span, "needs_generative", _NEW_THING)
    return Declined(span, "not_understood", _NOT_UNDERSTOOD)


def declined_as_foreign(prompt: str) -> Declined:
    """The decline of a prompt in another language."""
    return Declined(prompt, "not_understood", _ENGLISH_ONLY)


def only_kept(prompt: str) -> Declined:
    """The decline of a prompt that says what should stay and asks for nothing."""
    return Declined(prompt.strip(), "not_understood", _ONLY_KEPT)

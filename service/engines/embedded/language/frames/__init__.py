"""The sentence patterns by family; the first that covers a whole clause says what it asks."""

from __future__ import annotations

from collections.abc import Sequence

from service.engines.embedded.language.acts import Acts
from service.engines.embedded.language.frames import (
    colours,
    effects,
    forbidding,
    keeping,
    layout,
    removal,
    scales,
    values,
)
from service.engines.embedded.language.frames.frame import Frame, Reading
from service.engines.embedded.language.items import Item
from service.engines.embedded.language.patterns import Coded

__all__ = ["Frame", "Reading", "read_items"]

_FRAMES: tuple[Frame, ...] = (
    *forbidding.FRAMES,
    *keeping.FRAMES,
    *removal.FRAMES,
    *layout.FRAMES,
    *effects.FRAMES,
    *colours.FRAMES,
    *scales.FRAMES,
    *values.FRAMES,
)


def read_items(items: Sequence[Item]) -> Acts:
    """What the first frame that covers all the items makes of them."""
    reading = Reading.of(items)
    coded = Coded(reading.items)
    for frame in _FRAMES:
        if not frame.pattern.possible(coded):
            continue
        match = frame.pattern.fullmatch(coded)
        if match is not None:
            acts = frame.read(match, reading)
            if acts:
                return acts
    return None

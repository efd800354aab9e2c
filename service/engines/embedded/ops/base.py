"""What every op takes and gives, and the words it uses to say what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from service.engines.contract import Reason
from service.engines.embedded.canvas import Canvas
from service.engines.embedded.plan import Edit, Part, Target
from service.engines.embedded.scene.core import Flags


@dataclass(frozen=True, slots=True)
class Done:
    """An edit that was made. `summary` is a sentence without a full stop, for the person."""

    canvas: Canvas
    summary: str
    measured: dict[str, float] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class CannotApply(Exception):
    """An edit that this image does not allow, with a sentence for the person.

    `fulfilled` says that nothing is left to do: the image is like that already.
    """

    def __init__(self, reason: Reason, message: str, *, fulfilled: bool = False) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.fulfilled = fulfilled


type Apply = Callable[[Canvas, Edit, Flags], Done]
"""Carries an edit out on the chosen surfaces (flags, one a surface); raises `CannotApply`."""


def named(target: Target) -> str:
    """What the report calls a target: `the brown areas`, `the lettering`."""
    if target.noun is not None:
        return f"the {target.noun}"
    if target.colour is not None:
        where = "" if target.part is Part.IMAGE else f" of {_PART_NAMES[target.part]}"
        return f"the {target.colour.name} areas{where}"
    return _PART_NAMES[target.part]


_PART_NAMES: dict[Part, str] = {
    Part.IMAGE: "the image",
    Part.ARTWORK: "the artwork",
    Part.BACKGROUND: "the background",
    Part.TEXT: "the lettering",
    Part.TAGLINE: "the tagline",
    Part.ICON: "the icon",
    Part.OUTLINE: "the outlines",
    Part.DOTS: "the dots",
    Part.DARKEST: "the darkest areas",
    Part.LIGHTEST: "the lightest areas",
}


def share(canvas: Canvas, chosen: Flags) -> float:
    """The part of the image that the chosen surfaces take, 0–1."""
    scene = canvas.scene
    return round(float(scene.regions.area[chosen].sum()) / (scene.height * scene.width), 4)


def mean_of(
    canvas: Canvas, chosen: Flags, values: np.ndarray[tuple[int], np.dtype[np.float32]]
) -> float:
    """The mean of a quantity over the chosen surfaces, weighted by area."""
    area = canvas.scene.regions.area[chosen]
    if area.sum() <= 0:
        return 0.0
    return float((values[chosen] * area).sum() / area.sum())


def lightness_of(canvas: Canvas, chosen: Flags) -> float:
    """The mean OKLab lightness of the chosen surfaces, 0–1."""
    return round(mean_of(canvas, chosen, canvas.colours()[:, 0]), 4)

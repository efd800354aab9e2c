"""Change contrast and brightness, turn lightness round, set artwork for dark or light grounds."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Floats, chroma, from_lch, hue
from service.engines.embedded.ops.base import CannotApply, Done, lightness_of, named, share
from service.engines.embedded.plan import Edit, Op
from service.engines.embedded.scene.core import Flags

_DEFAULT = 0.4
_DARK_GROUND, _LIGHT_GROUND = (18, 20, 24, 255), (255, 255, 255, 255)
_DARK_LIMIT = 0.35
_LIGHT_LIMIT = 0.85
_NEUTRAL = 0.045


def change_contrast(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Move the lightness of the artwork away from the ground's, or toward it."""
    amount = _DEFAULT if edit.amount is None else edit.amount
    scene = canvas.scene
    free = chosen & ~scene.background
    if not free.any():
        free = chosen
    middle = ground_lightness(canvas)
    if middle is None:
        middle = 0.55 if scene.photographic else 1.0
    before = _contrast(canvas, free, middle)

    def change(lab: Floats) -> Floats:
        lightness = middle + (lab[:, 0] - middle) * (1 + amount)
        return from_lch(np.clip(lightness, 0.06, 1), chroma(lab), hue(lab))

    after = canvas.changed(free, change)
    measured = {
        "contrast_before": before,
        "contrast_after": _contrast(after, free, middle),
        "area": share(canvas, free),
    }
    verb = "Raised" if amount > 0 else "Lowered"
    return Done(after, f"{verb} the contrast of {named(edit.target)}", measured)


def change_brightness(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Brighten or dim everything chosen."""
    amount = _DEFAULT if edit.amount is None else edit.amount
    before = lightness_of(canvas, chosen)

    def change(lab: Floats) -> Floats:
        room = 1 - lab[:, 0] if amount > 0 else lab[:, 0]
        lightness = lab[:, 0] + 0.5 * amount * np.minimum(room * 1.4, 1)
        return from_lch(np.clip(lightness, 0, 1), chroma(lab), hue(lab))

    after = canvas.changed(chosen, change)
    measured = {
        "lightness_before": before,
        "lightness_after": lightness_of(after, chosen),
        "area": share(canvas, chosen),
    }
    verb = "Brightened" if amount > 0 else "Dimmed"
    return Done(after, f"{verb} {named(edit.target)}", measured)


def invert(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Light becomes dark and dark light, hues stay; a transparent ground stays so."""
    before = lightness_of(canvas, chosen)
    after = canvas.changed(chosen, _turned_round)
    measured = {
        "lightness_before": before,
        "lightness_after": lightness_of(after, chosen),
        "area": share(canvas, chosen),
    }
    return Done(after, f"Turned light and dark round in {named(edit.target)}", measured)


def _turned_round(lab: Floats) -> Floats:
    return from_lch(1 - lab[:, 0], chroma(lab), hue(lab))


def set_mode(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """A dark ground with light artwork, or a light ground with dark artwork."""
    del chosen
    scene = canvas.scene
    dark = edit.op is Op.DARK_MODE
    middle = ground_lightness(canvas)
    if not scene.background.any():
        raise CannotApply("not_in_image", "No plain background was found to make dark or light.")
    if middle is not None and (middle <= _DARK_LIMIT if dark else middle >= _LIGHT_LIMIT):
        raise CannotApply("limit", f"The background is {'dark' if dark else 'light'} already.")
    after = canvas.filled(scene.background, _DARK_GROUND if dark else _LIGHT_GROUND)
    after = after.changed(~scene.background, _for_dark if dark else _for_light)
    measured = {
        "ground_lightness_before": -1.0 if middle is None else round(middle, 4),
        "ground_lightness_after": lightness_of(after, scene.background),
        "artwork_lightness_before": lightness_of(canvas, ~scene.background),
        "artwork_lightness_after": lightness_of(after, ~scene.background),
    }
    if dark:
        return Done(after, "Put light artwork on a dark background", measured)
    return Done(after, "Put dark artwork on a light background", measured)


def _for_dark(lab: Floats) -> Floats:
    strength = chroma(lab)
    raised = np.maximum(lab[:, 0], 0.60 + 0.33 * lab[:, 0])
    grey = np.clip(1 - strength / _NEUTRAL, 0, 1)
    flipped = np.where(lab[:, 0] < 0.5, 0.96 - 0.3 * lab[:, 0], raised)
    return from_lch(raised + grey * (flipped - raised), strength, hue(lab))


def _for_light(lab: Floats) -> Floats:
    strength = chroma(lab)
    lowered = np.minimum(lab[:, 0], 0.22 + 0.4 * lab[:, 0])
    grey = np.clip(1 - strength / _NEUTRAL, 0, 1)
    flipped = np.where(lab[:, 0] > 0.5, 0.45 - 0.3 * lab[:, 0], lowered)
    return from_lch(lowered + grey * (flipped - lowered), strength, hue(lab))


def ground_lightness(canvas: Canvas) -> float | None:
    """The OKLab lightness of the ground; None where it is transparent or unknown."""
    scene = canvas.scene
    seen = scene.background & (canvas.alphas() > 0.5)
    if not seen.any():
        return None
    return float(np.average(canvas.colours()[seen, 0], weights=scene.regions.area[seen] + 1e-3))


def _contrast(canvas: Canvas, chosen: Flags, middle: float) -> float:
    weight = canvas.scene.regions.area[chosen] + 1e-3
    away = np.abs(canvas.colours()[chosen, 0] - middle)
    return round(float(np.average(away, weights=weight)), 4)

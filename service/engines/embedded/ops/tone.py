"""Shift the mood of colours: warmer, cooler, pastel, muted, vivid, earthy, neon."""

from __future__ import annotations

import math

import numpy as np

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import ColourMap, Floats, chroma, from_lch, hue, into_gamut
from service.engines.embedded.ops.base import CannotApply, Done, mean_of, named, share
from service.engines.embedded.plan import Edit, Op
from service.engines.embedded.scene.core import Flags

_DEFAULT = 0.4
_WARM = np.array([0.0, math.cos(math.radians(62)), math.sin(math.radians(62))], np.float32)
_COOL = np.array([0.0, math.cos(math.radians(242)), math.sin(math.radians(242))], np.float32)
_SHIFT = 0.13  # in OKLab, at full amount and middle lightness
_NEUTRAL = 0.025
_LEVELS, _MOST_STEP = 40, 0.08  # of lightness
_EARTH_HUES = np.radians(np.array([38.0, 65.0, 90.0, 118.0], np.float32))

_SUMMARIES = {
    Op.WARMER: "Made {} warmer",
    Op.COOLER: "Made {} cooler",
    Op.PASTEL: "Turned {} to pastel tones",
    Op.MUTE: "Muted the colours of {}",
    Op.VIVID: "Made the colours of {} more vivid",
    Op.EARTHY: "Turned {} to earthy tones",
    Op.NEON: "Turned {} to neon tones",
}


def shift_tone(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Put the chosen surfaces through the colour change of `edit.op`."""
    amount = _DEFAULT if edit.amount is None else min(max(edit.amount, 0.05), 1.0)
    if edit.op in (Op.MUTE, Op.VIVID, Op.NEON) and _colourless(canvas, chosen):
        raise CannotApply("not_in_image", f"There is no colour in {named(edit.target)} to change.")
    after = canvas.changed(chosen, _change(edit.op, amount))
    before_lab, after_lab = canvas.colours(), after.colours()
    measured = {"area": share(canvas, chosen)}
    for name, one, other in (
        ("warmth", before_lab @ _WARM, after_lab @ _WARM),
        ("chroma", chroma(before_lab), chroma(after_lab)),
        ("lightness", before_lab[:, 0], after_lab[:, 0]),
    ):
        measured[f"{name}_before"] = round(mean_of(canvas, chosen, one), 4)
        measured[f"{name}_after"] = round(mean_of(canvas, chosen, other), 4)
    return Done(after, _SUMMARIES[edit.op].format(named(edit.target)), measured)


def _colourless(canvas: Canvas, chosen: Flags) -> bool:
    return bool(chroma(canvas.colours()[chosen]).max() < _NEUTRAL)


def _change(op: Op, amount: float) -> ColourMap:
    if op in (Op.WARMER, Op.COOLER):
        return _temperature(_WARM if op is Op.WARMER else _COOL, amount)
    if op is Op.PASTEL:
        return _pastel(min(1.0, amount * 1.6))
    if op is Op.MUTE:
        return _saturation(0.0 if amount >= 1 else 1 - min(0.9, amount * 1.2))
    if op is Op.VIVID:
        return _saturation(1 + amount * 1.1)
    if op is Op.EARTHY:
        return _earthy(min(1.0, amount * 2))
    return _neon(min(1.0, amount * 2))


def _temperature(direction: Floats, amount: float) -> ColourMap:
    def change(lab: Floats) -> Floats:
        room = np.clip(4 * lab[:, :1] * (1 - lab[:, :1]), 0, 1)
        return np.asarray(lab + direction * (_SHIFT * amount) * room, dtype=np.float32)

    return change


def _pastel(part: float) -> ColourMap:
    def change(lab: Floats) -> Floats:
        strength = chroma(lab)
        # Black lettering stays; middle greys go along, for gradients pass through them.
        middling = np.clip((lab[:, 0] - 0.3) / 0.15, 0, 1)
        coloured = np.maximum(_coloured(strength), middling) * part
        lightness = lab[:, 0] + coloured * np.maximum(0.85 - lab[:, 0], 0)
        soft = np.minimum(strength, 0.075 + 0.15 * strength)
        return from_lch(lightness, strength + coloured * (soft - strength), hue(lab))

    return change


def _saturation(factor: float) -> ColourMap:
    def change(lab: Floats) -> Floats:
        strength = chroma(lab)
        scale = factor if factor < 1 else 1 + (factor - 1) * _coloured(strength)
        wanted = from_lch(lab[:, 0], strength * scale, hue(lab))
        return wanted if factor <= 1 else _with_room(wanted)

    return change


def _with_room(wanted: Floats) -> Floats:
    """Colours beyond sRGB, nearer to the lightness at which their hue can be most vivid."""
    strength, angle = chroma(wanted), hue(wanted)
    short = 1 - chroma(into_gamut(wanted)) / np.maximum(strength, 1e-6)
    levels = np.linspace(0.2, 0.98, _LEVELS, dtype=np.float32)
    most = from_lch(
        np.repeat(levels, len(angle)), np.full(_LEVELS * len(angle), 0.4), np.tile(angle, _LEVELS)
    )
    reach = chroma(into_gamut(most)).reshape(_LEVELS, len(angle))
    way = levels[reach.argmax(axis=0)] - wanted[:, 0]
    step = np.clip(way, -_MOST_STEP, _MOST_STEP) * np.clip(short * 3, 0, 1)
    return from_lch(wanted[:, 0] + step, strength, angle)


def _earthy(part: float) -> ColourMap:
    def change(lab: Floats) -> Floats:
        strength, angle = chroma(lab), hue(lab)
        coloured = _coloured(strength) * part
        turn = (_EARTH_HUES[None] - angle[:, None] + math.pi) % (2 * math.pi) - math.pi
        nearest = turn[np.arange(len(angle)), np.abs(turn).argmin(axis=1)]
        lightness = lab[:, 0] + coloured * 0.6 * (np.clip(lab[:, 0], 0.3, 0.72) - lab[:, 0])
        soft = np.minimum(strength, 0.085)
        return from_lch(
            lightness, strength + coloured * (soft - strength), angle + coloured * nearest
        )

    return change


def _neon(part: float) -> ColourMap:
    def change(lab: Floats) -> Floats:
        strength = chroma(lab)
        coloured = _coloured(strength) * part
        lightness = lab[:, 0] + coloured * (np.clip(lab[:, 0], 0.66, 0.88) - lab[:, 0])
        return from_lch(lightness, strength + coloured * (0.3 - strength), hue(lab))

    return change


def _coloured(strength: Floats) -> Floats:
    """0 for greys, 1 for what is clearly a colour, smooth between: greys have no hue to change."""
    return np.asarray(np.clip((strength - 0.012) / 0.03, 0, 1), dtype=np.float32)

"""Colour words to colours: CSS and designers' names, codes, and modifiers such as "pale"."""

from __future__ import annotations

import re

import numpy as np
import webcolors  # type: ignore[import-untyped]  # it ships no types

from service.engines.embedded.colour import oklab, srgb
from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.plan import Colour

_CSS = {name: webcolors.name_to_hex(name) for name in webcolors.names("css3")}


def _rgb(code: str) -> tuple[int, int, int]:
    parsed = webcolors.hex_to_rgb(code)
    return parsed.red, parsed.green, parsed.blue


def named(name: str) -> Colour | None:
    """The colour of a name in lower case, as a family."""
    code = lexicon().colours.get(name) or _CSS.get(name)
    return Colour(name, _rgb(code)) if code else None


_NEUTRAL = 0.02
_LIGHTER_GREY, _PALEST_GREY = 1.6, 0.8
"""Greys go further to white: "light grey" is that of paper, not of pencils."""


def coded(code: str) -> Colour | None:
    """One exact colour from `#rgb`, `#rrggbb`, `#rrggbbaa` or `rgb(r,g,b)`."""
    if code.startswith("#"):
        digits = code[1:]
        if len(digits) in (3, 4):
            digits = "".join(d * 2 for d in digits[:3])
        if len(digits) not in (6, 8):
            return None
        rgb = _rgb(f"#{digits[:6]}")
    else:
        r, g, b = (min(255, int(n)) for n in re.findall(r"\d+", code)[:3])
        rgb = (r, g, b)
    return Colour(webcolors.rgb_to_hex(webcolors.IntegerRGB(*rgb)), rgb, family=False)


def modified(colour: Colour, modifiers: list[str]) -> Colour:
    """The colour after its modifiers, nearest first: "pale muted green"."""
    if not modifiers:
        return colour
    twice = len(modifiers) > 1 and modifiers[0] == modifiers[1]
    told = ["very", *modifiers[1:]] if twice else modifiers
    light, a, b = (float(v) for v in oklab(np.asarray(colour.rgb)))
    grey = float(np.hypot(a, b)) < _NEUTRAL
    for word in reversed(modifiers):
        shift, chroma = lexicon().modifiers[word]
        shift = min(shift * _LIGHTER_GREY, _PALEST_GREY) if grey and shift > 0 else shift
        light += shift * ((1 - light) if shift > 0 else light)
        a, b = a * chroma, b * chroma
    red, green, blue = (int(v) for v in srgb(np.array([[light, a, b]], np.float32))[0])
    return Colour(" ".join([*told, colour.name]), (red, green, blue))


def mixed(colour: Colour, tint: Colour, word: str) -> Colour:
    """A colour with a third of another in it: "reddish brown"."""
    lab = oklab(np.array([colour.rgb, tint.rgb]))
    red, green, blue = (
        int(v) for v in srgb((0.67 * lab[:1] + 0.33 * lab[1:]).astype(np.float32))[0]
    )
    return Colour(f"{word} {colour.name}", (red, green, blue))

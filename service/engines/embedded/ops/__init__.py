"""Every edit that the engine can make, by name, in the order in which edits are made."""

from __future__ import annotations

from service.engines.embedded.ops.arrange import arrange
from service.engines.embedded.ops.background import change_background
from service.engines.embedded.ops.base import Apply, CannotApply, Done
from service.engines.embedded.ops.edges import redraw_edges, upscale
from service.engines.embedded.ops.effects import add_glow, add_shadow, blur, grain, vintage
from service.engines.embedded.ops.exposure import (
    change_brightness,
    change_contrast,
    invert,
    set_mode,
)
from service.engines.embedded.ops.fewer import duotone, flatten, limit_palette
from service.engines.embedded.ops.harmony import harmonise
from service.engines.embedded.ops.layout import (
    centre,
    crop,
    flip,
    move,
    pad,
    rotate,
    scale,
    square,
)
from service.engines.embedded.ops.lightness import shift_lightness
from service.engines.embedded.ops.mono import monochrome
from service.engines.embedded.ops.outline import add_outline, outline_only
from service.engines.embedded.ops.recolour import recolour
from service.engines.embedded.ops.remove import remove
from service.engines.embedded.ops.simplify import simplify
from service.engines.embedded.ops.stroke import change_weight
from service.engines.embedded.ops.tone import shift_tone
from service.engines.embedded.ops.two_tone import black_and_white, one_colour
from service.engines.embedded.ops.vectorize import vectorize
from service.engines.embedded.plan import Keep, Op

__all__ = ["GROUPS", "NEEDS_NO_SHAPES", "OPS", "TOUCHES", "Apply", "CannotApply", "Done"]

# From the ground up: what an edit needs has been settled by those of the groups before it.
_BY_GROUP: tuple[dict[Op, Apply], ...] = (
    {Op.BACKGROUND: change_background},
    {Op.REMOVE: remove, Op.SIMPLIFY: simplify, Op.FLATTEN: flatten},
    {
        Op.RECOLOUR: recolour,
        Op.MONOCHROME: monochrome,
        Op.ONE_COLOUR: one_colour,
        Op.BLACK_AND_WHITE: black_and_white,
        Op.DUOTONE: duotone,
        Op.LIMIT_PALETTE: limit_palette,
        Op.HARMONY: harmonise,
        Op.INVERT: invert,
        Op.DARK_MODE: set_mode,
        Op.LIGHT_MODE: set_mode,
    },
    {
        Op.LIGHTEN: shift_lightness,
        Op.DARKEN: shift_lightness,
        Op.WARMER: shift_tone,
        Op.COOLER: shift_tone,
        Op.PASTEL: shift_tone,
        Op.MUTE: shift_tone,
        Op.VIVID: shift_tone,
        Op.EARTHY: shift_tone,
        Op.NEON: shift_tone,
        Op.CONTRAST: change_contrast,
        Op.BRIGHTNESS: change_brightness,
    },
    {Op.BOLDER: change_weight, Op.THINNER: change_weight},
    {Op.OUTLINE_ONLY: outline_only, Op.ADD_OUTLINE: add_outline},
    {
        Op.ROUND: redraw_edges,
        Op.SMOOTH: redraw_edges,
        Op.SHARPEN: redraw_edges,
        Op.ARRANGE: arrange,
        Op.SCALE: scale,
        Op.ROTATE: rotate,
        Op.FLIP: flip,
        Op.MOVE: move,
        Op.CENTRE: centre,
        Op.CROP: crop,
        Op.SQUARE: square,
        Op.PAD: pad,
        Op.UPSCALE: upscale,
    },
    {
        Op.SHADOW: add_shadow,
        Op.GLOW: add_glow,
        Op.BLUR: blur,
        Op.VINTAGE: vintage,
        Op.GRAIN: grain,
    },
    {Op.VECTORIZE: vectorize},
)
OPS: dict[Op, Apply] = {op: apply for group in _BY_GROUP for op, apply in group.items()}
GROUPS: dict[Op, int] = {op: rank for rank, group in enumerate(_BY_GROUP) for op in group}

_SHAPE = {Op.REMOVE, Op.SIMPLIFY, Op.BOLDER, Op.THINNER, Op.OUTLINE_ONLY, Op.ROUND, Op.SMOOTH}
_PLACE = {Op.ARRANGE, Op.SCALE, Op.ROTATE, Op.FLIP, Op.MOVE, Op.CENTRE}
_FRAME = {Op.CROP, Op.SQUARE, Op.PAD, Op.UPSCALE, Op.SHARPEN, Op.VECTORIZE}
# What an edit changes of its target. A frame leaves every pixel of the artwork as it is.
TOUCHES: dict[Op, Keep | None] = {
    op: Keep.SHAPE
    if op in _SHAPE
    else Keep.PLACE
    if op in _PLACE
    else None
    if op in _FRAME
    else Keep.COLOUR
    for op in OPS
}

# What works on a photograph too, where no shapes can be told apart.
NEEDS_NO_SHAPES = frozenset(
    {
        Op.MONOCHROME, Op.INVERT, Op.LIGHTEN, Op.DARKEN, Op.WARMER, Op.COOLER, Op.PASTEL, Op.MUTE,
        Op.VIVID, Op.EARTHY, Op.NEON, Op.CONTRAST, Op.BRIGHTNESS, Op.BLUR, Op.VINTAGE, Op.GRAIN,
        Op.ROTATE, Op.FLIP, Op.SQUARE, Op.UPSCALE, Op.PAD, Op.SHARPEN,
    }
)  # fmt: skip

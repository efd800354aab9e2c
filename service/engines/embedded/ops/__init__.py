"""Every edit that the engine can make, by name, in the order in which edits are made."""

from __future__ import annotations

from service.engines.embedded.ops.background import change_background
from service.engines.embedded.ops.base import Apply, CannotApply, Done
from service.engines.embedded.ops.lightness import shift_lightness
from service.engines.embedded.ops.mono import monochrome
from service.engines.embedded.ops.recolour import recolour
from service.engines.embedded.ops.simplify import simplify
from service.engines.embedded.ops.two_tone import black_and_white, one_colour
from service.engines.embedded.plan import Op

__all__ = ["OPS", "Apply", "CannotApply", "Done"]

# From the ground up: what an edit needs has been settled by those before it.
OPS: dict[Op, Apply] = {
    Op.BACKGROUND: change_background,
    Op.SIMPLIFY: simplify,
    Op.RECOLOUR: recolour,
    Op.MONOCHROME: monochrome,
    Op.ONE_COLOUR: one_colour,
    Op.BLACK_AND_WHITE: black_and_white,
    Op.LIGHTEN: shift_lightness,
    Op.DARKEN: shift_lightness,
}

"""How much: from the person's degree words and numbers to an op's amount (see `plan.Op`)."""

from __future__ import annotations

from service.engines.embedded.language.items import Degree
from service.engines.embedded.plan import Op

_PLAIN = 0.4
_PLAIN_OF: dict[Op, float] = {Op.SCALE: 0.25, Op.PAD: 0.1, Op.MOVE: 0.06, Op.UPSCALE: 2.0}
_MOST = 1.0
_SMALLEST_FACTOR, _LARGEST_FACTOR = 0.05, 8.0

WITHOUT_AMOUNT = frozenset(
    {
        Op.RECOLOUR, Op.MONOCHROME, Op.ONE_COLOUR, Op.BLACK_AND_WHITE, Op.DUOTONE,
        Op.LIMIT_PALETTE, Op.HARMONY, Op.INVERT, Op.DARK_MODE, Op.LIGHT_MODE, Op.OUTLINE_ONLY,
        Op.VECTORIZE, Op.CENTRE, Op.CROP, Op.SQUARE, Op.ROTATE, Op.FLIP, Op.ARRANGE,
        Op.BACKGROUND, Op.REMOVE, Op.FLATTEN,
    }
)  # fmt: skip


def amount_of(op: Op, sign: int, degree: Degree | None) -> float | None:
    """The amount of an op that was asked for with a degree; None for ops that have none."""
    if op in WITHOUT_AMOUNT:
        return None
    degree, plain = degree or Degree(), _PLAIN_OF.get(op, _PLAIN)
    match op:
        case Op.SCALE:
            return round(_factor(sign, degree, plain), 4)
        case Op.UPSCALE:
            return degree.amount if degree.kind == "times" else plain
        case Op.CONTRAST | Op.BRIGHTNESS | Op.PAD:
            return sign * _fraction(degree, plain)
        case _:
            return _fraction(degree, plain)


def _fraction(degree: Degree, plain: float) -> float:
    match degree.kind:
        case "factor":
            amount = plain * degree.amount
        case "literal":
            amount = degree.amount
        case "times":
            amount = degree.amount if degree.amount <= 1 else plain * degree.amount
        case "to":
            amount = abs(1 - degree.amount)
    return round(min(_MOST, amount), 3)


def _factor(sign: int, degree: Degree, plain: float) -> float:
    """Scale factor: 20 % bigger is 1.2, 20 % smaller 0.8, bigger 1.25, smaller 1 / 1.25."""
    match degree.kind:
        case "factor":
            factor = 1 + plain * min(degree.amount, 2.5)
            factor = factor if sign > 0 else 1 / factor
        case "literal":
            factor = 1 + sign * degree.amount
        case "times":
            factor = degree.amount if sign > 0 or degree.amount <= 1 else 1 / degree.amount
        case "to":
            factor = degree.amount
    return min(_LARGEST_FACTOR, max(_SMALLEST_FACTOR, factor))

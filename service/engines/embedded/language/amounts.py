"""How much: from the person's degree words and numbers to an op's amount (see `plan.Op`)."""

from __future__ import annotations

from service.engines.embedded.plan import Op

_PLAIN: dict[Op, float] = {
    Op.SCALE: 0.25,
    Op.PAD: 0.12,
    Op.MOVE: 0.08,
    Op.UPSCALE: 2.0,
}
_DEFAULT = 0.4
_MOST = 1.0


def amount_of(op: Op, sign: int, degree: float | None, *, literal: bool) -> float | None:
    """The amount of an op asked for with a degree (1.0 is the plain word)."""
    plain, degree = _PLAIN.get(op, _DEFAULT), 1.0 if degree is None else degree
    match op:
        case Op.SCALE:
            return _factor(sign, degree, plain, literal=literal)
        case Op.CONTRAST | Op.BRIGHTNESS | Op.PAD:
            return sign * (degree if literal else min(_MOST, plain * degree))
        case Op.UPSCALE:
            return degree if literal else plain
        case _:
            return degree if literal else min(_MOST, round(plain * degree, 3))


def _factor(sign: int, degree: float, plain: float, *, literal: bool) -> float:
    """Scale factor: 20 % bigger is 1.2, 20 % smaller 0.8, bigger 1.25, smaller 1 / 1.25."""
    if literal:
        return 1 + degree if sign > 0 else max(0.05, 1 - degree)
    factor = 1 + plain * min(degree, 2.5)
    return round(factor if sign > 0 else 1 / factor, 4)

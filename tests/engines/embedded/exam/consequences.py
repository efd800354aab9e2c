"""Look at an edited picture with the drawn layers in hand: did what was asked move, and only that?

A logo's layers say which pixels show what, so that each edit of a plan has consequences that can
be measured: its target's layers moved in the asked direction, other layers did not move at all,
what was flat stayed flat, and every edge is what a true render in the new colours would show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.engines.contract import Report
from service.engines.embedded.colour import contrast, oklab
from service.engines.embedded.families import members
from service.engines.embedded.plan import Edit, Op, Part, Plan, Target
from tests.engines.embedded.pixels import Picture, changed, ground_mask, mean_lab, premultiplied
from tests.samples.layers import Logo, Mask

RECOLOURING = {
    Op.RECOLOUR, Op.LIGHTEN, Op.DARKEN, Op.WARMER, Op.COOLER, Op.PASTEL, Op.MUTE, Op.VIVID,
    Op.EARTHY, Op.NEON, Op.MONOCHROME, Op.INVERT, Op.CONTRAST, Op.BRIGHTNESS, Op.BACKGROUND,
    Op.DARK_MODE, Op.LIGHT_MODE, Op.HARMONY,
}  # fmt: skip
BOUNDED = {Op.RECOLOUR, Op.LIGHTEN, Op.DARKEN, Op.MUTE, Op.VIVID, Op.WARMER, Op.COOLER}
WARM = np.array([0.0, 0.469, 0.883])
SMALLEST_PX = 25
READABLE = 1.45


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A logo, its picture before and after, and what was planned and reported."""

    logo: Logo
    before: Picture
    after: Picture
    plan: Plan
    report: Report

    def layers(self) -> dict[str, NDArray[np.bool_]]:
        """The pixels that show one layer only, for layers large enough to measure."""
        pure = {layer.name: self.logo.visible(layer.name) > 0.999 for layer in self.logo.layers}
        return {name: where for name, where in pure.items() if where.sum() >= SMALLEST_PX}

    def ground(self) -> NDArray[np.bool_]:
        """The pixels that show nothing but the ground."""
        return np.asarray(ground_mask(self.logo) > 0.999)


def faults(seen: Seen) -> list[str]:
    """What is wrong with the picture, a line each."""
    found: list[str] = []
    if seen.before.shape == seen.after.shape and (seen.before == seen.after).all():
        return ["claimed on an unchanged image"]
    applied = {edit["span"] for edit in seen.report["applied"]}
    edits = [edit for edit in seen.plan.edits if edit.span in applied]
    if seen.before.shape == seen.after.shape:
        for edit in edits:
            found += _direction(seen, edit)
        if edits and all(edit.op in RECOLOURING for edit in edits):
            found += _evenness(seen) + _edges(seen) + _lost_text(seen)
        if edits and all(edit.op in BOUNDED for edit in edits):
            found += _strays(seen, edits)
    return found


def _targets(seen: Seen, target: Target) -> set[str] | None:
    """The layers that a target means; None where that takes more than the layers say."""
    if target.noun is not None:
        return None
    names = {
        layer.name
        for layer in seen.logo.layers
        if {
            Part.TEXT: layer.role in ("text", "tagline"),
            Part.TAGLINE: layer.role == "tagline",
            Part.ICON: layer.role not in ("text", "tagline"),
            Part.DOTS: layer.role == "dots",
            Part.BACKGROUND: False,
        }.get(target.part, True)
    }
    if target.part in (Part.OUTLINE, Part.DARKEST, Part.LIGHTEST):
        return None
    if target.colour is None:
        return names
    kept = [name for name in names if name in seen.layers()]
    lab = np.array([mean_lab(seen.before, seen.layers()[name]) for name in kept], np.float32)
    meant = members(lab.reshape(-1, 3), target.colour)
    return {name for name, is_meant in zip(kept, meant, strict=True) if is_meant}


def _direction(seen: Seen, edit: Edit) -> list[str]:
    """Whether the middle of an edit's layers went where it was sent."""
    names = _targets(seen, edit.target)
    where = np.zeros(seen.logo.shape, np.bool_)
    for name in names or ():
        if name in seen.layers():
            where |= seen.layers()[name]
    if edit.op is Op.BACKGROUND:
        return _background(seen, edit)
    if not where.any():
        return []
    old, new = mean_lab(seen.before, where), mean_lab(seen.after, where)
    chroma = [float(np.hypot(lab[1], lab[2])) for lab in (old, new)]
    rise, warmth = float(new[0] - old[0]), float((new - old) @ WARM)
    checks = {
        Op.LIGHTEN: rise > 0.02,
        Op.DARKEN: rise < -0.02,
        Op.WARMER: warmth > 0.008,
        Op.COOLER: warmth < -0.008,
        Op.PASTEL: rise > 0.0,
        Op.MUTE: chroma[1] < chroma[0],
        Op.VIVID: chroma[1] > chroma[0],
        Op.MONOCHROME: edit.to is not None or chroma[1] < 0.012,
        Op.BRIGHTNESS: rise * (edit.amount or 1) > 0,
    }
    if len(seen.plan.edits) > 1 or checks.get(edit.op, True):
        return _arrived(seen, edit, where) if edit.op is Op.RECOLOUR else []
    return [f"{edit.op} went the wrong way: {old.round(3)} to {new.round(3)}"]


def _arrived(seen: Seen, edit: Edit, where: NDArray[np.bool_]) -> list[str]:
    if edit.to is None or edit.mode == "exchange" or len(seen.plan.edits) > 1:
        return []
    goal = oklab(np.array(edit.to.rgb, np.uint8))
    away = float(np.linalg.norm(mean_lab(seen.after, where) - goal))
    exact = edit.target.part in (Part.TEXT, Part.TAGLINE)
    return [f"{away:.3f} away from {edit.to.name}"] if away > (0.03 if exact else 0.16) else []


def _background(seen: Seen, edit: Edit) -> list[str]:
    ground = seen.after[seen.ground()]
    if edit.to is None:
        return [] if (ground[:, 3] == 0).all() else ["the ground is not transparent"]
    away = np.abs(ground.astype(int) - np.array([*edit.to.rgb, 255])).max()
    return [] if away <= 1 or len(seen.plan.edits) > 1 else [f"the ground is off by {away}"]


def _strays(seen: Seen, edits: list[Edit]) -> list[str]:
    """Layers, and the ground, that no edit aimed at and that moved all the same."""
    aimed: set[str] = set()
    for edit in edits:
        names = _targets(seen, edit.target)
        if names is None:
            return []
        aimed |= names
        if edit.target.part in (Part.IMAGE, Part.BACKGROUND):
            aimed |= {"the ground"}
        if edit.mode == "exchange":
            aimed |= {"the ground", *(_targets(seen, Target(colour=edit.to)) or ())}
    places = {**seen.layers(), "the ground": seen.ground()}
    return [
        f"{name} moved without being asked"
        for name, where in places.items()
        if name not in aimed and changed(seen.before, seen.after, where) > 0.004
    ]


def _evenness(seen: Seen) -> list[str]:
    return [
        f"{name} is not flat any more"
        for name, where in seen.layers().items()
        if _spread(seen.before, where) < 1.5 and _spread(seen.after, where) > 4
    ]


def _spread(picture: Picture, where: NDArray[np.bool_]) -> float:
    low, high = np.percentile(picture[where][:, :3], (1, 99), axis=0)
    return float((high - low).max())


def _edges(seen: Seen) -> list[str]:
    """Compare with a true render of the layers in their new colours."""
    layers = seen.layers()
    if len(layers) < len(seen.logo.layers) or any(callable(x.paint) for x in seen.logo.layers):
        return []
    paints = {name: _mean_rgb(seen.after, where) for name, where in layers.items()}
    ground = seen.after[seen.ground()]
    truth = seen.logo.painted(**paints).on(
        None if ground[:, 3].max() == 0 else _mean_rgb(seen.after, seen.ground())
    )
    band = np.zeros(seen.logo.shape, np.bool_)
    for layer in seen.logo.layers:
        band |= (layer.mask > 0.004) & (layer.mask < 0.996)
    difference = np.abs(premultiplied(seen.after) - premultiplied(truth.render())).mean(axis=2)
    error = float(difference[band].mean()) / 255
    return [f"edges are off by {error * 1000:.1f}/1000"] if error > 0.012 else []


def _mean_rgb(picture: Picture, where: NDArray[np.bool_]) -> tuple[int, int, int]:
    red, green, blue = picture[where][:, :3].astype(np.float64).mean(axis=0)
    return red, green, blue


def _lost_text(seen: Seen) -> list[str]:
    """Lettering that could be read on the ground before and cannot any more."""
    found = []
    ground = seen.ground()
    for layer in seen.logo.layers:
        if layer.role not in ("text", "tagline") or layer.name not in seen.layers():
            continue
        ratios = [
            float(contrast(_rounded(picture, seen.layers()[layer.name]), _on(picture, ground)))
            for picture in (seen.before, seen.after)
        ]
        if ratios[0] >= 2 > READABLE > ratios[1]:
            found.append(f"{layer.name} cannot be read any more: {ratios[1]:.2f}")
    return found


def _rounded(picture: Picture, where: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.rint(picture[where][:, :3].mean(axis=0)).astype(np.uint8)


def _on(picture: Picture, ground: Mask | NDArray[np.bool_]) -> NDArray[np.uint8]:
    seen = picture[ground]
    if seen[:, 3].max() == 0:
        return np.full(3, 255, np.uint8)
    return np.rint(seen[:, :3].mean(axis=0)).astype(np.uint8)

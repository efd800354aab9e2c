"""Add an effect to the finished picture: shadow, glow, blur, an aged look, grain."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, Floats, chroma, from_lch, hex_of, hue
from service.engines.embedded.ops.base import CannotApply, Done, named, share
from service.engines.embedded.ops.exposure import ground_lightness
from service.engines.embedded.ops.layers import artwork_of, flat_ground, lifted
from service.engines.embedded.ops.recolour import called
from service.engines.embedded.plan import Edit, Part
from service.engines.embedded.raster import composed, over
from service.engines.embedded.scene.core import Flags
from service.engines.embedded.scene.model import premultiply, straighten

_DEFAULT = 0.4
_SHADOW_OFFSET, _SHADOW_BLUR, _SHADOW_STRENGTH = 0.012, 0.012, 0.42
_GLOW_BLUR, _GLOW_GAIN = 0.022, 1.7
_BLUR = 0.006
_GRAIN_LEVELS = 22.0
_DARK = 0.25
_NO_SHADOW = 0.16  # OKLab lightness
_VIVID = 0.04


def add_shadow(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """A soft shadow below and to the right of the artwork, on the ground only."""
    artwork = artwork_of(canvas, chosen)
    level = ground_lightness(canvas)
    if level is not None and level < _NO_SHADOW:
        raise CannotApply("limit", "A shadow would not show on so dark a background.")
    amount = _amount(edit)
    side = min(canvas.scene.width, canvas.scene.height)
    offset = max(2, round(_SHADOW_OFFSET * side))
    mask = canvas.scene.coverage(artwork)
    shifted = np.zeros_like(mask)
    shifted[offset:, offset:] = mask[:-offset, :-offset]
    soft = cv2.GaussianBlur(shifted, (0, 0), max(1.5, _SHADOW_BLUR * side))
    red, green, blue, alpha = flat_ground(canvas)
    colour = (0, 0, 0) if alpha == 0 else tuple(round(v * _DARK) for v in (red, green, blue))
    shadow = np.empty_like(canvas.image)
    shadow[:] = (*colour, 255)
    strength = min(0.9, _SHADOW_STRENGTH * amount / _DEFAULT)
    picture = _behind(canvas, artwork, shadow, soft * np.float32(strength))
    measured = {"offset_px": float(offset), "area": share(canvas, artwork)}
    return Done(canvas.redrawn(picture), f"Added a soft shadow to {named(edit.target)}", measured)


def add_glow(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """A glow about the artwork in `edit.to`, or in its own liveliest colour."""
    artwork = artwork_of(canvas, chosen)
    side = min(canvas.scene.width, canvas.scene.height)
    rgb = edit.to.rgb if edit.to is not None else _liveliest(canvas, artwork)
    soft = cv2.GaussianBlur(canvas.scene.coverage(artwork), (0, 0), max(2.0, _GLOW_BLUR * side))
    glow = np.empty_like(canvas.image)
    glow[:] = (*rgb, 255)
    strength = _GLOW_GAIN * _amount(edit) / _DEFAULT * 0.5
    picture = _behind(canvas, artwork, glow, np.clip(soft * strength, 0, 0.95).astype(np.float32))
    name = called(edit.to) if edit.to is not None else hex_of(rgb)
    measured = {"area": share(canvas, artwork)}
    return Done(
        canvas.redrawn(picture), f"Added a glow in {name} to {named(edit.target)}", measured
    )


def _behind(canvas: Canvas, artwork: Flags, paint: Bytes, mask: Floats) -> Bytes:
    """The picture with `paint` between the artwork and all that lies below it."""
    return composed(over(canvas.image, paint, mask), lifted(canvas, artwork))


def _liveliest(canvas: Canvas, artwork: Flags) -> tuple[int, int, int]:
    lab = canvas.colours()
    score = np.where(artwork, chroma(lab) * np.sqrt(canvas.scene.regions.area), -1)
    if chroma(lab)[artwork].max() < _VIVID:
        return 255, 255, 255
    red, green, blue = np.rint(canvas.means[int(np.argmax(score)), :3]).astype(int).tolist()
    return red, green, blue


def blur(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Blur the chosen shapes, or everything."""
    height, width = canvas.image.shape[:2]
    sigma = max(0.8, _BLUR * min(height, width) * _amount(edit) / _DEFAULT)
    soft = np.asarray(cv2.GaussianBlur(premultiply(canvas.image), (0, 0), sigma), np.float32)
    blurred = straighten(soft.reshape(-1, 4)).reshape(canvas.image.shape)
    mask = np.ones((height, width), np.float32)
    if edit.target.part not in (Part.IMAGE, Part.ARTWORK) or edit.target.colour is not None:
        mask = canvas.scene.coverage(chosen & ~canvas.scene.background)
        mask = np.clip(cv2.GaussianBlur(mask, (0, 0), sigma) * 3, 0, 1)
    picture = over(canvas.image, blurred, mask)
    measured = {"radius_px": round(sigma, 1)}
    return Done(canvas.redrawn(picture), f"Blurred {named(edit.target)}", measured)


def vintage(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Faded, warm colours, like an old print."""
    part = min(1.0, _amount(edit) / _DEFAULT)

    def change(lab: Floats) -> Floats:
        lightness = lab[:, 0] + part * (0.16 + 0.77 * lab[:, 0] - lab[:, 0])
        faded = from_lch(lightness, chroma(lab) * (1 - 0.3 * part), hue(lab))
        return np.asarray(faded + np.array([0, 0.006, 0.03], np.float32) * part, dtype=np.float32)

    after = canvas.changed(chosen, change)
    measured = {"area": share(canvas, chosen)}
    return Done(after, f"Faded {named(edit.target)} to warm, aged tones", measured)


def grain(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """Fine even grain; the same on every run, for it is counted and not drawn by lot."""
    height, width = canvas.image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.uint32)
    noise = (_hashed(x, y) + _hashed(x + 7919, y + 104729) - np.float32(1)) * np.float32(
        _GRAIN_LEVELS * _amount(edit) / _DEFAULT
    )
    if not chosen.all():
        noise = noise * canvas.scene.coverage(chosen)
    picture = canvas.image.copy()
    grainy = picture[..., :3].astype(np.float32) + noise[..., None]
    picture[..., :3] = np.rint(np.clip(grainy, 0, 255))
    picture[picture[..., 3] == 0] = 0
    return Done(canvas.redrawn(picture), f"Added grain to {named(edit.target)}")


def _hashed(x: NDArray[np.uint32], y: NDArray[np.uint32]) -> Floats:
    """An even spread of numbers in 0–1 by place."""
    mixed = x * np.uint32(374761393) + y * np.uint32(668265263)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(1274126177)
    mixed ^= mixed >> np.uint32(16)
    return np.asarray((mixed >> np.uint32(8)) / np.float32(1 << 24), dtype=np.float32)


def _amount(edit: Edit) -> float:
    return _DEFAULT if edit.amount is None else min(max(edit.amount, 0.05), 1.5)

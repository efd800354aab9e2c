"""Make of a picture what a model is sent, and of the model's answer the new picture; runs in the
sandbox, for both are strangers' files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from service.engines.contract import EngineFailed, SourceInvalid, SourceTooLarge
from service.engines.embedded.colour import Bytes
from service.engines.painting.backdrop import (
    Backdrop,
    backdrop_for,
    clear_in,
    over,
    taken_out,
    with_old_outline,
)
from service.engines.painting.colours import main_colours
from service.engines.painting.frame import Box, Frame, Size, fitted, found_in, frame_for
from service.intake import MAX_BODY_BYTES, ImageInvalid, ImageTooLarge, decode_rgba

OUTLINE_KEPT = "The model drew over the transparent background; the old outline was cut out of it."
OTHER_SHAPE = "The model drew another shape; its picture was fitted into the old size."
ENLARGED = "The model draws smaller than the original; its picture was enlarged to the old size."

_COMPARED_SIDE_PX = 512
_SEEN_LEVELS = 8
_LEAST_TRANSPARENT = 0.001
_PNG_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """A PNG of exactly the frame's canvas. `backdrop` is set where it hides transparency."""

    png: bytes
    frame: Frame
    has_alpha: bool
    backdrop: Backdrop | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The new picture, of the original's size, and what was measured on it.

    `changed` is the share of the picture that differs visibly, `alpha_kept` the share that is
    transparent or opaque as it was before, both 0–1.
    """

    image: bytes
    content_type: str
    width: int
    height: int
    changed: float
    alpha_kept: float
    before: list[str]
    after: list[str]
    warnings: list[str]


def prepare(source: bytes, canvases: Sequence[Size], keeps_alpha: bool) -> Prepared:
    """The picture as a model is sent it. Raises `SourceInvalid`, `SourceTooLarge`."""
    picture = _source(source)
    has_alpha = float(clear_in(picture).mean()) > _LEAST_TRANSPARENT
    height, width = picture.shape[:2]
    frame = frame_for(width, height, canvases)
    backdrop = backdrop_for(picture) if has_alpha and not keeps_alpha else None
    if backdrop is not None:
        picture = over(picture, backdrop)
    around = (0, 0, 0, 0) if has_alpha and keeps_alpha else _edge_colour(picture)
    canvas = np.empty((frame.canvas.height, frame.canvas.width, 4), np.uint8)
    canvas[:] = around
    _paste(canvas, picture, frame.box)
    return Prepared(_png(canvas), frame, has_alpha, backdrop)


def finish(source: bytes, answer: bytes, prepared: Prepared) -> Finished:
    """The picture made of the model's answer. Raises `EngineFailed` when that is no image."""
    before = _source(source)
    try:
        drawn = decode_rgba(answer).pixels
    except (ImageInvalid, ImageTooLarge) as error:
        raise EngineFailed(EngineFailed.__doc__) from error
    warnings: list[str] = []
    after = _in_place(drawn, before, prepared, warnings)
    if prepared.has_alpha:
        after = _transparent_again(after, before, prepared, warnings)
    image, content_type = _encoded(after)
    # what would have come of the very picture that was sent: resampling is not the model's doing
    echo = _in_place(decode_rgba(prepared.png).pixels, before, prepared, [])
    seen = over(after, prepared.backdrop) if prepared.backdrop else after
    return Finished(
        image,
        content_type,
        width=after.shape[1],
        height=after.shape[0],
        changed=_changed(echo, seen),
        alpha_kept=round(float((clear_in(before) == clear_in(after)).mean()), 4),
        before=main_colours(before),
        after=main_colours(after),
        warnings=warnings,
    )


def _source(body: bytes) -> Bytes:
    try:
        return decode_rgba(body).pixels
    except ImageTooLarge as error:
        raise SourceTooLarge(SourceTooLarge.__doc__) from error
    except ImageInvalid as error:
        raise SourceInvalid(SourceInvalid.__doc__) from error


def _in_place(drawn: Bytes, before: Bytes, prepared: Prepared, warnings: list[str]) -> Bytes:
    """The part of the answer that is the picture, in the original's size."""
    height, width = before.shape[:2]
    box = found_in(prepared.frame, drawn.shape[1], drawn.shape[0])
    if box is None:
        warnings.append(OTHER_SHAPE)
        canvas = np.empty((height, width, 4), np.uint8)
        canvas[:] = _edge_colour(drawn)
        _paste(canvas, drawn, fitted(drawn.shape[1], drawn.shape[0], width, height))
        return canvas
    if box.width < width:
        warnings.append(ENLARGED)
    return _resized(drawn[box.top : box.bottom, box.left : box.right], width, height)


def _transparent_again(
    after: Bytes, before: Bytes, prepared: Prepared, warnings: list[str]
) -> Bytes:
    """The picture with a transparent background like the original's."""
    if float(clear_in(after).mean()) > _LEAST_TRANSPARENT:
        return after
    backdrop = prepared.backdrop or Backdrop(*(int(level) for level in _edge_colour(after)[:3]))
    clear = taken_out(after, backdrop, clear_in(before))
    if clear is None:
        warnings.append(OUTLINE_KEPT)
        return with_old_outline(after, before)
    return clear


def _changed(before: Bytes, after: Bytes) -> float:
    """The share of the picture that looks different, seen small enough for noise to even out."""
    gap = np.abs(_small(before) - _small(after)).max(axis=2)
    return round(float((gap > _SEEN_LEVELS).mean()), 4)


def _small(image: Bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    scale = min(1.0, _COMPARED_SIDE_PX / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    cover = image[..., 3:].astype(np.float32) / 255
    premultiplied = np.dstack([image[..., :3] * cover, image[..., 3]]).astype(np.float32)
    small = cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def _edge_colour(image: Bytes) -> Bytes:
    """The median colour along the edge, shape (4,)."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return np.asarray(np.median(edge, axis=0), dtype=np.uint8)


def _paste(canvas: Bytes, image: Bytes, box: Box) -> None:
    canvas[box.top : box.bottom, box.left : box.right] = _resized(image, box.width, box.height)


def _resized(image: Bytes, width: int, height: int) -> Bytes:
    if image.shape[:2] == (height, width):
        return image
    # premultiplied, so that the colours of what is transparent do not bleed in
    picture = Image.fromarray(np.ascontiguousarray(image)).convert("RGBa")
    return np.array(picture.resize((width, height), Image.Resampling.LANCZOS).convert("RGBA"))


def _encoded(image: Bytes) -> tuple[bytes, str]:
    """A PNG; WebP for what would be too large a PNG to be refined again."""
    png = _png(image)
    if len(png) <= MAX_BODY_BYTES:
        return png, "image/png"
    body = io.BytesIO()
    Image.fromarray(image).save(body, "WEBP", quality=92, method=2)
    return body.getvalue(), "image/webp"


def _png(image: Bytes) -> bytes:
    opaque = int(image[..., 3].min()) == 255
    body = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(image[..., :3]) if opaque else image)
    picture.save(body, "PNG", compress_level=_PNG_LEVEL)
    return body.getvalue()

"""Make of a picture what a model is sent, and of the model's answer the new picture; runs in the
sandbox, for both are strangers' files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.engines.contract import EngineFailed, SourceInvalid, SourceTooLarge
from service.engines.embedded.colour import Bytes
from service.engines.painting.backdrop import (
    Backdrop,
    backdrop_for,
    clear_in,
    over,
    taken_out,
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
_WEBP_QUALITIES = (92, 75)
_NOTHING = np.zeros(4, np.uint8)


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
    picture = _resized(picture, frame.box.width, frame.box.height)
    backdrop = backdrop_for(picture) if has_alpha and not keeps_alpha else None
    if backdrop is not None:
        picture = over(picture, backdrop)
    around = _NOTHING if has_alpha and keeps_alpha else _edge_colour(picture)
    canvas = _laid(picture, frame.box, (frame.canvas.width, frame.canvas.height), around)
    return Prepared(_png(canvas), frame, has_alpha, backdrop)


def finish(source: bytes, answer: bytes, prepared: Prepared) -> Finished:
    """The picture made of the model's answer. Raises `EngineFailed` when that is no image."""
    before = _source(source)
    try:
        drawn = decode_rgba(answer).pixels
    except (ImageInvalid, ImageTooLarge) as error:
        raise EngineFailed(EngineFailed.__doc__) from error
    height, width = before.shape[:2]
    warnings: list[str] = []
    # as large as the model drew it, which is seldom as large as the original may be
    part = _picture_in(drawn, width / height, prepared.frame, warnings)
    if part.shape[1] < width:
        warnings.append(ENLARGED)
    changed = _changed(part, prepared)
    if prepared.has_alpha:
        part = _transparent_again(part, before, prepared.backdrop, warnings)
    after = _resized(part, width, height)
    if OUTLINE_KEPT in warnings:
        after = np.dstack([after[..., :3], before[..., 3]])
    image, content_type = _encoded(after)
    kept = float((clear_in(before) == clear_in(after)).mean())
    return Finished(
        image=image,
        content_type=content_type,
        width=width,
        height=height,
        changed=changed,
        alpha_kept=round(kept, 4),
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


def _picture_in(drawn: Bytes, shape: float, frame: Frame, warnings: list[str]) -> Bytes:
    """The part of the answer that is the picture; all of it, with an edge around it to give it the
    original's shape (width by height), when the model drew another shape than it was asked for."""
    height, width = drawn.shape[:2]
    box = found_in(frame, width, height)
    if box is not None:
        return drawn[box.top : box.bottom, box.left : box.right]
    warnings.append(OTHER_SHAPE)
    room = max(width, round(height * shape)), max(height, round(width / shape))
    return _laid(drawn, fitted(width, height, *room), room, _edge_colour(drawn))


def _transparent_again(
    part: Bytes, before: Bytes, backdrop: Backdrop | None, warnings: list[str]
) -> Bytes:
    """The part with a transparent background like the original's, or a warning that it has none."""
    if float(clear_in(part).mean()) > _LEAST_TRANSPARENT:
        return part
    behind = backdrop or Backdrop(*(int(level) for level in _edge_colour(part)[:3]))
    height, width = part.shape[:2]
    cleared = taken_out(part, behind, clear_in(_resized(before, width, height)))
    if cleared is None:
        warnings.append(OUTLINE_KEPT)
        return part
    return cleared


def _changed(part: Bytes, prepared: Prepared) -> float:
    """The share of the picture that came back different from how it was sent."""
    box = prepared.frame.box
    sent = decode_rgba(prepared.png).pixels[box.top : box.bottom, box.left : box.right]
    # small, so that the noise of lossy files evens out
    scale = min(1.0, _COMPARED_SIDE_PX / max(box.width, box.height))
    size = max(1, round(box.width * scale)), max(1, round(box.height * scale))
    gap = np.abs(_premultiplied(sent, size) - _premultiplied(part, size)).max(axis=2)
    return round(float((gap > _SEEN_LEVELS).mean()), 4)


def _premultiplied(image: Bytes, size: tuple[int, int]) -> NDArray[np.int16]:
    picture = Image.fromarray(np.ascontiguousarray(image)).convert("RGBa")
    return np.asarray(picture.resize(size, Image.Resampling.BOX), dtype=np.int16)


def _edge_colour(image: Bytes) -> Bytes:
    """The median colour along the edge, shape (4,)."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return np.asarray(np.median(edge, axis=0), dtype=np.uint8)


def _laid(image: Bytes, box: Box, room: tuple[int, int], around: Bytes) -> Bytes:
    """The image in a box of its own size, in a room (width, height) of one colour."""
    canvas = np.empty((room[1], room[0], 4), np.uint8)
    canvas[:] = around
    canvas[box.top : box.bottom, box.left : box.right] = image
    return canvas


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
    webp = io.BytesIO()
    for quality in _WEBP_QUALITIES:
        webp = io.BytesIO()
        Image.fromarray(image).save(webp, "WEBP", quality=quality, method=2)
        if webp.tell() <= MAX_BODY_BYTES:
            break
    return webp.getvalue(), "image/webp"


def _png(image: Bytes) -> bytes:
    opaque = int(image[..., 3].min()) == 255
    body = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(image[..., :3]) if opaque else image)
    picture.save(body, "PNG", compress_level=_PNG_LEVEL)
    return body.getvalue()

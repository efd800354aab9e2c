"""One refinement from file to file: decode, read, carry out, encode; runs in the sandbox."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from service.engines.contract import Instruction, SourceInvalid, SourceTooLarge
from service.engines.embedded.canvas import Canvas
from service.engines.embedded.carry_out import carry_out
from service.engines.embedded.colour import Bytes
from service.engines.embedded.guard import moved
from service.engines.embedded.language import read
from service.engines.embedded.outcome import Outcome
from service.engines.embedded.plan import Plan
from service.engines.embedded.report import Account, make_report
from service.pictures.container import ImageInvalid, ImageTooLarge
from service.pictures.decode import decode_rgba
from service.sandbox_child import report as tell

_PNG_LEVEL = 4


def apply(source: bytes, instruction: Instruction) -> Outcome:
    """Carry an instruction out on an encoded image.

    Raises `SourceInvalid` and `SourceTooLarge`. The same arguments give the same bytes.
    """
    tell(0.05, "Reading the image")
    try:
        decoded = decode_rgba(source)
    except ImageTooLarge as error:
        raise SourceTooLarge(SourceTooLarge.__doc__) from error
    except ImageInvalid as error:
        raise SourceInvalid(SourceInvalid.__doc__) from error
    return perform(decoded.pixels, read(instruction), decoded.warnings)


def perform(pixels: Bytes, plan: Plan, warnings: tuple[str, ...] = ()) -> Outcome:
    """Carry a plan out on straight 8-bit RGBA, shape (h, w, 4)."""
    before = Canvas(_without_hidden_colours(pixels))
    account = Account(warnings=list(warnings))
    after = before
    if plan.edits:
        tell(0.1, "Looking at the shapes and colours")
        after, account = carry_out(
            plan, before, lambda fraction, stage: tell(0.3 + 0.5 * fraction, stage)
        )
    if account.applied and after.svg is None and not moved(before.image, after.image):
        account.undo_all()
    report = make_report(plan, account, before, after)
    if not account.applied:
        return Outcome(None, "", 0, 0, report)
    tell(0.85, "Writing the image")
    height, width = after.image.shape[:2]
    if after.svg is not None:
        return Outcome(after.svg, "image/svg+xml", width, height, report)
    return Outcome(encode_png(after.image), "image/png", width, height, report)


def _without_hidden_colours(pixels: Bytes) -> Bytes:
    """The same picture; what is fully transparent has no colour, whatever its file says."""
    hidden = pixels[..., 3] == 0
    if not hidden.any():
        return pixels
    return np.where(hidden[..., None], 0, pixels).astype(np.uint8)


def encode_png(image: Bytes) -> bytes:
    """A PNG of straight RGBA; without an alpha channel when the image is opaque."""
    opaque = int(image[..., 3].min()) == 255
    body = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(image[..., :3]) if opaque else image)
    picture.save(body, format="PNG", compress_level=_PNG_LEVEL)
    return body.getvalue()

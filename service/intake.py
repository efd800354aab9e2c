"""Take in the pictures of strangers, decoding them only where they can do no harm."""

from __future__ import annotations

from collections.abc import Callable

from service.pictures.container import MAX_BODY_BYTES, ImageInvalid, ImageTooLarge
from service.pictures.decode import (
    Decoded,
    Inspected,
    Taken,
    decode_rgba,
    inspect,
    normalised_png,
    publish,
)
from service.sandbox import Sandbox, SandboxCrashed, SandboxTimedOut

__all__ = [
    "MAX_BODY_BYTES",
    "Decoded",
    "ImageInvalid",
    "ImageTooLarge",
    "Inspected",
    "Intake",
    "Taken",
    "decode_rgba",
    "inspect",
    "normalised_png",
    "publish",
]

DEADLINE_S = 4.5
OVERTAXING = "The image could not be read with reasonable effort."


class Intake:
    """The way in for pictures. The sandbox stays its owner's.

    Every method raises `ImageInvalid` and `ImageTooLarge` with a sentence for the person.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def take(self, body: bytes) -> Taken:
        """The picture as it may be kept and shown: checked, upright, without metadata."""
        return await self._run(publish, body)

    async def normalise(self, body: bytes) -> bytes:
        """The picture as an 8-bit sRGB PNG, for engines elsewhere."""
        return await self._run(normalised_png, body)

    async def _run[T](self, function: Callable[[bytes], T], body: bytes) -> T:
        if len(body) > MAX_BODY_BYTES:
            raise ImageTooLarge
        try:
            return await self._sandbox.run(function, body, deadline_s=DEADLINE_S)
        except (SandboxTimedOut, SandboxCrashed) as error:
            raise ImageInvalid(OVERTAXING) from error

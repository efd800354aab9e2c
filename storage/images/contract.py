"""What a store of images promises; the backends beside it keep the promises.

An object is written once under a name that nobody else uses and never changed after, so no
backend needs preconditions, and a reader sees a whole object or none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


class ImageMissing(Exception):
    """The image is not in the store."""


class ImageTooLarge(Exception):
    """The image is larger than the reader allows."""


class ImageStoreUnavailable(OSError):
    """The image store cannot be reached at the moment."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One object of a listing. `age_s` is counted by the store's own clock."""

    key: str
    age_s: float


class Images(Protocol):
    """Encoded image files by key, `{user id}/{id}….{ext}`; the second id is the task's or, for an
    upload, one of its own. What is no such key is refused by `put` with `ValueError`, never found
    and never listed, whatever else lies in the same place.

    Every method raises `ImageStoreUnavailable` when the store stays out of reach after the
    backend's own bounded retries.
    """

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Store durably: after the return a crash cannot lose it, before it nobody sees it."""

    async def get(self, key: str, *, max_bytes: int) -> bytes:
        """The whole object. Raises `ImageMissing`, or `ImageTooLarge` without reading on."""

    async def delete(self, key: str) -> None:
        """Remove; removing what is not there is no error."""

    def list(self) -> AsyncIterator[StoredImage]:
        """Every object of the store, in no order; also what crashed writes may have left."""

    async def url(self, key: str) -> str:
        """An address that a browser can load without headers for at least 30 minutes from now.

        The same key gives the same address for a while, on every instance where the backend can,
        so that caches and ETags hold.
        """

    def key_of(self, url: str) -> str | None:
        """The key in an address that `url` ever made, expired or not; None for any other."""

    async def check(self) -> None:
        """Raise `ImageStoreUnavailable` unless a read would work now."""

    async def close(self) -> None:
        """Release what is held; safe to call twice."""

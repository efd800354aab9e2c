"""Keep images as files in a folder, and sign the addresses under which the API shows them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path

from storage.batches import Batches
from storage.images.addresses import Places, is_key
from storage.images.contract import ImageMissing, ImageStoreUnavailable, StoredImage
from storage.images.disk import (
    existing,
    files_of_next_folder,
    look_into,
    now_s,
    read_all,
    remove,
    write_all,
)

WINDOW_S = 1_800
THREADS = 4


class LinkInvalid(Exception):
    """There is no image at this address."""


class LinkExpired(Exception):
    """This image's address has expired. Ask for the concept again to get a new one."""


class FileImages:
    """Images in a local folder; processes that share the folder and the secret share the images.

    An address is `{url_prefix}/{key}?exp=…&sig=…`. It stays the same for a window of 30 minutes and
    works until the end of the next one. `known_prefixes` are earlier ones, of any backend, whose
    addresses keep their meaning. `clock` tells epoch seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        url_prefix: str,
        known_prefixes: tuple[str, ...],
        secret: bytes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._url_prefix = url_prefix
        self._places = Places(url_prefix, *known_prefixes)
        self._secret = secret
        self._clock = clock
        # Threads that work at once mostly wait for each other; one that does several things in a
        # row costs least, and a few are enough for a disk that is slow.
        self._writes = Batches(partial(_in_thread, write_all, folder), at_once=THREADS)
        self._reads = Batches(partial(_in_thread, read_all, folder), at_once=THREADS)

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:  # noqa: ARG002
        """Store durably. A file has no content type: the key's suffix tells it."""
        if not is_key(key):
            raise ValueError("not a key for an image")
        _raise_if_failed(await self._writes.ask((key, body)))

    async def get(self, key: str, *, max_bytes: int) -> bytes:
        """The whole file. Raises `ImageMissing`, or `ImageTooLarge` before reading past the cap."""
        return _raise_if_failed(await self._reads.ask((key, max_bytes)))

    async def delete(self, key: str) -> None:
        """Remove the file; removing what is not there is no error."""
        with contextlib.suppress(ImageMissing):
            await self._in_thread(remove, self._folder, key)

    async def list(self) -> AsyncIterator[StoredImage]:
        """Every image, in no order; what a crash left half written is among them."""
        today_s = await self._in_thread(now_s, self._folder)
        walk = os.walk(self._folder)
        while True:
            found = await self._in_thread(files_of_next_folder, walk)
            if found is None:
                return
            for path, modified_s in found:
                key = path.relative_to(self._folder).as_posix()
                if is_key(key):
                    yield StoredImage(key, max(0.0, today_s - modified_s))

    async def url(self, key: str) -> str:
        """An address that works for 30 to 60 minutes; the same on every instance in a window."""
        expires = str((int(self._clock()) // WINDOW_S + 2) * WINDOW_S)
        return f"{self._url_prefix}/{key}?exp={expires}&sig={self._signature(key, expires)}"

    def key_of(self, url: str) -> str | None:
        """The key in an address that `url` ever made, expired or not; None for any other."""
        return self._places.key_in(url)

    def verify(self, key: str, exp: str, sig: str) -> int:
        """The whole seconds that an address works on. Raises `LinkInvalid` and `LinkExpired`."""
        expected = self._signature(key, exp)
        # both sides as bytes: compare_digest refuses text outside ASCII
        if not hmac.compare_digest(expected.encode(), sig.encode(errors="replace")):
            raise LinkInvalid
        left_s = int(exp) - self._clock()
        if left_s <= 0:
            raise LinkExpired
        return int(left_s)

    async def path_of(self, key: str) -> Path:
        """Where the file is. Raises `ImageMissing`."""
        return await self._in_thread(existing, self._folder, key)

    async def check(self) -> None:
        """Raise `ImageStoreUnavailable` unless a read would work now."""
        await self._in_thread(look_into, self._folder)

    async def close(self) -> None:
        """Nothing is held between calls."""

    def _signature(self, key: str, expires: str) -> str:
        message = f"{key}\n{expires}".encode(errors="replace")
        digest = hmac.digest(self._secret, message, hashlib.sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    async def _in_thread[**P, T](
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            return await asyncio.to_thread(work, *args, **kwargs)
        except OSError as error:
            raise ImageStoreUnavailable(ImageStoreUnavailable.__doc__) from error


async def _in_thread[Item, Answer](
    work: Callable[[Path, Sequence[Item]], Sequence[Answer]], folder: Path, items: Sequence[Item]
) -> Sequence[Answer]:
    return await asyncio.to_thread(work, folder, items)


def _raise_if_failed[T](answer: T | Exception) -> T:
    match answer:
        case OSError():
            raise ImageStoreUnavailable(ImageStoreUnavailable.__doc__) from answer
        case Exception():
            raise answer
        case _:
            return answer

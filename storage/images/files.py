"""Keep images as files in a folder, and sign the addresses under which the API shows them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from storage.images.addresses import is_key, key_in, places_of
from storage.images.contract import (
    ImageMissing,
    ImageStoreUnavailable,
    ImageTooLarge,
    StoredImage,
)

WINDOW_S = 1_800


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
        self._places = places_of(url_prefix, *known_prefixes)
        self._secret = secret
        self._clock = clock

    async def put(self, key: str, body: bytes, *, content_type: str) -> None:  # noqa: ARG002
        """Store durably. A file has no content type: the key's suffix tells it."""
        if not is_key(key):
            raise ValueError("not a key for an image")
        await self._in_thread(_write, self._folder, key, body)

    async def get(self, key: str, *, max_bytes: int) -> bytes:
        """The whole file. Raises `ImageMissing`, or `ImageTooLarge` before reading past the cap."""
        return await self._in_thread(_read, self._folder, key, max_bytes)

    async def delete(self, key: str) -> None:
        """Remove the file; removing what is not there is no error."""
        with contextlib.suppress(ImageMissing):
            await self._in_thread(_remove, self._folder, key)

    async def list(self) -> AsyncIterator[StoredImage]:
        """Every image, in no order; what a crash left half written is among them."""
        now_s = await self._in_thread(_now_s, self._folder)
        walk = os.walk(self._folder)
        while True:
            found = await self._in_thread(_files_of_next_folder, walk)
            if found is None:
                return
            for path, modified_s in found:
                key = path.relative_to(self._folder).as_posix()
                if is_key(key):
                    yield StoredImage(key, max(0.0, now_s - modified_s))

    async def url(self, key: str) -> str:
        """An address that works for 30 to 60 minutes; the same on every instance in a window."""
        expires = str((int(self._clock()) // WINDOW_S + 2) * WINDOW_S)
        return f"{self._url_prefix}/{key}?exp={expires}&sig={self._signature(key, expires)}"

    def key_of(self, url: str) -> str | None:
        """The key in an address that `url` ever made, expired or not; None for any other."""
        return key_in(self._places, url)

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
        return await self._in_thread(_existing, self._folder, key)

    async def check(self) -> None:
        """Raise `ImageStoreUnavailable` unless a read would work now."""
        await self._in_thread(_look_into, self._folder)

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


def _write(folder: Path, key: str, body: bytes) -> None:
    path = folder / key
    _make_folder(path.parent, folder)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.draft")
    try:
        with draft.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _make_folder(path: Path, root: Path) -> None:
    """Make the folder below the root, which has to be there: it may be a disk that is not."""
    if path == root or path.is_dir():
        return
    _make_folder(path.parent, root)
    path.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(folder: Path, key: str, max_bytes: int) -> bytes:
    with _existing(folder, key).open("rb") as file:
        if os.fstat(file.fileno()).st_size > max_bytes:
            raise ImageTooLarge(ImageTooLarge.__doc__)
        return file.read(max_bytes)


def _remove(folder: Path, key: str) -> None:
    path = _existing(folder, key)
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _existing(folder: Path, key: str) -> Path:
    path = folder / key
    if is_key(key) and path.is_file():
        return path
    _look_into(folder)
    raise ImageMissing(ImageMissing.__doc__)


def _look_into(folder: Path) -> None:
    """Raise `OSError` when the folder cannot be read: a lost disk is not a lost image."""
    with os.scandir(folder) as entries:
        next(entries, None)


def _now_s(folder: Path) -> float:
    """The time by the clock that dates the files, which need not be this machine's."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        return os.fstat(probe.fileno()).st_mtime


def _files_of_next_folder(
    walk: Iterator[tuple[str, list[str], list[str]]],
) -> list[tuple[Path, float]] | None:
    entry = next(walk, None)
    if entry is None:
        return None
    found = []
    for name in entry[2]:
        path = Path(entry[0], name)
        with contextlib.suppress(FileNotFoundError):  # removed since
            found.append((path, path.stat().st_mtime))
    return found

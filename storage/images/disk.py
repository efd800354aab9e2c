"""Keep whole files below a folder, durably. All of it blocks, so it is for threads."""

# Where files are written and read paths are plain text: to take them apart costs more than that.
# ruff: noqa: PTH105, PTH120

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from storage.images.addresses import is_key
from storage.images.contract import ImageMissing, ImageTooLarge


def write_all(folder: Path, files: Sequence[tuple[str, bytes]]) -> list[Exception | None]:
    """Write each body under its key, durably; for each of them what went wrong.

    All are in their places before the first is waited for, so that the disk takes them together.
    What a crash of the machine takes or empties meanwhile is an orphan: nobody names a key before
    its image has been written.
    """
    placed = [_tried(lambda: _place(folder, key, body)) for key, body in files]  # noqa: B023
    for file in placed:
        if isinstance(file, int):
            _hurry(file)
    return [
        file if isinstance(file, Exception) else _tried(lambda: _settle(file, f"{folder}/{key}"))  # noqa: B023
        for file, (key, _) in zip(placed, files, strict=True)
    ]


def read_all(folder: Path, wanted: Sequence[tuple[str, int]]) -> list[bytes | Exception]:
    """For each key the file, which may have so many bytes, or what went wrong."""
    return [_tried(lambda: _read(folder, key, most)) for key, most in wanted]  # noqa: B023


def remove(folder: Path, key: str) -> None:
    """Raises `ImageMissing`."""
    path = existing(folder, key)
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def existing(folder: Path, key: str) -> Path:
    """Where the file is. Raises `ImageMissing`."""
    path = folder / key
    if is_key(key) and path.is_file():
        return path
    look_into(folder)
    raise ImageMissing(ImageMissing.__doc__)


def look_into(folder: Path) -> None:
    """Raise `OSError` when the folder cannot be read: a lost disk is not a lost image."""
    with os.scandir(folder) as entries:
        next(entries, None)


def now_s(folder: Path) -> float:
    """The time by the clock that dates the files, which need not be this machine's."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        return os.fstat(probe.fileno()).st_mtime


def files_of_next_folder(
    walk: Iterator[tuple[str, list[str], list[str]]],
) -> list[tuple[Path, float]] | None:
    """The files of one folder more and when they were changed; None after the last folder."""
    entry = next(walk, None)
    if entry is None:
        return None
    found = []
    for name in entry[2]:
        path = Path(entry[0], name)
        with suppress(FileNotFoundError):  # removed since
            found.append((path, path.stat().st_mtime))
    return found


def _tried[T](work: Callable[[], T]) -> T | Exception:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - told to whom it concerns
        return error


def _place(folder: Path, key: str, body: bytes) -> int:
    """Put a whole file in its place; its descriptor, for it is not durable yet."""
    path = f"{folder}/{key}"
    draft = f"{path}.{secrets.token_hex(8)}.draft"
    file = _new_file(draft, folder)
    try:
        left = memoryview(body)
        while left:
            left = left[os.write(file, left) :]
        os.replace(draft, path)
    except BaseException:
        os.close(file)
        Path(draft).unlink(missing_ok=True)
        raise
    return file


def _hurry(file: int) -> None:
    """Have Linux begin to write a file before it is waited for. Elsewhere nothing happens."""
    if hasattr(os, "posix_fadvise"):
        # advice that is not taken costs time and nothing else: what fails, fails again at `fsync`
        with suppress(OSError):
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def _settle(file: int, path: str) -> None:
    """Make a file and its name durable, and close it."""
    try:
        try:
            os.fsync(file)
        finally:
            os.close(file)
        _sync_folder(os.path.dirname(path))
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


def _new_file(path: str, root: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        _make_folder(Path(path).parent, root)
        return os.open(path, flags, 0o666)


def _make_folder(path: Path, root: Path) -> None:
    """Make the folder below the root, which has to be there: it may be a disk that is not."""
    if path == root or path.is_dir():
        return
    _make_folder(path.parent, root)
    path.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(path.parent)


def _sync_folder(path: Path | str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(folder: Path, key: str, max_bytes: int) -> bytes:
    try:
        descriptor = os.open(f"{folder}/{key}", os.O_RDONLY | os.O_CLOEXEC) if is_key(key) else None
    except (FileNotFoundError, NotADirectoryError):
        descriptor = None
    if descriptor is None:
        look_into(folder)
        raise ImageMissing(ImageMissing.__doc__)
    try:
        left = os.fstat(descriptor).st_size
        if left > max_bytes:
            raise ImageTooLarge(ImageTooLarge.__doc__)
        parts = []
        while left and (part := os.read(descriptor, left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)

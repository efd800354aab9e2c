"""Know where an embedded PostgreSQL keeps its data, socket and log, and whose they are."""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from storage.postgres_programs import EmbeddedPostgresError, is_open_to_all

ADDRESS = "postgres.address"
ROOM_PREFIX = "concept-refiner-"
SOCKET = ".s.PGSQL.5432"
# https://man7.org/linux/man-pages/man7/unix.7.html says 107 bytes; macOS has 103
SOCKET_PATH_BYTES = 103
UNPRIVILEGED_USERS = ("postgres", "nobody")
REASON_MARKS = ("FATAL:", "PANIC:", "error:")
LOG_BYTES = 4 * 1024 * 1024


class DataOfAnotherUser(EmbeddedPostgresError):
    """DATA_DIR belongs to another user: run as that user or as root, or set another DATA_DIR."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class NoUnprivilegedUser(EmbeddedPostgresError):
    """PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run as."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class NoRoomForSocket(EmbeddedPostgresError):
    """Neither TMPDIR nor /tmp can hold a socket that every user could reach by a short path."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Account:
    """Who a program runs as."""

    uid: int
    gid: int


class Home:
    """The places of one embedded PostgreSQL, all decided by its `data_dir`.

    `postgres/` holds the data. Socket paths must be short, so the socket is in a "room": a folder
    with an unguessable name among the temporary files, which `postgres.address` names. The room
    points back with a link `data`, so that rooms whose data are gone can be told and removed.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = data_dir.resolve()
        self.data = self._folder / "postgres"
        self.log = self._folder / "postgres.log"
        self.account = _account_for(self.data if self.data.exists() else None, self._folder)

    @property
    def drops_root(self) -> bool:
        """Whether the server runs as somebody else than we do."""
        return self.account.uid != os.geteuid()

    @contextmanager
    def lock(self) -> Iterator[int | None]:
        """The right to start a server, as a descriptor; None while one lives or is being started.

        The server has to inherit the descriptor: then exactly as long as one of its processes
        lives, whatever became of the one that started it, nobody else starts another.
        """
        descriptor = self._open("postgres.lock", os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                taken = True
            except BlockingIOError:
                taken = False
            yield descriptor if taken else None
        finally:
            os.close(descriptor)

    def adopt(self, draft: Path) -> None:
        """Make a folder with a whole, new database cluster the data."""
        draft.rename(self.data)
        # the server makes its own files durable, but this name is ours
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def open_log(self) -> int:
        """A descriptor that appends to the server's log."""
        return self._open(self.log.name, os.O_WRONLY | os.O_APPEND)

    def trim_log(self) -> None:
        """Begin the log anew when it is long; one earlier piece is kept beside it."""
        if self.log.stat().st_size > LOG_BYTES:
            # the server goes on appending to the same file, so that one must stay
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    def last_words(self) -> str:
        """The line of the server's log that tells best why it ended."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 4_000))
            text = file.read().decode(errors="replace")
        # what follows the reason says how it cleaned up
        last = ["nothing", *(line.strip() for line in text.split("\n") if line.strip())][-5:]
        reasons = [line for line in last if any(mark in line for mark in REASON_MARKS)]
        return (reasons or last)[-1]

    def address(self) -> str | None:
        """The DSN under which the server of these data is, or was last; None before the first."""
        return _address_in(self._folder)

    def open_room(self) -> Path:
        """A room with a new, empty socket folder `s`; call it with the lock held only."""
        self._remove_deserted_rooms()
        room = _room_in(self.address())
        if room is None or (room.exists() and not self._is_ours(room)):
            room = self._place() / f"{ROOM_PREFIX}{secrets.token_hex(4)}"
            # named before it is there: a crash in between leaves no room that nobody knows
            self._announce(room)
        if not room.exists():
            room.mkdir(mode=0o700)
            (room / "data").symlink_to(self._folder)
            if self.drops_root:
                room.chmod(0o711)
        # a socket's lock file holds a process number too, which may be another's by now
        shutil.rmtree(room / "s", ignore_errors=True)
        (room / "s").mkdir(mode=0o700)
        self.give(room / "s")
        return room

    def remove_room(self) -> None:
        """Leave no folder behind; call it with the lock held only."""
        room = _room_in(self.address())
        if room is not None and self._is_ours(room):
            shutil.rmtree(room, ignore_errors=True)

    def give(self, path: Path) -> None:
        """Make the server's account the owner of a file or folder."""
        if self.drops_root:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def give_data(self) -> None:
        """Make the server's account the owner of all data, where root brought them here."""
        if self.drops_root and self.data.stat().st_uid != self.account.uid:
            for path in (self.data, *self.data.rglob("*")):
                self.give(path)

    def _place(self) -> Path:
        for place in _places():
            if _has_short_path(place) and (not self.drops_root or is_open_to_all(place)):
                return place
        raise NoRoomForSocket

    def _open(self, name: str, flags: int) -> int:
        path = self._folder / name
        descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.give(path)
        return descriptor

    def _announce(self, room: Path) -> None:
        draft = self._folder / f"{ADDRESS}.draft"
        host = quote(str(room / "s"))
        draft.write_text(f"postgresql://postgres@/postgres?host={host}&port=5432\n", "utf-8")
        self.give(draft)
        draft.replace(self._folder / ADDRESS)

    def _is_ours(self, room: Path) -> bool:
        try:
            status = room.lstat()
            return (
                stat.S_ISDIR(status.st_mode)
                and status.st_uid == os.geteuid()
                and (room / "data").samefile(self._folder)
            )
        except OSError:
            return False

    def _remove_deserted_rooms(self) -> None:
        """Remove what servers left behind whose data are gone or have another room by now."""
        for place in set(_places()):
            for room in place.glob(f"{ROOM_PREFIX}*"):
                with suppress(OSError):
                    owner = room.lstat().st_uid
                    named = _room_in(_address_in((room / "data").readlink()))
                    mine = owner in (os.geteuid(), self.account.uid)
                    if mine and named != room and not _has_listener(room / "s" / SOCKET):
                        shutil.rmtree(room, ignore_errors=True)


def _account_for(data: Path | None, folder: Path) -> Account:
    """Who runs the server, which PostgreSQL refuses to root: the owner of what is there already."""
    me = Account(os.geteuid(), os.getegid())
    if me.uid != 0:
        if data is not None and data.stat().st_uid != me.uid:
            raise DataOfAnotherUser
        return me
    owner = (data or folder).stat()
    if owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED_USERS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise NoUnprivilegedUser


def _address_in(folder: Path) -> str | None:
    try:
        return (folder / ADDRESS).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def _room_in(address: str | None) -> Path | None:
    hosts = parse_qs(urlsplit(address).query).get("host") if address else None
    return Path(hosts[0]).parent if hosts else None


def _has_listener(path: Path) -> bool:
    """Whether a server is there: what a link means in another container is not for us to say."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _places() -> Iterator[Path]:
    yield Path(tempfile.gettempdir())
    yield Path("/tmp")  # noqa: S108 - TMPDIR may be too long, or closed to the server's account


def _has_short_path(place: Path) -> bool:
    longest = place / f"{ROOM_PREFIX}12345678" / "s" / SOCKET
    return len(os.fsencode(longest)) <= SOCKET_PATH_BYTES

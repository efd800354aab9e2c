"""Tell keys and addresses of stored images from everything that only resembles them.

Nothing is guessed: what was not certainly made by a store of ours is none of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote_to_bytes, urlsplit

MAX_KEY_CHARS = 512
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,199})*")
# urlsplit drops some of these silently, browsers take a backslash for a slash
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_key(text: str) -> bool:
    """Whether this is a key: plain names between slashes, none of which begins with a dot."""
    return len(text) <= MAX_KEY_CHARS and _KEY.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Place:
    """An http(s) address without query and fragment, in the one form that equal ones share."""

    scheme: str
    host: str
    port: int
    path: tuple[str, ...]

    @classmethod
    def of(cls, url: str) -> Self | None:
        """The place that a URL points to; None for what is no plain absolute http(s) URL."""
        if _NEVER_IN_A_URL.search(url):
            return None
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS[parts.scheme]
            host = _ascii(parts.hostname or "")
            path = tuple(_decoded(name) for name in parts.path.split("/")[1:])
        except (ValueError, KeyError):
            return None
        if not host or "@" in parts.netloc or parts.port == 0:
            return None
        return cls(parts.scheme, host, port, path)

    @classmethod
    def known(cls, prefix: str) -> Self:
        """The place of a prefix of ours. Raises `ValueError` when it is none."""
        place = cls.of(prefix.rstrip("/"))
        if place is None:
            raise ValueError("an image prefix has to be an absolute http or https URL")
        return place

    def key_in(self, url: str) -> str | None:
        """The key of an address directly under this place; None for any other address."""
        other = Place.of(url)
        depth = len(self.path)
        if (
            other is None
            or (other.scheme, other.host, other.port) != (self.scheme, self.host, self.port)
            or other.path[:depth] != self.path
        ):
            return None
        key = "/".join(other.path[depth:])
        return key if is_key(key) else None


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode().lower()


def _decoded(name: str) -> str:
    """A path's name without percent-encoding. Raises `ValueError` when that hides a slash."""
    decoded = unquote_to_bytes(name).decode()
    if "/" in decoded:
        raise ValueError("an encoded slash is not a slash")
    return decoded

"""Tell keys and addresses of stored images from everything that only resembles them.

Nothing is guessed: what was not certainly made by a store of ours is none of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote_to_bytes, urlsplit

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KEY = re.compile(rf"{_UUID}/{_UUID}(?:[.-][a-z0-9]{{1,32}}){{1,8}}")
# urlsplit drops some of these silently, browsers take a backslash for a slash
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_key(text: str) -> bool:
    """Whether this is a key: the user's id, a slash, and a name that begins with an id.

    So strict because what a store lists and nobody names is removed: a bucket may hold other things
    beside ours.
    """
    return _KEY.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Place:
    """An http(s) address without query and fragment, in the one form that equal ones share."""

    scheme: str
    host: str
    port: int
    path: tuple[str, ...]

    def key_below(self, root: Self) -> str | None:
        """The key that leads from a root to here."""
        depth = len(root.path)
        if (self.scheme, self.host, self.port) != (root.scheme, root.host, root.port):
            return None
        key = "/".join(self.path[depth:])
        return key if self.path[:depth] == root.path and is_key(key) else None


class Places:
    """Everywhere below prefixes of ours. Raises `ValueError` for one that is no http(s) URL."""

    def __init__(self, *prefixes: str) -> None:
        roots = [_place_of(prefix.rstrip("/")) for prefix in prefixes]
        if None in roots:
            raise ValueError("an image prefix has to be an absolute http or https URL")
        self._roots = frozenset(root for root in roots if root)
        # as the stores write them, which need not be taken apart
        plain = "|".join(re.escape(prefix.rstrip("/")) for prefix in prefixes)
        self._plain = re.compile(rf"(?:{plain})/({_KEY.pattern})(?:\?[!-\[\]-~]*)?")

    def key_in(self, url: str) -> str | None:
        """The key in an address directly below one of the prefixes; None for any other."""
        if plain := self._plain.fullmatch(url):
            return plain[1]
        place = _place_of(url)
        if place is None:
            return None
        return next((key for root in self._roots if (key := place.key_below(root))), None)


def _place_of(url: str) -> Place | None:
    if _NEVER_IN_A_URL.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port if parts.port is not None else _DEFAULT_PORTS[parts.scheme]
        host = _ascii(parts.hostname or "")
        path = tuple(_decoded(name) for name in parts.path.split("/")[1:])
    except (ValueError, KeyError):
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    return Place(parts.scheme, host, port, path)


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode().lower()


def _decoded(name: str) -> str:
    """A path's name without percent-encoding. Raises `ValueError` when that hides a slash."""
    decoded = unquote_to_bytes(name).decode()
    if "/" in decoded:
        raise ValueError("an encoded slash is not a slash")
    return decoded

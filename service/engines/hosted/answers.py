"""What a provider answered, read without trust in its shape."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer. `headers` is case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, whatever content type it claims; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def dig(data: Any, *path: str | int) -> Any:
    """What lies at the path through objects and lists; None where the path ends early."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def items(data: Any, *path: str | int) -> list[Any]:
    """The list that lies at the path; an empty one when there is none."""
    found = dig(data, *path)
    return found if isinstance(found, list) else []


def text(value: Any) -> str:
    """The value when it is text, else nothing."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """The value when it is a number that can be counted with."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e12 else None


def numbers(data: Any, **paths: tuple[str | int, ...]) -> dict[str, float]:
    """The numbers at these paths, by the names given; what is not there is left out."""
    found = {name: number(dig(data, *path)) for name, path in paths.items()}
    return {name: value for name, value in found.items() if value is not None}


def decoded(encoded: Any) -> bytes:
    """The bytes of base64 text or of a `data:` URL; nothing when it is neither."""
    content = text(encoded)
    if content.startswith("data:"):
        content = content.partition(",")[2]
    try:
        return base64.b64decode(content)
    except (binascii.Error, ValueError):
        return b""


def encoded(body: bytes) -> str:
    """The bytes in base64."""
    return base64.b64encode(body).decode("ascii")


def data_url(png: bytes) -> str:
    """A PNG as a `data:` URL."""
    return f"data:image/png;base64,{encoded(png)}"

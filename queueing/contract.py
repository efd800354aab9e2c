"""What a queue promises; the backends beside it keep the promises, one suite checks them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes with string attributes. `delivery` counts from 1 and is a hint, not a promise."""

    body: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    delivery: int = 1


Handler = Callable[[Message], Awaitable[None]]


class QueueClosed(Exception):
    """The queue has been closed."""


class MessageTooLarge(ValueError):
    """The message is larger than the queue carries."""


class QueueMisconfigured(Exception):
    """The queue refuses this process for good: a missing permission or resource. Names it."""


class Queue(Protocol):
    """At least once, in no order. The promises are in prose in the module's backends' suite."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once the backend has accepted all; `OSError` when it could not be reached."""

    async def consume(self, handler: Handler, *, concurrency: int) -> None:
        """Call the handler for each message until cancelled."""

    async def check(self) -> None:
        """Raise `OSError` unless a publish would work now."""

    async def close(self) -> None:
        """Flush what was published; safe to call twice. Everything after raises `QueueClosed`."""

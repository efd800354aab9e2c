"""What a queue promises; the backends beside it keep the promises, one suite checks them.

Delivery. Every message that `publish` accepted is given to a handler at least once, in no order,
whether or not anyone was consuming then. A message may come again although it was handled: after
a lost acknowledgement, a lost lease, a publish whose answer got lost. Handlers must not mind.

Settling. A handler that returns acknowledges its message; one that raises gives it back, and it
comes again after a delay that grows with each delivery. A message that was given back at its
last allowed delivery is set aside as a dead letter and troubles no one; the consumer lives on.

Leases. While a handler runs, its message is kept from everyone else, however long that takes
within the backend's stated cap. When its process dies, the message comes again by itself.

Flow. `consume` runs at most `concurrency` handlers at once and never holds a message that it has
no free slot for. Any number of calls may consume one queue, in one process or in many. An idle
consumer waits to be woken; it does not poll.

Stopping. `consume` runs until it is cancelled. The first cancellation takes nothing new, hands
back at once what has not started and lets running handlers finish; who cancels sets the limit. A
second one cancels the handlers and hands their messages back. Both end in `CancelledError`.
Otherwise `consume` ends only with `QueueMisconfigured` or `QueueClosed`, after its running
handlers have finished: an outage of the backend, however long, is waited out.

Closing. `close` sends what was published and settled before it, within the backend's stated
limit. Stop consumers first: what is settled after `close` is not sent, so it comes again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

# The narrowest backend's limits, kept by all so that none surprises a caller who changes it.
# https://cloud.google.com/pubsub/quotas#resource_limits
MAX_MESSAGE_BYTES = 10_000_000
MAX_ATTRIBUTES = 100
MAX_ATTRIBUTE_NAME_BYTES = 256
MAX_ATTRIBUTE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes with string attributes. `delivery` counts from 1 and is a hint, not a promise."""

    body: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    delivery: int = 1


Handler = Callable[[Message], Awaitable[None]]


class QueueClosed(Exception):
    """The queue has been closed."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class QueueUnavailable(OSError):
    """The queue cannot be reached at the moment."""


class MessageTooLarge(ValueError):
    """The message is larger than the queue carries."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class QueueMisconfigured(Exception):
    """The queue refuses this process for good: a missing permission or resource. Names it."""


class Queue(Protocol):
    """One topic with its one subscription. After `close`, every other method is `QueueClosed`."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once the backend has accepted all.

        `MessageTooLarge`, before anything is sent, when one of them is; `OSError` when the backend
        could not be reached within its stated limit: some may have been accepted all the same.
        `QueueMisconfigured` when it refuses for good.
        """

    async def consume(self, handler: Handler, *, concurrency: int) -> None:
        """Call the handler for each message until cancelled."""

    async def check(self) -> None:
        """Raise `OSError` or `QueueMisconfigured` unless a publish would work now."""

    async def close(self) -> None:
        """Flush what was published and settled; safe to call twice."""


def carried_bytes(message: Message) -> int:
    """The size of a message as limits count it: its body and its attributes in UTF-8."""
    names_and_values = (*message.attributes, *message.attributes.values())
    return len(message.body) + sum(len(text.encode()) for text in names_and_values)


def ensure_carriable(messages: Sequence[Message]) -> None:
    """Raise `MessageTooLarge` when one of the messages is larger than a queue carries."""
    for message in messages:
        names, values = message.attributes.keys(), message.attributes.values()
        if (
            carried_bytes(message) > MAX_MESSAGE_BYTES
            or len(names) > MAX_ATTRIBUTES
            or any(len(name.encode()) > MAX_ATTRIBUTE_NAME_BYTES for name in names)
            or any(len(value.encode()) > MAX_ATTRIBUTE_BYTES for value in values)
        ):
            raise MessageTooLarge

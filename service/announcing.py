"""Tell the queue about accepted tasks without holding up whoever accepted them."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from queueing.contract import Message, Queue, QueueClosed, QueueMisconfigured
from service.tracing import TRACEPARENT, UNTRACED, Tracing

log = structlog.get_logger()


class Announcer:
    """Publishes in the background. What the queue did not take, the relay announces again."""

    def __init__(self, queue: Queue, tracing: Tracing = UNTRACED) -> None:
        self._queue = queue
        self._tracing = tracing
        self._under_way: set[asyncio.Task[None]] = set()

    def announce(self, task_id: UUID) -> None:
        """Begin to publish the task's id and return at once."""
        # begun here and now, for a queue that waits for nothing has it by then
        loop = asyncio.get_running_loop()
        under_way = asyncio.eager_task_factory(loop, self._publish(task_id))
        if not under_way.done():
            self._under_way.add(under_way)
            under_way.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way)

    async def _publish(self, task_id: UUID) -> None:
        try:
            with self._tracing.publishing():
                await self._queue.publish([message_for(task_id, self._tracing.traceparent())])
        except (OSError, QueueClosed, QueueMisconfigured) as error:
            log.warning("publish_failed", task_id=str(task_id), error=type(error).__name__)


def message_for(task_id: UUID, traceparent: str | None = None) -> Message:
    """The message that names a task, and the trace that it belongs to, and says nothing else."""
    attributes = {} if traceparent is None else {TRACEPARENT: traceparent}
    return Message(str(task_id).encode(), attributes)


def task_id_in(message: Message) -> UUID | None:
    """The task that a message names; None when it names none."""
    try:
        return UUID(message.body.decode())
    except ValueError:
        return None

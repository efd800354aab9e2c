"""The use cases of refining a concept: accept a request, and run an accepted task to its end.

HTTP is in front of this module, SQL behind it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars

from queueing.contract import Message
from service.announcing import task_id_in
from service.engines.contract import (
    Attempt,
    Engine,
    EngineError,
    EngineFailed,
    Instruction,
    NothingToApply,
    PreserveAspect,
    Report,
)
from service.fetching import Fetcher
from service.intake import Intake
from service.leasing import LeaseLost, Progress, persist, under_lease
from service.metrics import Metrics
from service.sources import SUFFIXES, source_of
from service.tracing import UNTRACED, Tracing
from storage.accepting import Accepted, NewTask
from storage.concept import NewImage
from storage.database import DatabaseUnavailable
from storage.images.contract import Images
from storage.task import Task
from storage.tasks import Tasks
from storage.work import Work

log = structlog.get_logger()

RETRY_BASE_S = 1.0
RETRY_MOST_S = 60.0

_BEGINNINGS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/webp": b"RIFF",
    "image/svg+xml": b"<svg",
}
_NEVER = b"\0never"

CANCELED_MESSAGE = "The refinement was canceled."
GIVEN_UP_MESSAGE = "Something went wrong on our side. The refinement was not charged."


class TryTimedOut(EngineError):
    """The refinement took too long."""

    code = "timed_out"
    retryable = True


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to refine, already checked for form."""

    user_id: UUID
    image_url: str
    instruction: Instruction
    request_id: str
    idempotency_key: str | None = None
    traceparent: str | None = None


async def submit(
    tasks: Tasks,
    images: Images,
    may_fetch: Callable[[str], bool],
    announce: Callable[[UUID], None],
    request: Request,
) -> Accepted:
    """Decide about a request; when it is accepted, it is kept and charged before this returns.

    `may_fetch` tells whether a URL points to an allowed outside host.
    """
    own_key = images.key_of(request.image_url)
    is_outside = own_key is None and may_fetch(request.image_url)
    instruction = request.instruction
    accepted = await tasks.accept(
        NewTask(
            user_id=request.user_id,
            # the query of our own URLs is a signature, which is nobody's to keep
            source_url=request.image_url if is_outside else request.image_url.partition("?")[0],
            source_key=None if is_outside else own_key or "",
            prompt=instruction.prompt,
            logo_description=instruction.logo_description,
            theme_description=instruction.theme_description,
            preserve_aspects=instruction.preserve_aspects,
            request_id=request.request_id,
            idempotency_key=request.idempotency_key,
            # only a retry is ever compared with what was asked before
            request_hash=_fingerprint(request) if request.idempotency_key else None,
            traceparent=request.traceparent,
        )
    )
    if accepted.outcome == "created" and accepted.task is not None:
        announce(accepted.task.id)
    return accepted


def _fingerprint(request: Request) -> bytes:
    said = request.instruction
    parts = (
        request.image_url,
        said.prompt,
        said.logo_description,
        said.theme_description,
        said.preserve_aspects,
    )
    return hashlib.sha256(json.dumps(parts).encode()).digest()


@dataclass(frozen=True, slots=True)
class Refinery:
    """Runs tasks: the coroutine that every worker feeds from its queue.

    `try_s` bounds one attempt, `lease_s` is how long a silent worker keeps its task.
    """

    work: Work
    images: Images
    fetcher: Fetcher
    intake: Intake
    engine: Engine
    metrics: Metrics
    try_s: float
    lease_s: float
    tracing: Tracing = UNTRACED

    async def run_message(self, message: Message) -> None:
        """Run the task that a message names. A message that names none is dropped."""
        task_id = task_id_in(message)
        if task_id is None:
            log.error("message_malformed", body_bytes=len(message.body))
            return
        with self.tracing.processing(message.attributes):
            await self.run_task(task_id)

    async def run_task(self, task_id: UUID) -> None:
        """Claim the task and bring it to an end, or to its next attempt.

        Raises `DatabaseUnavailable` when not even that could be written; the lease then runs out
        and the task is rescued.
        """
        with self.tracing.span("claim"):
            task = await self.work.claim(task_id)
        if task is None:
            return
        self.tracing.note({"task.id": str(task.id), "task.attempt": task.attempt})
        with bound_contextvars(
            task_id=str(task.id), request_id=task.request_id, attempt=task.attempt
        ):
            log.debug("attempt_started")
            begin_s = time.perf_counter()
            progress = Progress()
            try:
                outcome = await under_lease(
                    self.work, task, progress, self._attempt(task, progress), lease_s=self.lease_s
                )
            except LeaseLost:
                outcome = "lease_lost"
            log.info("attempt_ended", outcome=outcome)
            self.tracing.note({"task.outcome": outcome})
            self.metrics.attempt_ended(outcome, time.perf_counter() - begin_s)

    async def _attempt(self, task: Task, progress: Progress) -> str:
        """Do the work once and write how it ended; returns that as one word."""
        try:
            async with asyncio.timeout(self.try_s):
                return await self._refine(task, progress)
        except TimeoutError:
            return await self._give_up(task, TryTimedOut())
        except EngineError as error:
            return await self._give_up(task, error)
        except (LeaseLost, DatabaseUnavailable):
            raise
        except Exception:
            log.exception("attempt_broke")
            return await self._try_again_or_fail(task, "internal_error", GIVEN_UP_MESSAGE, None)

    async def _refine(self, task: Task, progress: Progress) -> str:
        progress.tell(0.05, "Getting the image")
        with self.tracing.span("source"):
            source, fetched = await source_of(task, self.images, self.fetcher, self.intake)
        attempt = Attempt(
            progress=progress.part(0.1, 0.9),
            resume=task.engine_note,
            keep=lambda note: self._keep(task, note),
            wanted=lambda: self._wanted(task),
        )
        with self.tracing.span("engine"):
            refined = await self.engine.refine(source, _instruction_of(task), attempt)
        if not refined.image.startswith(_BEGINNINGS.get(refined.content_type, _NEVER)):
            log.error("engine_gave_no_image", content_type=refined.content_type)
            raise EngineFailed(EngineFailed.__doc__)
        progress.tell(0.95, "Storing the result")
        image = NewImage(
            f"{task.user_id}/{task.id}-{task.attempt}{SUFFIXES[refined.content_type]}",
            refined.content_type,
            refined.width,
            refined.height,
        )
        with self.tracing.span("store"):
            await self.images.put(image.key, refined.image, content_type=image.content_type)
        if not await self._end(
            lambda: self.work.complete(task, image, dict(refined.report), fetched)
        ):
            # The object stays: the first of two writes may have succeeded unseen. Upkeep removes
            # it when no concept names it.
            raise LeaseLost
        return "completed"

    async def _keep(self, task: Task, note: Any) -> None:
        if not await persist(lambda: self.work.keep_note(task, note)):
            raise LeaseLost

    async def _wanted(self, task: Task) -> bool:
        """Whether a later attempt will want what this one has begun."""
        try:
            return await self.work.is_active(task)
        except DatabaseUnavailable:
            return True

    async def _give_up(self, task: Task, error: EngineError) -> str:
        message = type(error).__doc__ or GIVEN_UP_MESSAGE
        if error.retryable:
            return await self._try_again_or_fail(task, error.code, message, error.retry_after_s)
        report = error.report if isinstance(error, NothingToApply) else None
        return await self._fail(task, error.code, message, report)

    async def _try_again_or_fail(
        self, task: Task, code: str, message: str, retry_after_s: float | None
    ) -> str:
        jitter_s = min(RETRY_MOST_S, RETRY_BASE_S * 2**task.attempt)
        wait_s = retry_after_s or 0.0
        if await self._end(lambda: self.work.retry(task, wait_s=wait_s, jitter_s=jitter_s)):
            return f"retried_{code}"
        return await self._fail(task, code, message, None)

    async def _fail(self, task: Task, code: str, message: str, report: Report | None) -> str:
        kept = dict(report) if report else None
        if not await self._end(lambda: self.work.fail(task, code, message, kept)):
            raise LeaseLost
        return f"failed_{code}"

    async def _end(self, write: Callable[[], Awaitable[bool]]) -> bool:
        """Write how the attempt ended; False when that is not this worker's to say any more."""
        with self.tracing.span("finish"):
            return await persist(write)


def _instruction_of(task: Task) -> Instruction:
    return Instruction(
        task.prompt,
        task.logo_description or task.source_logo_description,
        task.theme_description or task.source_theme_description,
        cast("tuple[PreserveAspect, ...]", task.preserve_aspects),
    )

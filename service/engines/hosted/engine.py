"""Have a provider's model redraw a picture: order, wait, fetch, and pay for it once."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping

import structlog

from service.engines.contract import (
    Attempt,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineTimedOut,
    EngineUnavailable,
    Instruction,
    Refined,
)
from service.engines.hosted.addresses import may_carry_key, may_download, same_origin
from service.engines.hosted.answers import Answer
from service.engines.hosted.http import AnswerLost, Call, Http, NotSent, Retry, WrongAddress
from service.engines.hosted.notes import Notes
from service.engines.hosted.outcomes import (
    PASSING,
    Failed,
    Failure,
    Job,
    Outcome,
    Picture,
    PictureAt,
    Working,
    error_of,
    may_pass,
)
from service.engines.hosted.provider import Jobs, Order, Provider
from service.engines.metrics import EngineMetrics
from service.engines.painting.canvas import Prepared
from service.engines.painting.easel import Easel
from service.engines.painting.instruction import compose, template_for
from service.sandbox import Sandbox

log = structlog.get_logger()

ORDER_TRIES = 3
HARMLESS = Retry(lambda answer: answer.status in PASSING, lost=True, tries=7, limit_s=30.0)
CANCEL = Retry(lambda _answer: False, lost=True, tries=2, limit_s=3.0)
CANCEL_S = 5.0
POLL_GROWTH = 1.3


class HostedEngine:
    """An `Engine` of somebody else's. The connections and the sandbox stay their owner's."""

    def __init__(
        self,
        provider: Provider,
        http: Http,
        sandbox: Sandbox,
        metrics: EngineMetrics,
        *,
        deadline_s: float,
    ) -> None:
        self._provider = provider
        self._jobs = provider if isinstance(provider, Jobs) else None
        self._http = http
        self._metrics = metrics
        self._deadline_s = deadline_s
        self._template = template_for(provider.engine)
        self._easel = Easel(sandbox, provider.canvases, keeps_alpha=provider.keeps_alpha)

    @property
    def name(self) -> str:
        """Engine and model as reports state them."""
        return f"{self._provider.engine}/{self._provider.model}"

    async def refine(self, source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
        """The redrawn image. An order that an earlier attempt gave is not given again."""
        notes = Notes(attempt, self._provider.engine)
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._refine(source, instruction, attempt, notes)
        except TimeoutError:
            await self._stop(notes.job)
            await notes.hold(None)
            raise EngineTimedOut(EngineTimedOut.__doc__) from None
        except asyncio.CancelledError:
            # of a job that another attempt will resume, nothing may be stopped
            if notes.job is not None and not await attempt.wanted():
                await self._stop(notes.job)
            raise

    async def close(self) -> None:
        """Nothing of its own is open."""

    async def _refine(
        self, source: bytes, instruction: Instruction, attempt: Attempt, notes: Notes
    ) -> Refined:
        attempt.progress(0.02, "Preparing the image")
        prepared = await self._easel.prepare(source)
        drawn = await self._drawn(self._order(instruction, prepared), attempt, notes)
        attempt.progress(0.92, "Checking the result")
        return await self._easel.finish(self.name, instruction, source, prepared, drawn)

    def _order(self, instruction: Instruction, prepared: Prepared) -> Order:
        backdrop = prepared.backdrop.code if prepared.backdrop else None
        return Order(
            compose(self._template, instruction, backdrop),
            prepared.png,
            prepared.frame.canvas,
            transparent=prepared.has_alpha and prepared.backdrop is None,
        )

    async def _drawn(self, order: Order, attempt: Attempt, notes: Notes) -> bytes:
        """The bytes that the provider says are the image."""
        try:
            if notes.job is None:
                attempt.progress(0.08, "Waiting for the image model")
                outcome = await self._give(order, notes)
            else:
                outcome = Working(notes.job, at_once=True)
            return await self._followed(outcome, attempt, notes)
        except NotSent:
            raise EngineUnavailable from None
        except AnswerLost:
            # given again, the order might be paid for twice
            raise EngineRefused(EngineRefused.__doc__) from None

    async def _give(self, order: Order, notes: Notes) -> Outcome:
        """Give the order, and keep the job's id before anything else is done with it."""
        provider = self._provider
        again = Retry(
            lambda answer: may_pass(provider.read_order(answer)), lost=False, tries=ORDER_TRIES
        )
        answer = await self._send(provider.order(order), again)
        outcome = provider.read_order(answer)
        if isinstance(outcome, Working):
            await self._hold(outcome.job, notes)
        await self._count(answer, notes)
        return outcome

    async def _hold(self, job: Job, notes: Notes) -> None:
        """Keep the id even when cancelled meanwhile; what could not be kept is stopped."""
        keeping = asyncio.ensure_future(notes.hold(job))
        try:
            await asyncio.shield(keeping)
        except asyncio.CancelledError:
            await asyncio.wait({keeping})
            if keeping.exception() is not None:
                await self._stop(job)
            raise
        except Exception:
            await self._stop(job)
            raise

    async def _followed(self, outcome: Outcome, attempt: Attempt, notes: Notes) -> bytes:
        pause_s = self._http.pace.poll_first_s
        while True:
            match outcome:
                case Working():
                    if not outcome.at_once:
                        await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))
                        pause_s = min(self._http.pace.poll_most_s, pause_s * POLL_GROWTH)
                    outcome = await self._asked(outcome.job, notes)
                    _tell(attempt, outcome)
                case Picture():
                    return outcome.body
                case PictureAt():
                    return await self._fetched(outcome.url)
                case Failed():
                    self._note_failure(outcome)
                    raise error_of(outcome)

    async def _asked(self, job: Job, notes: Notes) -> Outcome:
        try:
            answer = await self._send(Call("GET", job.poll_url), HARMLESS)
        except AnswerLost:
            raise NotSent from None  # the job is kept, and another attempt will ask again
        outcome = self._jobs.read_poll(answer, job) if self._jobs else Failed(Failure.NO_IMAGE)
        await self._count(answer, notes)
        if isinstance(outcome, Failed) and answer.status not in PASSING:
            await notes.hold(None)
        return outcome

    async def _send(self, call: Call, retry: Retry) -> Answer:
        """Send with the key, to where a key may go and nowhere else."""
        provider = self._provider
        if not may_carry_key(call.url, provider.base_url, provider.domain):
            raise self._refused_address()
        return await self._http.send(call.signed(await provider.authorize()), retry)

    async def _fetched(self, url: str) -> bytes:
        """The image at an address that the provider handed out; no key goes there."""
        base_url = self._provider.base_url
        if not may_download(url, base_url):
            raise self._refused_address()
        outside = not same_origin(url, base_url)
        try:
            answer = await self._http.send(Call("GET", url), HARMLESS, handed_out=outside)
        except AnswerLost:
            raise NotSent from None
        except WrongAddress:
            raise self._refused_address() from None
        if answer.status in PASSING:
            raise EngineUnavailable
        if answer.status != 200:
            raise EngineFailed(EngineFailed.__doc__)
        return answer.body

    async def _count(self, answer: Answer, notes: Notes) -> None:
        new: Mapping[str, float] = await notes.count(self._provider.usage(answer))
        self._metrics.used(self._provider.engine, new)

    async def _stop(self, job: Job | None) -> None:
        """Ask the provider to stop the job. Whether it could is not waited for long."""
        call = self._jobs.cancel(job) if self._jobs and job else None
        if call is None:
            return
        with contextlib.suppress(TimeoutError, NotSent, AnswerLost, EngineError):
            async with asyncio.timeout(CANCEL_S):
                await self._send(call, CANCEL)
                log.info("provider_job_canceled", engine=self._provider.engine)

    def _refused_address(self) -> EngineFailed:
        log.error("provider_address_refused", engine=self._provider.engine)
        return EngineFailed(EngineFailed.__doc__)

    def _note_failure(self, failed: Failed) -> None:
        log.info(
            "provider_failed", engine=self._provider.engine, failure=failed.failure.name.lower()
        )


def _tell(attempt: Attempt, outcome: Outcome) -> None:
    match outcome:
        case Working(ahead=int(ahead)):
            place = f", {ahead} ahead" if ahead else ""
            attempt.progress(0.1, f"Waiting for the image model{place}")
        case Working(fraction=fraction, at_once=False):
            attempt.progress(0.15 + 0.75 * (fraction or 0), "The image model is drawing")
        case _:
            pass

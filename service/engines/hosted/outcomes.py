"""The closed set of what can come of a request to a provider, and what each means for a task."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from service.engines.contract import (
    ContentRejected,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineUnavailable,
)
from service.engines.hosted.answers import Answer
from service.engines.hosted.delays import retry_after_s, should_retry


class Failure(Enum):
    """Why there is no image."""

    MODERATED_INPUT = auto()
    MODERATED_OUTPUT = auto()
    NO_IMAGE = auto()
    INVALID_INPUT = auto()
    RETRYABLE = auto()
    FATAL = auto()


@dataclass(frozen=True, slots=True)
class Job:
    """Paid work at a provider: its id, where to ask for it, and how to stop it."""

    id: str
    poll_url: str
    cancel_url: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """The image itself, encoded; whether it really is one is for others to find out."""

    body: bytes


@dataclass(frozen=True, slots=True)
class PictureAt:
    """Where the image can be fetched, for a while and without a key."""

    url: str


@dataclass(frozen=True, slots=True)
class Working:
    """Ask for the job again, `at_once` or after a while. `fraction` is 0–1 where it is told,
    `ahead` how many jobs are before it in the queue."""

    job: Job
    fraction: float | None = None
    ahead: int | None = None
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The end without an image. `delay_s` goes with `RETRYABLE`."""

    failure: Failure
    delay_s: float | None = None


type Outcome = Picture | PictureAt | Working | Failed

# what a later try of a harmless request may see answered otherwise
PASSING = frozenset({408, 409, 425, 429, *range(500, 600)})
# the operator's key, credit or model name: the same for every task
_ACCOUNT = frozenset({401, 402, 403, 404, 405})


def failed_order(answer: Answer, resend: Collection[int]) -> Failed:
    """What the refusal of an order means when its body says nothing better.

    After a server's fault outside `resend` the order may have been carried out and paid for, so
    that it must not be given again.
    """
    if should_retry(answer, resend):
        return Failed(Failure.RETRYABLE, retry_after_s(answer))
    if answer.status in _ACCOUNT or answer.status >= 500:
        return Failed(Failure.FATAL)
    return Failed(Failure.INVALID_INPUT)


def failed_poll(answer: Answer) -> Failed:
    """What the refusal to tell of a job means when its body says nothing better."""
    if answer.status in PASSING:
        return Failed(Failure.RETRYABLE, retry_after_s(answer))
    if answer.status in (401, 402, 403):
        return Failed(Failure.FATAL)
    return Failed(Failure.NO_IMAGE)


def may_pass(outcome: Outcome) -> bool:
    """Whether the same request may fare better in a moment."""
    return isinstance(outcome, Failed) and outcome.failure is Failure.RETRYABLE


def error_of(failed: Failed) -> EngineError:
    """The error that ends the attempt. Its words are ours; nothing of the provider's is in it."""
    match failed.failure:
        case Failure.MODERATED_INPUT | Failure.MODERATED_OUTPUT:
            return ContentRejected(ContentRejected.__doc__)
        case Failure.NO_IMAGE | Failure.INVALID_INPUT:
            return EngineFailed(EngineFailed.__doc__)
        case Failure.RETRYABLE:
            return EngineUnavailable(failed.delay_s)
        case Failure.FATAL:
            return EngineRefused(EngineRefused.__doc__)
        case _:
            assert_never(failed.failure)

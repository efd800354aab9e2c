"""The port between a refinement and whatever performs it; knows nothing of tasks or HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypedDict

PreserveAspect = Literal[
    "layout", "colors", "style", "symbols", "shapes", "proportions", "color_scheme"
]
Outcome = Literal["complete", "partial", "none"]
Reason = Literal["needs_generative", "not_understood", "not_in_image", "conflict", "limit"]


class Understood(TypedDict):
    """One edit as read from the prompt. `target` is e.g. `colour:brown`, `background`, `image`."""

    span: str
    op: str
    target: str
    amount: float | None


class Applied(TypedDict):
    """One edit that was made, with what was measured before and after it."""

    span: str
    op: str
    summary: str
    measured: dict[str, float]


class NotApplied(TypedDict):
    """One part of the prompt that was not done, and why, in a sentence for the person."""

    span: str
    reason: Reason
    message: str


class Palette(TypedDict):
    """Main colours as `#rrggbb`, largest area first."""

    before: list[str]
    after: list[str]


class Report(TypedDict):
    """The account of a refinement. Every key is always there."""

    engine: str
    outcome: Outcome
    understood: list[Understood]
    applied: list[Applied]
    not_applied: list[NotApplied]
    assumptions: list[str]
    corrections: list[list[str]]
    warnings: list[str]
    palette: Palette


@dataclass(frozen=True, slots=True)
class Instruction:
    """What the person asked for. `prompt` is 1–2,000 characters, descriptions up to 2,000."""

    prompt: str
    logo_description: str | None = None
    theme_description: str | None = None
    preserve_aspects: tuple[PreserveAspect, ...] = ()


@dataclass(frozen=True, slots=True)
class Refined:
    """A new image and the account of it. `image` is an encoded file of `content_type`."""

    image: bytes
    content_type: str
    width: int
    height: int
    report: Report


async def _forget(_note: Mapping[str, Any]) -> None:
    """Keep nothing: for an engine that has nothing to resume."""


async def _nobody_waits() -> bool:
    """There is no task behind the attempt, so none will try again."""
    return False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try of a task offers to its engine.

    `progress(fraction, stage)` takes 0–1 and a short phrase for the person; it never blocks.
    `resume` is what an earlier try of the same task kept, and `keep(note)` stores such a note
    (small, JSON) durably before it returns: the id of a provider's paid job goes there.
    `wanted()` tells an engine whose call is being cancelled whether the task goes on in another
    try, which will resume, or has been given up, so that work elsewhere should be stopped. It
    does not raise: what cannot be found out counts as wanted.
    """

    progress: Callable[[float, str], None] = lambda _fraction, _stage: None
    resume: Mapping[str, Any] | None = None
    keep: Callable[[Mapping[str, Any]], Awaitable[None]] = field(default=_forget)
    wanted: Callable[[], Awaitable[bool]] = field(default=_nobody_waits)


class Engine(Protocol):
    """Refines one image by instruction.

    `source` is the encoded image (PNG, JPEG or WebP, at most 10 MB). Cancelling the call stops
    the work. Raises only `EngineError`s.
    """

    @property
    def name(self) -> str:
        """Name and version as reports state it, e.g. `embedded/1`."""

    async def refine(self, source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
        """The refined image; `NothingToApply` when no part of the instruction could be done."""

    async def close(self) -> None:
        """Release processes and connections; safe to call twice."""


class EngineError(Exception):
    """A refinement that brought no image. `code` is the task's error code."""

    code: ClassVar[str] = "engine_failed"
    retryable: ClassVar[bool] = False
    retry_after_s: float | None = None


class NothingToApply(EngineError):
    """None of the requested changes could be applied to this image."""

    code = "nothing_to_apply"

    def __init__(self, report: Report) -> None:
        super().__init__(self.__doc__)
        self.report = report


class SourceInvalid(EngineError):
    """The image to refine cannot be read."""

    code = "source_invalid"


class SourceTooLarge(EngineError):
    """The image to refine is too large."""

    code = "source_too_large"


class ContentRejected(EngineError):
    """The request was declined by the engine's content rules."""

    code = "content_rejected"


class EngineTimedOut(EngineError):
    """The refinement took too long."""

    code = "timed_out"


class EngineUnavailable(EngineError):
    """The refinement engine is not available at the moment."""

    code = "engine_unavailable"
    retryable = True

    def __init__(self, retry_after_s: float | None = None) -> None:
        super().__init__(self.__doc__)
        self.retry_after_s = retry_after_s


class EngineRefused(EngineError):
    """The refinement engine cannot be used at the moment."""

    # another try would meet the same refusal, or pay a second time for an answer that was lost
    code = "engine_unavailable"


class EngineFailed(EngineError):
    """The refinement engine could not process this image."""

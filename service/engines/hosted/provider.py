"""What an adapter of a provider has to tell: how to ask, and how to read the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from service.engines.hosted.answers import Answer
from service.engines.hosted.http import Call
from service.engines.hosted.outcomes import Job, Outcome
from service.engines.painting.frame import Size


@dataclass(frozen=True, slots=True)
class Order:
    """What a model is asked for: words, and a PNG of exactly the canvas."""

    text: str
    png: bytes
    canvas: Size
    transparent: bool


class Provider(Protocol):
    """Pure: it makes requests and reads answers, and sends nothing itself. One whose orders become
    jobs is a `Jobs` as well."""

    @property
    def engine(self) -> str:
        """The name in `ENGINE`, and of the template."""

    @property
    def model(self) -> str:
        """The model that does the work."""

    @property
    def base_url(self) -> str:
        """Where the operator lets requests go."""

    @property
    def domain(self) -> str:
        """The provider's own domain, whose hosts may hand out addresses on each other."""

    @property
    def canvases(self) -> Sequence[Size]:
        """The sizes that the model can draw."""

    @property
    def keeps_alpha(self) -> bool:
        """Whether the model takes and gives transparency."""

    async def authorize(self) -> Mapping[str, str]:
        """The headers with the key. Raises `NotSent` when a token cannot be had."""

    def order(self, order: Order) -> Call:
        """The request that may cost money."""

    def read_order(self, answer: Answer) -> Outcome:
        """What came of the order."""

    def usage(self, answer: Answer) -> Mapping[str, float]:
        """What the provider says it has counted or charged, under fixed names."""


@runtime_checkable
class Jobs(Protocol):
    """A provider that takes an order as a job, to be asked for until it has ended."""

    def read_poll(self, answer: Answer, job: Job, /) -> Outcome:
        """How the job stands, from an answer of any status."""

    def cancel(self, job: Job, /) -> Call | None:
        """The request that stops the job; None where there is no way."""

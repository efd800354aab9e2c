"""Black Forest Labs' own API of the FLUX models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.engines.hosted.answers import Answer, dig, encoded, number, numbers, text
from service.engines.hosted.http import Call
from service.engines.hosted.kontext import CANVASES, SAFETY_TOLERANCE
from service.engines.hosted.outcomes import (
    Failed,
    Failure,
    Job,
    Outcome,
    PictureAt,
    Working,
    failed_order,
    failed_poll,
)
from service.engines.hosted.provider import Order
from service.engines.painting.frame import Size

_MODERATED_INPUT = "Request Moderated"
_MODERATED_OUTPUT = "Content Moderated"
_ENDED_WITHOUT = frozenset({"Error", "Failed", "Task not found"})
# after these nothing was made of the order
_RESEND = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Bfl:
    """Takes an order and hands out an address to ask at, often on a regional host. A job cannot be
    stopped, and its image is gone after ten minutes."""

    key: str = field(repr=False)
    base_url: str
    model: str
    engine: str = "bfl"
    domain: str = "bfl.ai"
    canvases: tuple[Size, ...] = CANVASES
    keeps_alpha: bool = False

    async def authorize(self) -> Mapping[str, str]:
        """The headers with the key."""
        return {"x-key": self.key}

    def order(self, order: Order) -> Call:
        """An edit; without an aspect ratio the image keeps its own."""
        return Call(
            "POST",
            f"{self.base_url}/v1/{self.model}",
            json={
                "prompt": order.text,
                "input_image": encoded(order.png),
                "output_format": "png",
                "safety_tolerance": SAFETY_TOLERANCE,
            },
        )

    def read_order(self, answer: Answer) -> Outcome:
        """The job that was made of the order."""
        if answer.status >= 300:
            return failed_order(answer, _RESEND)
        data = answer.json()
        poll_url = text(dig(data, "polling_url"))
        if not poll_url:
            return _ended(data) or Failed(Failure.NO_IMAGE)
        return Working(Job(text(dig(data, "id")), poll_url))

    def read_poll(self, answer: Answer, job: Job) -> Outcome:
        """How the job stands."""
        data = answer.json()
        if ended := _ended(data):
            return ended
        if answer.status >= 300:
            return failed_poll(answer)
        fraction = number(dig(data, "progress"))
        return Working(job, fraction=fraction if fraction is not None and fraction <= 1 else None)

    def cancel(self, _job: Job) -> Call | None:
        """There is no way."""
        return None

    def usage(self, answer: Answer) -> Mapping[str, float]:
        """Credits; one is a cent."""
        return numbers(answer.json(), credits=("cost",))


def _ended(data: Any) -> Outcome | None:
    status = text(dig(data, "status"))
    if status == "Ready":
        url = text(dig(data, "result", "sample"))
        return PictureAt(url) if url else Failed(Failure.NO_IMAGE)
    if status == _MODERATED_INPUT:
        return Failed(Failure.MODERATED_INPUT)
    if status == _MODERATED_OUTPUT:
        return Failed(Failure.MODERATED_OUTPUT)
    return Failed(Failure.NO_IMAGE) if status in _ENDED_WITHOUT else None

"""Models that fal hosts, through its queue; FLUX Kontext unless another is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from service.engines.hosted.answers import Answer, data_url, decoded, dig, items, number, text
from service.engines.hosted.http import Call
from service.engines.hosted.kontext import CANVASES, SAFETY_TOLERANCE
from service.engines.hosted.outcomes import (
    PASSING,
    Failed,
    Failure,
    Job,
    Outcome,
    Picture,
    PictureAt,
    Working,
    failed_order,
    failed_poll,
)
from service.engines.hosted.provider import Order
from service.engines.painting.frame import Size

_MODERATED = "content_policy_violation"
# after these nothing was made of the order
_RESEND = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Fal:
    """Puts an order into a queue, asks for its status, and then for the result at an address of its
    own. Only the addresses that the queue hands out are used: they leave out parts of the model."""

    key: str = field(repr=False)
    base_url: str
    model: str
    engine: str = "fal"
    domain: str = "queue.fal.run"
    canvases: tuple[Size, ...] = CANVASES
    keeps_alpha: bool = False

    async def authorize(self) -> Mapping[str, str]:
        """The headers with the key."""
        return {"Authorization": f"Key {self.key}"}

    def order(self, order: Order) -> Call:
        """A request in the queue; without an aspect ratio the image keeps its own."""
        return Call(
            "POST",
            f"{self.base_url}/{self.model}",
            json={
                "prompt": order.text,
                "image_url": data_url(order.png),
                "num_images": 1,
                "output_format": "png",
                "safety_tolerance": str(SAFETY_TOLERANCE),
            },
        )

    def read_order(self, answer: Answer) -> Outcome:
        """The request's place in the queue."""
        data = answer.json()
        if _moderated(data):
            return Failed(Failure.MODERATED_INPUT)
        if answer.status >= 300:
            return failed_order(answer, _RESEND)
        poll_url = text(dig(data, "status_url"))
        if not poll_url:
            return Failed(Failure.NO_IMAGE)
        cancel_url = text(dig(data, "cancel_url")) or None
        return Working(Job(text(dig(data, "request_id")), poll_url, cancel_url))

    def read_poll(self, answer: Answer, job: Job) -> Outcome:
        """The request's status, or its result once that was asked for."""
        data = answer.json()
        if _moderated(data):
            return Failed(Failure.MODERATED_INPUT)
        status = text(dig(data, "status"))
        if answer.status in PASSING or (answer.status >= 300 and not status):
            return failed_poll(answer)
        if not status:
            return _result(data)
        if status != "COMPLETED":
            ahead = number(dig(data, "queue_position")) if status == "IN_QUEUE" else None
            return Working(job, ahead=None if ahead is None else int(ahead))
        result_url = text(dig(data, "response_url"))
        if dig(data, "error") or not result_url:
            return Failed(Failure.NO_IMAGE)
        return Working(replace(job, poll_url=result_url), at_once=True)

    def cancel(self, job: Job) -> Call | None:
        """Take the request out of the queue."""
        return Call("PUT", job.cancel_url) if job.cancel_url else None

    def usage(self, answer: Answer) -> Mapping[str, float]:
        """Units that are charged, as a header of the result tells them."""
        try:
            units = number(float(answer.headers.get("x-fal-billable-units", "")))
        except ValueError:
            return {}
        return {} if units is None else {"billable_units": units}


def _result(data: Any) -> Outcome:
    if dig(data, "has_nsfw_concepts", 0) is True:
        # the image is there, and black
        return Failed(Failure.MODERATED_OUTPUT)
    url = text(dig(data, "images", 0, "url")) or text(dig(data, "image", "url"))
    if url.startswith("data:"):
        return Picture(decoded(url))
    return PictureAt(url) if url else Failed(Failure.NO_IMAGE)


def _moderated(data: Any) -> bool:
    """Whether an error, in either of its shapes, is of the content rules."""
    if text(dig(data, "error_type")) == _MODERATED:
        return True
    return any(text(dig(detail, "type")) == _MODERATED for detail in items(data, "detail"))

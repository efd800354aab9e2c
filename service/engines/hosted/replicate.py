"""Models that Replicate hosts; FLUX Kontext unless another is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.engines.hosted.answers import Answer, data_url, dig, numbers, text
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

# what models on Replicate say when their filters have struck; there is no code for it
_MODERATED = ("flagged as sensitive", "nsfw", "safety", "e005")
_ENDED_WITHOUT = frozenset({"failed", "canceled", "aborted"})
# after these nothing was made of the order; its own client gives none again
_RESEND = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Replicate:
    """Makes a prediction and asks for it until it has ended.

    Orders are not sent with `Prefer: wait`: its id would be unknown for as long as that waits, and
    a worker that died in that time would leave a paid prediction that nobody finds.
    """

    key: str = field(repr=False)
    base_url: str
    model: str
    engine: str = "replicate"
    domain: str = "api.replicate.com"
    canvases: tuple[Size, ...] = CANVASES
    keeps_alpha: bool = False

    async def authorize(self) -> Mapping[str, str]:
        """The headers with the key."""
        return {"Authorization": f"Bearer {self.key}"}

    def order(self, order: Order) -> Call:
        """A prediction by the model's latest version."""
        return Call(
            "POST",
            f"{self.base_url}/v1/models/{self.model}/predictions",
            json={
                "input": {
                    "prompt": order.text,
                    "input_image": data_url(order.png),
                    "aspect_ratio": "match_input_image",
                    "output_format": "png",
                    "safety_tolerance": SAFETY_TOLERANCE,
                }
            },
        )

    def read_order(self, answer: Answer) -> Outcome:
        """The prediction as it was made."""
        if answer.status >= 300:
            return failed_order(answer, _RESEND)
        return self._prediction(answer.json(), None)

    def read_poll(self, answer: Answer, job: Job) -> Outcome:
        """The prediction as it stands."""
        if answer.status >= 300:
            return failed_poll(answer)
        return self._prediction(answer.json(), job)

    def cancel(self, job: Job) -> Call | None:
        """Stop the prediction."""
        return Call("POST", job.cancel_url) if job.cancel_url else None

    def usage(self, answer: Answer) -> Mapping[str, float]:
        """Seconds and images."""
        return numbers(
            dig(answer.json(), "metrics"),
            predict_seconds=("predict_time",),
            images=("image_count",),
        )

    def _prediction(self, data: Any, job: Job | None) -> Outcome:
        status = text(dig(data, "status"))
        if status == "succeeded":
            url = text(dig(data, "output")) or text(dig(data, "output", 0))
            return PictureAt(url) if url else Failed(Failure.NO_IMAGE)
        if status in _ENDED_WITHOUT:
            said = text(dig(data, "error")).lower()
            moderated = any(word in said for word in _MODERATED)
            return Failed(Failure.MODERATED_OUTPUT if moderated else Failure.NO_IMAGE)
        job = job or _job_in(data)
        return Working(job) if job else Failed(Failure.NO_IMAGE)


def _job_in(data: Any) -> Job | None:
    id_, poll_url = text(dig(data, "id")), text(dig(data, "urls", "get"))
    return Job(id_, poll_url, text(dig(data, "urls", "cancel")) or None) if poll_url else None

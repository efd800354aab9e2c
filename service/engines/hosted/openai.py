"""OpenAI's image edits, which LocalAI and others speak too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from service.engines.hosted.answers import Answer, decoded, dig, numbers, text
from service.engines.hosted.http import Call, Part
from service.engines.hosted.outcomes import (
    Failed,
    Failure,
    Outcome,
    Picture,
    PictureAt,
    failed_order,
)
from service.engines.hosted.provider import Order
from service.engines.painting.frame import Size

# https://developers.openai.com/api/reference/resources/images/methods/edit
_TRANSPARENT_MODELS = ("gpt-image-1", "gpt-image-2.5")
_FAITHFUL_MODELS = frozenset({"gpt-image-1", "gpt-image-1.5"})
_MODERATED = frozenset({"moderation_blocked", "content_policy_violation"})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
# its own client gives an order again after these; one that failed is not charged
_RESEND = frozenset({408, 409, 429, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class OpenAI:
    """Answers with the image in the order's own response; there is no job to come back to."""

    key: str = field(repr=False)
    base_url: str
    model: str
    engine: str = "openai"
    domain: str = "api.openai.com"
    canvases: tuple[Size, ...] = (
        Size(1024, 1024, "1024x1024"),
        Size(1536, 1024, "1536x1024"),
        Size(1024, 1536, "1024x1536"),
    )

    @property
    def keeps_alpha(self) -> bool:
        """Whether the model can draw a transparent background."""
        return self.model.startswith(_TRANSPARENT_MODELS)

    async def authorize(self) -> Mapping[str, str]:
        """The headers with the key."""
        return {"Authorization": f"Bearer {self.key}"}

    def order(self, order: Order) -> Call:
        """An edit of one image."""
        fields = {
            "model": self.model,
            "prompt": order.text,
            "n": "1",
            "size": order.canvas.label,
            "output_format": "png",
        }
        if order.transparent:
            fields["background"] = "transparent"
        if self.model in _FAITHFUL_MODELS:
            fields["input_fidelity"] = "high"
        image = Part("image", order.png, filename="logo.png", content_type="image/png")
        parts = tuple(Part(name, value) for name, value in fields.items())
        return Call("POST", f"{_versioned(self.base_url)}/images/edits", form=(*parts, image))

    def read_order(self, answer: Answer) -> Outcome:
        """The image, in base64 or, from some other servers, at an address."""
        data = answer.json()
        if answer.status >= 300:
            return self._refusal(answer, data)
        image = dig(data, "data", 0)
        if text(dig(image, "finish_reason")).upper() == "CONTENT_FILTERED":
            return Failed(Failure.MODERATED_OUTPUT)
        if body := decoded(dig(image, "b64_json")):
            return Picture(body)
        if url := text(dig(image, "url")):
            return PictureAt(url)
        return Failed(Failure.NO_IMAGE)

    def usage(self, answer: Answer) -> Mapping[str, float]:
        """Tokens."""
        return numbers(
            dig(answer.json(), "usage"),
            input_tokens=("input_tokens",),
            output_tokens=("output_tokens",),
        )

    def _refusal(self, answer: Answer, data: object) -> Failed:
        codes = {text(dig(data, "error", "code")), text(dig(data, "error", "type"))}
        if codes & _MODERATED:
            return Failed(Failure.MODERATED_INPUT)
        if codes & _NO_CREDIT:
            return Failed(Failure.FATAL)
        return failed_order(answer, _RESEND)


def _versioned(base_url: str) -> str:
    """With the version that a bare address leaves out."""
    return base_url if urlsplit(base_url).path.strip("/") else f"{base_url}/v1"

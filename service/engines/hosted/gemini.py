"""Google's Gemini image models, by an API key or through Vertex AI with a service account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.engines.hosted.answers import Answer, decoded, dig, encoded, items, numbers, text
from service.engines.hosted.http import Call
from service.engines.hosted.outcomes import (
    Failed,
    Failure,
    Outcome,
    Picture,
    failed_order,
)
from service.engines.hosted.provider import Order
from service.engines.painting.frame import Size

# https://ai.google.dev/gemini-api/docs/image-generation#aspect_ratios
_CANVASES = (
    Size(1024, 1024, "1:1"),
    Size(832, 1248, "2:3"),
    Size(1248, 832, "3:2"),
    Size(864, 1184, "3:4"),
    Size(1184, 864, "4:3"),
    Size(896, 1152, "4:5"),
    Size(1152, 896, "5:4"),
    Size(768, 1344, "9:16"),
    Size(1344, 768, "16:9"),
    Size(1536, 672, "21:9"),
)
# https://ai.google.dev/api/generate-content#FinishReason
_MODERATED_OUTPUT = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    }
)
# told with status 400, though it is not the request that is wrong
_ACCOUNT = frozenset({"FAILED_PRECONDITION", "PERMISSION_DENIED", "UNAUTHENTICATED"})
_ACCOUNT_REASONS = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "BILLING_DISABLED"})
# its own client gives an order again after these; one that failed is not charged
_RESEND = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Gemini:
    """Answers with the image in the order's own response; there is no job to come back to.

    `model_url` is the model's address, to which methods are appended.
    """

    sign: Callable[[], Awaitable[Mapping[str, str]]] = field(repr=False)
    base_url: str
    model: str
    model_url: str
    engine: str = "gemini"
    domain: str = "generativelanguage.googleapis.com"
    canvases: tuple[Size, ...] = _CANVASES
    keeps_alpha: bool = False

    async def authorize(self) -> Mapping[str, str]:
        """The headers with the key or a token."""
        return await self.sign()

    def order(self, order: Order) -> Call:
        """One turn of a conversation: the picture and what to do with it."""
        image = {"inlineData": {"mimeType": "image/png", "data": encoded(order.png)}}
        return Call(
            "POST",
            f"{self.model_url}:generateContent",
            json={
                "contents": [{"role": "user", "parts": [image, {"text": order.text}]}],
                "generationConfig": {
                    "responseModalities": ["TEXT", "IMAGE"],
                    "imageConfig": {"aspectRatio": order.canvas.label},
                },
            },
        )

    def read_order(self, answer: Answer) -> Outcome:
        """The last image of the first candidate, or why there is none."""
        data = answer.json()
        if answer.status >= 300:
            return self._refusal(answer, data)
        if dig(data, "promptFeedback", "blockReason"):
            return Failed(Failure.MODERATED_INPUT)
        candidate = dig(data, "candidates", 0)
        if text(dig(candidate, "finishReason")) in _MODERATED_OUTPUT:
            return Failed(Failure.MODERATED_OUTPUT)
        parts = items(candidate, "content", "parts")
        images = [image for part in parts if (image := _image_in(part))]
        return Picture(images[-1]) if images else Failed(Failure.NO_IMAGE)

    def usage(self, answer: Answer) -> Mapping[str, float]:
        """Tokens."""
        return numbers(
            dig(answer.json(), "usageMetadata"),
            input_tokens=("promptTokenCount",),
            output_tokens=("candidatesTokenCount",),
        )

    def _refusal(self, answer: Answer, data: Any) -> Failed:
        # at times the error comes in a list of one
        error = dig(data, "error") or dig(data, 0, "error")
        reasons = {text(dig(detail, "reason")) for detail in items(error, "details")}
        if text(dig(error, "status")) in _ACCOUNT or reasons & _ACCOUNT_REASONS:
            return Failed(Failure.FATAL)
        return failed_order(answer, _RESEND)


def _image_in(part: Any) -> bytes:
    """The image of a part; nothing for text, and for drafts that the model thought aloud."""
    return b"" if dig(part, "thought") is True else decoded(dig(part, "inlineData", "data"))

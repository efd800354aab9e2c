"""The providers that answer an order with the image."""

from __future__ import annotations

import base64
from typing import Any

from aiohttp import BodyPartReader, web

from tests.engines.hosted.dialects.wire import checked, json_in, said
from tests.engines.hosted.pictures import opened
from tests.engines.hosted.scenarios import MARKER
from tests.engines.hosted.stub import Job, Refusal, Stub, cut

VERTEX_TOKEN = f"token-{MARKER}"


class OpenAI:
    """The image comes with the answer to the order."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    async def order(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/images/edits`"""
        stub = self._stub
        if request.headers.get("Authorization") != f"Bearer {stub.key('openai')}":
            return self._error(401, "invalid_api_key")
        assert request.content_type == "multipart/form-data"
        fields: dict[str, Any] = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            content = bytes(await part.read(decode=True))
            if part.name == "image":
                # application/octet-stream is refused, and so is a file without a name
                assert part.headers["Content-Type"] == "image/png"
                assert part.filename
                fields["image"] = checked(content)
            else:
                fields[part.name or ""] = content.decode()
        assert fields["size"] in ("1024x1024", "1536x1024", "1024x1536")
        assert f"{opened(fields['image']).width}x{opened(fields['image']).height}" == fields["size"]
        prompt = fields["prompt"]
        if refusal := stub.refusal("openai", prompt):
            return self._refused(refusal)
        transparent = fields.get("background") == "transparent"
        job = stub.take("openai", prompt, fields["image"], wants_alpha=transparent)
        return await self._answered(request, job)

    async def _answered(self, request: web.Request, job: Job) -> web.StreamResponse:
        usage = {"input_tokens": 400, "output_tokens": 4160, "total_tokens": 4560}
        match job.scenario:
            case "never":
                await self._stub.closing.wait()
                return web.Response()
            case "order_cut":
                return await cut(request)
            case "no_image":
                return said({"created": 1, "data": [], "usage": usage})
            case "moderated_output":
                return said({"data": [{"b64_json": None, "finish_reason": "CONTENT_FILTERED"}]})
            case "odd_type":
                # other servers hand out an address
                return said({"data": [{"url": self._stub.image_url(job)}]})
            case _:
                image = base64.b64encode(self._stub.result(job)).decode()
                return said({"created": 1, "data": [{"b64_json": image}], "usage": usage})

    def _refused(self, refusal: Refusal) -> web.Response:
        if refusal.delay_s is not None:
            # it has no form of its own for this
            refusal = Refusal(refusal.kind, 429, {"Retry-After": str(refusal.delay_s)})
        codes = {"moderated": "moderation_blocked", "no_credit": "insufficient_quota"}
        status = 429 if refusal.kind == "no_credit" else refusal.status
        return self._error(status, codes.get(refusal.kind, "some_code"), refusal.headers)

    def _error(self, status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
        error = {"message": MARKER, "type": "image_error", "param": None, "code": code}
        return said({"error": error}, status, headers)


class Gemini:
    """The image comes with the answer to the order, among words and thoughts."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    async def token(self, request: web.Request) -> web.Response:
        """The token endpoint of a service account."""
        form = await request.post()
        assert form["assertion"]
        return said({"access_token": VERTEX_TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    async def order(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1beta/models/{model}:generateContent`, and the same on Vertex AI."""
        stub = self._stub
        assert request.path.endswith(":generateContent")
        provider = "vertex" if request.path.startswith("/v1/projects/") else "gemini"
        if provider == "vertex":
            allowed = request.headers.get("Authorization") == f"Bearer {VERTEX_TOKEN}"
        else:
            allowed = request.headers.get("x-goog-api-key") == stub.key("gemini")
        if not allowed:
            # a wrong key is a 400 here
            return self._error(400, "INVALID_ARGUMENT", [{"reason": "API_KEY_INVALID"}])
        data = await json_in(request)
        (turn,) = data["contents"]
        image, text = turn["parts"]
        assert image["inlineData"]["mimeType"] == "image/png"
        assert "IMAGE" in data["generationConfig"]["responseModalities"]
        across, down = data["generationConfig"]["imageConfig"]["aspectRatio"].split(":")
        png = checked(base64.b64decode(image["inlineData"]["data"], validate=True))
        with opened(png) as picture:
            # its sizes are only about what their ratio says
            assert abs(picture.width / picture.height / (int(across) / int(down)) - 1) < 0.03
        if refusal := stub.refusal(provider, text["text"]):
            return self._refused(refusal)
        return await self._answered(request, stub.take(provider, text["text"], png))

    async def _answered(self, request: web.Request, job: Job) -> web.StreamResponse:
        match job.scenario:
            case "never":
                await self._stub.closing.wait()
                return web.Response()
            case "order_cut":
                return await cut(request)
            case "no_image":
                return self._candidate([{"text": MARKER}], "NO_IMAGE")
            case "moderated_output":
                return self._candidate(None, "IMAGE_SAFETY")
            case _:
                image = base64.b64encode(self._stub.result(job)).decode()
                draft = base64.b64encode(b"a draft").decode()
                parts = [
                    {"text": MARKER},
                    {"thought": True, "inlineData": {"mimeType": "image/png", "data": draft}},
                    {"inlineData": {"mimeType": "image/jpeg", "data": image}},
                ]
                return self._candidate(parts, "STOP")

    def _candidate(self, parts: list[Any] | None, reason: str) -> web.Response:
        candidate: dict[str, Any] = {"finishReason": reason}
        if parts is not None:
            candidate["content"] = {"role": "model", "parts": parts}
        usage = {"promptTokenCount": 300, "candidatesTokenCount": 1290, "totalTokenCount": 1590}
        return said({"candidates": [candidate], "usageMetadata": usage})

    def _refused(self, refusal: Refusal) -> web.Response:
        match refusal.kind:
            case "moderated":
                return said({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
            case "no_credit":
                return self._error(400, "FAILED_PRECONDITION", [])
            case _:
                details: list[Any] = []
                if refusal.delay_s is not None:
                    details = [{"@type": "RetryInfo", "retryDelay": f"{refusal.delay_s}s"}]
                return self._error(refusal.status, "SOME_STATUS", details, refusal.headers)

    def _error(
        self, status: int, name: str, details: list[Any], headers: dict[str, str] | None = None
    ) -> web.Response:
        error = {"code": status, "message": MARKER, "status": name, "details": details}
        # at times in a list of one
        return said([{"error": error}] if status == 400 else {"error": error}, status, headers)

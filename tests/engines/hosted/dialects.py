"""How each provider words an order, a job and a refusal; strict about what it is sent."""

from __future__ import annotations

import base64
from typing import Any

from aiohttp import BodyPartReader, web

from tests.engines.hosted.pictures import opened
from tests.engines.hosted.scenarios import MARKER
from tests.engines.hosted.stub import TOLD, Job, Refusal, Stub, cut

VERTEX_TOKEN = f"token-{MARKER}"


def routes(stub: Stub) -> list[web.RouteDef]:
    """All dialects on one server."""
    openai, gemini = OpenAI(stub), Gemini(stub)
    replicate, bfl, fal = Replicate(stub), Bfl(stub), Fal(stub)
    app, request = "/fal-ai/flux-pro", "/requests/{id}"
    return [
        web.post("/v1/images/edits", openai.order),
        web.post("/v1beta/models/{model}", gemini.order),
        web.post("/v1/projects/{path:.*}", gemini.order),
        web.post("/token", gemini.token),
        web.post("/v1/models/{owner}/{name}/predictions", replicate.order),
        web.get("/v1/predictions/{id}", replicate.poll),
        web.post("/v1/predictions/{id}/cancel", replicate.cancel),
        web.post("/v1/flux-kontext-pro", bfl.order),
        web.get("/v1/get_result", bfl.poll),
        web.post(f"{app}/kontext", fal.order),
        web.get(f"{app}{request}/status", fal.poll),
        web.get(f"{app}{request}", fal.result),
        web.put(f"{app}{request}/cancel", fal.cancel),
    ]


def said(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer with a marker in its headers."""
    return web.json_response(data, status=status, headers={**TOLD, **(headers or {})})


def checked(png: bytes) -> bytes:
    """The picture, which must be a PNG that can be read."""
    with opened(png) as image:
        image.load()
        assert image.format == "PNG"
    return png


def from_data_url(url: str) -> bytes:
    """The picture in a data URL."""
    head, _, content = url.partition(",")
    assert head == "data:image/png;base64"
    return checked(base64.b64decode(content, validate=True))


class OpenAI:
    """The image comes with the answer to the order."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    async def order(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/images/edits`"""
        stub = self._stub
        if request.headers.get("Authorization") != f"Bearer {stub.key('openai')}":
            return self._error(401, "invalid_api_key")
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
        if request.path.startswith("/v1/projects/"):
            allowed = request.headers.get("Authorization") == f"Bearer {VERTEX_TOKEN}"
        else:
            allowed = request.headers.get("x-goog-api-key") == stub.key("gemini")
        if not allowed:
            # a wrong key is a 400 here
            return self._error(400, "INVALID_ARGUMENT", [{"reason": "API_KEY_INVALID"}])
        data = await request.json()
        (turn,) = data["contents"]
        image, text = turn["parts"]
        assert image["inlineData"]["mimeType"] == "image/png"
        assert "IMAGE" in data["generationConfig"]["responseModalities"]
        across, down = data["generationConfig"]["imageConfig"]["aspectRatio"].split(":")
        png = checked(base64.b64decode(image["inlineData"]["data"], validate=True))
        with opened(png) as picture:
            # its sizes are only about what their ratio says
            assert abs(picture.width / picture.height / (int(across) / int(down)) - 1) < 0.03
        if refusal := stub.refusal("gemini", text["text"]):
            return self._refused(refusal)
        return await self._answered(request, stub.take("gemini", text["text"], png))

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


class Replicate:
    """A prediction with its own addresses."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def _allowed(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self._stub.key('replicate')}"

    async def order(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/models/{owner}/{name}/predictions`"""
        stub = self._stub
        if not self._allowed(request):
            return self._problem(401)
        assert "Prefer" not in request.headers
        wanted = (await request.json())["input"]
        assert wanted["aspect_ratio"] == "match_input_image"
        assert wanted["safety_tolerance"] <= 2
        png = from_data_url(wanted["input_image"])
        if refusal := stub.refusal("replicate", wanted["prompt"]):
            if refusal.kind == "moderated":
                # it is taken, and ends at once
                return said({"id": "x", "status": "failed", "error": "NSFW content detected"}, 201)
            return self._refused(refusal)
        job = stub.take("replicate", wanted["prompt"], png)
        if job.scenario == "order_cut":
            return await cut(request)
        return said(self._prediction(job, "starting"), 201)

    async def poll(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/predictions/{id}`"""
        job = self._stub.jobs[request.match_info["id"]]
        if not self._allowed(request):
            return self._problem(401)
        if trouble := self._stub.trouble(job, "status"):
            return trouble
        return said(self._prediction(job, self._stub.poll(job)))

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/predictions/{id}/cancel`"""
        assert self._allowed(request)
        self._stub.jobs[request.match_info["id"]].canceled = True
        return said({"status": "canceled"})

    def _prediction(self, job: Job, state: str) -> dict[str, Any]:
        at = f"{self._stub.poll_base(job)}/v1/predictions/{job.id}"
        data: dict[str, Any] = {"id": job.id, "urls": {"get": at, "cancel": f"{at}/cancel"}}
        match state:
            case "done":
                output = [self._stub.image_url(job)]
                metrics = {"predict_time": 4.25, "image_count": 1}
                return data | {"status": "succeeded", "output": output, "metrics": metrics}
            case "no_image":
                return data | {"status": "succeeded", "output": []}
            case "job_failed":
                return data | {"status": "failed", "error": MARKER}
            case "moderated_output":
                error = "The input or output was flagged as sensitive. (E005)"
                return data | {"status": "failed", "error": error}
            case "unknown":
                return data | {"status": "pondering"}
            case "queued":
                return data | {"status": "starting"}
            case "running":
                return data | {"status": "processing"}
            case _:
                return data | {"status": state}

    def _refused(self, refusal: Refusal) -> web.Response:
        if refusal.delay_s is not None:
            detail = f"Request was throttled. Your rate limit resets in ~{refusal.delay_s}s."
            return self._problem(429, detail)
        return self._problem(refusal.status, MARKER, refusal.headers)

    def _problem(
        self, status: int, detail: str = MARKER, headers: dict[str, str] | None = None
    ) -> web.Response:
        return said({"title": "Problem", "detail": detail, "status": status}, status, headers)


class Bfl:
    """An id and an address to ask at."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    async def order(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/flux-kontext-pro`"""
        stub = self._stub
        if request.headers.get("x-key") != stub.key("bfl"):
            return said({"detail": "Not authenticated - " + MARKER}, 403)
        wanted = await request.json()
        png = checked(base64.b64decode(wanted["input_image"], validate=True))
        if refusal := stub.refusal("bfl", wanted["prompt"]):
            if refusal.kind == "moderated":
                return said({"id": "x", "status": "Request Moderated"})
            headers = dict(refusal.headers)
            if refusal.delay_s is not None:
                headers["Retry-After"] = str(refusal.delay_s)
            return said({"detail": [{"msg": MARKER}]}, refusal.status, headers)
        job = stub.take("bfl", wanted["prompt"], png)
        if job.scenario == "order_cut":
            return await cut(request)
        poll_url = f"{stub.poll_base(job)}/v1/get_result?id={job.id}"
        return said({"id": job.id, "polling_url": poll_url, "cost": 4.0})

    async def poll(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/get_result?id=…`"""
        job = self._stub.jobs[request.query["id"]]
        assert request.headers.get("x-key") == self._stub.key("bfl")
        if trouble := self._stub.trouble(job, "status"):
            if trouble.status == 404:
                return said({"id": job.id, "status": "Task not found"}, 404)
            return trouble
        return said({"id": job.id, **self._state(job, self._stub.poll(job))})

    def _state(self, job: Job, state: str) -> dict[str, Any]:
        match state:
            case "done":
                return {"status": "Ready", "result": {"sample": self._stub.image_url(job)}}
            case "no_image":
                return {"status": "Ready", "result": {}}
            case "job_failed":
                return {"status": "Error", "result": MARKER, "details": {"error": MARKER}}
            case "moderated_output":
                return {"status": "Content Moderated", "result": None}
            case "unknown":
                return {"status": "Pondering", "result": None}
            case _:
                return {"status": "Pending", "result": None, "progress": job.polls / 10}


class Fal:
    """A place in a queue, and a result at an address of its own."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def _allowed(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Key {self._stub.key('fal')}"

    async def order(self, request: web.Request) -> web.StreamResponse:
        """`POST /fal-ai/flux-pro/kontext`"""
        stub = self._stub
        if not self._allowed(request):
            return said({"detail": MARKER}, 401)
        wanted = await request.json()
        png = from_data_url(wanted["image_url"])
        if refusal := stub.refusal("fal", wanted["prompt"]):
            return self._refused(refusal)
        job = stub.take("fal", wanted["prompt"], png)
        if job.scenario == "order_cut":
            return await cut(request)
        # the status lies under the application, not under the model
        at = f"{stub.poll_base(job)}/fal-ai/flux-pro/requests/{job.id}"
        return said(
            {
                "request_id": job.id,
                "status_url": f"{at}/status",
                "response_url": at,
                "cancel_url": f"{at}/cancel",
            }
        )

    async def poll(self, request: web.Request) -> web.StreamResponse:
        """`GET …/requests/{id}/status`"""
        job = self._stub.jobs[request.match_info["id"]]
        assert self._allowed(request)
        if trouble := self._stub.trouble(job, "status"):
            return trouble
        result = f"{self._stub.base}/fal-ai/flux-pro/requests/{job.id}"
        data: dict[str, Any] = {"request_id": job.id, "response_url": result}
        match self._stub.poll(job):
            case "queued":
                return said(data | {"status": "IN_QUEUE", "queue_position": 3 - job.polls}, 202)
            case "running":
                return said(data | {"status": "IN_PROGRESS"}, 202)
            case "unknown":
                return said(data | {"status": "PONDERING"}, 202)
            case "job_failed":
                error = {"error": MARKER, "error_type": "runner_disconnected"}
                return said(data | {"status": "COMPLETED"} | error)
            case _:
                return said(data | {"status": "COMPLETED"})

    async def result(self, request: web.Request) -> web.StreamResponse:
        """`GET …/requests/{id}`"""
        job = self._stub.jobs[request.match_info["id"]]
        assert self._allowed(request)
        if job.canceled:
            return said({"detail": MARKER}, 400)
        headers = {"x-fal-billable-units": "1.5"}
        if job.scenario == "no_image":
            return said({"images": [], "prompt": MARKER}, headers=headers)
        image = {"url": self._stub.image_url(job), "content_type": "image/png"}
        flags = [job.scenario == "moderated_output"]
        return said({"images": [image], "has_nsfw_concepts": flags}, headers=headers)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """`PUT …/requests/{id}/cancel`"""
        assert self._allowed(request)
        self._stub.jobs[request.match_info["id"]].canceled = True
        return said({"status": "CANCELLATION_REQUESTED"}, 202)

    def _refused(self, refusal: Refusal) -> web.Response:
        headers = dict(refusal.headers)
        if refusal.delay_s is not None:
            headers["Retry-After"] = str(refusal.delay_s)
        if refusal.kind == "moderated":
            detail: Any = [{"loc": ["body"], "type": "content_policy_violation", "msg": MARKER}]
            return said({"detail": detail}, 422)
        if refusal.kind == "no_credit":
            return said({"detail": f"User is locked. {MARKER}"}, 403)
        return said({"detail": MARKER, "error_type": "some_error"}, refusal.status, headers)

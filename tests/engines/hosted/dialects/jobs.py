"""The providers that make a job of an order."""

from __future__ import annotations

import base64
from typing import Any

from aiohttp import web

from tests.engines.hosted.dialects.wire import checked, from_data_url, json_in, said
from tests.engines.hosted.scenarios import MARKER
from tests.engines.hosted.stub import Job, Refusal, Stub, cut


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
        wanted = (await json_in(request))["input"]
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
        if trouble := await self._stub.trouble(job, request):
            return trouble
        return said(self._prediction(job, self._stub.poll(job)))

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/predictions/{id}/cancel`"""
        assert self._allowed(request)
        self._stub.cancel(request.match_info["id"])
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
        wanted = await json_in(request)
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
        if trouble := await self._stub.trouble(job, request):
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
        wanted = await json_in(request)
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
        if trouble := await self._stub.trouble(job, request):
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
        self._stub.cancel(request.match_info["id"])
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

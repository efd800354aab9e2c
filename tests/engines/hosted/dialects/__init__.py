"""How each provider words an order, a job and a refusal; strict about what it is sent."""

from __future__ import annotations

from aiohttp import web

from tests.engines.hosted.dialects.direct import Gemini, OpenAI
from tests.engines.hosted.dialects.jobs import Bfl, Fal, Replicate
from tests.engines.hosted.stub import Stub


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

"""Views for those who run the service: alive, ready, metrics, description."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r503

from service.api.keys import DATABASE, HEALTH, METRICS
from service.api.present import json_answer
from service.api.schemas import AliveOut, ChecksOut, ReadyOut
from service.api.view import View
from service.health import look_at_backlog


class Alive(View):
    """Liveness."""

    is_open = True

    async def get(self) -> r200[AliveOut]:
        """Tell that the process answers.

        Status Codes:
            200: It does
        """
        return json_answer(AliveOut())


class Ready(View):
    """Readiness."""

    is_open = True

    async def get(self) -> r200[ReadyOut] | r503[ReadyOut]:
        """Tell whether everything that the service needs works now.

        Status Codes:
            200: It does
            503: At least one check is not `ok`, or the process is about to stop
        """
        health = self.request.app[HEALTH]
        checks = await health.look()
        is_ready = all(answer == "ok" for answer in checks.values()) and not health.is_stopping()
        body = ReadyOut(
            status="ok" if is_ready else "unavailable",
            checks=ChecksOut.model_validate(checks),
            engines=health.engine_states(),
        )
        response = json_answer(body, status=200 if is_ready else 503)
        if not is_ready:
            response.headers["Retry-After"] = "5"
        return response


class Exposition(View):
    """Metrics."""

    is_open = True

    async def get(self) -> r200:
        """Show the metrics in Prometheus' text format.

        Status Codes:
            200: Counters, gauges and histograms of this process
        """
        metrics = self.request.app[METRICS]
        metrics.show_backlog(await look_at_backlog(self.request.app[DATABASE]))
        return web.Response(
            body=metrics.text(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )


ROUTES = (
    web.view("/healthz", Alive),
    web.view("/readyz", Ready),
    web.view("/metrics", Exposition),
)

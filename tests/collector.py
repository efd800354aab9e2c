"""A collector of traces that speaks OTLP over HTTP, and what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Kind = Span.SpanKind


@dataclass
class Collector:
    """Keeps every span; `raw` is all that it was sent."""

    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    raw: bytes = b""
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        """What an exporter sends."""
        body = await request.read()
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services.add(text_in(resource.resource.attributes, "service.name"))
            for scope in resource.scope_spans:
                self.spans += scope.spans
        async with self._came:
            self._came.notify_all()
        return web.Response(content_type="application/x-protobuf")

    async def trace_with(self, *names: str) -> dict[str, Span]:
        """The spans of the first trace that has one of each name, by their names."""
        async with asyncio.timeout(60), self._came:
            while True:
                for trace_id in {span.trace_id for span in self.spans}:
                    found = {span.name: span for span in self.spans if span.trace_id == trace_id}
                    if found.keys() >= set(names):
                        return found
                await self._came.wait()


@asynccontextmanager
async def running_collector() -> AsyncIterator[tuple[Collector, dict[str, str]]]:
    """A collector, and the variables that send spans to it without delay."""
    collector = Collector()
    app = web.Application(client_max_size=10**8)
    app.router.add_post("/v1/traces", collector.take)
    async with TestServer(app, host="127.0.0.1") as server:
        yield (
            collector,
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": str(server.make_url("/")).rstrip("/"),
                "OTEL_BSP_SCHEDULE_DELAY": "20",
            },
        )


def about(span: Span) -> dict[str, str | int]:
    """A span's attributes."""
    values = {pair.key: pair.value for pair in span.attributes}
    return {
        key: value.string_value if value.HasField("string_value") else value.int_value
        for key, value in values.items()
    }


def text_in(attributes: Iterable[KeyValue], key: str) -> str:
    """One attribute of a resource."""
    return next((pair.value.string_value for pair in attributes if pair.key == key), "")

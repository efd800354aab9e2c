"""Make OpenTelemetry spans of what is followed, and send them to the collector.

Names and attributes are those of OpenTelemetry's semantic conventions.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars

from service.tracing import TRACEPARENT, Attributes

STOP_S = 5.0


class Spans:
    """Follows everything, as far as the sampler wants it (`OTEL_TRACES_SAMPLER`)."""

    def __init__(self, provider: TracerProvider, queue_url: str) -> None:
        self._tracer = provider.get_tracer("concept-refiner")
        self._propagator = TraceContextTextMapPropagator()
        self._queue = _queue_attributes(queue_url)

    def serving(
        self, method: str, route: str | None, headers: Mapping[str, str], about: Attributes
    ) -> AbstractContextManager[None]:
        """A request that is being answered; it joins the trace that its headers name."""
        given = {
            name: headers[name] for name in self._propagator.fields if headers.get(name) is not None
        }
        name = f"{method} {route}" if route else method
        return self._entered(name, SpanKind.SERVER, given, about)

    def publishing(self) -> AbstractContextManager[None]:
        """A message that is given to the queue."""
        name = f"publish {self._queue['messaging.destination.name']}"
        operation = {"messaging.operation.type": "send", "messaging.operation.name": "publish"}
        return self._made(name, SpanKind.PRODUCER, None, {**self._queue, **operation})

    def processing(self, attributes: Mapping[str, str]) -> AbstractContextManager[None]:
        """A message that is being worked off; it joins the trace that its attributes name."""
        name = f"process {self._queue['messaging.destination.name']}"
        operation = {"messaging.operation.type": "process", "messaging.operation.name": "process"}
        said = {**self._queue, **operation}
        return self._entered(name, SpanKind.CONSUMER, attributes, said)

    def span(self, name: str) -> AbstractContextManager[None]:
        """A part of what is being done."""
        return self._made(name, SpanKind.INTERNAL, None, {})

    def note(self, about: Attributes) -> None:
        """Say something about what is being done."""
        get_current_span().set_attributes(about)

    def fail(self, kind: str) -> None:
        """Mark what is being done as failed, with one word for the reason."""
        span = get_current_span()
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR))

    def traceparent(self) -> str | None:
        """What others need to join the trace; None when there is none."""
        # without `tracestate`: it has no bound that every queue carries
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(TRACEPARENT)

    @contextmanager
    def _entered(
        self, name: str, kind: SpanKind, carrier: Mapping[str, str], attributes: Attributes
    ) -> Iterator[None]:
        """A span where a trace enters this process; log lines inside it carry its id."""
        joined = self._propagator.extract(carrier, Context())
        with self._made(name, kind, joined, attributes):
            trace_id = get_current_span().get_span_context().trace_id
            with bound_contextvars(trace_id=f"{trace_id:032x}"):
                yield

    @contextmanager
    def _made(
        self, name: str, kind: SpanKind, parent: Context | None, attributes: Attributes
    ) -> Iterator[None]:
        # an exception's text may quote what a person wrote, so only its name is told
        with self._tracer.start_as_current_span(
            name,
            parent,
            kind,
            attributes,
            record_exception=False,
            set_status_on_exception=False,
        ):
            try:
                yield
            except Exception as error:
                self.fail(type(error).__name__)
                raise


def start_exporting(service_name: str) -> TracerProvider:
    """Send what is made to the collector, as the variables of OpenTelemetry say."""
    named = Resource({"service.name": service_name}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=Resource.create().merge(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


async def stop_exporting(provider: TracerProvider) -> None:
    """Send what is left, unless the collector takes more than 5 s for it."""
    # a thread that nobody waits for at exit: the exporter may go on trying for half a minute
    stopping = threading.Thread(target=provider.shutdown, daemon=True)
    stopping.start()
    await asyncio.to_thread(stopping.join, STOP_S)


def _queue_attributes(queue_url: str) -> dict[str, str]:
    if not queue_url.startswith("pubsub://"):
        return {"messaging.system": "memory", "messaging.destination.name": "tasks"}
    _project, topic, _subscription = queue_url.removeprefix("pubsub://").split("/")
    return {"messaging.system": "gcp_pubsub", "messaging.destination.name": topic}

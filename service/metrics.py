"""What an operator watches, in Prometheus' terms; no label names a user or a task."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from storage.backlog import Backlog

TRY_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 150, 300)
REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LAG_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
STORE_BUCKETS_S = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30)


class Metrics:
    """One registry a process, made where the process is put together."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Histogram(
            "http_request_seconds",
            "Time to answer",
            ("method", "route", "status"),
            buckets=REQUEST_BUCKETS_S,
            registry=registry,
        )
        self._observers: dict[tuple[str, str, int], Callable[[float], None]] = {}
        self.followers = Gauge(
            "live_followers", "Streams and long polls that wait", registry=registry
        )
        self.loop_lag = Histogram(
            "event_loop_lag_seconds",
            "How late the event loop comes to what is due",
            buckets=LAG_BUCKETS_S,
            registry=registry,
        )
        self.connections = Gauge(
            "database_connections_in_use", "Pool connections at work", registry=registry
        )
        self.connections_most = Gauge(
            "database_connections_max", "Pool connections that there can be", registry=registry
        )
        self.image_store = Histogram(
            "image_store_seconds",
            "Time of one operation on the image store",
            ("operation",),
            buckets=STORE_BUCKETS_S,
            registry=registry,
        )
        self._add_tasks(registry)
        self._add_backlog(registry)

    def _add_tasks(self, registry: CollectorRegistry) -> None:
        self.accepted = Counter(
            "refinements", "Answers to refinement requests", ("outcome",), registry=registry
        )
        self._attempts = Counter(
            "task_attempts", "Attempts by how they ended", ("outcome",), registry=registry
        )
        self._attempt_seconds = Histogram(
            "task_attempt_seconds", "Time of one attempt", buckets=TRY_BUCKETS_S, registry=registry
        )
        self._ended = Counter(
            "tasks_ended",
            "Tasks by how they ended: completed, or why not",
            ("outcome",),
            registry=registry,
        )
        self._refunds = Counter("task_refunds", "Charges that were given back", registry=registry)
        self.rescued = Counter(
            "task_leases_rescued", "Tasks taken from dead workers", registry=registry
        )
        self.deliveries = Counter(
            "webhook_attempts",
            "Attempts to deliver by what came of them",
            ("outcome",),
            registry=registry,
        )

    def _add_backlog(self, registry: CollectorRegistry) -> None:
        self._waiting = Gauge("tasks_waiting", "Tasks that wait for a worker", registry=registry)
        self._queue_age = Gauge(
            "task_queue_age_seconds",
            "For how long the first of them could have run",
            registry=registry,
        )
        self._running = Gauge("tasks_running", "Tasks that a worker has", registry=registry)
        self._owed = Gauge(
            "webhook_deliveries_due",
            "Deliveries that are due and not under way",
            registry=registry,
        )
        self._owed_age = Gauge(
            "webhook_delivery_age_seconds",
            "For how long the first of them has been due",
            registry=registry,
        )

    def request_answered(self, method: str, route: str, status: int, took_s: float) -> None:
        """Observe the time of one request. Each combination is looked up once."""
        observe = self._observers.get((method, route, status))
        if observe is None:
            observe = self._requests.labels(method, route, status).observe
            self._observers[method, route, status] = observe
        observe(took_s)

    def attempt_ended(self, outcome: str, took_s: float) -> None:
        """Count one attempt of a task, and the end of the task if it was that."""
        self._attempts.labels(outcome).inc()
        self._attempt_seconds.observe(took_s)
        if outcome == "completed":
            self.task_ended(outcome, refunded=False)
        elif outcome.startswith("failed_"):
            self.task_ended(outcome.removeprefix("failed_"), refunded=True)

    def task_ended(self, outcome: str, *, refunded: bool) -> None:
        """Count the end of a task: `completed` or its error code."""
        self._ended.labels(outcome).inc()
        if refunded:
            self._refunds.inc()

    def show_backlog(self, backlog: Backlog | None) -> None:
        """Show what waits; None, when that is not known, as not a number."""
        unknown = float("nan")
        self._waiting.set(backlog.waiting if backlog else unknown)
        self._queue_age.set(backlog.queue_age_s if backlog else unknown)
        self._running.set(backlog.running if backlog else unknown)
        self._owed.set(backlog.deliveries_due if backlog else unknown)
        self._owed_age.set(backlog.delivery_age_s if backlog else unknown)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)

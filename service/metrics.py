"""What an operator watches, in Prometheus' terms."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

TRY_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 150, 300)
REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry a process, made where the process is put together."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "http_request_seconds",
            "Time to answer",
            ("method", "route", "status"),
            buckets=REQUEST_BUCKETS_S,
            registry=self.registry,
        )
        self.accepted = Counter(
            "refinements", "Answers to refinement requests", ("outcome",), registry=self.registry
        )
        self.ended = Counter(
            "task_attempts", "Attempts by how they ended", ("outcome",), registry=self.registry
        )
        self.attempt_seconds = Histogram(
            "task_attempt_seconds",
            "Time of one attempt",
            buckets=TRY_BUCKETS_S,
            registry=self.registry,
        )
        self.rescued = Counter(
            "task_leases_rescued", "Tasks taken from dead workers", registry=self.registry
        )
        self.deliveries = Counter(
            "webhook_attempts",
            "Attempts to deliver by what came of them",
            ("outcome",),
            registry=self.registry,
        )
        self.connections = Gauge(
            "database_connections_in_use", "Pool connections at work", registry=self.registry
        )
        self.followers = Gauge(
            "live_followers", "Streams and long polls that wait", registry=self.registry
        )

    def attempt_ended(self, outcome: str, took_s: float) -> None:
        """Count one attempt of a task."""
        self.ended.labels(outcome).inc()
        self.attempt_seconds.observe(took_s)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)

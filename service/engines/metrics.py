"""What an operator watches of the engines, in Prometheus' terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS_BUCKETS = (0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)


class EngineMetrics:
    """Counters by engine, as it is named in `ENGINE`; made once a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "engine_refinements",
            "Refinements by engine and how they ended: `image`, or a task error code",
            ("engine", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "engine_seconds",
            "Time of one refinement by one engine",
            ("engine",),
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._usage = Counter(
            "engine_usage",
            "What providers say they have counted or charged, in their own units",
            ("engine", "unit"),
            registry=registry,
        )
        self._circuit = Gauge(
            "engine_circuit_state",
            "0 the engine is used, 1 it is tried with one refinement, 2 it is left alone",
            ("engine",),
            registry=registry,
        )

    def ended(self, engine: str, outcome: str, seconds: float) -> None:
        """Count a refinement that came to an end."""
        self._ended.labels(engine, outcome).inc()
        self._seconds.labels(engine).observe(seconds)

    def used(self, engine: str, usage: Mapping[str, float]) -> None:
        """Count what a provider reported."""
        for unit, amount in usage.items():
            self._usage.labels(engine, unit).inc(amount)

    def watch_circuit(self, engine: str, level: Callable[[], float]) -> None:
        """Ask `level` for the state at every scrape."""
        self._circuit.labels(engine).set_function(level)

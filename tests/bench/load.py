"""A load of ready-made HTTP requests over a few connections, cheap beside what it measures."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass
class Outcome:
    """What came back. Latencies in seconds."""

    took_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies_s) / self.took_s

    @property
    def p50_ms(self) -> float:
        """The median latency."""
        return median(self.latencies_s) * 1000

    @property
    def p99_ms(self) -> float:
        """The latency that one in a hundred exceeds."""
        return quantiles(self.latencies_s, n=100)[98] * 1000


def request_bytes(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    """One HTTP/1.1 request as it goes over the wire."""
    given = {"Host": "bench", "Content-Length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def send(port: int, requests: list[bytes], *, connections: int) -> Outcome:
    """Send each request once, as fast as the connections answer."""
    outcome = Outcome()
    left = iter(requests)
    begin_s = time.perf_counter()
    await asyncio.gather(*(_work_off(port, left, outcome) for _ in range(connections)))
    outcome.took_s = time.perf_counter() - begin_s
    return outcome


async def _work_off(port: int, left: Iterator[bytes], outcome: Outcome) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for request in left:
            begin_s = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            outcome.latencies_s.append(time.perf_counter() - begin_s)
            outcome.statuses[int(head[9:12])] += 1
    finally:
        writer.close()
        await writer.wait_closed()

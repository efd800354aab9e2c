"""Keep with the task what a provider has been paid for, so that it is paid once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from service.engines.contract import Attempt
from service.engines.hosted.answers import dig, number
from service.engines.hosted.outcomes import Job


class Notes:
    """The task's note, `{"engine", "job", "usage"}`, as one engine reads and writes it.

    `usage` has an entry an order, over all engines and attempts; its numbers are the provider's.
    """

    def __init__(self, attempt: Attempt, engine: str) -> None:
        self._attempt = attempt
        self._engine = engine
        kept = attempt.resume or {}
        entries = kept.get("usage")
        self._usage: list[dict[str, Any]] = list(entries) if isinstance(entries, list) else []
        self.job = _job_in(kept.get("job")) if kept.get("engine") == engine else None
        self._counted = self._counted_for(self.job) if self.job else {}

    async def hold(self, job: Job | None) -> None:
        """Keep the id of paid work before anything is waited for; None forgets it."""
        if job == self.job:
            return
        self.job = job
        await self._write()

    async def count(self, usage: Mapping[str, float]) -> Mapping[str, float]:
        """Keep what was counted or charged; what of it is new."""
        new = {unit: amount for unit, amount in usage.items() if unit not in self._counted}
        if new:
            if self._counted:
                self._usage.pop()
            self._counted.update(new)
            job_id = self.job.id if self.job else None
            self._usage.append({"engine": self._engine, "job": job_id, **self._counted})
            await self._write()
        return new

    def _counted_for(self, job: Job) -> dict[str, float]:
        """What an earlier attempt has counted of the same job."""
        match self._usage:
            case [*_, {"engine": self._engine, "job": job.id, **amounts}]:
                return {
                    unit: amount for unit, amount in amounts.items() if number(amount) is not None
                }
            case _:
                return {}

    async def _write(self) -> None:
        job = asdict(self.job) if self.job else None
        await self._attempt.keep({"engine": self._engine, "job": job, "usage": self._usage})


def _job_in(kept: Any) -> Job | None:
    match dig(kept, "id"), dig(kept, "poll_url"), dig(kept, "cancel_url"):
        case str(id_), str(poll_url), str() | None as cancel_url:
            return Job(id_, poll_url, cancel_url)
        case _:
            return None

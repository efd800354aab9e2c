"""What can happen at a provider, and how each must end for the task."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKER = "PROVIDER-MARKER"
DIRECT = ("openai", "gemini", "vertex")
JOBS = ("replicate", "bfl", "fal")
PROVIDERS = DIRECT + JOBS
CANCELS = ("replicate", "fal")


@dataclass(frozen=True)
class Ending:
    """How a task of at most two attempts ends: with an `image`, or with a task error code. `asked`
    counts how often the order was sent, `paid` how often the provider took it."""

    code: str = "image"
    attempts: int = 1
    asked: int = 1
    paid: int = 1


FAILED = Ending("engine_failed")

EVERYWHERE: dict[str, Ending] = {
    "ok": Ending(),
    "other_size": Ending(),
    "opaque": Ending(),
    "odd_type": Ending(),
    "moderated_input": Ending("content_rejected", paid=0),
    "moderated_output": Ending("content_rejected"),
    "no_image": FAILED,
    "not_an_image": FAILED,
    "bomb": FAILED,
    "endless": FAILED,
    "unchanged": Ending("nothing_to_apply"),
    "invalid": Ending("engine_failed", paid=0),
    "busy_seconds": Ending(asked=2),
    "busy_fraction": Ending(asked=2),
    "busy_milliseconds": Ending(asked=2),
    "busy_date": Ending(asked=2),
    "busy_body": Ending(asked=2),
    "busy_for_long": Ending("engine_unavailable", attempts=2, asked=2, paid=0),
    "always_busy": Ending("engine_unavailable", attempts=2, asked=6, paid=0),
    "no_credit": Ending("engine_unavailable", paid=0),
    "denied": Ending("engine_unavailable", paid=0),
    "recovers": Ending(asked=3),
    "order_cut": Ending("engine_unavailable"),
    "never": Ending("timed_out"),
}
ONLY_DIRECT: dict[str, Ending] = {
    # their own clients give the order again, and what failed is not charged
    "server_fault": Ending("engine_unavailable", attempts=2, asked=6, paid=0),
}
ONLY_JOBS: dict[str, Ending] = {
    # it may have been carried out
    "server_fault": Ending("engine_unavailable", paid=0),
    "slow": Ending(),
    "unknown_status": Ending(),
    "poll_recovers": Ending(),
    "poll_cut": Ending(),
    # the second attempt goes on with the job of the first
    "away": Ending(attempts=2),
    "image_recovers": Ending(),
    "image_cut": Ending(),
    "job_failed": FAILED,
    "vanished": FAILED,
    "gone": FAILED,
    "foreign_poll": FAILED,
    "foreign_image": FAILED,
    "inside_image": FAILED,
    "poll_down": Ending("engine_unavailable", attempts=2),
}


def endings(provider: str) -> dict[str, Ending]:
    """Every scenario that there is at the provider."""
    return EVERYWHERE | (ONLY_DIRECT if provider in DIRECT else ONLY_JOBS)


def engine_of(provider: str) -> str:
    """The name in `ENGINE`: Vertex AI is another way to the same models."""
    return "gemini" if provider == "vertex" else provider


def told(scenario: str) -> str:
    """A prompt that makes the stub play the scenario."""
    return f"Make it blue <{scenario}>"


def scenario_in(prompt: str) -> str:
    """The scenario that a prompt asks the stub for."""
    found = re.search(r"<(\w+)>", prompt)
    return found[1] if found else "ok"

"""Make engines from settings, and run one attempt on them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from service.engines.circuit import Circuit
from service.engines.contract import Attempt, EngineError, Instruction, Refined
from service.engines.failover import Failover
from service.engines.hosted.http import Pace
from service.engines.metrics import EngineMetrics
from service.engines.select import make_engines
from service.sandbox import Sandbox
from service.settings import Settings
from tests.engines.hosted.pictures import a_logo
from tests.engines.hosted.scenarios import MARKER, told
from tests.engines.hosted.stub import Stub

BRISK = Pace(
    retry_first_s=0.01,
    retry_most_s=0.05,
    longest_wait_s=1.0,
    poll_first_s=0.01,
    poll_most_s=0.02,
)


def environment_for(stub: Stub, engine: str) -> dict[str, str]:
    """What an operator would set to use the stub instead of the providers."""
    return {
        "ENGINE": engine,
        "OPENAI_API_KEY": stub.key("openai"),
        "OPENAI_BASE_URL": f"{stub.base}/v1",
        "GEMINI_API_KEY": stub.key("gemini"),
        "GOOGLE_GEMINI_BASE_URL": stub.base,
        "REPLICATE_API_TOKEN": stub.key("replicate"),
        "REPLICATE_BASE_URL": stub.base,
        "BFL_API_KEY": stub.key("bfl"),
        "BFL_BASE_URL": stub.base,
        "FAL_KEY": stub.key("fal"),
        "FAL_QUEUE_RUN_HOST": stub.base,
    }


def settings_for(stub: Stub, engine: str, **overrides: Any) -> Settings:
    """The same as settings; `overrides` are named in lower case."""
    wishes = {name.lower(): value for name, value in environment_for(stub, engine).items()}
    return Settings(**{**wishes, **overrides})


@dataclass
class Tried:
    """What an attempt kept and told, beside its end."""

    notes: list[Mapping[str, Any]] = field(default_factory=list)
    told: list[tuple[float, str]] = field(default_factory=list)
    wanted: bool = False

    def attempt(self, resume: Mapping[str, Any] | None = None) -> Attempt:
        """The attempt that writes here."""

        async def keep(note: Mapping[str, Any]) -> None:
            self.notes.append(dict(note))

        async def wanted() -> bool:
            return self.wanted

        return Attempt(lambda share, stage: self.told.append((share, stage)), resume, keep, wanted)


@dataclass
class Bench:
    """Makes engines on the stub."""

    stub: Stub
    sandbox: Sandbox
    closing: AsyncExitStack

    def engines(self, names: str, **overrides: Any) -> Failover:
        """The engines of `ENGINE=names`."""
        metrics = EngineMetrics(overrides.pop("registry", None) or CollectorRegistry())
        circuit = overrides.pop("circuit", Circuit)
        settings = settings_for(self.stub, names, **overrides)
        engines = make_engines(settings, self.sandbox, metrics, pace=BRISK, circuit=circuit)
        self.closing.push_async_callback(engines.close)
        return engines


@asynccontextmanager
async def open_bench(stub: Stub, sandbox: Sandbox) -> AsyncIterator[Bench]:
    """A bench whose engines are closed by leaving."""
    async with AsyncExitStack() as closing:
        yield Bench(stub, sandbox, closing)


def at_info(lines: Iterable[Any]) -> str:
    """What captured log lines say to an operator who has not asked for more."""
    return json.dumps([line for line in lines if line["log_level"] != "debug"], default=str)


def assert_tells_nothing_of(stub: Stub, text: str) -> None:
    """Neither the stub's words, which are in all that it says and in its keys, nor where it is."""
    ports = [base.rpartition(":")[2] for base in (stub.base, stub.other)]
    assert MARKER not in text
    # the digits of a port may well be in a time
    assert not [port for port in ports if re.search(rf"\w:{port}\b", text)]


async def outcome_of(
    engines: Failover,
    scenario: str,
    attempt: Attempt | None = None,
    source: bytes | None = None,
    **wishes: Any,
) -> Refined | EngineError:
    """How a refinement in that scenario ends."""
    try:
        return await engines.refine(
            a_logo() if source is None else source,
            Instruction(told(scenario), **wishes),
            attempt or Attempt(),
        )
    except EngineError as error:
        return error

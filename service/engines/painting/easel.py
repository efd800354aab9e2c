"""Hand pictures to a model and take its answers back, with the pixels done in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.engines.contract import (
    EngineFailed,
    EngineUnavailable,
    Instruction,
    NothingToApply,
    Refined,
    SourceInvalid,
)
from service.engines.painting.canvas import Prepared, finish, prepare
from service.engines.painting.frame import Size
from service.engines.painting.report import painted_report
from service.sandbox import Sandbox, SandboxClosed, SandboxCrashed, SandboxTimedOut

# 25 megapixels take about 9 s on a busy machine
DEADLINE_S = 30.0


class Easel:
    """The two ends of every painted refinement. The sandbox stays its owner's."""

    def __init__(self, sandbox: Sandbox, canvases: Sequence[Size], *, keeps_alpha: bool) -> None:
        self._sandbox = sandbox
        self._canvases = tuple(canvases)
        self._keeps_alpha = keeps_alpha

    async def prepare(self, source: bytes) -> Prepared:
        """What to send. Raises `SourceInvalid`, `SourceTooLarge`, `EngineUnavailable`."""
        try:
            return await self._run(prepare, source, self._canvases, self._keeps_alpha)
        except (SandboxTimedOut, SandboxCrashed):
            raise SourceInvalid(SourceInvalid.__doc__) from None

    async def finish(
        self, engine: str, instruction: Instruction, source: bytes, prepared: Prepared, drawn: bytes
    ) -> Refined:
        """The new picture and its report. Raises `EngineFailed` when what was drawn is no image,
        `NothingToApply` when it is the old one."""
        try:
            finished = await self._run(finish, source, drawn, prepared)
        except (SandboxTimedOut, SandboxCrashed):
            raise EngineFailed(EngineFailed.__doc__) from None
        report = painted_report(engine, instruction, finished)
        if report["outcome"] == "none":
            raise NothingToApply(report)
        return Refined(
            finished.image, finished.content_type, finished.width, finished.height, report
        )

    async def _run[*Ts, T](self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        try:
            return await self._sandbox.run(function, *args, deadline_s=DEADLINE_S)
        except SandboxClosed:
            raise EngineUnavailable from None

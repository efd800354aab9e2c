"""Have a model on this machine's own GPU redraw a picture."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from functools import partial

import structlog

from service.engines.contract import (
    Attempt,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineTimedOut,
    Instruction,
    Refined,
)
from service.engines.diffusion.families import FAMILIES, Family
from service.engines.diffusion.pipeline import Pipeline
from service.engines.painting.easel import Easel
from service.engines.painting.instruction import compose, template_for
from service.sandbox import Sandbox

log = structlog.get_logger()

ENGINE = "diffusers"


class DiffusionEngine:
    """An `Engine` that loads its model at the first refinement and draws one picture at a time.

    `device` is torch's name of one; without it a GPU is taken if there is any.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        model: str,
        device: str | None,
        *,
        deadline_s: float,
        families: Mapping[str, Family] = FAMILIES,
    ) -> None:
        self._sandbox = sandbox
        self._model = model
        self._device = device
        self._deadline_s = deadline_s
        self._families = families
        self._template = template_for(ENGINE)
        self._turn = asyncio.Lock()
        self._loading: asyncio.Task[Pipeline] | None = None

    @property
    def name(self) -> str:
        """Engine and model as reports state them."""
        return f"{ENGINE}/{self._model.rstrip('/').rpartition('/')[2]}"

    async def refine(self, source: bytes, instruction: Instruction, attempt: Attempt) -> Refined:
        """The redrawn image; the deadline counts from when it is its turn."""
        attempt.progress(0.02, "Waiting for the image model")
        async with self._turn:
            pipeline = await self._loaded()
            try:
                async with asyncio.timeout(self._deadline_s):
                    return await self._refine(pipeline, source, instruction, attempt)
            except TimeoutError:
                raise EngineTimedOut(EngineTimedOut.__doc__) from None

    async def close(self) -> None:
        """Let the model go; safe to call twice."""
        loading, self._loading = self._loading, None
        if loading is not None:
            await asyncio.wait({loading})

    async def _refine(
        self, pipeline: Pipeline, source: bytes, instruction: Instruction, attempt: Attempt
    ) -> Refined:
        easel = Easel(self._sandbox, pipeline.family.canvases, keeps_alpha=False)
        prepared = await easel.prepare(source)
        backdrop = prepared.backdrop.code if prepared.backdrop else None
        prompt = compose(self._template, instruction, backdrop)
        drawn = await _drawn(pipeline, prepared.png, prompt, attempt)
        attempt.progress(0.92, "Checking the result")
        return await easel.finish(self.name, instruction, source, prepared, drawn)

    async def _loaded(self) -> Pipeline:
        """The model, loaded once. A load that failed is tried again by the next refinement."""
        if self._loading is None:
            self._loading = asyncio.create_task(
                asyncio.to_thread(Pipeline.load, self._model, self._device, self._families)
            )
        try:
            return await asyncio.shield(self._loading)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._loading = None
            log.exception("model_not_loaded")
            raise EngineRefused(EngineRefused.__doc__) from error


async def _drawn(pipeline: Pipeline, png: bytes, prompt: str, attempt: Attempt) -> bytes:
    """What the model drew. Cancelled, it comes back when the running step has ended."""
    loop = asyncio.get_running_loop()
    stop = threading.Event()

    def tell(fraction: float) -> None:
        tell_here = partial(attempt.progress, 0.05 + 0.85 * fraction, "The image model is drawing")
        loop.call_soon_threadsafe(tell_here)

    work = asyncio.create_task(asyncio.to_thread(pipeline.run, png, prompt, tell, stop))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(work, return_exceptions=True)
        raise
    except EngineError:
        raise
    except Exception as error:
        log.exception("model_failed")
        raise EngineFailed(EngineFailed.__doc__) from error

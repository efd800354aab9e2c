"""Load an editing pipeline of diffusers and run it once at a time; everything here blocks.

diffusers and torch are an extra and are imported when a model is loaded.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from PIL import Image

from service.engines.contract import ContentRejected
from service.engines.diffusion.families import FAMILIES, Family


class Stopped(Exception):
    """The work was no longer wanted."""


class UnknownPipeline(Exception):
    """The model is none that edits pictures by instruction."""


class Pipeline:
    """A loaded model. `run` is for one thread at a time."""

    def __init__(self, pipeline: Any, family: Family) -> None:
        self._pipeline = pipeline
        self.family = family

    @classmethod
    def load(
        cls, model: str, device: str | None, families: Mapping[str, Family] = FAMILIES
    ) -> Pipeline:
        """The model of that id or folder, on the device given or the best there is.

        Raises `UnknownPipeline`, and whatever the libraries raise.
        """
        torch, diffusers = import_module("torch"), import_module("diffusers")
        # its warnings quote the part of the prompt that was too long
        diffusers.utils.logging.set_verbosity_error()
        on_gpu = torch.cuda.is_available()
        place = device or ("cuda" if on_gpu else "cpu")
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            model, dtype=torch.float32 if place == "cpu" else torch.bfloat16
        )
        family = families.get(type(pipeline).__name__)
        if family is None:
            raise UnknownPipeline(UnknownPipeline.__doc__)
        pipeline.set_progress_bar_config(disable=True)
        return cls(pipeline.to(place), family)

    def run(
        self, png: bytes, prompt: str, tell: Callable[[float], None], stop: threading.Event
    ) -> bytes:
        """A PNG of what the model drew; the same for the same input on the same machine.

        `tell` is called with 0–1 after each step. Raises `Stopped` at the first step after `stop`
        was set, and `ContentRejected`.
        """
        steps = self.family.steps
        image = Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGB")

        def on_step(_pipe: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            # `_interrupt` would be the gentle way, but not every pipeline looks at it
            if stop.is_set():
                raise Stopped(Stopped.__doc__)
            tell(min(1.0, (step + 1) / steps))
            return tensors

        try:
            result = self._pipeline(
                image=image,
                prompt=prompt,
                num_inference_steps=steps,
                generator=_generator(png, prompt),
                callback_on_step_end=on_step,
                **self.family.size_of(image.width, image.height),
                **self.family.arguments,
            )
        finally:
            self._pipeline.maybe_free_model_hooks()
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            raise ContentRejected(ContentRejected.__doc__)
        drawn = io.BytesIO()
        result.images[0].save(drawn, "PNG")
        return drawn.getvalue()


def _generator(png: bytes, prompt: str) -> Any:
    seed = hashlib.sha256(png + prompt.encode()).digest()[:4]
    generator = import_module("torch").Generator("cpu")
    return generator.manual_seed(int.from_bytes(seed))

"""What each kind of editing pipeline wants to be called with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.engines.hosted.kontext import CANVASES as KONTEXT_CANVASES
from service.engines.painting.frame import Size


@dataclass(frozen=True, slots=True)
class Family:
    """The sizes that a pipeline draws well, its steps, and what else it is called with.

    `size_names` are its arguments, of `width`, `height` and `max_area`, that tell it the size.
    """

    canvases: tuple[Size, ...]
    steps: int
    arguments: Mapping[str, Any]
    size_names: tuple[str, ...] = ("width", "height")

    def size_of(self, width: int, height: int) -> dict[str, int]:
        """The arguments for a picture of that size."""
        size = {"width": width, "height": height, "max_area": width * height}
        return {name: size[name] for name in self.size_names}


_QWEN_CANVASES = tuple(
    Size(width, height)
    for width, height in (
        (1328, 1328),
        (1664, 928),
        (928, 1664),
        (1472, 1104),
        (1104, 1472),
        (1584, 1056),
        (1056, 1584),
    )
)
# guidance counts only where there is a negative prompt, be it an empty one
_QWEN = Family(_QWEN_CANVASES, 40, {"negative_prompt": " ", "true_cfg_scale": 4.0})

# https://huggingface.co/docs/diffusers/api/pipelines/overview, by the name of the class
FAMILIES: Mapping[str, Family] = {
    # it changes the size to one of its own unless it is told not to, and shrinks it to the area
    "FluxKontextPipeline": Family(
        KONTEXT_CANVASES,
        28,
        {"guidance_scale": 3.5, "_auto_resize": False},
        ("width", "height", "max_area"),
    ),
    "QwenImageEditPipeline": _QWEN,
    "QwenImageEditPlusPipeline": _QWEN,
    "StableDiffusionInstructPix2PixPipeline": Family(
        (Size(512, 512), Size(768, 512), Size(512, 768)),
        50,
        {"guidance_scale": 7.5, "image_guidance_scale": 1.5},
        (),
    ),
}

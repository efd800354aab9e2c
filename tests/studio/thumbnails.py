"""Shrink the sample logos for the page; `python -m tests.studio.thumbnails` writes them."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from tests.samples.logos import STUDIO as SAMPLES

THUMBNAILS = SAMPLES / "thumbnails"
SIZE_PX = 192
COLOURS = 64


def thumbnail(sample: Path) -> bytes:
    """A small PNG with few colours, transparent where the sample is."""
    with Image.open(sample) as image:
        small = image.convert("RGBA").resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS)
    body = io.BytesIO()
    quantized = small.quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
    quantized.save(body, format="PNG", optimize=True)
    return body.getvalue()


def main() -> None:
    """Write a thumbnail of every sample."""
    THUMBNAILS.mkdir(exist_ok=True)
    for sample in sorted(SAMPLES.glob("*.png")):
        (THUMBNAILS / sample.name).write_bytes(thumbnail(sample))


if __name__ == "__main__":
    main()

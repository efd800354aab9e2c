"""Trace the surfaces to an SVG, where the optional tracer is installed."""

from __future__ import annotations

import importlib
import importlib.util
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from service.engines.embedded.canvas import Canvas
from service.engines.embedded.colour import Bytes, hex_of, packed
from service.engines.embedded.ops.base import CannotApply, Done
from service.engines.embedded.ops.edges import resolved
from service.engines.embedded.ops.simplify import flattened_gradients
from service.engines.embedded.plan import Edit
from service.engines.embedded.scene.core import Flags

TRACER = "vtracer"

_FINE_PX = 2048
_STEEP = 1e4
_MOST_BYTES = 2_000_000
_MOST_COLOURS = 64
_ROUNDING_LEVELS = 8
_FILL = re.compile(r'fill="#([0-9A-Fa-f]{6})"')


def vectorize(canvas: Canvas, edit: Edit, chosen: Flags) -> Done:
    """The picture as an SVG of flat shapes with smooth outlines."""
    del edit, chosen
    if importlib.util.find_spec(TRACER) is None:
        raise CannotApply(
            "limit", "This installation makes no SVG files: its optional tracer is not installed."
        )
    every = np.ones(len(canvas.scene.regions), np.bool_)
    flat, graded = flattened_gradients(canvas, every)
    height, width = canvas.image.shape[:2]
    factor = max(1, _FINE_PX // max(height, width))
    svg = _traced(_label_map(flat, factor), width, height)
    if len(svg) > _MOST_BYTES:
        raise CannotApply("limit", "The picture has too many shapes to make a useful SVG of it.")
    measured = {"paths": float(svg.count(b"<path")), "bytes": float(len(svg))}
    notes = ("Gradients became flat colours.",) if graded else ()
    return Done(canvas.vectorized(svg), "Traced the picture to an SVG", measured, notes)


def _label_map(canvas: Canvas, factor: int) -> Bytes:
    """The picture enlarged and without any mixed pixel: the tracer would trace those as well."""
    sharp = resolved(canvas, factor, 0.0, _STEEP)
    colours, counts = np.unique(packed(sharp), return_counts=True)
    main = colours[np.argsort(-counts, kind="stable")[:_MOST_COLOURS]]
    wanted = main.view(np.uint8).reshape(-1, 4).astype(np.int16)
    own = colours.view(np.uint8).reshape(-1, 4).astype(np.int16)
    nearest = np.abs(own[:, None] - wanted[None]).sum(axis=2).argmin(axis=1)
    snapped = main[nearest][np.searchsorted(colours, packed(sharp))]
    return snapped[..., None].view(np.uint8)


def _exact(picture: Bytes) -> Callable[[re.Match[str]], str]:
    """Gives each fill the picture's own colour again: the tracer rounds them."""
    colours, counts = np.unique(packed(picture), return_counts=True)
    own = colours[np.argsort(-counts, kind="stable")].view(np.uint8).reshape(-1, 4)[:, :3]

    def fill(found: re.Match[str]) -> str:
        rounded = np.array(list(bytes.fromhex(found[1])), np.int16)
        away = np.abs(own - rounded).sum(axis=1)
        near = np.flatnonzero(away <= _ROUNDING_LEVELS)
        return f'fill="{hex_of(own[near[0] if near.size else int(away.argmin())])}"'

    return fill


def _traced(picture: Bytes, width: int, height: int) -> bytes:
    body = io.BytesIO()
    Image.fromarray(picture).save(body, "PNG", compress_level=1)
    tracer: Any = importlib.import_module(TRACER)
    svg: str = tracer.convert_raw_image_to_svg(
        body.getvalue(),
        img_format="png",
        mode="spline",
        hierarchical="stacked",
        filter_speckle=4,
        color_precision=8,
        layer_difference=0,
        corner_threshold=60,
        length_threshold=4.0,
        splice_threshold=45,
        path_precision=2,
    )
    svg = _FILL.sub(_exact(picture), svg)
    start = svg.index("<svg")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    box = f'viewBox="0 0 {picture.shape[1]} {picture.shape[0]}">'
    return (head + box + svg[svg.index(">", start) + 1 :]).strip().encode()

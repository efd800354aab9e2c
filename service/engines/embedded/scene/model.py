"""What is known of an image: its surfaces, the mixed pixels between them, and their colours.

The shape of a scene never changes; a `Paint` holds the colours. An edit of colour is a new paint,
and `render` mixes it at the edges exactly as the original was mixed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import Bytes, Floats, Reals, packed
from service.engines.embedded.scene.core import Flags, Indices
from service.engines.embedded.scene.groups import Groups
from service.engines.embedded.scene.lettering import Line
from service.engines.embedded.scene.regions import Paint, Regions, Sample, source_regions
from service.engines.embedded.scene.unmix import Mix

# What two sources do not explain of a pixel belongs to its old colours: it fades as they change.
_RESIDUE_FADES_LEVELS = 64.0


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One analysed image.

    `source` is the image as it came, `original` the same without its noise. `labels` (h, w) is
    the surface that holds most of each pixel. The flags have one entry a surface: `background`
    shows the ground behind the artwork (also through letters), `text` and `tagline` are
    lettering. `heirs` has for each surface the one that closed over its place when it was removed,
    or itself; None while nothing was.
    """

    source: Bytes
    original: Paint
    labels: Indices
    mix: Mix
    sample: Sample
    regions: Regions
    groups: Groups
    noise: int
    lines: tuple[Line, ...]
    background: Flags
    text: Flags
    tagline: Flags
    photographic: bool
    heirs: Indices | None = None

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.labels.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.labels.shape[1])

    def source_region(self) -> Indices:
        """The surface of each source of each mixed pixel, shape (n, 2)."""
        return source_regions(
            self.labels, self.mix, len(self.regions) - self.original.inks.shape[0]
        )

    def coverage(self, chosen: Flags) -> Floats:
        """How much of each pixel the chosen surfaces hold, 0–1: their exact antialiased mask."""
        mask = chosen[self.labels].astype(np.float32)
        part = chosen[self.source_region()] * self.mix.weight
        mask.ravel()[self.mix.place] = part.sum(axis=1)
        return mask

    def core(self, chosen: Flags) -> Flags:
        """The unmixed pixels of the chosen surfaces."""
        mask = chosen[self.labels]
        mask.ravel()[self.mix.place] = False
        return np.asarray(mask)


def render(scene: Scene, paint: Paint) -> Bytes:
    """The image in new colours. Pixels none of whose sources changed stay as they came."""
    image = paint.pixels.copy()
    before = scene.original.pixels.reshape(-1, 4)
    place = scene.mix.place
    image.reshape(-1, 4)[place] = before[place]
    _remix(scene, paint, image.reshape(-1, 4))
    if scene.source is not scene.original.pixels:
        same = packed(image) == packed(scene.original.pixels)
        image[same] = scene.source[same]
    return image


def _remix(scene: Scene, paint: Paint, flat: Bytes) -> None:
    """Mix those pixels anew whose sources have other colours now."""
    old, new = _sources(scene, scene.original), _sources(scene, paint)
    changed = np.flatnonzero((old != new).any(axis=1))
    if changed.size == 0:
        return
    place = scene.mix.place[changed]
    weight = scene.mix.weight[changed][..., None]
    was, now = _unpacked(old[changed]), _unpacked(new[changed])
    shift = (np.abs(now - was) * weight).sum(axis=1).max(axis=1, keepdims=True)
    before = premultiply(scene.original.pixels.reshape(-1, 4)[place])
    residue = before - (was * weight).sum(axis=1)
    fade = np.clip(1 - shift / _RESIDUE_FADES_LEVELS, 0, 1)
    residue[:, :3] *= fade
    residue[:, 3:] *= np.where((was[..., 3] == now[..., 3]).all(axis=1, keepdims=True), 1, fade)
    flat[place] = straighten((now * weight).sum(axis=1) + residue)


def _sources(scene: Scene, paint: Paint) -> NDArray[np.uint32]:
    """The packed colours of the sources of the mixed pixels, shape (n, 2)."""
    source = scene.mix.source
    pixels = packed(paint.pixels).ravel()
    colours = pixels[np.minimum(source, pixels.size - 1)]
    of_ink = source >= pixels.size
    if of_ink.any():
        colours[of_ink] = packed(paint.inks)[source[of_ink] - pixels.size]
    return np.asarray(colours)


def _unpacked(colours: NDArray[np.uint32]) -> Floats:
    return premultiply(colours[..., None].view(np.uint8))


def premultiply(rgba: Bytes) -> Floats:
    """Premultiplied floats in levels of straight 8-bit RGBA, shape (…, 4)."""
    wide = rgba.astype(np.float32)
    wide[..., :3] *= wide[..., 3:] / 255
    return wide


def straighten(premultiplied: Reals) -> Bytes:
    """Straight 8-bit RGBA of premultiplied levels, shape (n, 4); no colour where alpha is 0."""
    alpha = np.clip(premultiplied[:, 3:], 0, 255)
    whole = np.rint(alpha)
    colour = np.divide(
        premultiplied[:, :3] * 255, alpha, out=np.zeros_like(premultiplied[:, :3]), where=whole > 0
    )
    return np.concatenate([np.rint(np.clip(colour, 0, 255)), whole], axis=1).astype(np.uint8)

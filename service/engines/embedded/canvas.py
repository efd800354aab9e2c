"""The image under way through a plan: analysed when first needed, drawn when first looked at."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from service.engines.embedded.colour import Bytes, ColourMap, Floats, mapped, oklab
from service.engines.embedded.scene import analyse
from service.engines.embedded.scene.core import Flags
from service.engines.embedded.scene.model import Scene, render
from service.engines.embedded.scene.regions import Paint, mean_colours


class Canvas:
    """One state of the image. Edits return new ones, so that an edit is undone by forgetting it."""

    def __init__(
        self, image: Bytes, scene: Scene | None = None, paint: Paint | None = None
    ) -> None:
        self._given = image
        self._scene = scene
        self._paint = paint
        self.svg: bytes | None = None

    @cached_property
    def scene(self) -> Scene:
        """What is known of the image's shapes. Its `original` has the colours it was found in."""
        return self._scene or analyse(self._given)

    @property
    def paint(self) -> Paint:
        """The colours as they are now."""
        return self._paint or self.scene.original

    @cached_property
    def image(self) -> Bytes:
        """Straight 8-bit RGBA, shape (h, w, 4)."""
        return self._given if self._paint is None else render(self.scene, self._paint)

    def repainted(self, paint: Paint) -> Canvas:
        """The same shapes in other colours."""
        return Canvas(self._given, self.scene, paint)

    def without(self, paint: Paint, scene: Scene) -> Canvas:
        """Fewer shapes: the same picture in a scene in which others have closed over some."""
        return Canvas(self._given, scene, paint)

    def redrawn(self, image: Bytes) -> Canvas:
        """Another image, whose shapes are found when asked for."""
        return Canvas(image)

    def vectorized(self, svg: bytes) -> Canvas:
        """The same picture, to be handed out as an SVG."""
        canvas = Canvas(self._given, self._scene, self._paint)
        canvas.svg = svg
        return canvas

    @cached_property
    def means(self) -> Floats:
        """The mean straight RGBA of every surface in its present colour, in levels, (n, 4)."""
        return mean_colours(self.scene.sample, self.paint, len(self.scene.regions))

    def colours(self) -> Floats:
        """The mean OKLab of every surface in its present colour, shape (n, 3)."""
        return oklab(np.rint(self.rgb()))

    def rgb(self) -> Floats:
        """The mean straight RGB of every surface in its present colour, shape (n, 3)."""
        return self.means[:, :3]

    def alphas(self) -> Floats:
        """The mean opacity of every surface, 0–1."""
        return self.means[:, 3] / np.float32(255)

    def changed(self, chosen: Flags, change: ColourMap) -> Canvas:
        """The chosen surfaces with every colour put through `change`."""
        pixels = self.paint.pixels.copy()
        inks = self.paint.inks.copy()
        flat = pixels.reshape(-1, 4)
        at = np.flatnonzero(self.scene.core(chosen))
        flat[at, :3] = mapped(flat[at, :3], change)
        ink_chosen = chosen[len(chosen) - inks.shape[0] :]
        inks[ink_chosen, :3] = mapped(inks[ink_chosen, :3], change)
        return self.repainted(Paint(pixels, inks))

    def filled(self, chosen: Flags, rgba: tuple[int, int, int, int]) -> Canvas:
        """The chosen surfaces in one flat colour."""
        return self.painted(chosen, np.tile(np.array(rgba, np.uint8), (len(chosen), 1)))

    def painted(self, chosen: Flags, rgba: Bytes) -> Canvas:
        """Each chosen surface in the flat colour of its row of `rgba`, shape (n, 4)."""
        pixels = self.paint.pixels.copy()
        inks = self.paint.inks.copy()
        at = np.flatnonzero(self.scene.core(chosen))
        pixels.reshape(-1, 4)[at] = rgba[self.scene.labels.ravel()[at]]
        hairlines = slice(len(chosen) - inks.shape[0], None)
        inks[chosen[hairlines]] = rgba[hairlines][chosen[hairlines]]
        return self.repainted(Paint(pixels, inks))

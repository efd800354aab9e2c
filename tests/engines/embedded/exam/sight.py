"""Look at a picture before and after, knowing from which layers it was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from service.engines.embedded.colour import oklab
from tests.engines.embedded.pixels import ground_mask
from tests.samples.layers import Logo

type Picture = NDArray[np.uint8]
type Flags = NDArray[np.bool_]
type Floats = NDArray[np.float32]

GROUND = "ground"
TEXT_ROLES = ("text", "tagline")
_SOLID = 0.98
_FEW_PIXELS = 24
_SAME_COLOUR = 0.05
_FAINT = 0.03
_ALPHA = 8


def lab_of(picture: Picture) -> Floats:
    """OKLab of straight RGBA, (h, w, 3)."""
    return np.asarray(oklab(picture[..., :3]), dtype=np.float32)


def box_of(seen: Flags) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of some pixels; None when there are none."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@dataclass(frozen=True, eq=False)
class Sight:
    """A picture before and after; `logo` is None for a photograph, `noisy` is after JPEG."""

    before: Picture
    after: Picture
    logo: Logo | None
    noisy: bool = False

    @property
    def resized(self) -> bool:
        """Whether the canvas has another size."""
        return self.before.shape != self.after.shape

    @cached_property
    def before_lab(self) -> Floats:
        """OKLab of the picture as it was."""
        return lab_of(self.before)

    @cached_property
    def after_lab(self) -> Floats:
        """OKLab of the picture as it is."""
        return lab_of(self.after)

    @property
    def layers(self) -> list[str]:
        """The names of what was drawn, the ground not among them."""
        return [layer.name for layer in self.logo.layers] if self.logo else []

    @property
    def text_layers(self) -> list[str]:
        """The names of the layers that are lettering."""
        return [x.name for x in self.logo.layers if x.role in TEXT_ROLES] if self.logo else []

    def coverage(self, name: str, without: str | None = None) -> Floats:
        """How much of each pixel shows the named layer, `ground`, `art` or `all`, 0–1."""
        if self.logo is None or name == "all":
            return np.ones(self.before.shape[:2], np.float32)
        logo = self.logo if without is None else self.logo.without(without)
        if name in (GROUND, "art"):
            ground = ground_mask(logo)
            return ground if name == GROUND else 1 - ground
        assert name in self.layers, name
        return logo.visible(name)

    def solid(self, name: str) -> Flags:
        """The pixels that show nothing else; for hairlines those that show most of it."""
        coverage = self.coverage(name)
        if name == GROUND:
            return np.asarray(cv2.erode(coverage, np.ones((5, 5), np.uint8)) > 0.999)
        solid = coverage > _SOLID * float(coverage.max())
        if int(solid.sum()) < _FEW_PIXELS:
            return np.asarray(coverage >= np.sort(coverage, axis=None)[-_FEW_PIXELS])
        return np.asarray(solid)

    def pure(self, name: str) -> Flags:
        """The pixels in which nothing else has any part; for hairlines those of `solid`."""
        pure = self.coverage(name) > 0.999
        return pure if int(pure.sum()) >= _FEW_PIXELS else self.solid(name)

    def inside(self, name: str) -> Flags:
        """The pixels of a layer that are far from its edges."""
        shape = (self.coverage(name) > 0.5).astype(np.uint8)
        depth = cv2.distanceTransform(np.pad(shape, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        return np.asarray(depth >= 0.7 * float(depth.max()))

    def beside(self, name: str) -> Flags:
        """The pixels around a layer that show nothing of it."""
        coverage = self.coverage(name)
        near = cv2.dilate(coverage, np.ones((13, 13), np.uint8)) > 0.1
        return np.asarray(near & (cv2.dilate(coverage, np.ones((3, 3), np.uint8)) < 0.004))


def found(picture: Picture, colours: Sequence[Floats], others: Sequence[Floats]) -> Flags:
    """The pixels of a picture that are nearer to some OKLab colours than to others."""
    lab = lab_of(picture)
    near = _least(lab, colours)
    return np.asarray((near < _SAME_COLOUR) & (near < _least(lab, others)) & _shown(picture))


def _least(lab: Floats, colours: Sequence[Floats]) -> Floats:
    least = np.full(lab.shape[:2], np.inf, np.float32)
    for colour in colours:
        distance = np.sqrt(((lab - colour) ** 2).sum(axis=2))
        least = np.minimum(least, distance).astype(np.float32)
    return least


def _shown(picture: Picture) -> Flags:
    return np.asarray(picture[..., 3] > 127)


def artwork(picture: Picture) -> Flags:
    """What is not the colour of the picture's rim, in any picture."""
    alpha = picture[..., 3]
    rim = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    if np.median(rim) <= _ALPHA:
        return np.asarray(alpha > 64)
    lab = lab_of(picture)
    edge = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    return np.asarray(np.sqrt(((lab - np.median(edge, axis=0)) ** 2).sum(axis=2)) > _FAINT)

"""Measure pictures against the truth of the layers that they were drawn from."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.engines.embedded.apply import perform
from service.engines.embedded.colour import oklab
from service.engines.embedded.outcome import Outcome
from service.engines.embedded.plan import Colour, Constraint, Edit, Op, Part, Plan, Target
from tests.samples import logos, trials
from tests.samples.layers import Logo, Mask

type Picture = NDArray[np.uint8]

SEEN_LEVELS = 3
SAMPLE_PX = 512


@cache
def logo(name: str) -> Logo:
    """A sample (at a little over half its size, for speed) or a trial logo, by name."""
    for sample in logos.SAMPLES:
        if sample.__name__ == name:
            return sample(SAMPLE_PX)
    return next(trial() for trial in trials.TRIALS if trial.__name__ == name)


def colour(name: str, code: str, *, family: bool = True) -> Colour:
    """A colour as language hands it over, by name and `#rrggbb`."""
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return Colour(name, (red, green, blue), family)


def plan(op: Op, target: Target | Part = Part.ARTWORK, *keep: Constraint, **params: object) -> Plan:
    """A plan of one edit."""
    aim = target if isinstance(target, Target) else Target(target)
    return Plan((Edit(op, aim, op.value, **params),), keep)  # type: ignore[arg-type]


def picture_of(outcome: Outcome) -> Picture:
    """The pixels of an outcome as straight RGBA."""
    assert outcome.image is not None, outcome.report["not_applied"]
    return np.asarray(Image.open(io.BytesIO(outcome.image)).convert("RGBA"))


def edited(drawn: Logo, todo: Plan) -> Picture:
    """A logo's picture after a plan."""
    return picture_of(perform(drawn.render(), todo))


def premultiplied(picture: Picture) -> NDArray[np.float64]:
    wide = picture.astype(np.float64)
    wide[..., :3] *= wide[..., 3:] / 255
    return wide


def ground_mask(drawn: Logo) -> Mask:
    """How much of the ground is seen in each pixel."""
    seen = np.ones(drawn.shape, np.float32)
    for layer in drawn.layers:
        seen *= 1 - layer.mask
    return seen


def edge_error(picture: Picture, truth: Logo) -> float:
    """The mean difference, 0–1, from a true render along the edge between artwork and ground."""
    seen = ground_mask(truth)
    band = (seen > 0.004) & (seen < 0.996)
    difference = np.abs(premultiplied(picture) - premultiplied(truth.render())).mean(axis=2)
    return float(difference[band].mean()) / 255


def solid(drawn: Logo, *names: str) -> NDArray[np.bool_]:
    """The pixels that show nothing but the named layers or roles."""
    return np.asarray(drawn.visible(*names) > 0.999)


def mean_lab(picture: Picture, where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The mean OKLab of some pixels."""
    return np.asarray(oklab(picture[where][:, :3]).mean(axis=0))


def changed(before: Picture, after: Picture, where: NDArray[np.bool_]) -> float:
    """The part of some pixels that differ visibly between two pictures."""
    difference = np.abs(before.astype(np.int16) - after.astype(np.int16)).max(axis=2)
    return float((difference[where] > SEEN_LEVELS).mean())


def as_jpeg(picture: Picture, quality: int) -> Picture:
    """The picture after JPEG compression."""
    body = io.BytesIO()
    Image.fromarray(picture[..., :3]).save(body, "JPEG", quality=quality)
    return np.asarray(Image.open(body).convert("RGBA"))

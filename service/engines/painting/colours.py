"""Name the main colours of a picture that a model may have drawn, noise and all."""

from __future__ import annotations

import numpy as np

from service.engines.embedded.colour import Bytes, hex_of, oklab
from service.engines.embedded.palette import cluster

_MOST_COLOURS = 6
_MOST_BINS = 64
_LEAST_SHARE = 0.005
_SAME_COLOUR = 0.06  # in OKLab
_MOST_PIXELS = 262_144
_OPAQUE = 128


def main_colours(image: Bytes) -> list[str]:
    """The main visible colours of straight RGBA (h, w, 4) as `#rrggbb`, largest area first."""
    colours, shares = _bins(image)
    if not shares.size:
        return []
    number_of = cluster(oklab(colours), shares.astype(np.float32), nearest=_SAME_COLOUR)
    largest = [
        colours[number_of == number][np.argmax(shares[number_of == number])]
        for number in range(int(number_of.max()) + 1)
    ]
    return [hex_of(colour) for colour in largest[:_MOST_COLOURS]]


def visible_colours(image: Bytes) -> Bytes:
    """The colours, shape (n, 3), that cover a noticeable part of what can be seen."""
    return _bins(image)[0]


def _bins(image: Bytes) -> tuple[Bytes, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The mean colours of the fullest cells of the colour cube, and their shares of the picture."""
    pixels = image.reshape(-1, 4)
    pixels = pixels[:: max(1, pixels.shape[0] // _MOST_PIXELS)]
    seen = pixels[pixels[:, 3] >= _OPAQUE, :3]
    # cells of 16 levels: wide enough to gather the noise of a lossy file
    cell = (seen >> 4).astype(np.uint16) @ np.array([256, 16, 1], np.uint16)
    count = np.bincount(cell, minlength=4096)
    sums = [np.bincount(cell, weights=seen[:, channel], minlength=4096) for channel in range(3)]
    fullest = np.argsort(-count, kind="stable")[:_MOST_BINS]
    fullest = fullest[count[fullest] >= max(1, _LEAST_SHARE * seen.shape[0])]
    mean = np.stack([total[fullest] / count[fullest] for total in sums], axis=1)
    return np.rint(mean).astype(np.uint8), count[fullest] / max(1, seen.shape[0])

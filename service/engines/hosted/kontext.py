"""What is the same about FLUX Kontext wherever it is hosted."""

from __future__ import annotations

from service.engines.painting.frame import Size

# https://github.com/black-forest-labs/flux/blob/main/src/flux/util.py (the sizes it was trained on)
CANVASES = tuple(
    Size(width, height)
    for width, height in (
        (672, 1568),
        (688, 1504),
        (720, 1456),
        (752, 1392),
        (800, 1328),
        (832, 1248),
        (880, 1184),
        (944, 1104),
        (1024, 1024),
        (1104, 944),
        (1184, 880),
        (1248, 832),
        (1328, 800),
        (1392, 752),
        (1456, 720),
        (1504, 688),
        (1568, 672),
    )
)
# the strictest that is allowed where an image is given
SAFETY_TOLERANCE = 2

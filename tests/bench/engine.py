"""The embedded engine: time and memory of edits, beside Pillow's decode and encode of the image."""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from service.engines.contract import Instruction
from service.engines.embedded.apply import apply
from tests.bench.table import Row
from tests.samples.logos import coffee

SEED = "Make the logo more minimalist and use lighter shades of brown"
SINGLE = (
    "lighter browns",
    "change brown to navy blue",
    "remove the background",
    "white background",
    "grayscale",
    "one colour",
    "invert the colours",
    "warmer colours",
    "make the lettering bolder",
    "remove the tagline",
    "make the icon bigger",
    "rotate it 90 degrees",
    "add a soft shadow",
)
TURNS = 3
PNG_LEVEL = 4
FLOOR = "Pillow's decode and encode"
# For each size in pixels: one edit, the first prompt, memory.
GOALS = {
    1024: ("0.5 s or less", "1.0 s or less", "350 MB or less"),
    2048: ("2.5 s or less", "2.5 s or less", "900 MB or less"),
}
# As in the sandbox.
ONE_THREAD = {
    "OPENCV_FOR_THREADS_NUM": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


async def run() -> list[Row]:
    """One child process a size, so that its peak of memory is its own."""
    return [row for side_px in GOALS for row in _rows(side_px, _measured(side_px))]


def _rows(side_px: int, seen: dict[str, float]) -> list[Row]:
    single, seed, memory = GOALS[side_px]
    floor = seen["floor_s"]
    size = f"engine, {side_px} × {side_px}"
    return [
        Row(
            f"{size}: one edit, median",
            seen["p50_s"] * 1000,
            "ms",
            seen["p50_s"] / floor,
            FLOOR,
            single,
        ),
        Row(
            f"{size}: one edit, slowest",
            seen["worst_s"] * 1000,
            "ms",
            seen["worst_s"] / floor,
            FLOOR,
        ),
        Row(
            f"{size}: the first prompt",
            seen["seed_s"] * 1000,
            "ms",
            seen["seed_s"] / floor,
            FLOOR,
            seed,
        ),
        Row(f"{size}: peak memory", seen["peak_mb"], "MB", goal=memory),
    ]


def _measured(side_px: int) -> dict[str, float]:
    body = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(coffee(side_px).render()[..., :3])).save(body, "PNG")
    finished = subprocess.run(
        [sys.executable, "-m", "tests.bench.engine"],
        input=body.getvalue(),
        capture_output=True,
        check=True,
        env=ONE_THREAD,
    )
    seen: dict[str, float] = json.loads(finished.stdout)
    return seen


def _child() -> None:
    """Measure in this process what comes on stdin; print JSON."""
    source = sys.stdin.buffer.read()
    apply(source, Instruction(SEED))
    single = [_best(partial(apply, source, Instruction(words))) for words in SINGLE]
    seen = {
        "floor_s": _best(partial(_pillow, source)),
        "p50_s": statistics.median(single),
        "worst_s": max(single),
        "seed_s": _best(partial(apply, source, Instruction(SEED))),
        "peak_mb": _peak_mb(),
    }
    print(json.dumps(seen))


def _best(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(TURNS):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return min(spent)


def _pillow(source: bytes) -> None:
    image = Image.open(io.BytesIO(source))
    image.load()
    image.save(io.BytesIO(), "PNG", compress_level=PNG_LEVEL)


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _child()

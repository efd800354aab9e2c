"""Hold the whole exam of pictures and print its scores, with every fault and, if wanted, sheets.

`python -m tests.engines.embedded.exam [--part tuned|held_out] [--group NAME] [--sheets FOLDER]`
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from tests.engines.embedded.exam.drawings import subject
from tests.engines.embedded.exam.marking import picture_of
from tests.engines.embedded.exam.questions import PARTS, questions
from tests.engines.embedded.exam.sitting import Answer, answer, scores


def main() -> None:
    """Run the exam."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--group")
    parser.add_argument("--sheets", type=Path, help="a folder for before and after of every fault")
    options = parser.parse_args()
    for part in [options.part] if options.part else PARTS:
        asked = [q for q in questions(part) if options.group in (None, q.group)]
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            answers = list(pool.map(answer, asked, chunksize=4))
        for number, given in enumerate(answers):
            if given.faults and part != "held_out":
                print(f"{number:3} {given.question.subject}: {given.question.instruction.prompt}")
                print("".join(f"      {fault}\n" for fault in given.faults), end="")
            if given.faults and options.sheets:
                _sheet(given, options.sheets / f"{part}-{number:03}.png")
        print(f"{part}: {scores(answers)}\n")


def _sheet(given: Answer, path: Path) -> None:
    """Before and after, side by side on a chequerboard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = subject(given.question.subject).pixels
    after = picture_of(given.outcome)
    shown = [Image.fromarray(x) for x in (before, after) if x is not None]
    width, height = sum(x.width for x in shown) + 16, max(x.height for x in shown)
    chequer = np.indices((height, width)).sum(axis=0) // 12 % 2 * 40 + 180
    sheet = Image.fromarray(chequer.astype(np.uint8)).convert("RGB")
    left = 0
    for picture in shown:
        sheet.paste(picture, (left, 0), picture)
        left += picture.width + 16
    sheet.save(path)


if __name__ == "__main__":
    main()

"""Use the engine by hand: refine one file, or render a gallery of the samples."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from service.engines.contract import EngineError, Instruction
from service.engines.embedded.apply import apply
from service.engines.embedded.gallery import render_gallery
from service.engines.embedded.sheet import render_sheet


def main() -> int:
    """Run one command; 1 when the instruction brought no image."""
    options = _parser().parse_args()
    if options.command == "gallery":
        options.out.write_bytes(
            render_sheet() if options.out.suffix == ".png" else render_gallery().encode()
        )
        return 0
    try:
        outcome = apply(options.source.read_bytes(), Instruction(options.instruction))
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(outcome.report, indent=2, ensure_ascii=False))
    if outcome.image is None:
        return 1
    options.out.write_bytes(outcome.image)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service.engines.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    refine = commands.add_parser("refine", help="refine one image by instruction")
    refine.add_argument("source", type=Path, help="PNG, JPEG or WebP")
    refine.add_argument("out", type=Path, help="where the new PNG goes")
    refine.add_argument("instruction", help="what to change, in plain words")
    gallery = commands.add_parser("gallery", help="render samples × instructions")
    gallery.add_argument("out", type=Path, help="where it goes: a page (.html) or a sheet (.png)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

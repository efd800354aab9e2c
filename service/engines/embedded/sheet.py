"""Render the gallery as one small picture: a row a logo, as it is and under its instructions."""

from __future__ import annotations

import io
import textwrap

from PIL import Image, ImageDraw, ImageFont

from service.engines.contract import Instruction
from service.engines.embedded.apply import apply
from service.engines.embedded.gallery import INSTRUCTIONS, sample

_CELL_PX, _GAP_PX, _CAPTION_PX = 230, 14, 40
_SQUARE_PX = 10  # of the chequerboard that shows through
_FONT_PX, _LETTERS, _LINES = 13, 34, 2
_PAPER, _INK = (250, 250, 250), (40, 40, 40)
_CHEQUER = ((255, 255, 255), (228, 228, 228))
_COLOURS = 200


def render_sheet() -> bytes:
    """A PNG with a palette; instructions that bring no picture are left out."""
    rows = [[(name, sample(name)), *_refined(name)] for name in INSTRUCTIONS]
    columns = max(len(row) for row in rows)
    size = (
        columns * (_CELL_PX + _GAP_PX) + _GAP_PX,
        len(rows) * (_CELL_PX + _CAPTION_PX + _GAP_PX) + _GAP_PX,
    )
    sheet = Image.new("RGB", size, _PAPER)
    for y, row in enumerate(rows):
        for x, (title, picture) in enumerate(row):
            left = _GAP_PX + x * (_CELL_PX + _GAP_PX)
            top = _GAP_PX + y * (_CELL_PX + _CAPTION_PX + _GAP_PX)
            _place(sheet, title, picture, (left, top))
    body = io.BytesIO()
    few = sheet.quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(body, "PNG", optimize=True)
    return body.getvalue()


def _refined(name: str) -> list[tuple[str, bytes]]:
    """Each instruction of a sample with the picture that it brings."""
    source = sample(name)
    tried = [(words, apply(source, Instruction(words)).image) for words in INSTRUCTIONS[name]]
    return [(f"“{words}”", image) for words, image in tried if image is not None]


def _place(sheet: Image.Image, title: str, picture: bytes, at: tuple[int, int]) -> None:
    shown = Image.open(io.BytesIO(picture)).convert("RGBA")
    shown.thumbnail((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS)
    sheet.paste(_chequered(), at)
    corner = (at[0] + (_CELL_PX - shown.width) // 2, at[1] + (_CELL_PX - shown.height) // 2)
    sheet.paste(shown, corner, shown)
    words = "\n".join(textwrap.wrap(title, _LETTERS)[:_LINES])
    below = (at[0], at[1] + _CELL_PX + 4)
    font = ImageFont.load_default(_FONT_PX)
    ImageDraw.Draw(sheet).multiline_text(below, words, fill=_INK, font=font)


def _chequered() -> Image.Image:
    board = Image.new("RGB", (_CELL_PX, _CELL_PX), _CHEQUER[0])
    draw = ImageDraw.Draw(board)
    for y in range(0, _CELL_PX, _SQUARE_PX):
        for x in range(y // _SQUARE_PX % 2 * _SQUARE_PX, _CELL_PX, 2 * _SQUARE_PX):
            draw.rectangle((x, y, x + _SQUARE_PX - 1, y + _SQUARE_PX - 1), fill=_CHEQUER[1])
    return board

"""One picture that shows what a query found, for a person to judge."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

CELL = 150
CAPTION = 46
MARGIN = 12
HEADING = 40
COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture, or words in the place of one, with up to three short lines below it."""

    content: Image.Image | str
    lines: tuple[str, ...]
    framed: bool = False


def draw_contact_sheet(heading: str, tiles: Sequence[Tile]) -> Image.Image:
    """Lay tiles out in rows of six under a heading; RGB."""
    rows = -(-len(tiles) // COLUMNS)
    width = COLUMNS * (CELL + MARGIN) + MARGIN
    height = HEADING + rows * (CELL + CAPTION + MARGIN) + MARGIN
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    small, large = ImageFont.load_default(12), ImageFont.load_default(18)
    draw.text((MARGIN, 10), _latin(heading), fill="black", font=large)
    for index, tile in enumerate(tiles):
        left = MARGIN + index % COLUMNS * (CELL + MARGIN)
        top = HEADING + index // COLUMNS * (CELL + CAPTION + MARGIN)
        if isinstance(tile.content, str):
            words = "\n".join(textwrap.wrap(_latin(tile.content), 15)[:6])
            middle = (left + CELL // 2, top + CELL // 2)
            draw.multiline_text(middle, words, fill="black", font=large, anchor="mm", align="center")
        else:
            fitted = _fit(tile.content)
            sheet.paste(fitted, (left + (CELL - fitted.width) // 2, top + (CELL - fitted.height) // 2))
        outline = ("#c2410c", 3) if tile.framed else ("#d4d4d4", 1)
        draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=outline[0], width=outline[1])
        for line, text in enumerate(tile.lines[:3]):
            draw.text((left, top + CELL + 2 + 14 * line), _shorten(text), fill="black", font=small)
    return sheet


def _fit(image: Image.Image) -> Image.Image:
    factor = min(CELL / image.width, CELL / image.height)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.convert("RGB").resize(size, Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.BICUBIC)


def _shorten(text: str, most: int = 24) -> str:
    plain = _latin(text)
    return plain if len(plain) <= most else plain[: most - 1] + "~"


def _latin(text: str) -> str:
    """What the built-in font has, question marks for the rest."""
    return text.encode("latin-1", "replace").decode("latin-1")

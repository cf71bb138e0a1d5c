"""A contact sheet shows every tile, whatever its picture's shape and its words' alphabet."""

from __future__ import annotations

import numpy as np
from PIL import Image

from embedder.evaluation.contact_sheet import CAPTION, CELL, COLUMNS, HEADING, MARGIN, Tile, draw_contact_sheet

RED = (220, 30, 40)


def cell(sheet: Image.Image, index: int) -> np.ndarray:
    """A tile's square, without its frame: (h, w, 3)."""
    left = MARGIN + index % COLUMNS * (CELL + MARGIN)
    top = HEADING + index // COLUMNS * (CELL + CAPTION + MARGIN)
    return np.asarray(sheet.crop((left + 4, top + 4, left + CELL - 4, top + CELL - 4)))


def test_pictures_of_any_shape_are_whole_and_in_the_middle_of_their_cells() -> None:
    sizes = [(28, 28), (1000, 10), (10, 1000), (1, 1), (640, 480), (3, 2), (150, 150), (7, 7)]
    sheet = draw_contact_sheet("heading", [Tile(Image.new("RGB", size, RED), ("line",)) for size in sizes])
    assert sheet.size == (COLUMNS * (CELL + MARGIN) + MARGIN, HEADING + 2 * (CELL + CAPTION + MARGIN) + MARGIN)
    for index in range(len(sizes)):
        middle = cell(sheet, index)[CELL // 2 - 4, CELL // 2 - 4]
        assert np.abs(middle.astype(int) - RED).max() < 8
    assert (cell(sheet, len(sizes)) == 255).all()


def test_a_query_in_words_is_written_where_its_picture_would_be() -> None:
    sheet = draw_contact_sheet("heading", [Tile("a warm pullover for a cold day", ("the query",), framed=True)])
    assert (cell(sheet, 0).min(axis=2) < 100).any()


def test_words_that_the_font_lacks_do_not_stop_it() -> None:
    tile = Tile("حذاء" * 100, ("красные туфли" * 10, "", "é", "a fourth line"))
    assert draw_contact_sheet("靴 " * 50, [tile]).height == HEADING + CELL + CAPTION + 2 * MARGIN


def test_no_tiles_are_a_heading() -> None:
    assert draw_contact_sheet("nothing found", []).height == HEADING + MARGIN

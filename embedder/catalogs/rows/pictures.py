"""The pictures that the rows of one product name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from embedder.catalogs.product import MAX_PICTURES, ProductPicture
from embedder.catalogs.rows.cell import CellError, has_control, is_blank, shown
from embedder.inputs.picture import PictureFile

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""How names of picture files end, in any case."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|data:", re.IGNORECASE)
_SEPARATOR = re.compile(r"[|;,]")


class NamedPictures:
    """Collects a product's pictures in the catalog's order; a picture named twice is one.

    Attributes:
        found: the first `MAX_PICTURES`.
        refused: names that cannot be a picture's, with the problem; no more than `MAX_PICTURES` either.
        left_out: how many more there are.
    """

    def __init__(self, folder: Path, *, allow_outside: bool, separated: bool) -> None:
        """Begin a product.

        Args:
            folder: what relative paths are relative to.
            allow_outside: the files may lie outside of it.
            separated: a text may name several pictures, see `split_names`.
        """
        self._folder = folder
        self._limit = None if allow_outside else folder
        self._separated = separated
        self._names: dict[str, None] = {}
        self.refused: dict[str, CellError] = {}
        self.left_out = 0

    @property
    def found(self) -> tuple[ProductPicture, ...]:
        """The pictures, not yet opened."""
        return tuple(ProductPicture(PictureFile(self._folder / name, self._limit), name) for name in self._names)

    def add(self, values: Iterable[object]) -> bool:
        """Add what a row's picture columns hold: texts, or lists of texts; blank ones name nothing.

        Returns:
            Whether a picture was named that was not known yet.
        """
        is_new = False
        for value in values:
            for name in self._names_in(value):
                is_new |= self._take(name)
        return is_new

    def _take(self, name: object) -> bool:
        problem = _problem_with(name)
        text = name if isinstance(name, str) and not problem else shown(name)
        if text in self._names or text in self.refused:
            return False
        if problem and len(self.refused) < MAX_PICTURES:
            self.refused[text] = problem
        elif not problem and len(self._names) < MAX_PICTURES:
            self._names[text] = None
        else:
            self.left_out += 1
        return True

    def _names_in(self, value: object) -> Sequence[object]:
        if isinstance(value, str):
            text = value.strip()
            if not text:
                return ()
            return split_names(text, self._folder) if self._separated else (text,)
        if isinstance(value, list | tuple):
            return [name.strip() if isinstance(name, str) else name for name in value if not is_blank(name)]
        return () if value is None else (value,)


def split_names(text: str, folder: Path) -> list[str]:
    """The names in a cell that may hold several, separated by "|", ";" or ",", the first of these that it has.

    A file of just that name, with what could be separators, is one picture. Else the cell is split only where each
    part ends like a picture's file, so that "red,small.jpg" is never taken for "small.jpg".
    """
    if _SEPARATOR.search(text) is None:
        return [text]
    separator = next(character for character in "|;," if character in text)
    names = [name.strip() for name in text.split(separator)]
    names = [name for name in names if name]
    if not all(name.lower().endswith(SUFFIXES) for name in names) or _is_file(folder / text):
        return [text]
    return names


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _problem_with(name: object) -> CellError | None:
    if not isinstance(name, str):
        return CellError("IMAGE_MISSING", f"picture {shown(name)}; permitted: the path of a picture file, as a text")
    if _URL.match(name):
        return CellError(
            "IMAGE_MISSING",
            f"picture {shown(name)} is a URL; permitted: a local file; next step: download the pictures and name their "
            "paths",
        )
    if has_control(name):
        return CellError("IMAGE_MISSING", f"picture {shown(name)}; permitted: a path without control characters")
    return None

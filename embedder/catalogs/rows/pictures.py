"""The pictures that the rows of one product name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from embedder.catalogs.product import MAX_PICTURES, ProductPicture
from embedder.catalogs.rows.cell import CellError, has_control, is_blank, shown
from embedder.catalogs.rows.places import EmbeddedPicture, PicturePlaces
from embedder.inputs.picture import PictureBytes
from embedder.inputs.remote.object_store import RemoteFolder

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""How names of picture files end, in any case."""

_SEPARATOR = re.compile(r"[|;,]")


class NamedPictures:
    """Collects a product's pictures in the catalog's order; a picture named twice, or with the same bytes, is one.

    Attributes:
        refused: names that cannot be a picture's, with the problem; no more than `MAX_PICTURES`.
        left_out: how many more there are.
    """

    def __init__(self, places: PicturePlaces, *, separated: bool) -> None:
        """Begin a product.

        Args:
            places: where its pictures may be.
            separated: a text may name several pictures, see `split_names`.
        """
        self._places = places
        self._separated = separated
        self._found: dict[str | bytes, ProductPicture] = {}
        self.refused: dict[str, CellError] = {}
        self.left_out = 0

    @property
    def found(self) -> tuple[ProductPicture, ...]:
        """The first `MAX_PICTURES`, not yet opened."""
        return tuple(self._found.values())

    def add(self, values: Iterable[object]) -> bool:
        """Add what a row's picture columns hold: texts, pictures themselves, or lists of them; blank ones are none.

        Returns:
            Whether there was a picture that was not known yet.
        """
        is_new = False
        for value in values:
            for named in self._pictures_in(value):
                is_new |= self._take(named)
        return is_new

    def _take(self, named: object) -> bool:
        key = named.data if isinstance(named, EmbeddedPicture) else named if isinstance(named, str) else shown(named)
        if key in self._found or key in self.refused:
            return False
        if len(self._found) >= MAX_PICTURES and len(self.refused) >= MAX_PICTURES:
            self.left_out += 1
            return True
        try:
            picture = self._picture(named)
        except CellError as problem:
            if len(self.refused) < MAX_PICTURES:
                self.refused[str(key) if isinstance(key, str) and not has_control(key) else shown(named)] = problem
            else:
                self.left_out += 1
            return True
        if len(self._found) < MAX_PICTURES:
            self._found[key] = picture
        else:
            self.left_out += 1
        return True

    def _picture(self, named: object) -> ProductPicture:
        if isinstance(named, EmbeddedPicture):
            return ProductPicture(PictureBytes(named.data), "" if has_control(named.name) else named.name)
        if not isinstance(named, str):
            raise CellError(
                "IMAGE_MISSING", f"picture {shown(named)}; permitted: the path of a picture file, as a text"
            )
        return ProductPicture(self._places.find(named), named)

    def _pictures_in(self, value: object) -> Sequence[object]:
        if isinstance(value, str):
            text = value.strip()
            if not text:
                return ()
            return split_names(text, self._places.folder) if self._separated else (text,)
        if isinstance(value, list | tuple):
            return [name.strip() if isinstance(name, str) else name for name in value if not is_blank(name)]
        return () if value is None else (value,)


def split_names(text: str, folder: Path | RemoteFolder) -> list[str]:
    """The names in a cell that may hold several, separated by "|", ";" or ",", the first of these that it has.

    A file on this machine of just that name, with what could be separators, is one picture. Else the cell is split
    only where each part ends like a picture's file, so that "red,small.jpg" is never taken for "small.jpg".
    """
    if _SEPARATOR.search(text) is None:
        return [text]
    separator = next(character for character in "|;," if character in text)
    names = [name.strip() for name in text.split(separator)]
    names = [name for name in names if name]
    if not all(name.lower().endswith(SUFFIXES) for name in names) or _is_file(folder, text):
        return [text]
    return names


def _is_file(folder: Path | RemoteFolder, name: str) -> bool:
    try:
        return isinstance(folder, Path) and (folder / name).is_file()
    except (OSError, ValueError):
        return False

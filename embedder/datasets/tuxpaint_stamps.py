"""The stamps of Tux Paint as a catalog: about 800 cut-outs in colour, with captions and a category tree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.outline import CatalogOutline
from embedder.catalogs.product import AttributeKind, Product, ProductPicture, Rejection, Split
from embedder.datasets.tuxpaint_files import find_or_fetch, has_stamps
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFile
from embedder.inputs.regular_file import open_regular_file

MAX_CAPTION_BYTES = 64 * 1024

_TWIN = re.compile(r"_(?:mirror|flip)(?:_|$)")
"""In the names of pictures that show another one mirrored or upside down; they have no captions of their own."""

_NUMBERING = re.compile(r"(?<=[A-Za-z])[-_ ]?\d+$")
"""At the end of the names of several pictures of one thing."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """One picture with its caption, before its siblings are known."""

    path: Path
    id: str
    caption: str
    series: tuple[str, str]


class TuxpaintStampsReader:
    """Reads the stamps, sorted by path.

    A product's id is its path without the suffix, its category the folder, its title the English caption. Pictures of
    one folder with the same caption, whose names differ by a number at their end, share a variant group.
    """

    def __init__(
        self,
        location: str = "",
        *,
        split: Split | None = None,
        columns: Mapping[str, str] | None = None,
        allow_outside_pictures: bool = False,
    ) -> None:
        """Find the stamps, fetching them where they are missing.

        Args:
            location: their folder; "" looks where it is usually found, and fetches it else.
            split: must be None: there are none.
            columns: must be empty: there are none.
            allow_outside_pictures: follow links that lead out of the folder.

        Raises:
            CatalogError: no such folder, none that holds stamps, or `split` or `columns` given.
        """
        if columns:
            raise CatalogError(f"columns {dict(columns)!r} for tuxpaint-stamps; permitted: none, it has no columns")
        if split is not None:
            raise CatalogError(f"tuxpaint-stamps has no split {split!r}; permitted: none, it is not split")
        self._folder = Path(location).absolute() if location else find_or_fetch()
        if not has_stamps(self._folder):
            raise CatalogError(
                f"tuxpaint-stamps: {location!r} holds no stamps; permitted: a folder with pictures (.png) and their "
                "captions (.txt) beside them, such as share/tuxpaint/stamps"
            )
        self._limit = None if allow_outside_pictures else self._folder

    @property
    def name(self) -> str:
        """The dataset's name."""
        return "tuxpaint-stamps"

    def count(self) -> int:
        """The exact number of products and rejections; lists the folder."""
        return sum(1 for _ in self._paths())

    def outline(self) -> CatalogOutline:
        """The number of products, and their one attribute; lists the folder."""
        return CatalogOutline(self.count(), 1, {"variant_group": frozenset({AttributeKind.TEXT})})

    def read(self) -> Iterator[Product | Rejection]:
        """Yield the products; a product's `line` is its position, from 1. One without a caption is rejected."""
        rows = [self._stamp_of(path, line) for line, path in enumerate(self._paths(), start=1)]
        sizes = Counter(row.series for row in rows if isinstance(row, _Stamp))
        for line, row in enumerate(rows, start=1):
            if isinstance(row, Rejection):
                yield row
                continue
            group = row.series[0] if sizes[row.series] > 1 else row.id
            yield Product(
                id=row.id,
                title=row.caption,
                pictures=(ProductPicture(PictureFile(row.path, self._limit), row.path.name),),
                category=row.id.rpartition("/")[0] or None,
                attributes={"variant_group": group},
                variant_group=group,
                line=line,
            )

    def _paths(self) -> Iterator[Path]:
        for path in sorted(self._folder.rglob("*.png")):
            if not _TWIN.search(path.stem):
                yield path

    def _stamp_of(self, path: Path, line: int) -> _Stamp | Rejection:
        stamp_id = path.relative_to(self._folder).with_suffix("").as_posix()
        try:
            caption = _load_caption(path.with_suffix(".txt"))
        except OSError as error:
            detail = f"no caption: {error.strerror or error}; permitted: {path.stem}.txt beside the picture"
            return Rejection(line, stamp_id, "TITLE_INVALID", detail)
        except UnicodeDecodeError as error:
            return Rejection(line, stamp_id, "TITLE_INVALID", f"caption is not UTF-8 ({error}); permitted: UTF-8")
        folder = stamp_id.rpartition("/")[0]
        base = _NUMBERING.sub("", path.stem)
        return _Stamp(path, stamp_id, caption, (f"{folder}/{base}" if folder else base, caption))


def _load_caption(path: Path) -> str:
    """The English caption: the first line, in one line and without the full stop at its end."""
    with open_regular_file(path) as file:
        first = file.read(MAX_CAPTION_BYTES).partition(b"\n")[0]
    return " ".join(first.decode("utf-8").split()).removesuffix(".")

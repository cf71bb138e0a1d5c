"""A folder of pictures as a catalog: the file names are titles, the folders categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from embedder.catalogs.product import Product, ProductPicture, Rejection, Split
from embedder.catalogs.rows.cell import CellError, parse_category, parse_id, parse_split
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFile

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")

_SPLIT_FOLDERS = ("train", "test", "val", "validation")


class _Tally(NamedTuple):
    pictures: int
    ignored: int


class PictureFolderReader:
    """Reads the pictures under a folder, each a product.

    The id is the path relative to the folder, with "/" between folders; the title is the file's name with "_" and "-"
    as spaces; the category is the path of the sub-folder, None at the top. Where all sub-folders at the top are
    called train, test, val or validation, they are taken for splits and the category begins below them.

    Hidden files and folders (".name") are passed over, other files that are no pictures are passed over and counted.
    Links are followed; a folder that can be reached in two ways is read once, so links in a circle do no harm.
    """

    def __init__(self, location: str, *, split: Split | None = None, columns: Mapping[str, str] | None = None) -> None:
        """Open a folder and see that there is a picture in it.

        Args:
            location: the folder's path.
            split: read the pictures of this split only.
            columns: must be empty: a folder has none.

        Raises:
            CatalogError: no such folder, one that may not be listed, no picture in it, or `columns` given.
        """
        if columns:
            raise CatalogError(
                f"columns {dict(columns)!r} for a folder of pictures; permitted: none, it has no columns"
            )
        if not location:
            raise CatalogError(
                "the folder's path is empty; permitted: the path of a folder, such as folder:shop/photos"
            )
        self._root = Path(location).absolute()
        if not self._root.is_dir():
            raise CatalogError(f"catalog {location!r}: {'not a folder' if self._root.exists() else 'no such folder'}")
        self._split = split
        self._tally: _Tally | None = None
        if not any(_is_picture(path) for path in _walk(self._root)):
            raise CatalogError(
                f"catalog {location!r} holds no picture; permitted: files ending in {', '.join(SUFFIXES)}, here or in "
                "sub-folders"
            )

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._root.resolve().name or str(self._root)

    @property
    def ignored(self) -> int:
        """How many files that are not hidden were no pictures; the first call lists the folder."""
        return self._count_files().ignored

    def count(self) -> int:
        """The number of pictures, of all splits; the first call lists the folder."""
        return self._count_files().pictures

    def read(self) -> Iterator[Product | Rejection]:
        """Yield a product for each picture, folder by folder, sorted by name.

        Raises:
            CatalogError: a sub-folder may not be listed.
        """
        has_splits = self._has_splits()
        line = 0
        for path in _walk(self._root):
            if not _is_picture(path):
                continue
            line += 1
            relative = path.relative_to(self._root)
            split = parse_split(relative.parts[0]) if has_splits and len(relative.parts) > 1 else None
            if self._split in (None, split):
                yield _to_product(path, PurePosixPath(relative), split, line)

    def _count_files(self) -> _Tally:
        if self._tally is None:
            are_pictures = [_is_picture(path) for path in _walk(self._root)]
            self._tally = _Tally(sum(are_pictures), len(are_pictures) - sum(are_pictures))
        return self._tally

    def _has_splits(self) -> bool:
        folders = [entry.name for entry in _list_folder(self._root) if entry.is_dir()]
        return bool(folders) and all(name.lower() in _SPLIT_FOLDERS for name in folders)


def _to_product(path: Path, relative: PurePosixPath, split: Split | None, line: int) -> Product | Rejection:
    levels = relative.parts[:-1] if split is None else relative.parts[1:-1]
    product_id = ""
    try:
        product_id = parse_id(str(relative))
        if product_id != str(relative):
            raise CellError("ID_INVALID", f"id {str(relative)!r}; permitted: a path without white space at its ends")
        return Product(
            id=product_id,
            title=" ".join(path.stem.replace("_", " ").replace("-", " ").split()),
            pictures=(ProductPicture(PictureFile(path), product_id),),
            category=parse_category(levels),
            split=split,
            line=line,
        )
    except CellError as error:
        return Rejection(line, product_id, error.reason, error.detail)


def _walk(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, depth first, each folder sorted by name and entered once."""
    entered: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        entry = waiting.pop()
        try:
            if not entry.is_dir():
                yield entry
                continue
            status = entry.stat()
        except OSError as error:
            raise _unreadable(entry, error) from error
        if (status.st_dev, status.st_ino) not in entered:
            entered.add((status.st_dev, status.st_ino))
            waiting.extend(reversed(_list_folder(entry)))


def _list_folder(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(path: Path, error: OSError) -> CatalogError:
    return CatalogError(f"{str(path)!r} cannot be read: {error.strerror}; next step: make it readable, or move it away")


def _is_picture(path: Path) -> bool:
    # A dangling link counts, so that it is reported; a pipe or device does not: opening one might never return.
    return path.suffix.lower() in SUFFIXES and (path.is_file() or not path.exists())

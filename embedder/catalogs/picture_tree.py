"""The picture files below a folder, in a stable order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from embedder.catalogs.product import Split
from embedder.catalogs.rows.cell import parse_split
from embedder.catalogs.rows.pictures import SUFFIXES
from embedder.errors import CatalogError

_SPLIT_FOLDERS = ("train", "test", "val", "validation")


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A picture's file, or a link to a folder that is not followed.

    Attributes:
        path: where it is.
        relative: its path relative to the tree's folder.
        is_outside_folder: it is a link to a folder outside of the tree's.
    """

    path: Path
    relative: PurePosixPath
    is_outside_folder: bool = False


class PictureTree:
    """The pictures in a folder and its sub-folders: depth first, each folder sorted by name.

    Hidden files and folders (".name") are skipped; other files that are not pictures are skipped and counted.
    Links are followed where they stay within the folder, or may leave it; a folder that can be reached in two ways is
    entered once, so links in a circle do no harm.

    Where all sub-folders at the top are called train, test, val or validation, they are taken as splits.
    """

    def __init__(self, location: str, columns: Mapping[str, str] | None, *, allow_outside: bool) -> None:
        """Open a folder and check that there is a picture in it.

        Args:
            location: the folder's path.
            columns: must be empty: a folder has none.
            allow_outside: follow links that lead out of the folder.

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
        self.root = Path(location).absolute()
        if not self.root.is_dir():
            raise CatalogError(f"catalog {location!r}: {'not a folder' if self.root.exists() else 'no such folder'}")
        self.limit = None if allow_outside else self.root
        """The folder that pictures must lie in; None: anywhere."""
        if next(self.entries(), None) is None:
            raise CatalogError(
                f"catalog {location!r} holds no picture; permitted: files ending in {', '.join(SUFFIXES)}, here or in "
                "sub-folders"
            )

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.root.resolve().name or str(self.root)

    def entries(self, *, files_first: bool = False) -> Iterator[TreeEntry]:
        """Yield the pictures, and the links that lead to folders outside.

        Args:
            files_first: a folder's own files before its sub-folders, so that they come together.

        Raises:
            CatalogError: a sub-folder may not be listed.
        """
        for path, is_outside in self._walk(files_first=files_first):
            if is_outside or _is_picture(path):
                yield TreeEntry(path, PurePosixPath(path.relative_to(self.root)), is_outside)

    def count_ignored(self) -> int:
        """How many files that are not hidden are not pictures; lists the folder."""
        return sum(not is_outside and not _is_picture(path) for path, is_outside in self._walk())

    def has_splits(self) -> bool:
        """Whether the sub-folders at the top are the splits of a benchmark."""
        folders = [entry.name for entry in _list_folder(self.root) if entry.is_dir()]
        return bool(folders) and all(name.lower() in _SPLIT_FOLDERS for name in folders)

    def _walk(self, *, files_first: bool = False) -> Iterator[tuple[Path, bool]]:
        entered: set[tuple[int, int]] = set()
        waiting = [self.root]
        while waiting:
            entry = waiting.pop()
            try:
                if not entry.is_dir():
                    yield entry, False
                    continue
                if entry != self.root and entry.is_symlink() and not self._is_inside(entry):
                    yield entry, True
                    continue
                status = entry.stat()
            except OSError as error:
                raise _unreadable(entry, error) from error
            if (status.st_dev, status.st_ino) not in entered:
                entered.add((status.st_dev, status.st_ino))
                listed = _list_folder(entry)
                waiting.extend(reversed(sorted(listed, key=Path.is_dir) if files_first else listed))

    def _is_inside(self, entry: Path) -> bool:
        return self.limit is None or Path(os.path.realpath(entry)).is_relative_to(os.path.realpath(self.limit))


def split_and_levels(relative: PurePosixPath, *, has_splits: bool) -> tuple[Split | None, tuple[str, ...]]:
    """A picture's split, and the folders that it lies in below that of the split."""
    folders = relative.parts[:-1]
    if has_splits and folders:
        return parse_split(folders[0]), folders[1:]
    return None, folders


def title_from(name: str) -> str:
    """A file's or folder's name as words: "_" and "-" are spaces."""
    return " ".join(name.replace("_", " ").replace("-", " ").split())


def _list_folder(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(path: Path, error: OSError) -> CatalogError:
    return CatalogError(f"{str(path)!r} cannot be read: {error.strerror}; next step: make it readable, or move it away")


def _is_picture(path: Path) -> bool:
    # A dangling link counts, so that it is reported; a pipe or device does not: it is not a picture.
    return path.suffix.lower() in SUFFIXES and (path.is_file() or not path.exists())

"""A folder of pictures as a catalog, each picture a product: the file names are titles, the folders categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from embedder.catalogs.picture_tree import PictureTree, TreeEntry, split_and_levels, title_from
from embedder.catalogs.product import Product, ProductPicture, Rejection, Split
from embedder.catalogs.rows.cell import CellError, parse_category, parse_id, parse_title
from embedder.errors import PictureOutside
from embedder.inputs.picture import PictureFile


class PictureFolderReader:
    """Reads the pictures under a folder (see `PictureTree`), each a product.

    The id is the path relative to the folder, with "/" between folders; the title is the file's name with "_" and "-"
    as spaces; the category is the path of the sub-folder, below that of the split; None at the top.
    """

    def __init__(
        self,
        location: str,
        *,
        split: Split | None = None,
        columns: Mapping[str, str] | None = None,
        allow_outside_pictures: bool = False,
    ) -> None:
        """Open a folder and check that there is a picture in it.

        Args:
            location: the folder's path.
            split: read the pictures of this split only.
            columns: must be empty: a folder has none.
            allow_outside_pictures: follow links that lead out of the folder.

        Raises:
            CatalogError: as `PictureTree`.
        """
        self._tree = PictureTree(location, columns, allow_outside=allow_outside_pictures)
        self._split = split
        self._count: int | None = None
        self._ignored: int | None = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._tree.name

    @property
    def ignored(self) -> int:
        """How many files that are not hidden were not pictures; the first call lists the folder."""
        if self._ignored is None:
            self._ignored = self._tree.count_ignored()
        return self._ignored

    def count(self) -> int:
        """The number of pictures, of all splits; the first call lists the folder."""
        if self._count is None:
            self._count = sum(1 for _ in self._tree.entries())
        return self._count

    def read(self) -> Iterator[Product | Rejection]:
        """Yield a product for each picture, folder by folder, sorted by name.

        Raises:
            CatalogError: a sub-folder may not be listed.
        """
        has_splits = self._tree.has_splits()
        for line, entry in enumerate(self._tree.entries(), start=1):
            split, levels = split_and_levels(entry.relative, has_splits=has_splits)
            if self._split in (None, split):
                yield self._to_product(entry, split, levels, line)

    def _to_product(
        self, entry: TreeEntry, split: Split | None, levels: tuple[str, ...], line: int
    ) -> Product | Rejection:
        if entry.is_outside_folder:
            return outside_folder(entry, line)
        product_id = ""
        try:
            product_id = id_of_path(entry.relative)
            return Product(
                id=product_id,
                title=parse_title(title_from(entry.path.stem)),
                pictures=(ProductPicture(PictureFile(entry.path, self._tree.limit), product_id),),
                category=parse_category(levels),
                split=split,
                line=line,
            )
        except CellError as error:
            return Rejection(line, product_id, error.reason, error.detail)


def id_of_path(relative: PurePosixPath) -> str:
    """A path as a product's id.

    Raises:
        CellError: it is not a valid id.
    """
    product_id = parse_id(str(relative))
    if product_id != str(relative):
        raise CellError("ID_INVALID", f"id {str(relative)!r}; permitted: a path without white space at its ends")
    return product_id


def outside_folder(entry: TreeEntry, line: int) -> Rejection:
    """The rejection of a link that is not followed."""
    return Rejection(
        line,
        str(entry.relative).encode("utf-8", "replace").decode(),
        PictureOutside.reason,
        f"{str(entry.path)!r} links to a folder outside the catalog's; next step: move that folder here, or permit it "
        "with --allow-outside-pictures",
    )

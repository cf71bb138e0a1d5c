"""A folder of product folders as a catalog: each folder that holds pictures is a product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from embedder.catalogs.picture_folder import id_of_path, outside_folder
from embedder.catalogs.picture_tree import PictureTree, TreeEntry, split_and_levels, title_from
from embedder.catalogs.product import MAX_PICTURES, Product, ProductPicture, Rejection, Split
from embedder.catalogs.rows.cell import CellError, parse_category, parse_title
from embedder.inputs.picture import PictureFile


class ProductFoldersReader:
    """Reads the folders below a folder (see `PictureTree`): each that directly holds pictures is one product.

    The product's id is the folder's path below the catalog's, its title the folder's name with "_" and "-" as
    spaces, its category the path of the folders above it, below that of the split. Its pictures are those in the
    folder itself, sorted by name, the first of them the main one. A folder with pictures and sub-folders is a product,
    and may be the category of others. Pictures in no sub-folder belong to no product and are rejected.
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
            split: read the products of this split only.
            columns: must be empty: a folder has none.
            allow_outside_pictures: follow links that lead out of the folder.

        Raises:
            CatalogError: as `PictureTree`.
        """
        self._tree = PictureTree(location, columns, allow_outside=allow_outside_pictures)
        self._split = split

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._tree.name

    def count(self) -> int:
        """The number of products and rejections; lists the folder."""
        return sum(1 for _ in self.read())

    def read(self) -> Iterator[Product | Rejection]:
        """Yield a product for each folder, sorted by name; its `line` is the position of its first picture.

        Raises:
            CatalogError: a sub-folder may not be listed.
        """
        has_splits = self._tree.has_splits()
        entries = enumerate(self._tree.entries(files_first=True), start=1)
        for folder, group in groupby(entries, key=lambda pair: pair[1].relative.parent):
            split, levels = split_and_levels(folder / "x", has_splits=has_splits)
            if self._split in (None, split):
                yield from self._to_rows(group, split, levels)

    def _to_rows(
        self, entries: Iterator[tuple[int, TreeEntry]], split: Split | None, levels: tuple[str, ...]
    ) -> Iterator[Product | Rejection]:
        """The product of one folder's pictures; links that are not followed, and stray pictures, one by one."""
        pictures: list[ProductPicture] = []
        first: tuple[int, TreeEntry] | None = None
        left_out = 0
        for line, entry in entries:
            if entry.is_outside_folder:
                yield outside_folder(entry, line)
            elif not levels:
                detail = f"picture {str(entry.relative)!r} lies in no product's folder; permitted: a folder a product"
                yield Rejection(line, "", "ID_MISSING", detail)
            elif len(pictures) < MAX_PICTURES:
                first = first or (line, entry)
                pictures.append(ProductPicture(PictureFile(entry.path, self._tree.limit), str(entry.relative)))
            else:
                left_out += 1
        if first is not None:
            yield _to_product(*first, pictures, left_out, split, levels)


def _to_product(
    line: int,
    entry: TreeEntry,
    pictures: list[ProductPicture],
    left_out: int,
    split: Split | None,
    levels: tuple[str, ...],
) -> Product | Rejection:
    product_id = ""
    try:
        product_id = id_of_path(entry.relative.parent)
        return Product(
            id=product_id,
            title=parse_title(title_from(levels[-1])),
            pictures=tuple(pictures),
            category=parse_category(levels[:-1]),
            split=split,
            line=line,
            pictures_left_out=left_out,
        )
    except CellError as error:
        return Rejection(line, product_id, error.reason, error.detail)

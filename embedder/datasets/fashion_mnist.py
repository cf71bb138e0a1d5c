"""Fashion-MNIST as a catalog: 70,000 product pictures of 28 x 28 grey pixels in 10 categories.

Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
arXiv:1708.07747; labels and files in its section 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from embedder.catalogs.outline import CatalogOutline
from embedder.catalogs.product import Product, ProductPicture, Rejection, Split
from embedder.datasets.fashion_mnist_files import FILE_NAMES, find_or_fetch, lacks
from embedder.datasets.idx import load_idx, read_idx_shape
from embedder.errors import CatalogError
from embedder.inputs.picture import PicturePixels

LABELS = (
    # "T-shirt/top" in the paper; "/" would make it two levels of a category.
    "T-shirt or top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""Category by the number in the label files."""

SIDE = 28
"""Width and height of each picture, pixels."""

_Part = Literal["train", "test"]
_PREFIXES: Mapping[_Part, str] = {"train": "train", "test": "t10k"}


class FashionMnistReader:
    """Reads the dataset's published training split, its test split, or both, training first.

    Products are called by their category; their ids are the split and the position in it, such as `test-00042`.
    """

    def __init__(
        self,
        location: str = "",
        *,
        split: Split | None = None,
        columns: Mapping[str, str] | None = None,
        allow_outside_pictures: bool = False,
    ) -> None:
        """Find the files, fetching them where they are missing, and check their headers.

        Args:
            location: the folder of the four files; "" looks where they are usually found, and fetches them else.
            split: "train" or "test"; None: both.
            columns: must be empty: the dataset has none.
            allow_outside_pictures: makes no difference: the files hold the pictures.

        Raises:
            CatalogError: no such files, files of another shape, split "validation", or `columns` given.
        """
        if columns:
            raise CatalogError(f"columns {dict(columns)!r} for fashion-mnist; permitted: none, it has no columns")
        if split == "validation":
            raise CatalogError(
                "fashion-mnist has no split 'validation'; permitted: train, test; training puts its own share of "
                "train aside for validation"
            )
        self._parts: tuple[_Part, ...] = ("train", "test") if split is None else (split,)
        self._folder = Path(location).absolute() if location else find_or_fetch()
        missing = lacks(self._folder)
        if missing:
            raise CatalogError(
                f"fashion-mnist: {location!r} lacks {', '.join(missing)}; permitted: a folder that holds "
                f"{', '.join(FILE_NAMES)}"
            )
        self._counts = {part: self._check_headers(part) for part in _PREFIXES}

    @property
    def name(self) -> str:
        """The dataset's name."""
        return "fashion-mnist"

    def count(self) -> int:
        """The exact number of products."""
        return sum(self._counts[part] for part in self._parts)

    def outline(self) -> CatalogOutline:
        """The number of products, which have no attributes; reads nothing."""
        return CatalogOutline(self.count(), 1, {})

    def read(self) -> Iterator[Product | Rejection]:
        """Yield the products; a product's `line` is its position in both splits together, from 1.

        Raises:
            CatalogError: files that are broken after their headers.
        """
        for part in self._parts:
            yield from self._read_part(part, first_line=1 if part == "train" else 1 + self._counts["train"])

    def _read_part(self, part: _Part, first_line: int) -> Iterator[Product]:
        images = load_idx(self._path(part, "images-idx3"), rank=3)
        label_path = self._path(part, "labels-idx1")
        labels = load_idx(label_path, rank=1)
        if int(labels.max()) >= len(LABELS):
            raise CatalogError(f"{str(label_path)!r} holds label {labels.max()}; permitted: 0 to {len(LABELS) - 1}")
        for position, (pixels, label) in enumerate(zip(images, labels, strict=True)):
            product_id = f"{part}-{position:05d}"
            yield Product(
                id=product_id,
                title=LABELS[label],
                pictures=(ProductPicture(PicturePixels(pixels), product_id),),
                category=LABELS[label],
                split=part,
                line=first_line + position,
            )

    def _check_headers(self, part: _Part) -> int:
        images = read_idx_shape(self._path(part, "images-idx3"), rank=3)
        labels = read_idx_shape(self._path(part, "labels-idx1"), rank=1)
        if images[1:] != (SIDE, SIDE) or images[0] != labels[0]:
            raise CatalogError(
                f"fashion-mnist in {str(self._folder)!r}: {part} pictures of shape {images} and {labels[0]} labels; "
                f"permitted: (n, {SIDE}, {SIDE}) and n labels"
            )
        return images[0]

    def _path(self, part: _Part, what: str) -> Path:
        return self._folder / f"{_PREFIXES[part]}-{what}-ubyte.gz"

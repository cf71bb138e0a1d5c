"""A fair sample of the products that go into an index: what is calibrated, is calibrated on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import searched_words, title_of
from embedder.catalogs.product import Product
from embedder.inputs.picture import Picture

POOL = 20_000
"""Products kept: all of a small catalog, a uniform sample of a large one."""

PICTURES = 400
"""Of them, those whose pictures are kept too, so that views can be made of them."""


class ProductSample:
    """A uniform sample (Vitter's reservoir sampling, 1985, algorithm R), seeded.

    Attributes:
        ids, categories, titles: of the products kept; a category is None where there is none.
        spoken: titles with descriptions, whose words are indexed.
        contents: what their pictures are known by, as of `DecodedBatch.contents`; "" where there are none.
        vectors: of their main pictures, float32 (dim,), unit length.
        title_vectors: of their titles, float32 (title dim,), unit length, or zeros; empty where the index holds none.
        pictures: some products' main pictures by id.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._seen = 0
        self.ids: list[str] = []
        self.categories: list[str | None] = []
        self.titles: list[str] = []
        self.spoken: list[str] = []
        self.contents: list[str] = []
        self.vectors: list[npt.NDArray[np.float32]] = []
        self.title_vectors: list[npt.NDArray[np.float32]] = []
        self._pictures: dict[int, Picture] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def pictures(self) -> dict[str, Picture]:
        """Main pictures, of some of the products, by id."""
        return {self.ids[place]: picture for place, picture in self._pictures.items()}

    def add(
        self,
        products: Sequence[Product],
        vectors: npt.NDArray[np.float32],
        titles: npt.NDArray[np.float32] | None = None,
        contents: Sequence[str] = (),
    ) -> None:
        """Add products with the unit vectors of their main pictures, float32 (n, dim), and of their titles, if any.

        `contents`: of each what its pictures are known by; () where there are no pictures.
        """
        for row, (product, vector) in enumerate(zip(products, vectors, strict=True)):
            self._seen += 1
            if len(self.ids) < POOL:
                place = len(self.ids)
                self.ids.append("")
                self.categories.append(None)
                self.titles.append("")
                self.spoken.append("")
                self.contents.append("")
                self.vectors.append(vector)
                if titles is not None:
                    self.title_vectors.append(vector)
            else:
                place = int(self._random.integers(self._seen))
                if place >= POOL:
                    continue
            # A copy: a view of one row would keep its whole batch in memory.
            self.ids[place], self.vectors[place] = product.id, vector.copy()
            if titles is not None:
                self.title_vectors[place] = titles[row].copy()
            self.categories[place], self.titles[place] = product.category, title_of(product)
            self.spoken[place] = searched_words(product.title, product.category, product.description)
            self.contents[place] = contents[row] if contents else ""
            if place < PICTURES:
                self._pictures[place] = product.pictures[0].source

"""What went into a version, counted batch by batch."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product
from indexer.building.product_sample import ProductSample
from indexer.stores.protocol import Payload


class Tally:
    """Counts products, pictures and categories, hashes the payloads, and keeps a sample to calibrate on.

    Attributes:
        products, pictures: indexed.
        pictures_left_out: beyond the number of pictures that a product may have.
        categories: path to its number of products.
        digest: SHA-256 over the payloads, in order.
        sample: of the products.
    """

    def __init__(self) -> None:
        self.products = 0
        self.pictures = 0
        self.pictures_left_out = 0
        self.categories: Counter[str] = Counter()
        self.digest = hashlib.sha256()
        self.sample = ProductSample()

    def add(
        self,
        products: Sequence[Product],
        counts: Sequence[int],
        vectors: npt.NDArray[np.float32],
        payloads: Sequence[Payload],
        titles: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Add a batch; see `Batch` for how `vectors`, `counts` and `titles` belong together."""
        self.products += len(products)
        self.pictures += len(vectors)
        self.categories.update(product.category for product in products if product.category)
        for payload in payloads:
            self.digest.update(json.dumps(payload, sort_keys=True).encode())
        # The main picture represents its product.
        firsts = np.cumsum([0, *counts[:-1]])
        self.sample.add(products, vectors[firsts] if len(products) else vectors, titles)

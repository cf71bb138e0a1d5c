"""What went into a version, counted batch by batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product
from indexer.building.calibration.product_sample import ProductSample
from indexer.stores.points import CONTENT_KEY
from indexer.stores.protocol import Payload
from indexer.versions.holdings import Holdings


class Tally:
    """Counts what is there, and keeps a sample to calibrate on.

    Attributes:
        pictures_left_out: beyond the number of pictures that a product may have.
        holdings: products, pictures, categories, digest.
        sample: of the products.
    """

    def __init__(self) -> None:
        self.pictures_left_out = 0
        self.holdings = Holdings()
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
        for payload in payloads:
            self.holdings.add(payload)
        # The main picture represents its product.
        firsts = np.cumsum([0, *counts[:-1]])
        contents = [str(payload.get(CONTENT_KEY, "")) for payload in payloads]
        self.sample.add(products, vectors[firsts] if len(products) else vectors, titles, contents)

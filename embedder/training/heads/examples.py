"""What is learnt from: products with image features and captions, drawn in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from embedder.catalogs.product import Product
from embedder.training.heads.captions import Captions, CaptionTable
from embedder.training.heads.losses import NO_CATEGORY


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Products with the image features of their pictures, float32 (n, width)."""

    products: Sequence[Product]
    features: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one step learns from: b products, k of them with a caption.

    Attributes:
        images: image features, float32 (b, width).
        texts: text features of the caption drawn for each product, float32 (b, text width); of a product without any,
            those of some other caption.
        labels: category of each product, int64 (b,); `NO_CATEGORY` where it has none.
        worded: bool (b,), which products have a caption.
        describes: bool (k, k), whether the caption drawn for the j-th worded product (column) is one of the i-th's own.
    """

    images: torch.Tensor
    texts: torch.Tensor
    labels: torch.Tensor
    worded: torch.Tensor
    describes: torch.Tensor


class Dataset:
    """Examples as tensors.

    Attributes:
        features: float32 (n, width).
        labels: int64 (n,), places in `categories`, or `NO_CATEGORY`.
        captions: int64 (n, most), places in `caption_features`, padded with -1.
        caption_counts: int64 (n,), how many captions a product has.
        caption_features: float32 (m, text width).
        wordings: see there.
    """

    def __init__(self, examples: Examples, captions: Captions, categories: Sequence[str]) -> None:
        label_of = {category: label for label, category in enumerate(categories)}
        table = CaptionTable(captions, examples.products)
        self.features = torch.from_numpy(examples.features)
        self.labels = torch.tensor([label_of.get(p.category or "", NO_CATEGORY) for p in examples.products])
        self.captions, self.caption_counts, self._table = table.places, table.counts, table
        self.caption_features = captions.features
        self.wordings = captions.wordings

    def __len__(self) -> int:
        return len(self.features)

    def draw(self, rows: torch.Tensor, wording_cosine: float, generator: torch.Generator) -> Batch:
        """The examples at `rows`, each with one of its captions.

        Args:
            rows: int64 (b,).
            wording_cosine: half of the captions are moved, as another wording would, by what follows from this (see
                `Wordings.cosine`).
            generator: of everything drawn here.
        """
        drawn = self._table.draw(rows, wording_cosine, generator)
        return Batch(self.features[rows], drawn.features, self.labels[rows], drawn.worded, drawn.describes)

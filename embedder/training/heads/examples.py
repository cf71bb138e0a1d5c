"""What is learnt from: products with image features and captions, drawn in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from embedder.catalogs.captions import captions_of, title_of
from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.training.heads.losses import NO_CATEGORY
from embedder.training.heads.wordings import GENERIC_WORDS, Wordings

_NO_CAPTION = -1


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


class Captions:
    """Text features of all distinct captions, and which belong to a product."""

    def __init__(self, encoder: Encoder, products: Sequence[Product]) -> None:
        index: dict[str, int] = {}
        self.of_product = {
            product.id: [index.setdefault(text, len(index)) for text in captions_of(product)] for product in products
        }
        features = encoder.text_features(list(index)) if index else np.zeros((1, 1), dtype=np.float32)
        self.features = torch.from_numpy(features)
        generic = torch.from_numpy(encoder.text_features(GENERIC_WORDS)) if index else self.features
        self.wordings = Wordings(generic, len({title_of(product) for product in products} - {""}))


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
        rows = [captions.of_product[product.id] for product in examples.products]
        most = max((len(row) for row in rows), default=0) or 1
        self.features = torch.from_numpy(examples.features)
        self.labels = torch.tensor([label_of.get(p.category or "", NO_CATEGORY) for p in examples.products])
        padded = [row + [_NO_CAPTION] * (most - len(row)) for row in rows]
        self.captions = torch.tensor(padded, dtype=torch.long).view(-1, most)
        self.caption_counts = torch.tensor([len(row) for row in rows])
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
        counts = self.caption_counts[rows]
        drawn = (torch.rand(len(rows), generator=generator) * counts).long().clamp_max((counts - 1).clamp_min(0))
        # A product without a caption takes any here; it is left out of every loss on texts.
        captions = self.captions[rows, drawn].clamp_min(0)
        features = self.caption_features[captions]
        moved = self.wordings.move(features, self.wordings.cosine(wording_cosine), generator)
        texts = torch.where(torch.rand(len(rows), 1, generator=generator) < 0.5, features, moved)
        worded = counts > 0
        own = self.captions[rows][worded]
        describes = (own[:, :, None] == captions[worded][None, None, :]).any(dim=1)
        return Batch(self.features[rows], texts, self.labels[rows], worded, describes)

"""The catalog's captions as text features, drawn for products in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from embedder.catalogs.captions import captions_of, title_of
from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.towers.projection import Projection
from embedder.training.heads.wordings import GENERIC_WORDS, Wordings

_NO_CAPTION = -1


_COMPUTED: WeakKeyDictionary[Encoder, dict[str, npt.NDArray[np.float32]]] = WeakKeyDictionary()


def text_features(encoder: Encoder, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Features of texts, float32 (n, width), n of 1 or more; each text is computed once for an encoder.

    A training asks for the same captions several times: for the heads, for the towers, for calibration.
    """
    known = _COMPUTED.setdefault(encoder, {})
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if missing:
        known.update(zip(missing, encoder.text_features(missing), strict=True))
    return np.stack([known[text] for text in texts])


def text_embeddings(encoder: Encoder, text: Projection, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Semantic embeddings of texts by a text projection, float32 (n, dim), unit; n of 1 or more."""
    with torch.no_grad():
        return functional.normalize(text(torch.from_numpy(text_features(encoder, texts))), dim=1).numpy()


class Captions:
    """Text features of all distinct captions, and which belong to a product.

    Attributes:
        texts: m distinct captions.
        features: float32 (m, text width).
        generic: features of `GENERIC_WORDS`, float32 (g, text width); empty where there are no captions.
    """

    def __init__(self, encoder: Encoder, products: Sequence[Product], remember: bool = True) -> None:
        """Compute features of all captions of the products; `remember`: or take them from an earlier time."""
        index: dict[str, int] = {}
        self.of_product = {
            product.id: [index.setdefault(text, len(index)) for text in captions_of(product)] for product in products
        }
        self.texts = tuple(index)
        compute = text_features if remember else Encoder.text_features
        features = compute(encoder, self.texts) if index else np.zeros((1, 1), dtype=np.float32)
        self.features = torch.from_numpy(features)
        self.generic = torch.from_numpy(compute(encoder, GENERIC_WORDS)) if index else self.features[:0]
        titles = len({title_of(product) for product in products} - {""})
        self.wordings = Wordings(self.generic if index else self.features, titles)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnCaptions:
    """One caption for each of b products, k of which have one.

    Attributes:
        places: int64 (b,), the caption in `Captions`; of a product without any, that of some other one.
        features: float32 (b, text width), half of them moved as another wording would.
        worded: bool (b,), which products have a caption.
        describes: bool (k, k), whether the caption drawn for the j-th worded product (column) is one of the i-th's own.
    """

    places: torch.Tensor
    features: torch.Tensor
    worded: torch.Tensor
    describes: torch.Tensor


class CaptionTable:
    """The captions of n products as tensors.

    Attributes:
        places: int64 (n, most), of each product's captions, its title first, padded with -1.
        counts: int64 (n,), how many captions a product has.
    """

    def __init__(self, captions: Captions, products: Sequence[Product]) -> None:
        rows = [captions.of_product[product.id] for product in products]
        most = max((len(row) for row in rows), default=0) or 1
        padded = [row + [_NO_CAPTION] * (most - len(row)) for row in rows]
        self.places = torch.tensor(padded, dtype=torch.long).view(-1, most)
        self.counts = torch.tensor([len(row) for row in rows])
        self._captions = captions

    def draw(self, rows: torch.Tensor, wording_cosine: float, generator: torch.Generator) -> DrawnCaptions:
        """One of the captions of each product at `rows`, int64 (b,).

        Args:
            rows: which products.
            wording_cosine: half of the captions are moved, as another wording would, by what follows from this (see
                `Wordings.cosine`).
            generator: of everything drawn here.
        """
        counts = self.counts[rows]
        drawn = (torch.rand(len(rows), generator=generator) * counts).long().clamp_max((counts - 1).clamp_min(0))
        # A product without a caption takes any here; it is left out of every loss on texts.
        places = self.places[rows, drawn].clamp_min(0)
        features = self._captions.features[places]
        wordings = self._captions.wordings
        moved = wordings.move(features, wordings.cosine(wording_cosine), generator)
        texts = torch.where(torch.rand(len(rows), 1, generator=generator) < 0.5, features, moved)
        worded = counts > 0
        own = self.places[rows][worded]
        describes = (own[:, :, None] == places[worded][None, None, :]).any(dim=1)
        return DrawnCaptions(places, texts, worded, describes)

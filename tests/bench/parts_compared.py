"""One model, four ways to search with a picture: the untuned starter, today's tuning, either part alone, both parts.

All four see the same pixels. Where the tower is the base's, all come out of one run through it: the starter's embedding
is its own projection of the same features. Where the tower was tuned, the starter runs beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.encoder import open_encoder
from embedder.evaluation.gallery import Gallery, Recall
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import Projection, split

WAYS = ("untuned", "today's tuning", "instance alone", "both parts")
_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """n pictures as every way sees them: unit vectors, float32 (n, dim of the way)."""

    untuned: npt.NDArray[np.float32]
    semantic: npt.NDArray[np.float32]
    indexed: npt.NDArray[np.float32]


class PartsCompared:
    """A bundle and the base that it was trained from."""

    def __init__(self, bundle: Path, base: Path) -> None:
        self.encoder = open_encoder(bundle, device="cpu")
        self._base = open_encoder(base, device="cpu")
        whole = load_folder(base)
        self._projection = _numpy(split(whole, "image")[1])
        self._tuned = "plan" in self.encoder.info.training.get("tuning", {})

    def embed(self, images: Iterable[Image.Image]) -> Pictures:
        """Decoded pictures, as many at a time as a batch holds."""
        untuned, semantic, indexed = [], [], []
        for batch in _batches(images):
            pixels = self.encoder.preprocess(batch)
            run = self.encoder.run_pixels(pixels)
            features = self._base.run_pixels(pixels).features if self._tuned else run.features
            weight, bias = self._projection
            untuned.append(_unit(features @ weight.T + bias))
            semantic.append(run.embeddings)
            indexed.append(self.encoder.index_vectors(run))
        return Pictures(np.concatenate(untuned), np.concatenate(semantic), np.concatenate(indexed))

    def picture_recall(
        self, queries: Pictures, wanted: Sequence[int], products: Sequence[Product], gallery: Pictures
    ) -> dict[str, Recall]:
        """How often pictures find their product, by way; `wanted` are places in the gallery."""
        places = np.asarray(wanted, dtype=np.intp)
        found = {
            "untuned": (queries.untuned, gallery.untuned),
            "today's tuning": (queries.semantic, gallery.semantic),
            "instance alone": (self._weighed(queries, 1.0), gallery.indexed),
            "both parts": (self._weighed(queries, self.encoder.space.instance_weight), gallery.indexed),
        }
        return {
            way: Gallery.of_main_pictures(products, held).recall(asked, places) for way, (asked, held) in found.items()
        }

    def category_accuracy(self, products: Sequence[Product], pictures: Pictures) -> float:
        """Share of the products with a category whose category the head recognises by their picture."""
        head = self.encoder.head
        assert head is not None
        known = [row for row, product in enumerate(products) if product.category]
        found = head.probabilities(pictures.semantic[known], "image", pictures.indexed[known]).argmax(axis=1)
        right = [head.categories[place] == products[row].category for place, row in zip(found, known, strict=True)]
        return float(np.mean(right))

    def title_recall(
        self, titled: Sequence[Product], products: Sequence[Product], gallery: Pictures
    ) -> dict[str, Recall]:
        """How often a title finds a product of that title, by way (the instance part has no texts)."""
        titles = sorted({title_of(product) for product in titled} - {""})
        names = np.asarray([title_of(product) for product in products], dtype=object)
        texts = self.encoder.run_tokens(self.encoder.tokenize(titles)).embeddings
        base = self._base.encode_texts(titles)
        found = {
            "untuned": base @ gallery.untuned.T,
            "today's tuning": texts @ gallery.semantic.T,
            "both parts": self.encoder.encode_texts(titles) @ gallery.indexed.T,
        }
        return {way: _named(scores, names, titles) for way, scores in found.items()}

    def _weighed(self, queries: Pictures, weight: float) -> npt.NDArray[np.float32]:
        return replace(self.encoder.space, instance_weight=weight).queries(queries.indexed)[0]


def _named(scores: npt.NDArray[np.float32], names: npt.NDArray[np.object_], titles: Sequence[str]) -> Recall:
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    right = names[nearest] == np.asarray(titles, dtype=object)[:, None]
    return Recall(float(right[:, 0].mean()), float(right.any(axis=1).mean()), len(titles))


def _numpy(projection: Projection) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    weight: npt.NDArray[np.float32] = projection.weight.numpy()
    bias = torch.zeros(len(weight)) if projection.bias is None else projection.bias
    return weight, bias.numpy()


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def _batches(images: Iterable[Image.Image]) -> Iterator[list[Image.Image]]:
    remaining = iter(images)
    while batch := list(islice(remaining, _BATCH)):
        yield batch

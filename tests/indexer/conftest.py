"""A catalog of vectors and payloads without pictures: what stores are tested with."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PicturePixels
from embedder.recognition.category_model import Heard, HeldOut, QueryModel, fit_query_model
from embedder.recognition.neighbor_vote import Neighbors, NeighborVote
from indexer.building.payload import SchemaBuilder, to_payload
from indexer.filters.expression import Expression
from indexer.filters.schema import Schema
from indexer.stores.protocol import Batch, Effort, Payload, QueryPart, Scored, Store, VersionReader
from indexer.versions.manifest import Manifest, new_version_name

DIM = 16
PICTURE = PicturePixels(np.zeros((2, 2), dtype=np.uint8))
CATEGORIES = ("shoes/boots", "shoes", "shoes/boots/rubber", "shoesies", "bags", "Taschen/große", None)
STRANGE_IDS = ("x" * 512, "靴/1", 'a "quoted" id', "back\\slash", "😀", " spaces ", "a/b?c=d&e#f", "0", "null", "Ä")


@dataclass(frozen=True)
class Shelf:
    """Products as a store takes them: payloads, unit vectors float32 (n, DIM), the schema that goes with them."""

    payloads: tuple[Payload, ...]
    vectors: np.ndarray
    schema: Schema

    @property
    def ids(self) -> list[str]:
        return [payload["product_id"] for payload in self.payloads]

    def batches(self, size: int = 50) -> list[Batch]:
        starts = range(0, len(self.ids), size)
        return [Batch(self.ids[s : s + size], self.vectors[s : s + size], self.payloads[s : s + size]) for s in starts]


def unit_rows(count: int, seed: int = 0, dim: int = DIM) -> np.ndarray:
    """Random unit vectors, float32 (count, dim)."""
    rows = np.random.default_rng(seed).normal(size=(count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def product(rng: random.Random, name: str) -> Product:
    """One with any of the fields missing."""

    def maybe(value: object) -> object:
        return value if rng.random() < 0.8 else None

    attributes = {
        "color": rng.choice(["red", "blue", ("red", "green"), "Red"]),
        "heel height": rng.choice([0.0, 2.5, 8.0]),
        "waterproof": rng.choice([True, False]),
        "size": rng.choice(["42", 42.0, ("42", "43")]),
    }
    return Product(
        id=name,
        title=rng.choice(["Ankle boot", "Bag", ""]),
        pictures=(ProductPicture(PICTURE, f"{name[:20]}.jpg"),),
        category=rng.choice(CATEGORIES),
        price=maybe(rng.choice([0.0, 5.0, 49.9, 50.0, 1e6])),  # type: ignore[arg-type]
        in_stock=maybe(rng.random() < 0.5),  # type: ignore[arg-type]
        attributes={key: value for key, value in attributes.items() if rng.random() < 0.8},
    )


def shelf(count: int = 200, seed: int = 0) -> Shelf:
    """Seeded products, the first ten under strange ids."""
    rng = random.Random(seed)
    names = [*STRANGE_IDS, *(f"p-{number:04d}" for number in range(len(STRANGE_IDS), count))][:count]
    products = [product(rng, name) for name in names]
    builder = SchemaBuilder()
    for item in products:
        builder.add(item.attributes)
    schema = builder.schema()
    return Shelf(tuple(to_payload(item, schema) for item in products), unit_rows(count, seed), schema)


def unfitted_model() -> QueryModel:
    """How categories are judged where nothing was held out."""
    nobody = Neighbors(np.empty((0, 1), dtype=np.intp), np.empty((0, 1)))
    return fit_query_model(HeldOut(Heard(None, nobody, None), np.empty(0, dtype=np.intp), nobody, 3))


def manifest_of(things: Shelf, version: str | None = None, **fields) -> Manifest:
    """The manifest that a build of these would begin with."""
    return replace(
        Manifest(
            version=version or new_version_name(),
            catalog="default",
            source="csv:shop.csv",
            model_fingerprint="f" * 64,
            model_base="starter",
            dim=things.vectors.shape[1],
            created_at="2026-01-02T03:04:05+00:00",
            schema=things.schema,
            categories={"shoes/boots": 3},
            category_models={"image": unfitted_model()},
            votes={"image": NeighborVote(0.1, 0.3)},
            settings={"batch_size": 64},
        ),
        **fields,
    )


def load(
    store: Store, things: Shelf, version: str | None = None, batches: Sequence[Batch] | None = None, **fields
) -> Manifest:
    """Write a version and finish it; it is not live yet."""
    begun = manifest_of(things, version, **fields)
    writer = store.create(begun)
    try:
        for batch in batches or things.batches():
            writer.upsert(batch)
        ready = replace(begun, state="ready", products=len(set(things.ids)))
        writer.finish(ready)
    finally:
        writer.abort()
    return ready


def search(
    reader: VersionReader,
    vector: np.ndarray,
    limit: int,
    where: Expression | None = None,
    effort: Effort = "balanced",
) -> list[Scored]:
    """A query of one vector."""
    return reader.query([QueryPart(vector)], [1.0], limit, where, effort)

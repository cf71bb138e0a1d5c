"""What the collection of one version looks like."""

from __future__ import annotations

from qdrant_client import models

from indexer.filters.schema import FieldType, Schema
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.stores.points import IMAGE, TITLE, WORDS
from indexer.stores.protocol import WordVector
from indexer.versions.layout import VectorLayout

MANIFEST_KEY = "merchlens_manifest"
"""Where the collection's metadata holds the manifest."""

RETIRED_KEY = "merchlens_retired_at"
"""Where it holds when the version stopped being live, ISO 8601, UTC; "" where it is live, or never was."""

_INDEX_TYPES = {
    FieldType.KEYWORD: models.PayloadSchemaType.KEYWORD,
    FieldType.NUMBER: models.PayloadSchemaType.FLOAT,
    FieldType.BOOL: models.PayloadSchemaType.BOOL,
}


def vector_params(layout: VectorLayout) -> dict[str, models.VectorParams]:
    """Of the dense vectors, by name."""
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    params: dict[str, models.VectorParams] = {
        IMAGE: models.VectorParams(
            size=layout.dim,
            distance=models.Distance.COSINE,
            multivector_config=several if layout.multivector else None,
        )
    }
    if layout.title_dim:
        params[TITLE] = models.VectorParams(size=layout.title_dim, distance=models.Distance.COSINE)
    return params


def sparse_params(layout: VectorLayout) -> dict[str, models.SparseVectorParams] | None:
    """Of the sparse vectors, by name; None where there are none."""
    return {WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)} if layout.has_words else None


def sparse_vector(words: WordVector) -> models.SparseVector:
    """A text's words, as the client takes them."""
    return models.SparseVector(indices=list(words.indices), values=list(words.values))


def payload_indexes(schema: Schema) -> dict[str, models.PayloadSchemaType]:
    """Payload key to the kind of its index."""
    return {key: _INDEX_TYPES[kind] for key, kind in choose_payload_indexes(schema, ids=True).keys.items()}

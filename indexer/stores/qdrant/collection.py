"""What the collection of one version looks like."""

from __future__ import annotations

from qdrant_client import models

from indexer.filters.schema import FieldType, Schema
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.versions.manifest import Manifest

MANIFEST_KEY = "merchlens_manifest"
"""Where the collection's metadata holds the manifest."""

RETIRED_KEY = "merchlens_retired_at"
"""Where it holds when the version stopped being live, ISO 8601, UTC; "" where it is live, or never was."""

_INDEX_TYPES = {
    FieldType.KEYWORD: models.PayloadSchemaType.KEYWORD,
    FieldType.NUMBER: models.PayloadSchemaType.FLOAT,
    FieldType.BOOL: models.PayloadSchemaType.BOOL,
}


def vector_params(manifest: Manifest) -> models.VectorParams:
    """Of the vector, or vectors, of a product's pictures."""
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    return models.VectorParams(
        size=manifest.dim,
        distance=models.Distance.COSINE,
        multivector_config=several if manifest.multivector else None,
    )


def payload_indexes(schema: Schema) -> dict[str, models.PayloadSchemaType]:
    """Payload key to the kind of its index."""
    return {key: _INDEX_TYPES[kind] for key, kind in choose_payload_indexes(schema, ids=True).keys.items()}

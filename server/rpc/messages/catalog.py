"""Products and index versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.protobuf import timestamp_pb2
from merchlens.v1 import catalog_service_pb2, query_pb2

from indexer.filters.schema import FieldType
from server.catalog.index_versions import KnownVersion
from server.catalog.products import ProductFound
from server.rpc.messages.payload import to_struct
from server.settings import ServerSettings

_TYPES = {
    FieldType.KEYWORD: catalog_service_pb2.IndexField.TYPE_KEYWORD,
    FieldType.NUMBER: catalog_service_pb2.IndexField.TYPE_NUMBER,
    FieldType.BOOL: catalog_service_pb2.IndexField.TYPE_BOOL,
    FieldType.CATEGORY: catalog_service_pb2.IndexField.TYPE_CATEGORY,
}

_STATES = {
    "building": catalog_service_pb2.IndexVersion.STATE_BUILDING,
    "ready": catalog_service_pb2.IndexVersion.STATE_READY,
}

_SETTINGS = (
    "precision",
    "max_image_pixels",
    "index_titles",
    "index_words",
    "language",
    "match_views",
    "wanted_recall",
    "edge",
)
"""Of a build. Others are nobody's business: paths, hosts, what the builder's machine could do."""


def to_product(found: ProductFound) -> catalog_service_pb2.Product:
    """Write a product."""
    vectors = () if found.vectors is None else found.vectors
    return catalog_service_pb2.Product(
        product_id=found.product_id,
        payload=to_struct(found.payload),
        vectors=[query_pb2.Vector(values=vector.tolist()) for vector in vectors],
        index_time=to_timestamp(found.index_time),
    )


def to_index(version: KnownVersion, settings: ServerSettings) -> catalog_service_pb2.Index:
    """Write the version that is served, and the server's limits."""
    manifest = version.manifest
    return catalog_service_pb2.Index(
        catalog=manifest.catalog,
        version=to_index_version(version),
        rejected_product_count=manifest.rejected,
        rejected_picture_count=manifest.pictures_rejected,
        dim=manifest.dim,
        has_titles=bool(manifest.layout.title_dim),
        has_words=manifest.layout.has_words,
        fields=[
            catalog_service_pb2.IndexField(path=field.path, type=_TYPES[field.type])
            for field in manifest.schema.fields()
        ],
        categories=[
            catalog_service_pb2.IndexCategory(category=category, product_count=count)
            for category, count in sorted(manifest.categories.items())
        ],
        settings=to_struct(_shown(manifest.settings)),
        limits=to_limits(settings),
    )


def to_limits(settings: ServerSettings) -> catalog_service_pb2.Limits:
    """Write what one request may be; each limit is the setting of its name."""
    names = catalog_service_pb2.Limits.DESCRIPTOR.fields_by_name
    return catalog_service_pb2.Limits(**{name: getattr(settings, name) for name in names})


def to_index_version(version: KnownVersion) -> catalog_service_pb2.IndexVersion:
    """Write a version."""
    manifest = version.manifest
    return catalog_service_pb2.IndexVersion(
        name=manifest.version,
        state=_STATES[manifest.state],
        is_live=version.is_live,
        is_served=version.is_served,
        create_time=to_timestamp(version.created),
        retire_time=to_timestamp(version.retired),
        product_count=manifest.products,
        picture_count=manifest.pictures,
        model_fingerprint=manifest.model_fingerprint,
        model_base=manifest.model_base,
    )


def _shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in _SETTINGS if name in settings}


def to_timestamp(time: datetime | None) -> timestamp_pb2.Timestamp | None:
    """Write a moment; None for none."""
    if time is None:
        return None
    made = timestamp_pb2.Timestamp()
    made.FromDatetime(time)
    return made

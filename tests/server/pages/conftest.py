"""A served index of 2,400 products, made of the drawn ones: deeper than a query's pages, with duplicates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import grpc
import numpy as np
import pytest
from merchlens import Client
from merchlens.v1 import search_service_pb2_grpc

from indexer.stores.edge.store import EdgeStore
from indexer.stores.protocol import Batch
from indexer.versions.manifest import new_version_name
from server.hosting.served_catalog import ServedCatalog
from server.rpc.services import list_services
from tests.server.conftest import Served, serving

COPIES = 15
DUPLICATES_OF = 40
"""So many of the drawn products have a duplicate, each in the last copy."""


@pytest.fixture(scope="session")
def deep(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Copies of the drawn products, each a little beside the others, by another price."""
    drawn = served.catalog.reader
    ids = [payload["product_id"] for page in drawn.scan(["product_id"]) for payload in page]
    stored = drawn.fetch_many(sorted(ids))
    noise = np.random.default_rng(5)
    store = EdgeStore(tmp_path_factory.mktemp("deep") / "index")
    begun = replace(drawn.manifest, version=new_version_name(), state="building", products=0, calibration="")
    writer = store.create(begun)
    for copy in range(COPIES):
        vectors = np.concatenate([item.vectors[:1] for item in stored])
        vectors = vectors + 0.02 * copy * noise.normal(size=vectors.shape) / np.sqrt(vectors.shape[1])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        payloads = []
        for place, item in enumerate(stored):
            payload = dict(item.payload) | {
                "product_id": f"{item.product_id}-{copy}",
                "price": float(place + 1000 * copy),
            }
            if place < DUPLICATES_OF and copy in (0, COPIES - 1):
                payload["duplicate_set"] = f"{item.product_id}-0"
            if copy == 1:
                # Of some, nothing is known.
                del payload["category"], payload["category_path"], payload["attributes"]
            payloads.append(payload)
        titles = None
        if begun.layout.title_dim:
            titles = np.stack([item.title for item in stored if item.title is not None])
        names = [str(payload["product_id"]) for payload in payloads]
        writer.upsert(Batch(names, vectors.astype(np.float32), payloads, titles=titles))
    manifest = replace(begun, state="ready", products=COPIES * len(stored))
    writer.finish(manifest)
    store.activate(manifest.version)
    catalog = ServedCatalog.of(served.catalog.encoder, store, store.open(), served.settings)
    with (
        serving(served.settings, list_services(catalog)) as target,
        Client(target) as client,
        grpc.insecure_channel(target) as channel,
    ):
        yield Served(served.settings, catalog, target, client, search_service_pb2_grpc.SearchServiceStub(channel))
    catalog.close()

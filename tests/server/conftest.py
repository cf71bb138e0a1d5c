"""A server in this process, on a real port, over a real Edge store; and servers of a test's own services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health, health_pb2
from grpc_status import rpc_status
from merchlens import Client
from merchlens.v1 import search_service_pb2_grpc

from embedder.training.settings import InstanceSettings
from indexer.filters.schema import FieldType, Schema
from indexer.stores.edge.store import EdgeStore
from indexer.stores.protocol import Batch
from indexer.versions.manifest import new_version_name
from server.hosting.host import Host, make_server
from server.hosting.served_catalog import ServedCatalog
from server.rpc.interceptors import StatusInterceptor
from server.rpc.services import Service, list_services
from server.settings import ServerSettings
from tests.conftest import copy_folder, run_module
from tests.made_once import made_once

DIM = InstanceSettings().semantic_dim + InstanceSettings().dim
"""Of the served index's vectors."""

COPIES = 15
"""Of each drawn product, in the deep index."""

DUPLICATES_OF = 40
"""So many of its products have a duplicate, in the last copy."""

EAN = 4_006_381_000_000
"""Its products' trade numbers begin there."""


@dataclass(frozen=True)
class Served:
    """A running server: its settings, what it serves, its target, a client, a bare stub."""

    settings: ServerSettings
    catalog: ServedCatalog
    target: str
    client: Client
    stub: search_service_pb2_grpc.SearchServiceStub


@contextmanager
def serving(
    settings: ServerSettings, services: tuple[Service, ...], interceptor: StatusInterceptor | None = None
) -> Iterator[str]:
    """A server as `Host` makes it, with other services; yields its target."""
    healthy = health.HealthServicer()
    server = make_server(settings, services, healthy, interceptor or StatusInterceptor(settings))
    for service in services:
        healthy.set(service.name, health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def unpacked(error: grpc.RpcError) -> dict[str, Any]:
    """Details of a failed call by the names of their messages."""
    status = rpc_status.from_call(error)
    assert status is not None
    found = {}
    for item in status.details:
        message = getattr(error_details_pb2, item.type_url.rpartition(".")[2])()
        assert item.Unpack(message)
        found[type(message).__name__] = message
    return found


@pytest.fixture(scope="session")
def drawn_store(drawn_catalog: Path, trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An Edge store with the drawn catalog, built through the command line; this worker's own, since one may open it."""

    def build(folder: Path) -> None:
        flags = ("--catalog", str(drawn_catalog), "--model", str(trained_bundle), "--store", f"edge:{folder}")
        flags += ("--cache-dir", str(folder.parent / "cache"))
        done = run_module("indexer", "build", *flags)
        assert done.returncode == 0, done.stderr

    built = made_once(tmp_path_factory, "store", build)
    return f"edge:{copy_folder(built, tmp_path_factory.mktemp('store') / 'index')}"


@pytest.fixture(scope="session")
def served(drawn_store: str, trained_bundle: Path) -> Iterator[Served]:
    """Whose index nobody changes."""
    with running(ServerSettings(model=str(trained_bundle), store=drawn_store, port=0)) as started:
        yield started


@pytest.fixture(scope="session")
def changing(drawn_store: str, trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of an index of its own, to write to: what a test finds in it, it put there itself."""
    copy = copy_folder(drawn_store.removeprefix("edge:"), tmp_path_factory.mktemp("changing") / "index")
    with running(ServerSettings(model=str(trained_bundle), store=f"edge:{copy}", port=0)) as started:
        yield started


@contextmanager
def running(settings: ServerSettings) -> Iterator[Served]:
    """A server as its own process runs it."""
    host = Host(settings)
    host.start()
    target = host.target
    channel = grpc.insecure_channel(target, [("grpc.max_send_message_length", 64 << 20)])
    with Client(target) as client, channel:
        yield Served(settings, host.catalog, target, client, search_service_pb2_grpc.SearchServiceStub(channel))
    host.stop()


@pytest.fixture(scope="session")
def deep(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """2,400 products, deeper than a query's pages: copies of the drawn ones, each a little beside the others, some of which
    are duplicates.
    """
    drawn = served.catalog.reader
    ids = [payload["product_id"] for page in drawn.scan(["product_id"]) for payload in page]
    stored = drawn.fetch_many(sorted(ids))
    noise = np.random.default_rng(5)
    store = EdgeStore(tmp_path_factory.mktemp("deep") / "index")
    attributes = {**drawn.manifest.schema.attributes, "Stock-Code": FieldType.KEYWORD, "EAN": FieldType.NUMBER}
    begun = replace(
        drawn.manifest,
        version=new_version_name(),
        state="building",
        products=0,
        calibration="",
        schema=Schema(attributes),
    )
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
            numbers = {"Stock-Code": f"ab-{place:03d}/{copy // 2}", "EAN": EAN + 1000.0 * copy + place}
            payload["attributes"] = {**payload["attributes"], **numbers}
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

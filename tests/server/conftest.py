"""A server in this process, on a real port, over a real Edge store; and servers of a test's own services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health, health_pb2
from grpc_status import rpc_status
from merchlens import Client
from merchlens.v1 import search_service_pb2_grpc

from embedder.training.settings import InstanceSettings
from server.hosting.host import Host, make_server
from server.hosting.served_catalog import ServedCatalog
from server.rpc.interceptors import StatusInterceptor
from server.rpc.services import Service
from server.settings import ServerSettings
from tests.conftest import copy_folder, run_module
from tests.made_once import made_once

DIM = InstanceSettings().semantic_dim + InstanceSettings().dim
"""Of the served index's vectors."""


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
    settings = ServerSettings(model=str(trained_bundle), store=drawn_store, port=0)
    host = Host(settings)
    host.start()
    target = host.target
    channel = grpc.insecure_channel(target, [("grpc.max_send_message_length", 64 << 20)])
    with Client(target) as client, channel:
        yield Served(settings, host.catalog, target, client, search_service_pb2_grpc.SearchServiceStub(channel))
    host.stop()

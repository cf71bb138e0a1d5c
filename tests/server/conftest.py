"""A server in this process, on a real port, over a real Edge store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from merchlens import Client
from merchlens.v1 import search_service_pb2_grpc

from server.hosting.host import Host
from server.settings import ServerSettings
from tests.conftest import run_module


@dataclass(frozen=True)
class Served:
    """A running server: its settings, port, a client, a bare stub."""

    settings: ServerSettings
    target: str
    client: Client
    stub: search_service_pb2_grpc.SearchServiceStub


@pytest.fixture(scope="session")
def drawn_store(drawn_catalog: Path, trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An Edge store with the drawn catalog, built through the command line."""
    store = f"edge:{tmp_path_factory.mktemp('store')}"
    done = run_module(
        "indexer", "build", "--catalog", str(drawn_catalog), "--model", str(trained_bundle), "--store", store
    )
    assert done.returncode == 0, done.stderr
    return store


@pytest.fixture(scope="session")
def served(drawn_store: str, trained_bundle: Path) -> Iterator[Served]:
    settings = ServerSettings(model=str(trained_bundle), store=drawn_store, port=0)
    host = Host(settings)
    host.start()
    target = f"127.0.0.1:{host.port}"
    channel = grpc.insecure_channel(target, [("grpc.max_send_message_length", 64 << 20)])
    with Client(target) as client, channel:
        yield Served(settings, target, client, search_service_pb2_grpc.SearchServiceStub(channel))
    host.stop()

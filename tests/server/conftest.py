"""A server in this process, on a real port, over a real Edge store."""

from __future__ import annotations

import shutil
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
from tests.made_once import made_once


@dataclass(frozen=True)
class Served:
    """A running server: its settings, port, a client, a bare stub."""

    settings: ServerSettings
    target: str
    client: Client
    stub: search_service_pb2_grpc.SearchServiceStub


@pytest.fixture(scope="session")
def drawn_store(drawn_catalog: Path, trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An Edge store with the drawn catalog, built through the command line; this worker's own, since one may open it."""

    def build(folder: Path) -> None:
        flags = ("--catalog", str(drawn_catalog), "--model", str(trained_bundle), "--store", f"edge:{folder}")
        done = run_module("indexer", "build", *flags)
        assert done.returncode == 0, done.stderr

    built = made_once(tmp_path_factory, "store", build)
    return f"edge:{shutil.copytree(built, tmp_path_factory.mktemp('store') / 'index')}"


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

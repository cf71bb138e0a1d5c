"""An index that is damaged while it is served is served no more: each call says so, and health, and the log names the file."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from merchlens.v1 import query_pb2, search_service_pb2, search_service_pb2_grpc

from indexer.stores.edge.store import EdgeStore
from indexer.stores.protocol import VersionReader
from server.hosting.host import Host
from server.hosting.integrity import IntegrityCheck
from server.settings import ServerSettings
from tests.conftest import copy_folder
from tests.indexer.conftest import load, shelf
from tests.server.rpc.test_bad_input import unpacked

SERVICE = "merchlens.v1.SearchService"
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def wait_for(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def vectors_of(root: Path) -> Path:
    return next(iter((root / "versions" / (root / "CURRENT").read_text().strip()).rglob("chunk_0.mmap")))


def change_a_byte(path: Path) -> None:
    with path.open("r+b") as file:
        byte = file.read(1)[0]
        file.seek(0)
        file.write(bytes([byte ^ 1]))


def replace_with_a_changed_copy(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    change_a_byte(path.with_name("copy"))
    path.with_name("copy").replace(path)


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(100)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a live version of 40 products."""
    root = tmp_path_factory.mktemp("built") / "index"
    store = EdgeStore(root)
    store.activate(load(store, shelf(40)).version)
    return root


class TestTheCheck:
    @pytest.fixture
    def root(self, built: Path, tmp_path: Path) -> Path:
        return copy_folder(built, tmp_path / "index")

    @pytest.fixture
    def reader(self, root: Path) -> Iterator[VersionReader]:
        reader = EdgeStore(root).open()
        yield reader
        reader.close()

    def status(self, servicer: health.HealthServicer) -> int:
        return servicer.Check(health_pb2.HealthCheckRequest(service="shop"), None).status

    @pytest.mark.parametrize(
        ("damage", "mb_per_s"),
        [(change_a_byte, 0.0), (cut_short, 0.0), (replace_with_a_changed_copy, 1000.0)],
        ids=["written to", "cut short", "replaced"],
    )
    def test_takes_the_server_out_of_service_and_names_the_file(
        self,
        root: Path,
        reader: VersionReader,
        caplog: pytest.LogCaptureFixture,
        damage: Callable[[Path], None],
        mb_per_s: float,
    ) -> None:
        servicer = health.HealthServicer()
        servicer.set("shop", SERVING)
        damage(vectors_of(root))
        check = IntegrityCheck(reader, servicer, ["shop"], mb_per_s)
        with caplog.at_level(logging.ERROR):
            check.start()
            wait_for(lambda: self.status(servicer) == NOT_SERVING, "health")
        assert "chunk_0.mmap" in caplog.text
        check.stop()

    def test_leaves_a_sound_index_alone_and_stops_when_told(self, reader: VersionReader) -> None:
        servicer, read = health.HealthServicer(), []
        servicer.set("shop", SERVING)
        real = reader.check
        reader.check = lambda pace=None: (real(pace), read.append(pace))
        check = IntegrityCheck(reader, servicer, ["shop"], 1000.0)
        check.start()
        wait_for(lambda: len(read) >= 2, "a pass")
        check.stop()
        assert self.status(servicer) == SERVING

    def test_stops_in_the_middle_of_a_slow_pass(self, reader: VersionReader) -> None:
        servicer = health.HealthServicer()
        servicer.set("shop", SERVING)
        check = IntegrityCheck(reader, servicer, ["shop"], 1e-6)
        check.start()
        check.stop()
        assert self.status(servicer) == SERVING

    def test_that_was_never_started_can_be_stopped(self, reader: VersionReader) -> None:
        IntegrityCheck(reader, health.HealthServicer(), ["shop"], 8.0).stop()
        assert reader.count() == 40


def test_callers_are_told_index_incomplete_and_health_says_not_serving(
    drawn_store: str, trained_bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "store"
    copy_folder(drawn_store.removeprefix("edge:"), root)
    host = Host(ServerSettings(model=str(trained_bundle), store=f"edge:{root}", port=0))
    host.start()
    with grpc.insecure_channel(host.target) as channel:
        stub = search_service_pb2_grpc.SearchServiceStub(channel)
        request = search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(text="red ball")])
        assert stub.Search(request).hits
        cut_short(vectors_of(root))
        for _ in range(3):
            with pytest.raises(grpc.RpcError) as caught:
                stub.Search(request)
            assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert unpacked(caught.value)["ErrorInfo"].reason == "INDEX_INCOMPLETE"
        checks = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE):
            wait_for(
                lambda name=name: checks.Check(health_pb2.HealthCheckRequest(service=name)).status == NOT_SERVING, name
            )
    assert "chunk_0.mmap" in caplog.text
    # Also its end is an orderly one.
    host.stop()

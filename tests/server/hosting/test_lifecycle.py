"""Starting, serving and stopping `python -m server` as its operator does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from merchlens import Client

from indexer.stores.address import open_store
from tests.conftest import run_module
from tests.server.conftest import Served


@contextmanager
def started(*flags: str, python: tuple[str, ...] = ("-m", "server")) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own: (process, target)."""
    process = subprocess.Popen(
        [sys.executable, *python, *flags, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), process.communicate()[1]
        yield process, line.removeprefix("listening on ").strip()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def own_store(drawn_store: str, tmp_path: Path) -> str:
    """A copy of the drawn store: the original is open in this process."""
    shutil.copytree(drawn_store.removeprefix("edge:"), tmp_path / "store")
    return f"edge:{tmp_path / 'store'}"


def test_it_starts_and_answers_without_torch_or_open_clip(own_store: str, trained_bundle: Path, tmp_path: Path) -> None:
    listing = tmp_path / "modules.json"
    code = (
        "import atexit, json, pathlib, sys\n"
        f"atexit.register(lambda: pathlib.Path({str(listing)!r}).write_text(json.dumps(sorted(sys.modules))))\n"
        "from server.__main__ import main\n"
        "main()\n"
    )
    with started("--model", str(trained_bundle), "--store", own_store, python=("-c", code)) as (process, target):
        with Client(target) as client:
            assert client.search(text="red ball").hits
            assert client.search(product_id="p-0000").hits
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    loaded = {name.split(".")[0] for name in json.loads(listing.read_text())}
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint({"torch", "open_clip", "torchvision", "timm", "transformers"})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_status_0(own_store: str, trained_bundle: Path, number: signal.Signals) -> None:
    with started("--model", str(trained_bundle), "--store", own_store) as (process, target):
        outcomes: list[str] = []

        def ask() -> None:
            with Client(target, max_attempts=1) as client:
                while True:
                    try:
                        client.search(text="ball")
                        outcomes.append("answered")
                    except Exception as error:
                        outcomes.append(type(error).__name__)
                        return

        callers = [threading.Thread(target=ask) for _ in range(4)]
        for caller in callers:
            caller.start()
        while len(outcomes) < 20:
            pass
        process.send_signal(number)
        assert process.wait(30) == 0
        for caller in callers:
            caller.join(30)
    # Those in flight were answered; only calls that came later were refused.
    assert set(outcomes) <= {"answered", "Unavailable", "Cancelled"}
    assert outcomes.count("answered") >= 16


def test_after_a_stop_or_a_kill_the_same_store_serves_again(own_store: str, trained_bundle: Path) -> None:
    for number in (signal.SIGKILL, signal.SIGTERM):
        with started("--model", str(trained_bundle), "--store", own_store) as (process, target):
            with Client(target) as client:
                assert client.search(text="ball").hits
            process.send_signal(number)
            process.wait(30)


def test_health_is_told_for_the_service_and_the_server(served: Served) -> None:
    with grpc.insecure_channel(served.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", "merchlens.v1.SearchService"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_describes_the_contract(served: Served) -> None:
    with grpc.insecure_channel(served.target) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "merchlens.v1.SearchService" in database.get_services()
        file = database.FindFileContainingSymbol("merchlens.v1.SearchService")
        assert file.name == "merchlens/v1/search_service.proto"


def refused(*flags: str) -> str:
    """Starting with these flags fails with status 2 and one line, which is returned."""
    done = run_module("server", *flags, "--port", "0")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_a_store_made_by_another_model_is_refused(own_store: str, starter_bundle: Path) -> None:
    message = refused("--model", str(starter_bundle), "--store", own_store)
    assert "was made by the model" in message
    assert "next step" in message


@pytest.mark.parametrize("name", ["open_clip_model.safetensors", "onnx/text.onnx", "onnx/image.onnx", "tokenizer.json"])
def test_a_corrupt_bundle_is_refused(own_store: str, trained_bundle: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(trained_bundle, tmp_path / "bundle")
    path = tmp_path / "bundle" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    message = refused("--model", str(tmp_path / "bundle"), "--store", own_store)
    assert name in message
    assert "next step" in message


def test_a_half_written_index_version_is_refused(own_store: str, trained_bundle: Path) -> None:
    root = Path(own_store.removeprefix("edge:"))
    manifest = root / "versions" / str(open_store(own_store).live_version()) / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"state": "ready"', '"state": "building"'))
    message = refused("--model", str(trained_bundle), "--store", own_store)
    assert "'building', not 'ready'" in message
    assert "next step" in message


def test_an_index_version_that_lost_its_shard_is_refused(own_store: str, trained_bundle: Path) -> None:
    root = Path(own_store.removeprefix("edge:"))
    shutil.rmtree(root / "versions" / str(open_store(own_store).live_version()) / "shard")
    message = refused("--model", str(trained_bundle), "--store", own_store)
    assert "lost its shard" in message
    assert "next step" in message


def test_a_store_without_an_index_is_refused(trained_bundle: Path, tmp_path: Path) -> None:
    message = refused("--model", str(trained_bundle), "--store", f"edge:{tmp_path / 'nothing'}")
    assert "python -m indexer build" in message


def test_a_store_that_another_server_has_open_is_refused(served: Served, trained_bundle: Path) -> None:
    message = refused("--model", str(trained_bundle), "--store", served.settings.store)
    assert "owned by pid" in message
    assert str(os.getpid()) in message


def test_a_model_that_is_not_there_is_refused(own_store: str) -> None:
    assert "permitted" in refused("--model", "no/such/model", "--store", own_store)


def test_an_address_that_others_reach_is_refused_unless_told(own_store: str, trained_bundle: Path) -> None:
    flags = ("--model", str(trained_bundle), "--store", own_store, "--host", "0.0.0.0")
    assert "--insecure" in refused(*flags)
    with started(*flags, "--insecure") as (_, target), Client(target.replace("0.0.0.0", "127.0.0.1")) as client:
        assert client.search(text="ball").hits


def test_a_port_that_is_taken_is_refused(own_store: str, trained_bundle: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_module("server", "--model", str(trained_bundle), "--store", own_store, "--port", port)
    assert done.returncode == 2
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_outside_its_range_is_refused_by_name(own_store: str, trained_bundle: Path, tmp_path: Path) -> None:
    config = tmp_path / "merchlens.toml"
    config.write_text("workers = 0\n")
    done = run_module("server", "--model", str(trained_bundle), "--store", own_store, "--config", str(config))
    assert done.returncode == 2
    assert "workers" in done.stderr

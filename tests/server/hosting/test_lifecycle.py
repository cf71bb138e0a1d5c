"""Starting, serving and stopping `python -m server` as its operator does."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import struct
import threading
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from merchlens import Client, InvalidArgument
from PIL import Image

from indexer.stores.address import open_store
from tests.conftest import copy_folder, run_module
from tests.server.conftest import Served
from tests.serving import running_server


@pytest.fixture
def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def own_store(drawn_store: str, tmp_path: Path) -> str:
    """A copy of the drawn store: the original is open in this process."""
    copy_folder(drawn_store.removeprefix("edge:"), tmp_path / "store")
    return f"edge:{tmp_path / 'store'}"


def test_it_starts_and_answers_without_torch_or_open_clip(own_store: str, trained_bundle: Path, tmp_path: Path) -> None:
    listing = tmp_path / "modules.json"
    code = (
        "import atexit, json, pathlib, sys\n"
        f"atexit.register(lambda: pathlib.Path({str(listing)!r}).write_text(json.dumps(sorted(sys.modules))))\n"
        "from server.__main__ import main\n"
        "main()\n"
    )
    with running_server("--model", str(trained_bundle), "--store", own_store, python=("-c", code)) as server:
        with Client(server.target) as client:
            assert client.search(text="red ball").hits
            assert client.search(product_id="p-0000").hits
        assert server.stop() == 0
    loaded = {name.split(".")[0] for name in json.loads(listing.read_text())}
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint({"torch", "open_clip", "torchvision", "timm", "transformers"})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_status_0(own_store: str, trained_bundle: Path, number: signal.Signals) -> None:
    with running_server("--model", str(trained_bundle), "--store", own_store) as server:
        outcomes: list[str] = []

        def ask() -> None:
            with Client(server.target, max_attempts=1) as client:
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
        assert server.stop(number) == 0
        for caller in callers:
            caller.join(30)
    # Those in flight were answered; only calls that came later were refused.
    assert set(outcomes) <= {"answered", "Unavailable", "Cancelled"}
    assert outcomes.count("answered") >= 16


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_right_after_the_address_is_printed_drains_too(
    own_store: str, trained_bundle: Path, number: signal.Signals
) -> None:
    for _ in range(2):
        with running_server("--model", str(trained_bundle), "--store", own_store) as server:
            assert server.stop(number) == 0
            assert f"{number.name}: draining" in server.log()
            assert "stopped" in server.log()


def test_two_restarts_under_load_cost_no_call(own_store: str, trained_bundle: Path, free_port: int) -> None:
    flags = ("--model", str(trained_bundle), "--store", own_store, "--port", str(free_port))
    over = threading.Event()
    answered = [0] * 4
    failed: list[BaseException] = []

    def ask(number: int) -> None:
        with Client(f"127.0.0.1:{free_port}", timeout_s=60) as client:
            while not over.is_set():
                try:
                    assert client.search(text="ball", top_k=3).hits
                    answered[number] += 1
                except Exception as error:
                    failed.append(error)

    callers = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for caller in callers:
        caller.start()
    try:
        for turn in range(3):
            with running_server(*flags) as server:
                before = list(answered)
                while not failed and any(now < then + 10 for now, then in zip(answered, before, strict=True)):
                    over.wait(0.01)
                if turn == 2:
                    over.set()
                    for caller in callers:
                        caller.join(60)
                assert server.stop() == 0
    finally:
        over.set()
    assert failed == []
    assert min(answered) >= 30


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_on_an_ipv6_address_the_target_that_is_printed_can_be_used(own_store: str, trained_bundle: Path) -> None:
    flags = ("--model", str(trained_bundle), "--store", own_store, "--host", "::1")
    with running_server(*flags) as server, Client(server.target) as client:
        assert server.target.startswith("[::1]:")
        assert client.search(text="ball").hits


def test_a_broken_picture_is_logged_as_the_callers_with_its_request_id(own_store: str, trained_bundle: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "TIFF")
    # Tag 277, samples per pixel, of type SHORT: 3 becomes 200, which Pillow logs as an error.
    entry = struct.pack("<HHIHH", 277, 3, 1, 3, 0)
    assert picture.getvalue().count(entry) == 1
    broken = picture.getvalue().replace(entry, struct.pack("<HHIHH", 277, 3, 1, 200, 0))
    with running_server("--model", str(trained_bundle), "--store", own_store) as server:
        with Client(server.target) as client, pytest.raises(InvalidArgument) as caught:
            client.search(image=broken, request_id="order-17")
        assert caught.value.reason == "IMAGE_UNREADABLE"
        assert server.stop() == 0
    lines = [line for line in server.log().splitlines() if "order-17" in line]
    assert any("INFO" in line and "More samples per pixel" in line for line in lines)
    assert [line for line in server.log().splitlines() if "ERROR" in line or "WARNING" in line] == []


def test_the_largest_filter_depth_that_a_server_starts_with_is_answered(own_store: str, trained_bundle: Path) -> None:
    flags = ("--model", str(trained_bundle), "--store", own_store)
    deep = {**os.environ, "MERCHLENS_MAX_FILTER_DEPTH": "64"}
    with running_server(*flags, env=deep) as server, Client(server.target) as client:
        # Nothing that the parser would dissolve: each level is a clause of its own.
        nested = "in_stock"
        for level in range(63):
            nested = f"NOT ({nested} {('AND', 'OR')[level % 2]} price < 50)"
        assert client.search(text="ball", filter=f"({nested})") is not None
        assert len(client.search(text="ball", filter="(" * 64 + "in_stock" + ")" * 64)) == 10
        with pytest.raises(InvalidArgument) as caught:
            client.search(text="ball", filter="(" * 65 + "in_stock" + ")" * 65)
        assert caught.value.reason == "FILTER_TOO_DEEP"


@pytest.mark.parametrize("depth", [0, 65, 200])
def test_a_filter_depth_that_the_parser_cannot_do_is_refused_at_the_start(tmp_path: Path, depth: int) -> None:
    config = tmp_path / "merchlens.toml"
    config.write_text(f"max_filter_depth = {depth}\n")
    message = refused("--config", str(config))
    assert f"max_filter_depth {depth}" in message
    assert "64" in message or depth == 0


def test_after_a_stop_or_a_kill_the_same_store_serves_again(own_store: str, trained_bundle: Path) -> None:
    for number in (signal.SIGKILL, signal.SIGTERM):
        with running_server("--model", str(trained_bundle), "--store", own_store) as server:
            with Client(server.target) as client:
                assert client.search(text="ball").hits
            server.stop(number)


def test_health_is_reported_for_the_service_and_the_server(served: Served) -> None:
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
    with (
        running_server(*flags, "--insecure") as server,
        Client(server.target.replace("0.0.0.0", "127.0.0.1")) as client,
    ):
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


def test_a_served_version_is_backed_up_and_restored_beside_it(
    own_store: str, trained_bundle: Path, tmp_path: Path
) -> None:
    flags = ("--model", str(trained_bundle), "--store", own_store)
    out = tmp_path / "shop.backup"

    def answers(target: str) -> list[tuple[str, float]]:
        with Client(target) as client:
            return [(hit.product_id, hit.score) for hit in client.search(text="red ball").hits]

    with running_server(*flags) as server:
        before = answers(server.target)
        for command in (["backup", "--out", str(out)], ["restore", str(out)]):
            done = run_module("indexer", *command, "--store", own_store)
            assert done.returncode == 0, done.stderr
        assert answers(server.target) == before
        assert server.stop() == 0
    with running_server(*flags) as server:
        assert answers(server.target) == before
        assert server.stop() == 0
    assert "160 products restored" in done.stdout

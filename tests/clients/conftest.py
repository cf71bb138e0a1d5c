"""A real gRPC server on the loopback whose answers each test writes itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field

import grpc
import pytest
from merchlens.v1 import search_service_pb2, search_service_pb2_grpc

Answer = Callable[[search_service_pb2.SearchRequest, grpc.ServicerContext], search_service_pb2.SearchResponse]


@dataclass
class Served:
    """A running server and what reached it."""

    target: str
    server: grpc.Server
    requests: list[search_service_pb2.SearchRequest] = field(default_factory=list)
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)


class _Servicer(search_service_pb2_grpc.SearchServiceServicer):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.served: Served | None = None

    def Search(self, request, context):
        with self._lock:
            self.served.requests.append(request)
            self.served.metadata.append(dict(context.invocation_metadata()))
        return self._answer(request, context)


def answer_nothing(
    request: search_service_pb2.SearchRequest, context: grpc.ServicerContext
) -> search_service_pb2.SearchResponse:
    return search_service_pb2.SearchResponse()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts servers: `serve(answer, port=0, credentials=None)`; each is stopped after the test."""
    started: list[Served] = []

    def start(
        answer: Answer = answer_nothing, port: int = 0, credentials: grpc.ServerCredentials | None = None
    ) -> Served:
        servicer = _Servicer(answer)
        options = [("grpc.max_receive_message_length", 16 * 2**20), ("grpc.so_reuseport", 0)]
        server = grpc.server(futures.ThreadPoolExecutor(8), options=options)
        search_service_pb2_grpc.add_SearchServiceServicer_to_server(servicer, server)
        address = f"127.0.0.1:{port}"
        if credentials is None:
            bound = server.add_insecure_port(address)
        else:
            bound = server.add_secure_port(address, credentials)
        servicer.served = Served(f"127.0.0.1:{bound}", server)
        server.start()
        started.append(servicer.served)
        return servicer.served

    yield start
    for served in started:
        served.server.stop(grace=None).wait()


@pytest.fixture
def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

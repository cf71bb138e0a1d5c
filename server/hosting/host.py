"""A server's life: open, bind, serve, drain."""

from __future__ import annotations

import gc
import ipaddress
import logging
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from merchlens.v1 import search_service_pb2, search_service_pb2_grpc

from embedder.encoder import open_encoder
from embedder.export.base_bundles import resolve_bundle
from indexer.stores.address import open_store
from indexer.stores.protocol import Store, VersionReader
from indexer.versions.manifest import check_servable
from server.errors import StartupRefused
from server.rpc.interceptors import StatusInterceptor
from server.rpc.search_servicer import SearchServicer
from server.search.searcher import Searcher
from server.settings import ServerSettings

_log = logging.getLogger(__name__)

SERVICE = search_service_pb2.DESCRIPTOR.services_by_name["SearchService"].full_name


class Host:
    """One server, from open to closed."""

    def __init__(self, settings: ServerSettings) -> None:
        """Open the model and the live index version, and bind; nothing is served before `start`.

        Raises:
            StartupRefused: an address that others reach, without `insecure`; or one that cannot be bound.
            ModelError, BundleError: see `embedder.errors`.
            StoreError: see `indexer.errors`.
        """
        check_address(settings)
        self._settings = settings
        encoder = open_encoder(
            resolve_bundle(settings.model, settings.cache_dir),
            threads=settings.threads,
            device=settings.device,
            text_threads=settings.text_threads,
        )
        api_key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
        self._store: Store = open_store(settings.store, api_key)
        self._reader: VersionReader = self._store.open(owner=f"server {settings.host}:{settings.port}")
        try:
            check_servable(self._reader.manifest, encoder.info.fingerprint)
            self._searcher = Searcher(encoder, self._reader, settings)
            self._searcher.warm_up()
            self._health = health.HealthServicer()
            self._server = self._make_server()
            self.port = self._bind()
        except BaseException:
            self._reader.close()
            raise

    def start(self) -> None:
        """Begin to serve."""
        # What start-up made lives as long as the process: collections need not walk it again and again.
        gc.collect()
        gc.freeze()
        self._server.start()
        for name in (SERVICE, ""):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        _log.info(
            "serving index version %s (%d products) with model %s",
            self._reader.manifest.version,
            self._reader.manifest.products,
            self._searcher.model_fingerprint[:16],
        )

    def stop(self) -> None:
        """Drain: report not serving, refuse new calls, let those in flight end within `drain_s`, close."""
        self._health.enter_graceful_shutdown()
        self._server.stop(self._settings.drain_s).wait()
        self._reader.close()
        self._store.close()
        _log.info("stopped")

    def serve_until_signal(self) -> None:
        """Block until SIGTERM or SIGINT, then drain."""
        stopping = threading.Event()

        def on_signal(number: int, frame: FrameType | None) -> None:
            _log.info("%s: draining", signal.Signals(number).name)
            stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
        stopping.wait()
        self.stop()

    def _make_server(self) -> grpc.Server:
        settings = self._settings
        made = grpc.server(
            ThreadPoolExecutor(settings.workers, thread_name_prefix="call"),
            interceptors=[StatusInterceptor(settings)],
            options=[
                # Somewhat more than is permitted, so that the refusal can be ours, with details.
                ("grpc.max_receive_message_length", settings.max_message_bytes * 2),
                ("grpc.max_send_message_length", settings.max_message_bytes * 2),
                # Two servers on one port would each answer half of the calls.
                ("grpc.so_reuseport", 0),
            ],
        )
        search_service_pb2_grpc.add_SearchServiceServicer_to_server(SearchServicer(self._searcher), made)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, made)
        reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), made)
        return made

    def _bind(self) -> int:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        address = f"{host}:{self._settings.port}"
        try:
            return int(self._server.add_insecure_port(address))
        except RuntimeError as error:
            raise StartupRefused(
                f"address {address} cannot be bound; permitted: a free port of this machine; next step: is another "
                "server running there? --port 0 takes a free one"
            ) from error


def check_address(settings: ServerSettings) -> None:
    """Refuse plain text to the world.

    Raises:
        StartupRefused: the address is not a loopback one, and `insecure` was not given.
    """
    if settings.insecure or settings.host == "localhost":
        return
    try:
        local = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise StartupRefused(
            f"host {settings.host!r} can be reached by others, and calls are neither encrypted nor authenticated; "
            "permitted: 127.0.0.1, ::1, localhost; next step: bind to one of these behind a proxy that does both, or "
            "give --insecure"
        )

"""A server's life: open, bind, serve, drain."""

from __future__ import annotations

import gc
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from server.errors import StartupRefused
from server.hosting.address import check_host, to_target
from server.hosting.integrity import IntegrityCheck
from server.hosting.served_catalog import ServedCatalog, open_served_catalog
from server.rpc.interceptors import StatusInterceptor
from server.rpc.services import Service, list_services
from server.settings import ServerSettings

_log = logging.getLogger(__name__)

_REFUSING_S = 0.3


class Host:
    """One server, from open to closed."""

    def __init__(self, settings: ServerSettings) -> None:
        """Open the model and the live index version, and bind; nothing is served before `start`.

        Raises:
            StartupRefused: an address that other machines can reach, without `insecure`; or one that cannot be bound.
            ModelError, BundleError: see `embedder.errors`.
            StoreError: see `indexer.errors`.
        """
        check_host(settings.host, settings.insecure)
        self._settings = settings
        self._catalog = open_served_catalog(settings, owner=f"server {to_target(settings.host, settings.port)}")
        try:
            self._services = list_services(self._catalog)
            self._health = health.HealthServicer()
            self._health_names = (*(service.name for service in self._services), "")
            self._integrity = IntegrityCheck(
                self._catalog.reader, self._health, self._health_names, settings.check_mb_per_s
            )
            self._interceptor = StatusInterceptor(settings)
            self._server = make_server(settings, self._services, self._health, self._interceptor)
            self._port = self._bind()
        except BaseException:
            self._catalog.close()
            raise

    @property
    def target(self) -> str:
        """HOST:PORT to give to clients."""
        return to_target(self._settings.host, self._port)

    @property
    def catalog(self) -> ServedCatalog:
        """What is served."""
        return self._catalog

    def start(self) -> None:
        """Begin to serve."""
        # Objects made at start-up live as long as the process: the garbage collector need not scan them again.
        gc.collect()
        gc.freeze()
        self._server.start()
        for name in self._health_names:
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._integrity.start()
        manifest = self._catalog.reader.manifest
        _log.info(
            "serving index version %s (%d products) with model %s",
            manifest.version,
            manifest.products,
            manifest.model_fingerprint[:16],
        )

    def stop(self) -> None:
        """Drain: report not serving, refuse new calls, let those in flight end within `drain_s`, close."""
        self._health.enter_graceful_shutdown()
        # A call that reaches gRPC's server while it shuts down is dropped as CANCELLED, which says nothing to a caller.
        # So calls are first refused with a status that says to try again, until callers have noticed.
        self._interceptor.refuse_new_calls()
        time.sleep(min(_REFUSING_S, self._settings.drain_s))
        self._server.stop(self._settings.drain_s).wait()
        self._integrity.stop()
        self._catalog.close()
        _log.info("stopped")

    def _bind(self) -> int:
        address = to_target(self._settings.host, self._settings.port)
        try:
            return int(self._server.add_insecure_port(address))
        except RuntimeError as error:
            raise StartupRefused(
                f"address {address} cannot be bound; permitted: a free port of this machine; next step: is another "
                "server running there? --port 0 takes a free one"
            ) from error


def make_server(
    settings: ServerSettings,
    services: tuple[Service, ...],
    health_servicer: health.HealthServicer,
    interceptor: StatusInterceptor,
) -> grpc.Server:
    """A gRPC server with our services, health and reflection; neither bound nor started."""
    made = grpc.server(
        ThreadPoolExecutor(settings.workers, thread_name_prefix="call"),
        interceptors=[interceptor],
        options=[
            # Somewhat more than is permitted, so that the server itself refuses it, with details.
            ("grpc.max_receive_message_length", settings.max_message_bytes * 2),
            ("grpc.max_send_message_length", settings.max_message_bytes * 2),
            # Two servers on one port would each answer half of the calls.
            ("grpc.so_reuseport", 0),
        ],
    )
    for service in services:
        service.register(made)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, made)
    names = (*(service.name for service in services), health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, made)
    return made

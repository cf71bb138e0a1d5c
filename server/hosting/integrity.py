"""Reads the served index again and again, slowly, and takes the server out of service where it is damaged."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from grpc_health.v1 import health, health_pb2

from indexer.errors import StoreError
from indexer.stores.protocol import VersionReader

_log = logging.getLogger(__name__)

_STEP_BYTES = 1 << 20
_BETWEEN_PASSES_S = 60
_LOOK_EVERY_S = 1.0


class IntegrityCheck:
    """A thread beside the calls. The reader itself refuses calls as soon as it knows of damage; health follows here."""

    def __init__(
        self, reader: VersionReader, health_servicer: health.HealthServicer, services: Sequence[str], mb_per_s: float
    ) -> None:
        """Prepare; `start` begins.

        Args:
            reader: of the served version.
            health_servicer: set to NOT_SERVING for each of the services.
            services: names.
            mb_per_s: how much is read; 0 reads nothing, and only notices what calls or the system report.
        """
        self._reader = reader
        self._health = health_servicer
        self._services = tuple(services)
        self._bytes_per_s = mb_per_s * 1e6
        self._owed = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="integrity-check", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop soon, and wait for that; call it before the reader is closed. Without a start it does nothing."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._bytes_per_s > 0:
                    self._reader.check(self._pace)
                for _ in range(int(_BETWEEN_PASSES_S / _LOOK_EVERY_S)):
                    self._reader.check()
                    if self._stopping.wait(_LOOK_EVERY_S):
                        return
        except _Stopped:
            return
        except StoreError as error:
            _log.error("not serving any more: %s", error)
            for name in self._services:
                self._health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)

    def _pace(self, read: int) -> None:
        self._owed += read
        if self._owed >= _STEP_BYTES:
            if self._stopping.wait(self._owed / self._bytes_per_s):
                raise _Stopped
            self._owed = 0
            # Reading a large index takes hours; a file that was written to is reported meanwhile.
            self._reader.check()


class _Stopped(Exception):
    """The server is stopping."""

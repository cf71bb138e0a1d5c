"""SIGTERM and SIGINT as something to wait for."""

from __future__ import annotations

import logging
import signal
import socket
from types import FrameType

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Catches SIGTERM and SIGINT from its making on; only the main thread may make it and wait.

    The system may deliver a signal to any thread, those of gRPC, Qdrant Edge and ONNX Runtime among them. A main thread
    that waits for a lock or an event is not woken then: Python would run its handler only when that wait had ended by
    itself. So whichever thread is interrupted writes the signal's number to a socket (`signal.set_wakeup_fd`), and the
    main thread waits for that.
    """

    def __init__(self) -> None:
        """Make it before the server announces its address: a signal that comes earlier ends the process at once."""
        self._numbers, self._written = socket.socketpair()
        # Writing in a signal handler must never wait.
        self._written.setblocking(False)
        signal.set_wakeup_fd(self._written.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, _do_nothing)

    def wait(self) -> signal.Signals:
        """Wait until one of the signals has come, and give it; at once where one came before."""
        while True:
            for number in self._numbers.recv(1):
                if number in _SIGNALS:
                    caught = signal.Signals(number)
                    _log.info("%s: draining", caught.name)
                    return caught


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Python writes to the socket only for signals that have a handler."""

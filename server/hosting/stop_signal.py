"""SIGTERM and SIGINT as an event to wait for."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def catch_stop_signals() -> threading.Event:
    """From now on SIGTERM and SIGINT set the event that is returned; only the main thread may call this.

    Call it before the server announces its address: a signal that comes earlier ends the process without a drain.
    """
    stopping = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        _log.info("%s: draining", signal.Signals(number).name)
        stopping.set()

    for number in _SIGNALS:
        signal.signal(number, on_signal)
    return stopping

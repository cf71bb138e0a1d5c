"""SIGTERM and SIGINT reach the main thread that waits for them, whichever thread the system gives them to."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Another thread than the main one is interrupted, once the main one waits.
TO_ANOTHER_THREAD = """
import signal, sys, threading, time
from server.hosting.stop_signal import StopSignals

number = signal.Signals(int(sys.argv[1]))
stop_signals = StopSignals()
other = threading.Thread(target=time.sleep, args=(600,), daemon=True)
other.start()

def interrupt():
    time.sleep(0.3)
    signal.pthread_kill(other.ident, number)

threading.Thread(target=interrupt, daemon=True).start()
print(stop_signals.wait().name)
"""

BEFORE_THE_WAIT = """
import signal, sys
from server.hosting.stop_signal import StopSignals

stop_signals = StopSignals()
for number in (signal.SIGUSR1, int(sys.argv[1])):
    signal.signal(signal.SIGUSR1, lambda number, frame: None)
    signal.raise_signal(number)
print(stop_signals.wait().name)
"""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("script", [TO_ANOTHER_THREAD, BEFORE_THE_WAIT])
def test_a_signal_ends_the_wait(script: str, number: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script, str(int(number))], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"{number.name}\n"

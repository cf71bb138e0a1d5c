"""`python -m server` as a process of its own: the one place that starts it and reads its address."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LISTENING = "listening on "


class RunningServer:
    """A server that answers at `target`; what it logs is kept."""

    def __init__(
        self,
        *flags: str,
        python: Sequence[str] = ("-m", "server"),
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start it and wait until it listens; without `--port` among the flags it takes a free one.

        Raises:
            subprocess.CalledProcessError: it ended before that; `stderr` is its log.
        """
        port = () if "--port" in flags else ("--port", "0")
        self.command = [sys.executable, *python, *flags, *port]
        self._log: list[str] = []
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=env
        )
        # Read all the time: an unread pipe that is full would stop the server.
        self._reading = threading.Thread(target=self._read_log, daemon=True)
        self._reading.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith(LISTENING):
            status = self.process.wait(60)
            raise subprocess.CalledProcessError(status or 1, self.command, output=line, stderr=self.log())
        self.target = line.removeprefix(LISTENING).strip()

    def log(self) -> str:
        """What it has logged so far; all of it once it has ended."""
        if self.process.poll() is not None:
            self._reading.join(60)
        return "".join(self._log)

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 60) -> int:
        """Send a signal, wait for the end, and give the exit status; the status again where it has ended."""
        self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        self._log.extend(iter(self.process.stderr.readline, ""))


@contextmanager
def running_server(
    *flags: str,
    python: Sequence[str] = ("-m", "server"),
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[RunningServer]:
    """A server for the length of a block, which is killed where it has not been stopped in it."""
    server = RunningServer(*flags, python=python, cwd=cwd, env=env)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait(60)

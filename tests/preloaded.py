"""Commands of the embedder in processes of their own, without ten seconds of imports for each.

One process for each worker of pytest imports what these commands import, and forks for each run; Python's `forkserver`
does all of it. What a command is given, writes and ends with is as with `python -m`.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

HEAVY = frozenset({"export", "train", "towers", "eval"})
"""Commands of the embedder that import torch and open_clip."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["embedder.training.tower_run", "embedder.training.towers_compared", "embedder.evaluation.command"]
)


def run_preloaded(
    arguments: tuple[str, ...], cwd: Path | None, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `python -m ARGUMENTS`.

    Raises:
        subprocess.TimeoutExpired: it took longer than that, and was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder) / name for name in ("stdout", "stderr")]
        process = _CONTEXT.Process(target=_run, args=(arguments, str(cwd or Path.cwd()), dict(environment), outputs))
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, timeout_s)
        written = [path.read_text(encoding="utf-8") for path in outputs]
        return subprocess.CompletedProcess(list(arguments), process.exitcode, *written)


@dataclass(frozen=True, slots=True)
class Started:
    """A command that was started.

    Attributes:
        process: it.
        outputs: what it writes to standard output and standard error.
    """

    process: ForkServerProcess
    outputs: Sequence[Path]

    def wait(self, timeout_s: float) -> int | None:
        """Until it ends; its exit status, below 0 for a signal, None where it did not end."""
        self.process.join(timeout_s)
        return self.process.exitcode

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGINT)

    def output(self) -> str:
        """All that it wrote so far."""
        return "".join(path.read_text(encoding="utf-8") for path in self.outputs if path.exists())


def start_preloaded(arguments: tuple[str, ...], folder: Path) -> Started:
    """Start `python -m ARGUMENTS`, and leave it to the caller; what it writes is in `folder`."""
    folder.mkdir(exist_ok=True)
    outputs = [folder / name for name in ("stdout", "stderr")]
    for path in outputs:
        path.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MERCHLENS_")}
    process = _CONTEXT.Process(target=_run, args=(arguments, str(Path.cwd()), environment, outputs))
    process.start()
    return Started(process, outputs)


def _run(arguments: tuple[str, ...], cwd: str, environment: dict[str, str], outputs: list[Path]) -> None:
    for number, path in enumerate(outputs, start=1):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)

"""`indexer build` and `update` as processes that something befalls, and what the index then holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from indexer.settings import IndexerSettings
from indexer.stores.protocol import Store
from indexer.transfer.export import PRODUCTS_FILE, export
from tests.conftest import run_module

TEXTS = ("red ball", "blue box", "green triangle", "black tall box", "a ball")
"""To search the drawn catalogs for."""

_LONGEST_S = 300.0


def moments(count: int, seed: int) -> Iterator[float]:
    """Random moments between a tenth of a command's time and its end, as shares of it: one in each part, then again."""
    random = Random(seed)
    while True:
        for part in random.sample(range(count), count):
            yield 0.1 + 0.9 * (part + random.random()) / count


@dataclass(frozen=True)
class Indexing:
    """A store, and what fills it.

    Attributes:
        url: of the store.
        model: a bundle.
        folder: where the cache and what is exported lie.
        config: settings that the commands are given, TOML.
    """

    url: str
    model: Path
    folder: Path
    config: str = ""

    def command(self, verb: str, *more: str) -> list[str]:
        """The arguments of `python -m`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "settings.toml"
        settings.write_text(self.config, encoding="utf-8")
        return [
            "indexer", verb, "--model", str(self.model), "--store", self.url, "--cache-dir", str(self.cache),
            "--config", str(settings), *more,
        ]  # fmt: skip

    @property
    def cache(self) -> Path:
        """Of embeddings."""
        return self.folder / "cache"

    def run(self, verb: str, *more: str) -> float:
        """To its end, which must be a good one; seconds."""
        started = time.monotonic()
        done = run_module(*self.command(verb, *more), timeout_s=_LONGEST_S)
        assert done.returncode == 0, done.stderr
        return time.monotonic() - started

    def start(self, verb: str, *more: str) -> subprocess.Popen[str]:
        """In a group of its own, which can be killed with all its processes."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("MERCHLENS_")}
        return subprocess.Popen(
            [sys.executable, "-m", *self.command(verb, *more)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**plain, "NO_COLOR": "1", "COLUMNS": "200", "HF_HUB_OFFLINE": "1"},
        )

    def told(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Exit status, and what it wrote beside its log, of a command that ends by itself."""
        _, written = process.communicate(timeout=_LONGEST_S)
        return process.returncode, "\n".join(line for line in written.splitlines() if " INFO " not in line)

    def killed_after(self, delay_s: float, verb: str, *more: str) -> bool:
        """Start it and kill it hard; False where it ended before that, as it must: with exit status 0."""
        process = self.start(verb, *more)
        try:
            _, told = process.communicate(timeout=delay_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
            return True
        assert process.returncode == 0, told
        return False

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, for this process."""
        with closing(IndexerSettings.from_flags(self._config_file(), store=self.url).open_store()) as opened:
            yield opened

    def live(self) -> str:
        """Name of the live version."""
        with self.store() as store:
            return str(store.live_version())

    def exported(self) -> bytes:
        """What the live version holds, sorted by id; opening it is what a server would do."""
        with self.store() as store, closing(store.open()) as reader:
            export(reader, self.folder / "exported")
        return (self.folder / "exported" / PRODUCTS_FILE).read_bytes()

    def states(self) -> set[str]:
        """Of all versions."""
        with self.store() as store:
            return {item.state for item in store.versions()}

    def _config_file(self) -> Path | None:
        path = self.folder / "settings.toml"
        return path if path.exists() else None

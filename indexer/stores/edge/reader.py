"""Answers from one version's folder, as long as its files are what was sealed."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from indexer.errors import VersionIncomplete
from indexer.filters.expression import Expression
from indexer.filters.schema import Field
from indexer.stores.edge.seal import FILES, NEXT_STEP, Pace, Seal, differences, read_seal
from indexer.stores.edge.shard import Shard
from indexer.stores.edge.watch import FolderWatch
from indexer.stores.payload_indexes import counted_key
from indexer.stores.protocol import Effort, Page, Payload, QueryPart, Scored, Stored
from indexer.versions.manifest import Manifest


class SealedFolder:
    """An open version's files, and whether they are still what they were. Calls from several threads are allowed."""

    def __init__(self, folder: Path, sealed: Seal, called: str) -> None:
        self._folder = folder
        self._seal = sealed
        self._called = called
        self._damage: str | None = None
        self._lock = threading.Lock()
        self._watch = FolderWatch(folder)

    def is_damaged(self) -> bool:
        """Whether a difference is known, or a file was written to a moment ago."""
        try:
            self.raise_if_damaged()
        except VersionIncomplete:
            return True
        return False

    def raise_if_damaged(self) -> None:
        """Raise `VersionIncomplete` where a file was found to differ, or was written to a moment ago."""
        with self._lock:
            if self._damage is None:
                written = [name for name in self._watch.written() if name in self._seal.files]
                if written:
                    self._damage = f"another process wrote to {written[0]}"
            if self._damage is not None:
                raise VersionIncomplete(f"{self._called} is damaged: {self._damage}; {NEXT_STEP}")

    def check(self, pace: Pace) -> None:
        """Compare all files with their digests."""
        self.raise_if_damaged()
        try:
            read_seal(self._folder, self._called)
        except VersionIncomplete:
            self._found(f"{FILES} is not as it was written")
        for difference in differences(self._folder, self._seal, self._seal.files, pace):
            self._found(difference)
        self.raise_if_damaged()

    def close(self) -> None:
        """Stop watching."""
        with self._lock:
            self._watch.close()

    def _found(self, difference: str) -> None:
        with self._lock:
            self._damage = self._damage or difference
        self.raise_if_damaged()


class EdgeReader:
    """See `VersionReader`."""

    def __init__(
        self,
        manifest: Manifest,
        shard: Shard,
        lock: IO[str],
        sealed: SealedFolder,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """Answer from an open shard; `lock` is let go of at the end, after `on_close`."""
        self._on_close = on_close
        self._manifest = manifest
        self._shard = shard
        self._lock = lock
        self._sealed = sealed
        self._closing = threading.Lock()
        self._closed = False
        self._answers = True

    @property
    def manifest(self) -> Manifest:
        """See `VersionReader`."""
        return self._manifest

    def query(
        self,
        parts: Sequence[QueryPart],
        weights: Sequence[float],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """See `VersionReader`."""
        with self._whole():
            return self._shard.query(parts, weights, limit, where, effort)

    def recommend(
        self,
        liked: Sequence[QueryPart],
        disliked: Sequence[QueryPart],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """See `VersionReader`."""
        with self._whole():
            return self._shard.recommend(liked, disliked, limit, where, effort)

    def has_graph(self) -> bool:
        """See `VersionReader`."""
        with self._whole():
            return self._shard.has_graph()

    def scores(self, part: QueryPart, product_ids: Sequence[str]) -> dict[str, float]:
        """See `VersionReader`."""
        with self._whole():
            return self._shard.scores(part, product_ids)

    def fetch(self, product_id: str) -> Stored | None:
        """See `VersionReader`."""
        return next(iter(self.fetch_many([product_id])), None)

    def fetch_many(self, product_ids: Sequence[str]) -> list[Stored]:
        """See `VersionReader`."""
        with self._whole():
            return self._shard.fetch_many(product_ids)

    def scan(self, fields: Sequence[str]) -> Iterator[list[Payload]]:
        """See `VersionReader`."""
        pages = self._shard.scan(fields)
        while True:
            with self._whole():
                page = next(pages, None)
            if page is None:
                return
            yield page

    def count(self, where: Expression | None = None) -> int:
        """See `VersionReader`."""
        with self._whole():
            return self._shard.count(where)

    def counts_values_of(self, field: Field) -> bool:
        """See `VersionReader`."""
        return counted_key(field, self._manifest.schema) is not None

    def count_values(self, field: Field, limit: int, where: Expression | None = None) -> dict[str, int]:
        """See `VersionReader`."""
        with self._whole():
            return self._shard.count_values(counted_key(field, self._manifest.schema) or "", limit, where)

    def page(self, limit: int, start: str = "", where: Expression | None = None) -> Page:
        """See `VersionReader`."""
        with self._whole():
            return self._shard.page(limit, start, where)

    def check(self, pace: Pace | None = None) -> None:
        """See `VersionReader`."""
        if pace is None:
            self._sealed.raise_if_damaged()
        else:
            self._sealed.check(pace)

    def let_go(self) -> None:
        """Answer no more: its memory is free again, while its files are watched and no other process opens it."""
        with self._closing:
            if not self._closed:
                self._close_shard()

    def close(self) -> None:
        """See `VersionReader`."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._close_shard()
            self._sealed.close()
            self._on_close()
            self._lock.close()

    def _close_shard(self) -> None:
        if not self._answers:
            return
        self._answers = False
        if self._sealed.is_damaged():
            # Edge would write into its mappings, and end the process where the files behind them were cut short.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._shard))
        else:
            self._shard.close()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Neither ask a shard whose files were written to, nor answer with what was read meanwhile."""
        self._sealed.raise_if_damaged()
        try:
            yield
        finally:
            self._sealed.raise_if_damaged()

"""A table of bytes on disk, which knows how large it may become, and is never needed."""

from __future__ import annotations

import logging
import sqlite3
import threading
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_log = logging.getLogger(__name__)

_MOST_ASKED = 500
_PATIENCE_S = 30.0
_DROPPED_AT_ONCE = 1_000
_NOTED_AT_ONCE = 1_000
_CHECK_BYTES = 4


class CacheTable:
    """Entries by their keys, up to a size; what was not used for the most runs goes first.

    A cache that cannot be opened, read or written costs time, never the run: it is left alone, with a line in the
    log. An entry that is damaged is as good as none. Several processes may share it, and several threads one object.
    Used as a context manager.
    """

    def __init__(self, path: Path, most_bytes: int, entries: str) -> None:
        """Prepare; nothing is opened yet.

        Args:
            path: the table's file.
            most_bytes: how large the table may become; 0: nothing is kept, and nothing found.
            entries: what is kept, for people.
        """
        self._path = path
        self._entries = entries
        self._most_bytes = most_bytes
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._generation = 0
        self._used: set[bytes] = set()

    def __enter__(self) -> Self:
        if not self._most_bytes:
            return self
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Calls from several threads take turns by the lock.
            self._connection = sqlite3.connect(self._path, timeout=_PATIENCE_S, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self._connection:
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, value BLOB, used INTEGER)"
                )
                self._connection.execute("CREATE INDEX IF NOT EXISTS by_use ON vectors (used)")
            (latest,) = self._connection.execute("SELECT MAX(used) FROM vectors").fetchone()
            # Runs are counted: a clock may jump.
            self._generation = (latest or 0) + 1
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._note_used(1)
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @property
    def is_open(self) -> bool:
        """Whether anything is kept: not where there is no room for it, and not once something went wrong."""
        return self._connection is not None

    def find_bytes(self, keys: Sequence[bytes], size: int | None = None) -> dict[bytes, bytes]:
        """The stored and sound ones of `keys`, each of `size` bytes; None: of any size."""
        found: dict[bytes, bytes] = {}
        with self._lock:
            for start in range(0, len(keys), _MOST_ASKED):
                if self._connection is None:
                    break
                asked = list(dict.fromkeys(keys[start : start + _MOST_ASKED]))
                marks = ",".join("?" * len(asked))
                try:
                    # The marks are all that is put into the text.
                    query = f"SELECT key, value, used FROM vectors WHERE key IN ({marks})"  # noqa: S608
                    rows = self._connection.execute(query, asked).fetchall()
                except sqlite3.Error as error:
                    self._give_up(error)
                    break
                for key, value, used in rows:
                    data = _read(value, size)
                    if data is not None:
                        found[key] = data
                        if used != self._generation:
                            self._used.add(key)
            self._note_used(_NOTED_AT_ONCE)
        return found

    def note_used(self, keys: Sequence[bytes]) -> None:
        """Have entries count as used by this run, where they are there, without reading them."""
        with self._lock:
            self._used.update(keys if self._connection is not None else ())
            self._note_used(_NOTED_AT_ONCE)

    def store_bytes(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep entries by their keys; drops others where they do not fit."""
        with self._lock:
            if self._connection is None or not entries:
                return
            rows = [(key, _written(data), self._generation) for key, data in entries.items()]
            try:
                with self._connection:
                    self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
                if self._size(self._connection) > self._most_bytes:
                    # What was of use in this run is the last to go.
                    self._note_used(1)
                    self._drop(max(len(value) for _, value, _ in rows))
            except sqlite3.Error as error:
                self._give_up(error)

    def _note_used(self, least: int) -> None:
        """Write down which entries were of use, once there are so many of them."""
        if self._connection is None or len(self._used) < least:
            return
        try:
            with self._connection:
                rows = [(self._generation, key) for key in self._used]
                self._connection.executemany("UPDATE vectors SET used = ? WHERE key = ?", rows)
        except sqlite3.Error as error:
            self._give_up(error)
        self._used.clear()

    @staticmethod
    def _size(connection: sqlite3.Connection) -> int:
        pages, free, each = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * each

    def _drop(self, entry_bytes: int) -> None:
        """Until the table is small enough; `entry_bytes`: of an entry, about."""
        while self._connection is not None and (over := self._size(self._connection) - self._most_bytes) > 0:
            with self._connection:
                dropped = self._connection.execute(
                    "DELETE FROM vectors WHERE key IN (SELECT key FROM vectors ORDER BY used LIMIT ?)",
                    (min(_DROPPED_AT_ONCE, over // (2 * entry_bytes) + 1),),
                ).rowcount
            if not dropped:
                return

    def _give_up(self, error: Exception) -> None:
        _log.warning(
            "%s are not kept: %s cannot be used (%s); next step: delete it, or name another --cache-dir",
            self._entries,
            self._path,
            error,
        )
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _written(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(_CHECK_BYTES, "little") + data


def _read(value: object, size: int | None) -> bytes | None:
    """An entry as it was written; None where it is of another size, or damaged."""
    if not isinstance(value, bytes) or size not in (None, len(value) - _CHECK_BYTES):
        return None
    check, data = value[:_CHECK_BYTES], value[_CHECK_BYTES:]
    return data if zlib.crc32(data).to_bytes(_CHECK_BYTES, "little") == check else None

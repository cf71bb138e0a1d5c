"""A backup: one zip file with a version's files, and a list of their lengths and digests.

    backup.json        what the backup is, and its list of files; written last
    manifest.json      the version's
    files.json, shard/ of form "edge": the files of an index on disk, as they were sealed
    products.parquet   of form "products": ids, vectors and payloads, as `export` writes them

The digests are against accidents: whoever can write a backup can write digests that fit. What it says of names and
lengths is checked before anything is unpacked, since a backup may come from anywhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from indexer.errors import TransferError
from indexer.stores.edge.durable import sync_tree

INDEX_FILE = "backup.json"
FORMAT = 1

BLOCK = 64 << 10
ZEROS = bytes(BLOCK)


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file: its length in bytes, how many of them are in blocks that are not all zero, the SHA-256 of all."""

    size: int
    data: int
    sha256: str


class ArchiveWriter:
    """Writes a backup, which appears under its name when it is whole and on disk. A context manager.

    Attributes:
        path: the backup's.
        scratch: where a file may be made that goes into it; deleted at the end.
    """

    def __init__(self, path: Path, form: str) -> None:
        self.path = path
        self.scratch = path.with_name(f".{path.name}.part")
        self._temporary = path.with_name(f".{path.name}.new")
        self._form = form
        self._files: dict[str, ArchivedFile] = {}

    def __enter__(self) -> Self:
        if os.path.lexists(self.path):
            raise TransferError(f"{self.path} is there already; next step: choose another --out, or delete it first")
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Neither emptied before it is known whose it is, nor appended to: a zip's entries are completed afterwards.
            self._file = os.fdopen(os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+b")
            try:
                self._own()
                self._file.truncate(0)
                self._zip = zipfile.ZipFile(self._file, "w")
            except BaseException:
                self._file.close()
                raise
        return self

    def _own(self) -> None:
        """What a killed backup left is taken over, what another process writes is not."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_same = os.path.samestat(os.fstat(self._file.fileno()), self._temporary.stat())
        except (BlockingIOError, FileNotFoundError):
            is_same = False
        if not is_same:
            raise TransferError(f"another process writes {self.path}; next step: wait for it, or choose another --out")

    def add(
        self, name: str, source: Path, is_packed: bool = False, on_bytes: Callable[[int], None] = lambda done: None
    ) -> None:
        """Add a file.

        Args:
            name: in the backup, with "/" between folders.
            source: the file.
            is_packed: whether to deflate it: what is mostly zeros; vectors would get no smaller.
            on_bytes: called with the bytes done since the last call.
        """
        with self._reading(name):
            file = source.open("rb")
            size = os.fstat(file.fileno()).st_size
        with file, self._writing():
            self._add(name, size, self._blocks(name, file), is_packed, on_bytes)

    def _blocks(self, name: str, file: IO[bytes]) -> Iterator[bytes]:
        while True:
            with self._reading(name):
                block = file.read(BLOCK)
            if not block:
                return
            yield block

    def add_text(self, name: str, text: str) -> None:
        """Add a text as a file."""
        data = text.encode()
        with self._writing():
            self._add(name, len(data), iter([data] if data else []), False, lambda done: None)

    def _add(
        self, name: str, size: int, blocks: Iterator[bytes], is_packed: bool, on_bytes: Callable[[int], None]
    ) -> None:
        entry = zipfile.ZipInfo(name)
        entry.file_size = size
        entry.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        entry.external_attr = (stat.S_IFREG | 0o600) << 16
        digest, data, held = hashlib.sha256(), 0, 0
        with self._zip.open(entry, "w") as target:
            for block in blocks:
                target.write(block)
                digest.update(block)
                held += len(block)
                data += data_in(block)
                on_bytes(len(block))
        if held != size:
            raise TransferError(f"{name} changed while it was read; nothing is written; next step: run it again")
        self._files[name] = ArchivedFile(held, data, digest.hexdigest())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                body = {
                    "format": FORMAT,
                    "form": self._form,
                    "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "files": {name: [file.size, file.data, file.sha256] for name, file in self._files.items()},
                }
                self.add_text(INDEX_FILE, json.dumps({**body, "sha256": digest_of(body)}, indent=1) + "\n")
                with self._writing():
                    self._zip.close()
                    self._file.flush()
                    os.fsync(self._file.fileno())
                    if os.path.lexists(self.path):
                        raise TransferError(f"{self.path} was made meanwhile; next step: choose another --out")
                    self._temporary.replace(self.path)
                    sync_tree(self.path)
        finally:
            # Closing would write the zip's end, which a full disk does not take, and which nobody needs.
            self._zip.fp = None
            self._temporary.unlink(missing_ok=True)
            self.scratch.unlink(missing_ok=True)
            # It tries again to write what a full disk did not take; that error was raised already.
            with suppress(OSError):
                self._file.close()

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TransferError(
                f"{name} cannot be read ({error}); no backup is made; next step: was its version deleted meanwhile? "
                "Run it again"
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TransferError(
                f"{self.path} cannot be written: {error}; next step: free some space, or choose another --out"
            ) from error


def data_in(block: bytes) -> int:
    """How many bytes of a block are data: all of them or, of a block of zeros, none."""
    return 0 if block == ZEROS[: len(block)] else len(block)


def digest_of(body: Mapping[str, Any]) -> str:
    """SHA-256 of what a list of files says."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

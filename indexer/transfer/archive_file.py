"""Reading a backup, which may be damaged, or made to do harm (see `indexer.transfer.archive`)."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from indexer.errors import TransferError
from indexer.transfer.archive import BLOCK, FORMAT, INDEX_FILE, ArchivedFile, data_in, digest_of

_MOST_INDEX_BYTES = 16 << 20
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises for what is damaged, encrypted or packed in another way.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, KeyError, OverflowError, OSError,
)  # fmt: skip


class ArchiveFile:
    """A backup that is read. A context manager.

    Attributes:
        form: "edge" or "products".
        made_at: ISO 8601, UTC.
        files: by name, all but `backup.json`.
    """

    def __init__(self, path: Path) -> None:
        """Open it, and check that it holds what it lists and nothing else.

        Raises:
            TransferError: it is not there, was cut short, or is hostile.
        """
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except _DAMAGED as error:
            raise TransferError(
                f"{path} is no backup, or was cut short ({str(error) or type(error).__name__}); permitted: what python "
                "-m indexer backup writes; next step: compare its size with the original's, and copy it again"
            ) from error
        try:
            entries = self._entries()
            body = self._index(entries)
            self.form, self.made_at = str(body["form"]), str(body["made_at"])
            self.files = {str(name): ArchivedFile(*file) for name, file in body["files"].items()}
            self._check(entries)
        except (KeyError, TypeError, AttributeError) as error:
            self.close()
            raise self._damaged(f"{INDEX_FILE} lacks {error}") from error
        except BaseException:
            self.close()
            raise

    @property
    def data(self) -> int:
        """Bytes that unpacking all of it takes on disk."""
        return sum(file.data for file in self.files.values())

    @property
    def size(self) -> int:
        """Bytes that are unpacked, zeros among them."""
        return sum(file.size for file in self.files.values())

    def text(self, name: str) -> str:
        """A small file.

        Raises:
            TransferError: it is not there, or damaged.
        """
        if name not in self.files or self.files[name].size > _MOST_INDEX_BYTES:
            raise self._damaged(f"it holds no {name}, or one of more than {_MOST_INDEX_BYTES:,} bytes")
        try:
            return b"".join(self._blocks(name)).decode()
        except UnicodeDecodeError as error:
            raise self._damaged(f"{name} is not UTF-8") from error

    def unpack(self, name: str, target: Path, on_bytes: Callable[[int], None] = lambda done: None) -> None:
        """Write a file of it, blocks of zeros as holes, and compare it with its digest.

        Args:
            name: in the backup.
            target: a path at which nothing is; its folder is made.
            on_bytes: called with the bytes done since the last call.

        Raises:
            TransferError: it is damaged.
            OSError: it cannot be written.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for block in self._blocks(name):
                if data_in(block):
                    file.write(block)
                else:
                    file.seek(len(block), os.SEEK_CUR)
                on_bytes(len(block))
            file.truncate(self.files[name].size)

    def _blocks(self, name: str) -> Iterator[bytes]:
        listed, digest, held, data = self.files[name], hashlib.sha256(), 0, 0
        try:
            with self._zip.open(name) as source:
                while block := _read_block(source):
                    held += len(block)
                    data += data_in(block)
                    # Never more than it said it would take.
                    if held > listed.size or data > listed.data:
                        break
                    digest.update(block)
                    yield block
        except _DAMAGED as error:
            raise self._damaged(f"{name}: {str(error) or type(error).__name__}") from error
        if (held, data, digest.hexdigest()) != (listed.size, listed.data, listed.sha256):
            raise self._damaged(f"{name} does not hold what was written")

    def _entries(self) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if entry.filename in entries:
                raise self._hostile(entry.filename, "is in it twice")
            if not _is_plain(entry.filename):
                raise self._hostile(entry.filename, "leads out of it, or is no plain path")
            if kind not in (0, stat.S_IFREG):
                raise self._hostile(entry.filename, "is a link or no regular file")
            if entry.flag_bits & 0x1 or entry.compress_type not in _KINDS:
                raise self._hostile(entry.filename, "is encrypted, or packed in an unknown way")
            entries[entry.filename] = entry
        return entries

    def _index(self, entries: Mapping[str, zipfile.ZipInfo]) -> dict[str, Any]:
        if INDEX_FILE not in entries or entries[INDEX_FILE].file_size > _MOST_INDEX_BYTES:
            raise TransferError(f"{self._path} is a zip file without {INDEX_FILE}; permitted: what backup writes")
        try:
            body = json.loads(self._zip.read(INDEX_FILE))
            expected = body.pop("sha256")
        except (*_DAMAGED, AttributeError, TypeError, RecursionError) as error:
            raise self._damaged(f"{INDEX_FILE} cannot be read") from error
        if expected != digest_of(body):
            raise self._damaged(f"{INDEX_FILE} is not as it was written")
        if body.get("format") != FORMAT:
            raise TransferError(
                f"{self._path} is a backup of format {body.get('format')!r}; permitted: {FORMAT}; next step: restore "
                "it with the release that made it"
            )
        return dict(body)

    def _check(self, entries: Mapping[str, zipfile.ZipInfo]) -> None:
        listed = {*self.files, INDEX_FILE}
        for name in sorted(listed ^ entries.keys()):
            raise self._damaged(f"{name} is {'missing' if name in listed else 'not in its list'}")
        for name, file in self.files.items():
            if entries[name].file_size != file.size or not 0 <= file.data <= file.size:
                raise self._damaged(f"{name} has {entries[name].file_size:,} bytes of {file.size:,}")

    def _damaged(self, what: str) -> TransferError:
        return TransferError(
            f"{self._path} is damaged: {what}; nothing is restored; next step: copy it again, or use another backup"
        )

    def _hostile(self, name: str, why: str) -> TransferError:
        return TransferError(
            f"{self._path} is no backup of ours: {name[:200]!r} {why}; permitted: plain files below it, each once; "
            "nothing is restored"
        )

    def close(self) -> None:
        """Close it."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close()


def _is_plain(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and "/".join(parts) == name and ".." not in parts and not any(c in name for c in "\\\0:")


def _read_block(source: IO[bytes]) -> bytes:
    """A whole block, so that blocks of zeros are the same as when they were written; less at the end."""
    block = source.read(BLOCK)
    while 0 < len(block) < BLOCK and (more := source.read(BLOCK - len(block))):
        block += more
    return block

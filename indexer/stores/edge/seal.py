"""A finished version's list of its files: the length and a digest of each, `files.json`.

Edge opens a shard that lacks a file or holds a changed one, and then finds less, finds the wrong products, or ends
the process. So the digests are compared before Edge sees a file.

A digest is SHA-256 over a file's blocks of 64 KiB that are not all zero, each after its offset. Edge's files are
mostly holes (32 MiB for a few products): that a hole is still one costs nothing to check, and a copy that filled the
holes with zeros has the same digests.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path, PurePosixPath
from typing import Any

from indexer.errors import VersionIncomplete
from indexer.stores.edge.durable import extents

FILES = "files.json"
MANIFEST = "manifest.json"
CHANGES_FROM = "CHANGES_FROM"
"""Where in the journal of changes the version was begun (see `Positions`)."""
NEXT_STEP = "next step: run python -m indexer build again"

CHECKED_WHOLE_BELOW = 2 << 30
"""Up to this many bytes of data every file is compared before a version is opened (about a second a GB and core)."""

_BULK = ("chunk_*.mmap", "matrix.dat", "page_*.dat", "links*.bin")
_BULK_BYTES = 64 << 20
"""Above it, vectors, payload pages and graphs of more than this wait for the check in the background."""

_BLOCK = 64 << 10
_ZEROS = bytes(_BLOCK)
_THREADS = 4
_JSON = "json:"
"""Before a digest of what a file of JSON says."""

Pace = Callable[[int], None]
"""Called with the bytes read since the last call; may wait, or raise to give up."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One file as it was: its length in bytes, how many bytes lie in blocks that are not all zero, its digest.

    That of a file of JSON is of what it says, after `json:`; in versions of earlier releases of its bytes.
    """

    size: int
    data: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What `files.json` says.

    Attributes:
        edge: the release of Edge that wrote the files.
        opening: another release that was about to open them, and may have rewritten them; "" in a settled version.
        files: by path below the version's folder.
    """

    edge: str
    opening: str
    files: Mapping[str, SealedFile]

    def data(self) -> int:
        """Bytes to read for all digests."""
        return sum(file.data for file in self.files.values())

    def before_opening(self) -> list[str]:
        """The files that are compared before Edge opens any."""
        whole = self.data() <= CHECKED_WHOLE_BELOW
        return [name for name, file in self.files.items() if whole or not _is_bulk(name, file)]

    def to_json(self) -> str:
        """As text, with a digest of its own."""
        body = {
            "edge": self.edge,
            "opening": self.opening,
            "files": {name: [file.size, file.data, file.sha256] for name, file in self.files.items()},
        }
        return json.dumps({**body, "sha256": _digest_of(body)}, indent=1) + "\n"


def seal(folder: Path, manifest_text: str) -> Seal:
    """The list of a finished version's files; its manifest is yet to be written, with this text."""
    files = {
        path.relative_to(folder).as_posix(): digest_json(path) if path.suffix == ".json" else digest(path)
        for path in sorted((folder / "shard").rglob("*"))
        if path.is_file()
    }
    if (folder / CHANGES_FROM).exists():
        files[CHANGES_FROM] = digest(folder / CHANGES_FROM)
    files[MANIFEST] = text_file(manifest_text)
    return Seal(edge_release(), "", files)


def text_file(text: str) -> SealedFile:
    """A text as the file that it will be."""
    data = text.encode()
    blocks = [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)]
    return _sum_up(len(data), ((at * _BLOCK, block) for at, block in enumerate(blocks)))


def read_seal(folder: Path, version: str) -> Seal:
    """Read a version's list; `version` names it for people.

    Raises:
        VersionIncomplete: it is missing, unreadable or was changed.
    """
    try:
        body = json.loads((folder / FILES).read_text(encoding="utf-8"))
        expected = body.pop("sha256")
        files = {str(name): SealedFile(*values) for name, values in body["files"].items()}
        found = Seal(body["edge"], body["opening"], files)
        damaged = expected != _digest_of(body)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise VersionIncomplete(f"{version} has no readable list of its files, {FILES}; {NEXT_STEP}") from error
    if damaged:
        raise VersionIncomplete(f"{version} is damaged: {FILES} is not as it was written; {NEXT_STEP}")
    return found


def check_files(folder: Path, seal: Seal, version: str, names: Iterable[str], pace: Pace | None = None) -> None:
    """Compare files with what they were.

    Raises:
        VersionIncomplete: one is missing or differs; the message names it.
    """
    for difference in differences(folder, seal, names, pace):
        raise VersionIncomplete(f"{version} is damaged: {difference}; {NEXT_STEP}")


def differences(folder: Path, seal: Seal, names: Iterable[str], pace: Pace | None = None) -> Iterator[str]:
    """What differs, a sentence a file: lengths of all first, then contents."""
    names = list(names)
    whole = []
    for name in names:
        path = folder / name
        held = path.stat().st_size if path.is_file() else None
        if held == seal.files[name].size:
            whole.append(name)
        elif held is None:
            yield f"{name} is missing"
        else:
            yield f"{name} has {held:,} bytes of {seal.files[name].size:,}"
    if pace is not None:
        for name in whole:
            yield from _difference(folder, seal, name, pace)
        return
    # hashlib lets go of the interpreter, so that threads do help.
    with ThreadPoolExecutor(_THREADS) as pool:
        for found in pool.map(lambda name: list(_difference(folder, seal, name, None)), whole):
            yield from found


def digest(path: Path, pace: Pace | None = None) -> SealedFile:
    """A file as it is now.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        return _sum_up(size, _blocks(descriptor, size, pace))
    finally:
        os.close(descriptor)


def digest_json(path: Path) -> SealedFile:
    """A file of JSON by what it says: with several named vectors Edge writes its keys in another order each time.

    Raises:
        OSError: it cannot be read.
    """
    text = path.read_bytes()
    try:
        said = json.dumps(json.loads(text), sort_keys=True).encode()
    except ValueError:
        return digest(path)
    return SealedFile(len(text), len(text), _JSON + hashlib.sha256(said).hexdigest())


def edge_release() -> str:
    """The release of Edge that is installed."""
    return installed_version("qdrant-edge-py")


def _difference(folder: Path, seal: Seal, name: str, pace: Pace | None) -> Iterator[str]:
    try:
        by_content = seal.files[name].sha256.startswith(_JSON)
        held = digest_json(folder / name) if by_content else digest(folder / name, pace)
    except OSError as error:
        yield f"{name} cannot be read: {error.strerror}"
        return
    if held != seal.files[name]:
        yield f"{name} does not hold what was written"


def _sum_up(size: int, blocks: Iterable[tuple[int, bytes]]) -> SealedFile:
    sha, data = hashlib.sha256(), 0
    for offset, block in blocks:
        if block != _ZEROS[: len(block)]:
            sha.update(offset.to_bytes(8, "little"))
            sha.update(block)
            data += len(block)
    return SealedFile(size, data, sha.hexdigest())


def _blocks(descriptor: int, size: int, pace: Pace | None) -> Iterator[tuple[int, bytes]]:
    for start, end in extents(descriptor, size, _BLOCK):
        for offset in range(start, end, _BLOCK):
            block = os.pread(descriptor, _BLOCK, offset)
            yield offset, block
            if pace is not None:
                pace(len(block))


def _is_bulk(name: str, file: SealedFile) -> bool:
    leaf = PurePosixPath(name).name
    return file.data > _BULK_BYTES and any(fnmatch.fnmatch(leaf, pattern) for pattern in _BULK)


def _digest_of(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

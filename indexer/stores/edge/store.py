"""`edge:PATH`: index versions on this machine's disk, in Qdrant Edge.

PATH/CURRENT                       name of the live version; replaced by rename
PATH/BUILDING                      locked by whoever builds
PATH/versions/NAME/manifest.json
PATH/versions/NAME/OWNER           locked by whoever has the version open, with its address
PATH/versions/NAME/shard/          Edge's own files
PATH/versions/NAME/files.json      their sizes when the version was finished
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import threading
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import IO

from indexer.errors import StoreError, StoreLocked, StoreNotFound, StoreUnavailable, VersionIncomplete
from indexer.filters.expression import Expression
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.edge.loader import EdgeLoader
from indexer.stores.edge.shard import Shard
from indexer.stores.protocol import Batch, Effort, QueryPart, Scored, Stored
from indexer.versions.manifest import Manifest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NEXT_STEP = "next step: run python -m indexer build again"


class EdgeStore:
    """See `Store`."""

    def __init__(self, root: Path, arguments: EdgeArguments | None = None) -> None:
        self._root = root
        self._arguments = arguments or EdgeArguments()

    @property
    def url(self) -> str:
        """`edge:PATH`."""
        return f"edge:{self._root}"

    def versions(self) -> list[Manifest]:
        """See `Store`; folders without a readable manifest are passed over."""
        manifests = []
        for path in sorted((self._root / "versions").glob("*/manifest.json")):
            try:
                manifests.append(self._manifest(path.parent.name))
            except (VersionIncomplete, StoreNotFound):
                continue
        return manifests

    def live_version(self) -> str | None:
        """See `Store`."""
        try:
            name = (self._root / "CURRENT").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreUnavailable(f"{self._root / 'CURRENT'} cannot be read: {error}; {_NEXT_STEP}") from error
        if not _NAME.fullmatch(name):
            raise VersionIncomplete(f"{self._root / 'CURRENT'} holds {name[:40]!r}, no version's name; {_NEXT_STEP}")
        return name

    def create(self, manifest: Manifest) -> EdgeWriter:
        """See `Store`. Only one process builds at a time.

        Raises:
            StoreLocked: another one does.
            StoreUnavailable: the folder cannot be written.
        """
        try:
            (self._root / "versions").mkdir(parents=True, exist_ok=True)
            lock = _lock(self._root / "BUILDING", f"pid {os.getpid()}")
        except OSError as error:
            raise StoreUnavailable(
                f"{self.url} cannot be written: {error}; next step: choose another folder"
            ) from error
        # Whoever holds the lock is the only builder, so whatever is unfinished was left by one that died.
        begun = {left.version for left in self.versions() if left.state == "building"}
        for folder in (self._root / "versions").iterdir():
            if folder.name in begun or not (folder / "manifest.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
        return EdgeWriter(self._root, manifest, lock, self._arguments)

    def activate(self, version: str) -> None:
        """See `Store`."""
        manifest = self._manifest(version)
        if manifest.state != "ready":
            raise VersionIncomplete(f"version {version} is {manifest.state!r}; permitted: 'ready'; {_NEXT_STEP}")
        _write_durably(self._root / "CURRENT", version + "\n")

    def open(self, version: str | None = None, owner: str = "") -> EdgeReader:
        """See `Store`."""
        name = version or self.live_version()
        if name is None:
            raise StoreNotFound(f"no index at {self.url}; next step: python -m indexer build --store {self.url} …")
        manifest = self._manifest(name)
        if manifest.state != "ready":
            raise VersionIncomplete(f"version {name} at {self.url} is {manifest.state!r}, not 'ready'; {_NEXT_STEP}")
        folder = self._root / "versions" / name
        _check_files(folder, f"version {name} at {self.url}")
        lock = _lock(folder / "OWNER", f"pid {os.getpid()} {owner}".strip())
        try:
            shard = Shard.load(folder / "shard", manifest.multivector, self._arguments)
            points = shard.points()
            if points != manifest.products:
                shard.close()
                raise VersionIncomplete(
                    f"version {name} at {self.url} holds {points:,} products, its manifest says "
                    f"{manifest.products:,}; {_NEXT_STEP}"
                )
        except StoreError:
            lock.close()
            raise
        return EdgeReader(manifest, shard, lock)

    def drop(self, version: str) -> bool:
        """See `Store`."""
        if version == self.live_version():
            raise StoreError(
                f"version {version} is the live one; permitted: any other; next step: activate another first"
            )
        folder = self._root / "versions" / version
        if not _NAME.fullmatch(version) or not folder.is_dir():
            return False
        try:
            lock = _lock(folder / "OWNER", "dropping")
        except StoreLocked:
            return False
        try:
            shutil.rmtree(folder)
        finally:
            lock.close()
        return True

    def close(self) -> None:
        """Nothing is held between calls."""

    def _manifest(self, version: str) -> Manifest:
        folder = self._root / "versions" / version
        if not _NAME.fullmatch(version) or not folder.is_dir():
            raise StoreNotFound(f"no version {version!r} at {self.url}; {_NEXT_STEP}")
        try:
            text = (folder / "manifest.json").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise VersionIncomplete(
                f"version {version} at {self.url} has no readable manifest; {_NEXT_STEP}"
            ) from error
        return Manifest.from_json(text, f"{self.url} {version}")


class EdgeWriter:
    """See `VersionWriter`."""

    def __init__(self, root: Path, manifest: Manifest, lock: IO[str], arguments: EdgeArguments) -> None:
        self._folder = root / "versions" / manifest.version
        self._lock = lock
        self._folder.mkdir(parents=True)
        _write_durably(self._folder / "manifest.json", manifest.to_json())
        self._loader: EdgeLoader | None = EdgeLoader(
            self._folder / "shard", manifest.dim, manifest.multivector, arguments
        )

    def upsert(self, batch: Batch) -> None:
        """See `VersionWriter`."""
        assert self._loader is not None
        self._loader.upsert(batch)

    def finish(self, manifest: Manifest) -> None:
        """See `VersionWriter`."""
        assert self._loader is not None
        points = self._loader.finish(manifest.schema)
        if points != manifest.products:
            raise StoreUnavailable(f"the shard holds {points:,} products of {manifest.products:,}; {_NEXT_STEP}")
        self._loader = None
        _seal_files(self._folder)
        _sync_tree(self._folder)
        _write_durably(self._folder / "manifest.json", manifest.to_json())
        self._lock.close()

    def abort(self) -> None:
        """See `VersionWriter`."""
        if self._loader is None:
            return
        self._loader.abort()
        self._loader = None
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.close()


class EdgeReader:
    """See `VersionReader`."""

    def __init__(self, manifest: Manifest, shard: Shard, lock: IO[str]) -> None:
        self._manifest = manifest
        self._shard = shard
        self._lock = lock
        self._closing = threading.Lock()
        self._closed = False

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
        effort: Effort = "balanced",
    ) -> list[Scored]:
        """See `VersionReader`."""
        return self._shard.query(parts, weights, limit, where, effort)

    def fetch(self, product_id: str) -> Stored | None:
        """See `VersionReader`."""
        return self._shard.fetch(product_id)

    def count(self, where: Expression | None = None) -> int:
        """See `VersionReader`."""
        return self._shard.count(where)

    def close(self) -> None:
        """See `VersionReader`."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._shard.close()
                self._lock.close()


def _seal_files(folder: Path) -> None:
    """Note the sizes of a finished version's files. Edge opens a shard that lacks one, and finds less in it."""
    segments = folder / "shard" / "segments"
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(segments.rglob("*"))
        if path.is_file()
    }
    _write_durably(folder / "files.json", json.dumps({"edge": _edge_version(), "sizes": sizes}, indent=1) + "\n")


def _check_files(folder: Path, version: str) -> None:
    """Refuse a version that has lost files, or parts of them."""
    try:
        sealed = json.loads((folder / "files.json").read_text(encoding="utf-8"))
        edge, sizes = sealed["edge"], dict(sealed["sizes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VersionIncomplete(f"{version} has no readable list of its files; {_NEXT_STEP}") from error
    if not (folder / "shard" / "edge_config.json").is_file():
        raise VersionIncomplete(f"{version} has lost its shard; {_NEXT_STEP}")
    # Another release of Edge may have rewritten them when it opened the shard.
    if edge != _edge_version():
        return
    for name, size in sizes.items():
        path = folder / name
        held = path.stat().st_size if path.is_file() else None
        if held != size:
            state = "is missing" if held is None else f"has {held:,} bytes of {size:,}"
            raise VersionIncomplete(f"{version} is damaged: {name} {state}; {_NEXT_STEP}")


def _edge_version() -> str:
    return installed_version("qdrant-edge-py")


def _lock(path: Path, owner: str) -> IO[str]:
    """Hold a file's lock until it is closed or this process ends, however it ends."""
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be written: {error.strerror}; next step: may this user write there?"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read(200).strip() or "another process"
        file.close()
        raise StoreLocked(
            f"{path.parent} is owned by {holder}; permitted: one process at a time; next step: stop that one first"
        ) from error
    file.seek(0)
    file.truncate()
    file.write(owner)
    file.flush()
    return file


def _write_durably(path: Path, text: str) -> None:
    """Replace a file so that a power loss leaves the old text or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync_tree(folder: Path) -> None:
    """Make a finished version durable: its files' contents, and the names that a new file is lost without."""
    for path in [folder, *folder.rglob("*"), folder.parent]:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

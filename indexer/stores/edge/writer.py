"""Fills one version's folder, and seals it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from indexer.changes.journal import Position
from indexer.errors import StoreError, StoreUnavailable
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.edge.durable import copy_tree, sync_tree, write_durably
from indexer.stores.edge.loader import EdgeLoader
from indexer.stores.edge.seal import CHANGES_FROM, FILES, MANIFEST, NEXT_STEP, seal
from indexer.stores.edge.shard import Shard
from indexer.stores.edge.space import OPENING_BYTES, check_room, fill_holes, writing
from indexer.stores.protocol import Batch
from indexer.versions.manifest import Manifest


class EdgeWriter:
    """See `VersionWriter`."""

    def __init__(
        self,
        root: Path,
        manifest: Manifest,
        lock: IO[str],
        arguments: EdgeArguments,
        position: Position,
        copied: Path | None = None,
    ) -> None:
        """Begin a version.

        Args:
            root: the store's folder.
            manifest: of the version.
            lock: the builder's, let go of at the end.
            arguments: see there.
            position: end of the journal: later changes are not in what the version is made of.
            copied: shard that it begins with; None: an empty one.
        """
        self._folder = root / "versions" / manifest.version
        self._lock = lock
        self._arguments = arguments
        self._open = True
        self._indexed = False
        self._tried: Shard | None = None
        try:
            with writing(root, "begin a version", "choose another folder"):
                self._folder.mkdir(parents=True)
                write_durably(self._folder / CHANGES_FROM, position.to_text())
                write_durably(self._folder / MANIFEST, manifest.to_json())
            if copied is not None:
                with writing(root, "copy a version"):
                    copy_tree(copied, self._folder / "shard")
            self._loader = EdgeLoader(self._folder / "shard", manifest.layout, arguments)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def upsert(self, batch: Batch) -> None:
        """See `VersionWriter`."""
        self._loader.upsert(batch)

    def delete(self, product_ids: Sequence[str]) -> None:
        """See `VersionWriter`."""
        self._loader.delete(product_ids)

    def mark(self, product_ids: Sequence[str], key: str, values: Sequence[str]) -> None:
        """See `VersionWriter`."""
        self._loader.mark(product_ids, key, values)

    def index(self, manifest: Manifest) -> Shard | None:
        """See `VersionWriter`."""
        if not self._index(manifest):
            return None
        # As for whoever opens it later: Edge writes through mappings, where a full disk would end this process.
        fill_holes(self._folder, "try the version")
        check_room(self._folder, OPENING_BYTES, "try the version")
        self._tried = Shard.load(self._folder / "shard", manifest.layout, self._arguments)
        return self._tried

    def _index(self, manifest: Manifest) -> bool:
        """Whether there is a graph."""
        points, has_graph = self._loader.finish(manifest.schema)
        if points != manifest.products:
            raise StoreUnavailable(f"the shard holds {points:,} products of {manifest.products:,}; {NEXT_STEP}")
        self._indexed = True
        return has_graph

    def _end_trial(self) -> None:
        if self._tried is not None:
            self._tried.close()
            self._tried = None

    def finish(self, manifest: Manifest) -> None:
        """See `VersionWriter`."""
        if not self._indexed:
            self._index(manifest)
        self._end_trial()
        text = manifest.to_json()
        with writing(self._folder, "finish the version"):
            # Synced first: then what is digested is what is on disk.
            sync_tree(self._folder)
            write_durably(self._folder / FILES, seal(self._folder, text).to_json())
            write_durably(self._folder / MANIFEST, text)
        self._open = False
        self._lock.close()

    def abort(self) -> None:
        """See `VersionWriter`."""
        if not self._open:
            return
        self._open = False
        with suppress(StoreError):
            self._end_trial()
        self._loader.abort()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.close()

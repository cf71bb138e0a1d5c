"""A copy of a sealed version that takes changes.

Nothing of it needs to last: what it holds beyond the version is in the journal, and a copy in doubt is made again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO

from indexer.changes.change import Record
from indexer.changes.rows import ChangedRows, to_batch
from indexer.errors import StoreError
from indexer.stores.edge.shard import Shard
from indexer.stores.points import with_derived
from indexer.stores.protocol import Payload, Row
from indexer.versions.holdings import Holdings
from indexer.versions.manifest import Manifest

_AT_ONCE = 500


class WorkingCopy:
    """An open copy. One thread applies changes; others read from the shard meanwhile.

    Attributes:
        folder: where it is.
        shard: what answers.
        has_graph: whether searches use a graph, as when it was opened.
        applied: number of the last record that is in it.
        manifest: the version's, with what the copy holds.
    """

    def __init__(
        self, folder: Path, lock: IO[str], shard: Shard, manifest: Manifest, rows: ChangedRows, applied: int
    ) -> None:
        """Take an open copy.

        Args:
            folder: where it is; deleted at the end.
            lock: of that folder.
            shard: of the copy.
            manifest: of the version.
            rows: turns records into what the version holds.
            applied: number of the last record that the version holds already.
        """
        self.shard = shard
        self.has_graph = shard.has_graph()
        self.applied = applied
        self.folder = folder
        self._lock = lock
        self._manifest = manifest
        self._rows = rows
        self._holdings = Holdings.of(manifest)
        # Made anew after each change, not when it is asked for: others ask while holdings are changed.
        self.manifest = manifest

    def apply_all(self, records: Iterable[Record]) -> int:
        """Apply many records, in order; how many."""
        remaining, count = iter(records), 0
        while some := list(islice(remaining, _AT_ONCE)):
            self.apply(some)
            count += len(some)
        return count

    def apply(self, records: Sequence[Record]) -> list[bool]:
        """Apply records, in order; the next search sees them.

        Returns:
            For each whether its product was there before.

        Raises:
            StoreError: it failed; the copy is in doubt from then on.
        """
        ids = list(dict.fromkeys(record.change.product_id for record in records))
        before = self.shard.payloads_of(ids)
        now: dict[str, Payload] = dict(before)
        written: dict[str, Row] = {}
        were_there = []
        for record in records:
            product_id = record.change.product_id
            old = now.get(product_id)
            were_there.append(old is not None)
            row = None
            if record.change.becomes is not None:
                row = self._rows.of(record)
                if row is None:
                    continue
            if old is not None:
                self._holdings.remove(old)
                del now[product_id]
                written.pop(product_id, None)
            if row is not None:
                payload = with_derived(row.payload, old)
                written[product_id] = Row(product_id, row.vectors, payload, row.title, row.words)
                now[product_id] = payload
                self._holdings.add(payload)
        gone = [product_id for product_id in before if product_id not in now]
        if gone:
            self.shard.delete(gone)
        if written:
            self.shard.upsert(to_batch(list(written.values()), self._manifest.layout))
        self.manifest = self._holdings.noted(self._manifest)
        self.applied = max([self.applied, *(record.sequence for record in records)])
        return were_there

    def close(self) -> None:
        """Close and delete it."""
        with suppress(StoreError):
            self.shard.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

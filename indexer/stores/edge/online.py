"""A version that takes changes while it is searched."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from indexer.changes.change import Change, Noted, Outcome, Record
from indexer.changes.group_commit import GroupCommit
from indexer.changes.journal import Journal, Position
from indexer.changes.rows import ChangedRows
from indexer.filters.expression import Expression
from indexer.filters.schema import Field
from indexer.stores.edge.durable import hold
from indexer.stores.edge.reader import EdgeReader
from indexer.stores.edge.seal import Pace
from indexer.stores.edge.shard import Shard
from indexer.stores.edge.space import check_room
from indexer.stores.edge.working_copy import WorkingCopy
from indexer.stores.payload_indexes import counted_key
from indexer.stores.protocol import Effort, Page, Payload, QueryPart, Scored, Stored
from indexer.versions.manifest import Manifest

_log = logging.getLogger(__name__)

ROOM_BYTES = 128 << 20
"""Kept free: Edge writes through mappings, where a full disk ends the process."""


class _InUse:
    """What answers, as long as somebody waits for its answer."""

    def __init__(self, shard: Shard | EdgeReader, when_unused: Callable[[], None]) -> None:
        self.shard = shard
        self.when_unused = when_unused
        self.users = 0
        self.is_replaced = False


class OnlineReader:
    """See `VersionReader`; answers from the sealed version, and once there is a working copy from that.

    No call fails where one takes the other's place: what answered before is closed when its last caller is gone.
    """

    def __init__(self, sealed: EdgeReader) -> None:
        self._sealed = sealed
        self._copy: WorkingCopy | None = None
        self._current = _InUse(sealed, sealed.let_go)
        self._lock = threading.Lock()

    @property
    def manifest(self) -> Manifest:
        """See `VersionReader`; products are counted as they are now."""
        copy = self._copy
        return self._sealed.manifest if copy is None else copy.manifest

    def query(
        self,
        parts: Sequence[QueryPart],
        weights: Sequence[float],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """See `VersionReader`."""
        with self._answering() as shard:
            return shard.query(parts, weights, limit, where, effort)

    def recommend(
        self,
        liked: Sequence[QueryPart],
        disliked: Sequence[QueryPart],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """See `VersionReader`."""
        with self._answering() as shard:
            return shard.recommend(liked, disliked, limit, where, effort)

    def scores(self, part: QueryPart, product_ids: Sequence[str]) -> dict[str, float]:
        """See `VersionReader`."""
        with self._answering() as shard:
            return shard.scores(part, product_ids)

    def has_graph(self) -> bool:
        """See `VersionReader`."""
        copy = self._copy
        return self._sealed.has_graph() if copy is None else copy.has_graph

    def fetch(self, product_id: str) -> Stored | None:
        """See `VersionReader`."""
        return next(iter(self.fetch_many([product_id])), None)

    def fetch_many(self, product_ids: Sequence[str]) -> list[Stored]:
        """See `VersionReader`."""
        with self._answering() as shard:
            return shard.fetch_many(product_ids)

    def scan(self, fields: Sequence[str]) -> Iterator[list[Payload]]:
        """See `VersionReader`."""
        with self._answering() as shard:
            yield from shard.scan(fields)

    def count(self, where: Expression | None = None) -> int:
        """See `VersionReader`."""
        with self._answering() as shard:
            return shard.count(where)

    def counts_values_of(self, field: Field) -> bool:
        """See `VersionReader`."""
        return self._sealed.counts_values_of(field)

    def count_values(self, field: Field, limit: int, where: Expression | None = None) -> dict[str, int]:
        """See `VersionReader`."""
        with self._answering() as shard:
            if isinstance(shard, EdgeReader):
                return shard.count_values(field, limit, where)
            return shard.count_values(counted_key(field, self._sealed.manifest.schema) or "", limit, where)

    def page(self, limit: int, start: str = "", where: Expression | None = None) -> Page:
        """See `VersionReader`."""
        with self._answering() as shard:
            return shard.page(limit, start, where)

    def check(self, pace: Pace | None = None) -> None:
        """See `VersionReader`; of the sealed version, which a working copy is made of."""
        self._sealed.check(pace)

    def answer_from(self, copy: WorkingCopy) -> None:
        """Have a working copy answer from now on."""
        with self._lock:
            before, self._current = self._current, _InUse(copy.shard, copy.close)
            self._copy = copy
            before.is_replaced = True
            is_unused = before.users == 0
        if is_unused:
            before.when_unused()

    def close(self) -> None:
        """See `VersionReader`."""
        copy, self._copy = self._copy, None
        if copy is not None:
            copy.close()
        self._sealed.close()

    @contextmanager
    def _answering(self) -> Iterator[Shard | EdgeReader]:
        with self._lock:
            used = self._current
            used.users += 1
        try:
            yield used.shard
        finally:
            with self._lock:
                used.users -= 1
                is_over = used.is_replaced and used.users == 0
            if is_over:
                used.when_unused()


class EdgeOnline:
    """See `OnlineChanges`."""

    def __init__(
        self,
        changes: Path,
        sealed: EdgeReader,
        position: Position,
        rows: ChangedRows,
        copy: Callable[[ChangedRows, int], WorkingCopy],
        trim: Callable[[Journal], None],
        owner: str,
    ) -> None:
        """Open a version with all changes that are later than it.

        Args:
            changes: folder of the journal.
            sealed: reader of the version, closed with this.
            position: in the journal, where the version was begun.
            rows: turns records into what the version holds.
            copy: makes a copy of the version, which holds the records up to a number.
            trim: has a journal forget what no version needs.
            owner: who this is, for others' messages.

        Raises:
            JournalDamaged: the journal cannot be read.
            StoreUnavailable: there is no room for a copy.
        """
        self._folder = changes
        self._position = position
        self._rows = rows
        self._make_copy = copy
        self._trim = trim
        self._owner = owner
        self._reader = OnlineReader(sealed)
        self._copy: WorkingCopy | None = None
        self._in_doubt = False
        self._lock: IO[str] | None = None
        self._journal: Journal | None = None
        if Journal.is_there(changes):
            with closing(Journal(changes)) as journal:
                if journal.count(journal.after(position)):
                    self._renew(journal)
        self._group = GroupCommit(self._commit)

    @property
    def reader(self) -> OnlineReader:
        """See `OnlineChanges`."""
        return self._reader

    def write(self, changes: Sequence[Change]) -> list[Outcome]:
        """See `OnlineChanges`."""
        return self._group.write(changes)

    def close(self) -> None:
        """See `OnlineChanges`."""
        self._group.close()
        self._reader.close()
        if self._journal is not None:
            self._journal.close()
        if self._lock is not None:
            self._lock.close()

    def _commit(self, changes: Sequence[Change]) -> list[Outcome]:
        """Write changes down and apply them; in the one thread that does so."""
        journal, copy = self._prepared()
        check_room(self._folder, ROOM_BYTES, "take changes")
        outcomes = journal.append(changes)
        new = [
            (place, Record(outcome.sequence, outcome.time, change))
            for place, (change, outcome) in enumerate(zip(changes, outcomes, strict=True))
            if isinstance(outcome, Noted) and outcome.is_new
        ]
        # From here on they are written down: whoever sends them again finds them applied.
        self._in_doubt = True
        were_there = copy.apply([record for _, record in new]) if new else []
        self._in_doubt = False
        for (place, record), was_there in zip(new, were_there, strict=True):
            outcomes[place] = Noted(record.sequence, record.time, is_new=True, was_there=was_there)
        journal.take_over_log()
        return outcomes

    def _prepared(self) -> tuple[Journal, WorkingCopy]:
        """A journal to append to, and a copy that holds all of it."""
        if self._lock is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = hold(self._folder / "OWNER", self._owner)
        if self._journal is None:
            self._journal = Journal(self._folder, to_append=True)
            self._trim(self._journal)
        if self._copy is None or self._in_doubt:
            self._renew(self._journal)
        assert self._copy is not None
        if self._journal.end.sequence > self._copy.applied:
            # Written by who took changes before, or by an attempt that ended with an error.
            self._in_doubt = True
            self._copy.apply_all(self._journal.latest(self._copy.applied))
            self._in_doubt = False
        return self._journal, self._copy

    def _renew(self, journal: Journal) -> None:
        """Make the working copy, of the version and the journal, and have it answer."""
        after = journal.after(self._position)
        made = self._make_copy(self._rows, after)
        try:
            count = made.apply_all(journal.latest(after))
        except BaseException:
            made.close()
            raise
        _log.info(
            "made a working copy of version %s with %d products changed since it was built",
            made.manifest.version,
            count,
        )
        self._copy, self._in_doubt = made, False
        self._reader.answer_from(made)

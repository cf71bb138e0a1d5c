"""The journal of a catalog's changes: what is acknowledged is in it, on disk.

FOLDER/journal.sqlite       the records, and the pictures that came with them
FOLDER/ACKNOWLEDGED         number of the last record that was on disk when it was last looked

SQLite with a write-ahead log and `synchronous=FULL` returns from a commit after `fdatasync`, drops what was cut or
garbled behind the last commit that was synced, and lets others read meanwhile. What it does not tell is a synced record
that is gone or changed: records bear digests and numbers without gaps, and the last number stands in a file of its own.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from indexer.changes.change import Change, ChangedProduct, Noted, Outcome, Record, picture_digest
from indexer.errors import JournalDamaged, RequestIdReused, StoreUnavailable

_log = logging.getLogger(__name__)

FILE = "journal.sqlite"
ACKNOWLEDGED = "ACKNOWLEDGED"

_LOG_BYTES = 16 << 20
"""Of the write-ahead log, from which on it is taken over into the file."""

_PATIENCE_S = 30.0
_DIGEST_BYTES = 16
_TABLES = (
    "CREATE TABLE journal (id TEXT NOT NULL)",
    # AUTOINCREMENT: a number is never given twice, also where all records before were deleted.
    "CREATE TABLE records (sequence INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, request_id TEXT NOT NULL, "
    "place INTEGER NOT NULL, asked BLOB NOT NULL, product_id TEXT NOT NULL, facts TEXT, vectors BLOB, title BLOB, "
    "digest BLOB NOT NULL)",
    "CREATE UNIQUE INDEX by_request ON records (request_id, place)",
    "CREATE TABLE pictures (digest BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
)
_COLUMNS = "sequence, time, request_id, place, asked, product_id, facts, vectors, title, digest"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a journal: behind the record of this number.

    Attributes:
        journal: the journal's id; "" where there was none yet.
        sequence: 0: before the first record.
    """

    journal: str = ""
    sequence: int = 0

    def to_text(self) -> str:
        """For a file."""
        return f"{self.journal or '-'} {self.sequence}\n"

    @classmethod
    def from_text(cls, text: str) -> Position:
        """Inverse of `to_text`; raises ValueError on anything else."""
        journal, sequence = text.split()
        return cls("" if journal == "-" else journal, int(sequence))


class Journal:
    """A catalog's changes in the order in which they were acknowledged.

    One process at a time may append, from one thread at a time; others may read meanwhile.
    """

    def __init__(self, folder: Path, *, to_append: bool = False) -> None:
        """Open it.

        Args:
            folder: where it is.
            to_append: make it where it is missing; the caller sees to it that no other process does.

        Raises:
            JournalDamaged: records that were acknowledged are gone.
            StoreUnavailable: it cannot be read or written.
        """
        self._path = folder / FILE
        self._acknowledged = folder / ACKNOWLEDGED
        self._mark: int | None = None
        with self._translated("opened"):
            if to_append:
                folder.mkdir(parents=True, exist_ok=True)
            self._check_end()
            unfinished = to_append and _size(self._path.with_name(f"{FILE}-wal"))
            # Of several threads one at a time uses it.
            self._database = sqlite3.connect(
                self._path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(folder, to_append)
            except BaseException:
                self._database.close()
                raise
        if unfinished:
            _log.info(
                "%s was not closed: it holds records up to %d; what was being written when it ended was not "
                "acknowledged, and is dropped",
                self._path,
                self._last(),
            )

    @staticmethod
    def is_there(folder: Path) -> bool:
        """Whether a folder holds a journal, or something that says that it should."""
        return (folder / FILE).exists() or (folder / ACKNOWLEDGED).exists()

    @property
    def end(self) -> Position:
        """Behind the last record."""
        with self._translated("read"):
            return Position(self._id, self._last())

    def append(self, changes: Sequence[Change]) -> list[Outcome]:
        """Write changes down; all of them are on disk when this returns, or none is.

        A change whose place of its request is written down already is not written again.

        Returns:
            For each change what became of it.

        Raises:
            StoreUnavailable: they cannot be written; none is acknowledged.
        """
        now = datetime.now(UTC)
        outcomes: list[Outcome] = []
        with self._translated("written"):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                outcomes += [self._put(change, now) for change in changes]
                self._database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise
        new = [each.sequence for each in outcomes if isinstance(each, Noted) and each.is_new]
        self._note_acknowledged(max(new, default=0))
        return outcomes

    def take_over_log(self) -> None:
        """Where the write-ahead log has grown, take it over into the file; not while somebody reads."""
        log = self._path.with_name(f"{FILE}-wal")
        with suppress(OSError, sqlite3.Error):
            if _size(log) > _LOG_BYTES:
                self._database.execute("PRAGMA busy_timeout = 0")
                try:
                    self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                finally:
                    self._database.execute(f"PRAGMA busy_timeout = {int(_PATIENCE_S * 1000)}")

    def after(self, position: Position) -> int:
        """The number behind which this journal's records are later than a position, which may be another journal's."""
        return position.sequence if position.journal == self._id else 0

    def count(self, after: int) -> int:
        """How many records are later than that of a number."""
        with self._translated("read"):
            (found,) = self._database.execute("SELECT COUNT(*) FROM records WHERE sequence > ?", (after,)).fetchone()
        return int(found)

    def latest(self, after: int) -> Iterator[Record]:
        """Of each product the last record that is later than that of a number, in order.

        Raises:
            JournalDamaged: a record is missing, or is not what was written; the message names it.
        """
        with self._translated("read"):
            self._check_gaps(after)
            numbers = self._database.execute(
                "SELECT MAX(sequence) FROM records WHERE sequence > ? GROUP BY product_id ORDER BY 1", (after,)
            ).fetchall()
        for (number,) in numbers:
            with self._translated("read"):
                row = self._database.execute(
                    f"SELECT {_COLUMNS} FROM records WHERE sequence = ?",  # noqa: S608  (names of our own)
                    (number,),
                ).fetchone()
                yield self._read(row)

    def pictures_of(self, product_id: str, after: int) -> ChangedProduct | None:
        """What the last record with all of a product's pictures' bytes, later than that of a number, made of it."""
        with self._translated("read"):
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM records WHERE product_id = ? AND sequence > ? ORDER BY sequence DESC",  # noqa: S608
                (product_id, after),
            ).fetchall()
            for row in rows:
                becomes = self._read(row).change.becomes
                if becomes is not None and len(becomes.pictures()):
                    return becomes
        return None

    def trim(self, upto: int, before: datetime) -> int:
        """Forget records that nobody needs; how many.

        Args:
            upto: number of the last record that may go.
            before: later ones stay, so that requests that are sent again are known.
        """
        with self._translated("written"):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                # From the beginning on: what is left has no gaps, also where a clock was set back.
                (stays,) = self._database.execute(
                    "SELECT MIN(sequence) FROM records WHERE sequence > ? OR time >= ?", (upto, before.isoformat())
                ).fetchone()
                gone = self._database.execute(
                    "DELETE FROM records WHERE sequence < ?", (2**62 if stays is None else stays,)
                ).rowcount
                if gone:
                    self._drop_pictures()
                self._database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise
        return int(gone)

    def close(self) -> None:
        """Close it; a second time does nothing."""
        self._database.close()
        if self._mark is not None:
            os.close(self._mark)
            self._mark = None

    def _prepare(self, folder: Path, to_append: bool) -> None:
        for setting in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 0", "cell_size_check = ON"):
            self._database.execute(f"PRAGMA {setting}").fetchall()
        if not self._has_tables():
            self._database.execute("BEGIN IMMEDIATE")
            # Another process may have been as quick.
            if not self._has_tables():
                for table in _TABLES:
                    self._database.execute(table)
                self._database.execute("INSERT INTO journal VALUES (?)", (secrets.token_hex(8),))
            self._database.execute("COMMIT")
            # SQLite syncs the log's name; the file's own would be lost with the power.
            for path in (folder, folder.parent):
                _sync(path)
        (self._id,) = self._database.execute("SELECT id FROM journal").fetchone()
        if to_append:
            self._mark = os.open(self._acknowledged, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._note_acknowledged(self._last())
        else:
            self._database.execute("PRAGMA query_only = ON")

    def _has_tables(self) -> bool:
        found = self._database.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone()
        return found is not None

    def _check_end(self) -> None:
        """Refuse a journal that ends before what was acknowledged, and leave its files as they are."""
        known = _read_mark(self._acknowledged)
        if known is None:
            return
        last = 0
        if self._path.exists():
            # Opened to read only, SQLite takes nothing over and deletes nothing.
            with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as database:
                (last,) = database.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence").fetchone()
        if last < known:
            raise JournalDamaged(
                f"{self._path} ends with record {last:,}, and record {known:,} was acknowledged; next step: bring "
                f"{self._path.parent} back from a backup, or delete it and send again what was changed since then"
            )

    def _put(self, change: Change, now: datetime) -> Outcome:
        known = self._database.execute(
            "SELECT sequence, time, asked, product_id FROM records WHERE request_id = ? AND place = ?",
            (change.request_id, change.place),
        ).fetchone()
        if known is not None:
            sequence, time, asked, product_id = known
            if asked == change.asked and product_id == change.product_id:
                return Noted(sequence, datetime.fromisoformat(time), is_new=False)
            return RequestIdReused(
                f"request id {change.request_id[:80]!r} was used for another request, whose change {change.place + 1} "
                f"was of product {product_id[:80]!r}; permitted: the same request again, or a new id"
            )
        facts = vectors = title = None
        if change.becomes is not None:
            facts, vectors = change.becomes.facts(), change.becomes.vectors.tobytes()
            title = None if change.becomes.title is None else change.becomes.title.tobytes()
            self._database.executemany(
                "INSERT OR IGNORE INTO pictures VALUES (?, ?)", change.becomes.pictures().items()
            )
        values = (now.isoformat(), change.request_id, change.place, change.asked, change.product_id)
        columns = (*values, facts, vectors, title)
        sequence = self._database.execute(
            "INSERT INTO records (time, request_id, place, asked, product_id, facts, vectors, title, digest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*columns, _digest(columns)),
        ).lastrowid
        assert sequence is not None
        return Noted(sequence, now, is_new=True)

    def _read(self, row: tuple[Any, ...]) -> Record:
        sequence, *columns, digest = row
        time, request_id, place, asked, product_id, facts, vectors, title = columns
        if _digest(columns) != digest:
            raise self._damaged(sequence, "is not what was written")
        try:
            becomes = None
            if facts is not None:
                becomes = ChangedProduct.read(product_id, facts, vectors, title, self._pictures(sequence, facts))
            change = Change(product_id, request_id, place, asked, becomes)
            return Record(sequence, datetime.fromisoformat(time), change)
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(sequence, f"cannot be understood ({error})") from error

    def _pictures(self, sequence: int, facts: str) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for _, digest in json.loads(facts)["pictures"]:
            if digest and digest not in found:
                row = self._database.execute(
                    "SELECT data FROM pictures WHERE digest = ?", (bytes.fromhex(digest),)
                ).fetchone()
                if row is None or picture_digest(row[0]).hex() != digest:
                    raise self._damaged(sequence, f"has lost its picture {digest}")
                found[digest] = row[0]
        return found

    def _check_gaps(self, after: int) -> None:
        """Refuse records that do not follow each other from there on."""
        last = self._last()
        held, greatest = self._database.execute(
            "SELECT COUNT(*), COALESCE(MAX(sequence), ?1) FROM records WHERE sequence > ?1", (after,)
        ).fetchone()
        if held == greatest - after and greatest >= last:
            return
        expected = after + 1
        for (number,) in self._database.execute(
            "SELECT sequence FROM records WHERE sequence > ? ORDER BY sequence", (after,)
        ):
            if number != expected:
                break
            expected += 1
        raise self._damaged(expected, "is missing")

    def _drop_pictures(self) -> None:
        kept = {
            bytes.fromhex(digest)
            for (facts,) in self._database.execute("SELECT facts FROM records WHERE facts IS NOT NULL")
            for _, digest in json.loads(facts)["pictures"]
            if digest
        }
        held = [row[0] for row in self._database.execute("SELECT digest FROM pictures")]
        self._database.executemany(
            "DELETE FROM pictures WHERE digest = ?", [(digest,) for digest in held if digest not in kept]
        )

    def _last(self) -> int:
        (last,) = self._database.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence").fetchone()
        return int(last)

    def _note_acknowledged(self, last: int) -> None:
        """Not synced: what is lost with the power is an earlier number, which claims less."""
        if self._mark is not None and last:
            with suppress(OSError):
                os.pwrite(self._mark, _marked(last), 0)

    def _damaged(self, sequence: int, how: str) -> JournalDamaged:
        return JournalDamaged(
            f"record {sequence:,} of {self._path} {how}; next step: bring {self._path.parent} back from a backup, or "
            "delete it and send again what was changed since the index was built"
        )

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Whatever SQLite or the disk refuses becomes one of ours."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise StoreUnavailable(
                f"the journal {self._path} cannot be {doing} ({error}); next step: is there disk space left? may this "
                "user write there?"
            ) from error
        except sqlite3.Error as error:
            raise JournalDamaged(
                f"the journal {self._path} cannot be {doing}: it is damaged ({error}); next step: bring "
                f"{self._path.parent} back from a backup, or delete it and send again what was changed since the index "
                "was built"
            ) from error


def _digest(columns: Sequence[Any]) -> bytes:
    made = blake2b(digest_size=_DIGEST_BYTES)
    for column in columns:
        data = b"" if column is None else column if isinstance(column, bytes) else str(column).encode()
        made.update(f"{type(column).__name__} {len(data)} ".encode())
        made.update(data)
    return made.digest()


def _marked(last: int) -> bytes:
    number = f"{last:020d}"
    return f"{number} {blake2b(number.encode(), digest_size=8).hexdigest()}\n".encode()


def _read_mark(path: Path) -> int | None:
    """The last record's number that is known to have been on disk; None where nothing readable says so."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    if not text:
        return None
    number = text[:20]
    if not number.isdigit() or _marked(int(number)) != text:
        _log.warning("%s cannot be read: whether the journal's end is missing is not known", path)
        return None
    return int(number)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

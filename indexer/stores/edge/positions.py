"""Where in the journal of changes each version was begun: later changes are not in its files."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from indexer.changes.journal import Journal, Position
from indexer.errors import StoreError, VersionIncomplete
from indexer.stores.edge.seal import CHANGES_FROM, NEXT_STEP

_log = logging.getLogger(__name__)

REMEMBERED = timedelta(days=7)
"""How long a change is kept that every version holds: for so long a request that is sent again is known."""


class Positions:
    """Of one store's versions.

    Attributes:
        journal: the journal's folder.
    """

    def __init__(self, root: Path) -> None:
        """Take the store's folder."""
        self._versions = root / "versions"
        self.journal = root / "changes"

    def end(self) -> Position:
        """The journal's end: a version that is begun now holds what was changed before, or its catalog does.

        Raises:
            JournalDamaged, StoreUnavailable: see `Journal`.
        """
        if not Journal.is_there(self.journal):
            return Position()
        with closing(Journal(self.journal)) as journal:
            return journal.end

    def begun_at(self, version: str) -> Position:
        """Where a version was begun; before the first record where an earlier release made the version.

        Raises:
            VersionIncomplete: it does not say so any more.
        """
        path = self._versions / version / CHANGES_FROM
        try:
            return Position.from_text(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Position()
        except (OSError, ValueError) as error:
            raise VersionIncomplete(
                f"{path} cannot be read ({error}): which changes version {version} holds is not known; {NEXT_STEP}"
            ) from error

    def later(self, version: str) -> int:
        """How many changes are later than a version.

        Raises:
            VersionIncomplete, JournalDamaged, StoreUnavailable: that is not known.
        """
        if not Journal.is_there(self.journal):
            return 0
        with closing(Journal(self.journal)) as journal:
            return journal.count(journal.after(self.begun_at(version)))

    def tell_later(self, version: str) -> None:
        """Say in the log that a version's files lack changes, where they do."""
        try:
            count = self.later(version)
        except StoreError as error:
            _log.warning("whether version %s was changed while it was served is not known: %s", version, error)
            return
        if count:
            _log.warning(
                "version %s was changed %d times while it was served: its files, which are looked at here, lack that",
                version,
                count,
            )

    def trim(self, journal: Journal) -> None:
        """Have a journal forget what is in every version, unless it is young."""
        try:
            begun = [journal.after(self.begun_at(path.name)) for path in self._versions.iterdir()]
            gone = journal.trim(min(begun, default=0), datetime.now(UTC) - REMEMBERED)
        except StoreError as error:
            _log.warning("the journal keeps what no version needs: %s", error)
            return
        if gone:
            _log.info("%d changes that every version holds are no longer in the journal", gone)

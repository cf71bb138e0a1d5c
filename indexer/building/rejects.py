"""`rejects.jsonl`: the rows, and the single pictures, that were not indexed, and why."""

from __future__ import annotations

import errno
import fcntl
import glob
import json
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from embedder.catalogs.product import Rejection
from indexer.errors import BuildError


class RejectLog:
    """Writes one JSON object a line: `line`, `product_id`, `reason`, `detail`, and `picture` where only that picture is
    left out and its product is indexed.

    The file appears under its name when the log is closed: a reader never sees half of it, and a build that fails
    half-way leaves the last one's.

    Attributes:
        path: the file.
        reasons: UPPER_SNAKE to how many rows and pictures.
        rows: rejected so far.
        product_ids: of rejected rows that have one.
        pictures: left out so far, of products that stay.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons: Counter[str] = Counter()
        self.rows = 0
        self.pictures = 0
        self.product_ids: set[str] = set()
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._temporary, self._file = _open_own(path)
        with self._writing():
            _clear_stale(path)

    def add(self, rejection: Rejection) -> None:
        """Write one row, or one picture."""
        self.reasons[rejection.reason] += 1
        fields = asdict(rejection)
        if rejection.picture:
            self.pictures += 1
        else:
            self.rows += 1
            self.product_ids.update([rejection.product_id] if rejection.product_id else [])
            del fields["picture"]
        with self._writing():
            self._file.write(json.dumps(fields) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                with self._writing():
                    self._file.flush()
                    self._temporary.replace(self.path)
        finally:
            self._temporary.unlink(missing_ok=True)
            # Closing tries again to write what a full disk did not take; that error was raised already.
            with suppress(OSError):
                self._file.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what the disk refuses into `BuildError`."""
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            cause = "no space left" if full else error.strerror
            next_step = "free some, or choose another disk with --rejects" if full else "choose another with --rejects"
            raise BuildError(
                f"rejects file {self.path} cannot be written: {cause}; next step: {next_step}; the live index stays "
                "as it was"
            ) from error


def _open_own(path: Path) -> tuple[Path, IO[str]]:
    """A file that no other build writes to, and that is locked as long as this one lives."""
    while True:
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(3)}.partial")
        file = temporary.open("x", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        # Between the two lines above another build may have taken it for a stale one.
        if temporary.exists():
            return temporary, file
        file.close()


def _clear_stale(path: Path) -> None:
    """Delete the files of builds that died: these are no longer locked."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*partial"):
        with suppress(OSError), left.open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()

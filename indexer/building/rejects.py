"""`rejects.jsonl`: the rows, and the single pictures, that were not indexed, and why."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from embedder.catalogs.product import Rejection
from indexer.errors import BuildError


class RejectLog:
    """Writes one JSON object a line: `line`, `product_id`, `reason`, `detail`, and where it is but one picture of a
    product that is indexed without it, `picture`.

    The file appears under its name when the log is closed: a reader never sees half of it, and a build that fails
    half-way leaves the last one's.

    Attributes:
        path: the file.
        reasons: UPPER_SNAKE to how many rows and pictures.
        rows: rejected so far.
        pictures: left out so far, of products that stay.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons: Counter[str] = Counter()
        self.rows = 0
        self.pictures = 0
        # The same name each time, so that what a killed build left is written over.
        self._temporary = path.with_name(f".{path.name}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._temporary.open("w", encoding="utf-8")
        except OSError as error:
            raise BuildError(
                f"rejects file {path} cannot be written: {error.strerror}; next step: choose another with --rejects"
            ) from error

    def add(self, rejection: Rejection) -> None:
        """Write one row, or one picture."""
        self.reasons[rejection.reason] += 1
        fields = asdict(rejection)
        if rejection.picture:
            self.pictures += 1
        else:
            self.rows += 1
            del fields["picture"]
        self._file.write(json.dumps(fields) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if error is None:
            self._temporary.replace(self.path)
        else:
            self._temporary.unlink()

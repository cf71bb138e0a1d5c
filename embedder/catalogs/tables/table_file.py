"""What the formats of tables have in common: a schema, and rows that come in bounded batches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from embedder.catalogs.catalog_file import CatalogFile
from embedder.catalogs.product import Split

BATCH_ROWS = 1024
"""Most rows that are in memory as Python's values."""

BATCH_BYTES = 16 * 1024 * 1024
"""About how many bytes they may have; a single row may have more."""


class TableFile(Protocol):
    """One file of a catalog, or all of it.

    Attributes:
        split: that all of its rows belong to, where the file's place says so.
    """

    split: Split | None

    @property
    def file(self) -> CatalogFile:
        """Which file."""

    @property
    def schema(self) -> Any:
        """The columns: a `pyarrow.Schema`."""

    @property
    def rows(self) -> int | None:
        """How many; None where that is known only when all are read."""

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield the rows as `pyarrow.RecordBatch`es of at most `BATCH_ROWS` rows and about `BATCH_BYTES`.

        Args:
            columns: those that are needed; a batch may have others too.

        Raises:
            CatalogError: the file is damaged.
        """


def rows_at_once(all_bytes: int, all_rows: int) -> int:
    """How many rows of a table fit into a batch, 1 to `BATCH_ROWS`."""
    if all_rows <= 0 or all_bytes <= 0:
        return BATCH_ROWS
    return max(1, min(BATCH_ROWS, BATCH_BYTES * all_rows // all_bytes))


def checked_schema(schema: Any) -> Any:
    """A schema whose names are texts.

    Raises:
        ValueError: damaged bytes are among them; pyarrow looks at a name only when it is asked for it.
    """
    _ = schema.names, str(schema)
    return schema


def class_labels(schema: Any) -> Mapping[str, Sequence[str]]:
    """The names of class labels by column, as Hugging Face's `datasets` writes them into a table's metadata."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: [str(label) for label in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    # Another program's metadata: what is not understood is not used.
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}

"""What can go wrong between a catalog and a served index.

IndexerError
├── BuildError            nothing, or too little, of a catalog could be indexed; the live index stays as it was
│   └── VersionRefused    a whole version that answers worse than the live one; it stays beside it
├── TransferError         a file of products cannot be written, or read
├── StoreError
│   ├── StoreUrlInvalid   an invalid store address
│   ├── StoreNotFound     no index (or not that version) at the address
│   ├── StoreLocked       another process owns it
│   ├── StoreUnavailable  the engine cannot be reached, or failed
│   ├── VersionIncomplete a version that was never finished, or lost files
│   ├── JournalDamaged    changes that were acknowledged, and cannot be read any more
│   └── ModelMismatch     an index made by another model than the one that queries it
├── RequestIdReused       a change under the id of another request
└── QueryVectorError      a vector that cannot be searched with; `reason` says why

Filters have their own tree: `indexer.filters.errors`.
"""

from __future__ import annotations


class IndexerError(Exception):
    """Root of this package's errors; the message says what failed, the value, what is permitted, the next step."""


class BuildError(IndexerError):
    """A build that was given up; the live version stays."""


class VersionRefused(BuildError):
    """A version that answers worse than the live one; it is kept, and not live."""


class TransferError(IndexerError):
    """A file of products that cannot be written, or is not readable."""


class StoreError(IndexerError):
    """Something about a store."""


class StoreUrlInvalid(StoreError):
    """An invalid store address."""


class StoreNotFound(StoreError):
    """No index, or not that version, at the address."""


class StoreLocked(StoreError):
    """Owned by another process."""


class StoreUnavailable(StoreError):
    """The engine cannot be reached, or failed."""


class VersionIncomplete(StoreError):
    """Half written, or damaged."""


class JournalDamaged(StoreError):
    """A journal of changes that does not hold what was written."""


class ModelMismatch(StoreError):
    """Another model's index."""


class RequestIdReused(IndexerError):
    """A change under the id of a request that asked for something else."""


class QueryVectorError(IndexerError):
    """A query vector of the wrong length, not finite, or zero."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

"""What every store does. Vectors are unit length throughout; scores are cosines."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from indexer.errors import QueryVectorError
from indexer.filters.expression import Expression
from indexer.versions.manifest import Manifest

_POINT_NAMESPACE = uuid.UUID("6f1d3c4e-3a2b-5a52-9d58-6d6572636821")

Payload = Mapping[str, Any]


def point_id(product_id: str) -> uuid.UUID:
    """The point of a product: UUIDv5 of its id, so that writing it twice writes it once."""
    return uuid.uuid5(_POINT_NAMESPACE, product_id)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Products to write, by column.

    Attributes:
        product_ids: n of them.
        vectors: float32 (n, dim), unit length.
        payloads: n of them, JSON-able (see `indexer.building.payload`).
    """

    product_ids: Sequence[str]
    vectors: npt.NDArray[np.float32]
    payloads: Sequence[Payload]

    def __post_init__(self) -> None:
        if not len(self.product_ids) == len(self.vectors) == len(self.payloads):
            raise ValueError(
                f"{len(self.product_ids)} ids, {len(self.vectors)} vectors, {len(self.payloads)} payloads; "
                "permitted: as many of each"
            )


@dataclass(frozen=True, slots=True)
class Scored:
    """A product found: cosine -1..1, and its payload."""

    product_id: str
    score: float
    payload: Payload


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A product as it is in the index; vector float32 (dim,), unit length."""

    product_id: str
    vector: npt.NDArray[np.float32]
    payload: Payload


class VersionWriter(Protocol):
    """Fills one version that nobody reads yet. Used by one thread."""

    def upsert(self, batch: Batch) -> None:
        """Write products; one that is there already is replaced. May return before they are durable."""

    def finish(self, manifest: Manifest) -> None:
        """Make everything durable and searchable and store the manifest, whose state must be "ready"."""

    def abort(self) -> None:
        """Drop the version; after `finish`, and a second time, it does nothing."""


class VersionReader(Protocol):
    """Answers from one version. Calls from several threads are allowed."""

    @property
    def manifest(self) -> Manifest:
        """What the version says of itself."""

    def search(
        self, vector: npt.NDArray[np.float32], limit: int, where: Expression | None = None, exact: bool = False
    ) -> list[Scored]:
        """The products nearest to a unit vector, nearest first, ties by id.

        Args:
            vector: float32 (dim,), unit length (see `unit_vector`).
            limit: how many at most, 1 or more.
            where: only products that match.
            exact: compare with every product, whatever the index would say.
        """

    def fetch(self, product_id: str) -> Stored | None:
        """One product; None where the version does not hold it."""

    def count(self, where: Expression | None = None) -> int:
        """How many products match, exactly."""

    def close(self) -> None:
        """Let go of the version; a second time does nothing."""


class Store(Protocol):
    """All versions of one catalog's index, and which of them is live."""

    @property
    def url(self) -> str:
        """Where it is, for people; without secrets."""

    def versions(self) -> list[Manifest]:
        """All versions, oldest first, unfinished ones among them."""

    def live_version(self) -> str | None:
        """Name of the version that readers open; None where there is none."""

    def create(self, manifest: Manifest) -> VersionWriter:
        """Begin the version that the manifest names; its state must be "building"."""

    def activate(self, version: str) -> None:
        """Make a ready version the live one, atomically: a reader sees the old one or the new one."""

    def open(self, version: str | None = None, owner: str = "") -> VersionReader:
        """Open a version to read; None is the live one.

        Args:
            version: its name.
            owner: who opens it, for others' messages, such as a server's address.

        Raises:
            StoreNotFound: there is no such version, or no live one.
            VersionIncomplete: it is not whole.
            StoreLocked: another process has it (stores on disk only).
            StoreUnavailable: the engine cannot be reached.
        """

    def drop(self, version: str) -> None:
        """Delete a version that is not live; one that a process has open stays."""

    def close(self) -> None:
        """Let go of connections."""


def unit_vector(values: Sequence[float] | npt.NDArray[np.float32], dim: int) -> npt.NDArray[np.float32]:
    """Check a query vector and scale it to length 1.

    Raises:
        QueryVectorError: wrong length (VECTOR_DIM), a value that is not finite (VECTOR_NOT_FINITE), length 0
            (VECTOR_ZERO).
    """
    vector = np.asarray(values, dtype=np.float64).reshape(-1)
    if len(vector) != dim:
        raise QueryVectorError("VECTOR_DIM", f"vector of {len(vector)} values; permitted: exactly {dim}")
    bad = np.flatnonzero(~np.isfinite(vector))
    if len(bad):
        raise QueryVectorError(
            "VECTOR_NOT_FINITE", f"value {vector[bad[0]]} at position {bad[0]}; permitted: finite numbers"
        )
    length = float(np.linalg.norm(vector))
    if length < 1e-12:
        raise QueryVectorError("VECTOR_ZERO", "all values are 0; permitted: at least one other, for a direction")
    return (vector / length).astype(np.float32)

"""What every store does. Vectors are unit length throughout; scores are cosines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from indexer.errors import QueryVectorError
from indexer.filters.expression import Expression
from indexer.versions.manifest import Manifest
from indexer.versions.verify import Verification

Payload = Mapping[str, Any]

Effort = Literal["fast", "balanced", "exact"]
"""Search effort: "fast" and "balanced" use the graph, where there is one; "exact" compares with every product."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Products to write, by column.

    Attributes:
        product_ids: n of them.
        vectors: float32 (m, dim), unit length: those of the first product's pictures, then the second's, ...
        payloads: n of them, JSON-able (see `indexer.building.payload`).
        counts: how many of the vectors are each product's, 1 or more; None: one each.
    """

    product_ids: Sequence[str]
    vectors: npt.NDArray[np.float32]
    payloads: Sequence[Payload]
    counts: Sequence[int] | None = None

    def __post_init__(self) -> None:
        products = len(self.product_ids)
        counts = [1] * products if self.counts is None else self.counts
        if not products == len(self.payloads) == len(counts) or sum(counts) != len(self.vectors):
            raise ValueError(
                f"{products} ids, {len(self.vectors)} vectors for {sum(counts)} pictures of {len(counts)} products, "
                f"{len(self.payloads)} payloads; permitted: as many of each"
            )
        if any(count < 1 for count in counts):
            raise ValueError("a product without a vector; permitted: 1 or more each")

    def rows(self) -> Iterator[tuple[str, npt.NDArray[np.float32], Payload]]:
        """Product by product: id, vectors float32 (k, dim), payload."""
        start = 0
        counts = self.counts or [1] * len(self.product_ids)
        for product_id, count, payload in zip(self.product_ids, counts, self.payloads, strict=True):
            yield product_id, self.vectors[start : start + count], payload
            start += count


@dataclass(frozen=True, slots=True, eq=False)
class QueryPart:
    """One vector to search with.

    Attributes:
        vector: float32 (dim,), unit length (see `unit_vector`).
        using: which of the products' vectors it is compared with.
        scale: what its cosines are multiplied with to give scores, above 0 (see `embedder.index_space.IndexQuery`).
    """

    vector: npt.NDArray[np.float32]
    using: Literal["image"] = "image"
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Scored:
    """A product found.

    Attributes:
        product_id: its id.
        score: of the product's nearest picture, -1..1: its cosine with the query, times the query's scale.
        payload: its own.
        picture: which of `payload["pictures"]` that is, from 0.
    """

    product_id: str
    score: float
    payload: Payload
    picture: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A product as it is in the index; vectors float32 (m, dim), unit length, one a picture."""

    product_id: str
    vectors: npt.NDArray[np.float32]
    payload: Payload

    @property
    def direction(self) -> npt.NDArray[np.float32]:
        """One vector for all of its pictures: their normalized mean, float32 (dim,).

        Several query vectors would add up under MaxSim. Where the mean is zero, as of opposite ones, it is the first.
        """
        mean = self.vectors.mean(axis=0)
        length = float(np.linalg.norm(mean))
        return self.vectors[0] if length < 1e-6 else np.asarray(mean / length, dtype=np.float32)


class VersionWriter(Protocol):
    """Fills one version that nobody reads yet. Used by one thread."""

    def upsert(self, batch: Batch) -> None:
        """Write products; one that is there already is replaced. May return before they are durable."""

    def mark(self, product_ids: Sequence[str], key: str, values: Sequence[str]) -> None:
        """Give products that were written one more value of their payload each.

        Args:
            product_ids: n of them.
            key: at the payload's top level; what was there is replaced, everything else stays.
            values: n of them; products of one value are marked in one step.
        """

    def finish(self, manifest: Manifest) -> None:
        """Make everything durable and searchable and store the manifest, whose state must be "ready"."""

    def abort(self) -> None:
        """Drop the version; after `finish`, and a second time, it does nothing."""


class VersionReader(Protocol):
    """Answers from one version. Calls from several threads are allowed."""

    @property
    def manifest(self) -> Manifest:
        """The version's manifest."""

    def query(
        self,
        parts: Sequence[QueryPart],
        weights: Sequence[float],
        limit: int,
        where: Expression | None = None,
        effort: Effort = "balanced",
    ) -> list[Scored]:
        """The products nearest to a query, each once, nearest first, ties by id.

        Args:
            parts: exactly one in this version of the protocol (see `only_part`).
            weights: one for each part, above 0.
            limit: how many at most, 1 or more.
            where: only products that match.
            effort: see `Effort`.

        Raises:
            StoreUnavailable: the engine failed, or cannot be reached.
            VersionIncomplete: the engine met damaged files.
        """

    def fetch(self, product_id: str) -> Stored | None:
        """One product; None where the version does not hold it."""

    def count(self, where: Expression | None = None) -> int:
        """How many products match, exactly."""

    def check(self, pace: Callable[[int], None] | None = None) -> None:
        """Compare the version with what was sealed; after a difference every call raises the same error.

        Args:
            pace: called with the bytes read since the last time; may wait, or raise to give up. None: read nothing,
                only report what is known already.

        Raises:
            VersionIncomplete: it differs; the message says where.
        """

    def close(self) -> None:
        """Close the version; a second time does nothing."""


class Store(Protocol):
    """All versions of one catalog's index, and which of them is live."""

    @property
    def url(self) -> str:
        """Where it is, for people; without secrets."""

    def versions(self) -> list[Manifest]:
        """All versions, oldest first, unfinished ones among them."""

    def live_version(self) -> str | None:
        """Name of the version that readers open; None where there is none."""

    def create(self, manifest: Manifest, expected_products: int = 0) -> VersionWriter:
        """Begin the version that the manifest names; its state must be "building".

        Args:
            manifest: of the version.
            expected_products: about how many will come, so that a disk that is too small is reported now; 0: not known.
        """

    def activate(self, version: str) -> None:
        """Make a ready version the live one, atomically: a reader sees the old one or the new one.

        From when on the one before it is not live any more is kept with that one.
        """

    def retired_at(self, version: str) -> datetime | None:
        """When a version stopped being the live one, UTC; None: it is live, never was, or an older release made it.

        Raises:
            StoreNotFound, StoreUnavailable: it is not there, or cannot be reached.
        """

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

    def verify(self, version: str, deep: bool = False) -> Verification:
        """Check a version without opening it to read; `deep` looks at all of it, however large.

        Raises:
            StoreNotFound, StoreUnavailable: it is not there, or cannot be reached.
            VersionIncomplete: its manifest cannot be read.
        """

    def drop(self, version: str) -> bool:
        """Delete a version that is not live; one that a process has open stays.

        Returns:
            Whether it was deleted; False: in use, or not there.

        Raises:
            StoreUnavailable: it cannot be deleted.
        """

    def drop_unfinished(self, abandoned_after_s: float) -> tuple[str, ...]:
        """Delete what builds left that were killed.

        Args:
            abandoned_after_s: how old an unfinished version must be where nobody can tell whether its builder lives; on
                disk a lock tells, and age does not count.

        Returns:
            Their names; none while another process builds on this disk.
        """

    def close(self) -> None:
        """Close connections."""


def only_part(parts: Sequence[QueryPart], weights: Sequence[float]) -> QueryPart:
    """The one part of a query. Its weight changes neither the order nor, cosines being raw, any score.

    Raises:
        ValueError: none or several, or a weight that is not above 0.
    """
    if len(parts) != 1 or len(weights) != 1 or not weights[0] > 0:
        raise ValueError(
            f"{len(parts)} query parts with weights {list(weights)}; permitted: one, with a weight above 0"
        )
    return parts[0]


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
    largest = float(np.max(np.abs(vector)))
    if largest == 0.0:
        raise QueryVectorError("VECTOR_ZERO", "all values are 0; permitted: at least one other, for a direction")
    # Scaled by the largest value first: the squares of very small and very large ones would be 0 or infinite.
    vector = vector / largest
    return (vector / np.linalg.norm(vector)).astype(np.float32)

"""What every store does. Vectors are unit length throughout; scores are cosines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from indexer.changes.change import Change, Outcome, Reembed
from indexer.errors import QueryVectorError
from indexer.filters.expression import Expression
from indexer.filters.schema import Field
from indexer.versions.layout import Part
from indexer.versions.manifest import Manifest
from indexer.versions.verify import Verification
from indexer.versions.version_files import VersionFiles

Payload = Mapping[str, Any]

Effort = Literal["fast", "balanced", "exact"]
"""Search effort: "fast" and "balanced" use the graph, where there is one; "exact" compares with every product."""


@dataclass(frozen=True, slots=True)
class WordVector:
    """A text's words as a sparse vector (see `indexer.words.bm25`): as many indices, 0..2**32-1, as values."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One product to write.

    Attributes:
        product_id, payload: its own.
        vectors: of its pictures, float32 (k, dim), unit length.
        title: its title's embedding, float32 (title dim,), unit length; None where it has none.
        words: of its title; None where it has none.
    """

    product_id: str
    vectors: npt.NDArray[np.float32]
    payload: Payload
    title: npt.NDArray[np.float32] | None = None
    words: WordVector | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Products to write, by column.

    Attributes:
        product_ids: n of them.
        vectors: float32 (m, dim), unit length: those of the first product's pictures, then the second's, ...
        payloads: n of them, JSON-able (see `indexer.building.payload`).
        counts: how many of the vectors are each product's, 1 or more; None: one each.
        titles: the titles' embeddings, float32 (n, title dim), unit length, zeros where a product has no title; None
            where the version holds none.
        words: the titles' words, n of them, None where a product has none; None where the version holds none.
    """

    product_ids: Sequence[str]
    vectors: npt.NDArray[np.float32]
    payloads: Sequence[Payload]
    counts: Sequence[int] | None = None
    titles: npt.NDArray[np.float32] | None = None
    words: Sequence[WordVector | None] | None = None

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
        for name, column in (("title embeddings", self.titles), ("word vectors", self.words)):
            if column is not None and len(column) != products:
                raise ValueError(f"{len(column)} {name} for {products} products; permitted: as many of each, or None")

    def take(self, rows: Sequence[int]) -> Batch:
        """Some of the products, by their places."""
        counts = list(self.counts or [1] * len(self.product_ids))
        starts = np.cumsum([0, *counts])
        places = [place for row in rows for place in range(starts[row], starts[row + 1])]
        return Batch(
            [self.product_ids[row] for row in rows],
            self.vectors[places],
            [self.payloads[row] for row in rows],
            [counts[row] for row in rows],
            None if self.titles is None else self.titles[list(rows)],
            None if self.words is None else [self.words[row] for row in rows],
        )

    def rows(self) -> Iterator[Row]:
        """Product by product."""
        start = 0
        counts = self.counts or [1] * len(self.product_ids)
        for place, (product_id, count, payload) in enumerate(zip(self.product_ids, counts, self.payloads, strict=True)):
            title = None if self.titles is None else self.titles[place]
            yield Row(
                product_id,
                self.vectors[start : start + count],
                payload,
                title if title is not None and title.any() else None,
                None if self.words is None else self.words[place],
            )
            start += count


@dataclass(frozen=True, slots=True, eq=False)
class QueryPart:
    """One vector to search with.

    Attributes:
        vector: float32 (dim,), or (title dim,) for titles, unit length (see `unit_vector`); a `WordVector` for words.
        using: which of the products' vectors it is compared with.
        scale: what its cosines are multiplied with to give scores, above 0 (see `embedder.index_space.IndexQuery`).
    """

    vector: npt.NDArray[np.float32] | WordVector
    using: Part = "image"
    scale: float = 1.0

    @property
    def dense(self) -> npt.NDArray[np.float32]:
        """The vector of a part that is no `WordVector`."""
        assert not isinstance(self.vector, WordVector)
        return self.vector


@dataclass(frozen=True, slots=True)
class Scored:
    """A product found.

    Attributes:
        product_id: its id.
        score: of the product's nearest picture, -1..1: its cosine with the query's image part, times that part's scale.
            Where the query has none: what the engine ranked it by.
        payload: its own.
        picture: which of `payload["pictures"]` that is, from 0.
        title: cosine of the query's title part and the product's title, times that part's scale; None where either is
            missing.
    """

    product_id: str
    score: float
    payload: Payload
    picture: int = 0
    title: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A product as it is in the index.

    Attributes:
        product_id, payload: its own.
        vectors: float32 (m, dim), unit length, one a picture.
        title: its title's embedding, float32 (title dim,), unit length; None where the index holds none.
    """

    product_id: str
    vectors: npt.NDArray[np.float32]
    payload: Payload
    title: npt.NDArray[np.float32] | None = None

    @property
    def direction(self) -> npt.NDArray[np.float32]:
        """One vector for all of its pictures: their normalized mean, float32 (dim,).

        Several query vectors would add up under MaxSim. Where the mean is zero, as of opposite ones, it is the first.
        """
        mean = self.vectors.mean(axis=0)
        length = float(np.linalg.norm(mean))
        return self.vectors[0] if length < 1e-6 else np.asarray(mean / length, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a version's products.

    Attributes:
        payloads: theirs.
        next: where the next page begins, a UUID; "" where this is the last one.
    """

    payloads: tuple[Payload, ...]
    next: str = ""


class VersionWriter(Protocol):
    """Fills one version that nobody reads yet. Used by one thread."""

    def upsert(self, batch: Batch) -> None:
        """Write products; one that is there already is replaced. May return before they are durable."""

    def delete(self, product_ids: Sequence[str]) -> None:
        """Take products away; one that is not there changes nothing. May return before that is durable."""

    def mark(self, product_ids: Sequence[str], key: str, values: Sequence[str]) -> None:
        """Give products that were written one more value of their payload each.

        Args:
            product_ids: n of them.
            key: at the payload's top level; what was there is replaced, everything else stays.
            values: n of them; products of one value are marked in one step.
        """

    def index(self, manifest: Manifest) -> Searchable | None:
        """Make everything searchable, with payload indexes and graph, so that it can be tried before it is sealed.

        Once, after the last product, and before `finish`, which does so too where it was not done; from then on what
        this returned must not be used.

        Args:
            manifest: of the version, with its number of products and its schema.

        Returns:
            What searches it; None where it has no graph, or not yet all of it.

        Raises:
            StoreUnavailable: it holds another number of products, or the engine failed.
        """

    def finish(self, manifest: Manifest) -> None:
        """Make everything durable and searchable and store the manifest, whose state must be "ready"."""

    def abort(self) -> None:
        """Drop the version; after `finish`, and a second time, it does nothing."""


class Searchable(Protocol):
    """Answers from what a version holds. Calls from several threads are allowed."""

    def query(
        self,
        parts: Sequence[QueryPart],
        weights: Sequence[float],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """The products nearest to a query, each once, nearest first, ties by id.

        Several parts are fused by their ranks (weighted reciprocal rank fusion): the scores of pictures, titles and
        words are no common measure.

        Args:
            parts: one, or several that each use another of the products' vectors, all of which the version holds.
            weights: one for each part; above 0: products are ranked by it; 0: it only says what hits score.
            limit: how many at most, 1 or more.
            where: only products that match.
            effort: see `Effort`; a number: as many candidates of the graph, 1 or more.

        Raises:
            StoreUnavailable: the engine failed, or cannot be reached.
            VersionIncomplete: the engine met damaged files.
        """

    def recommend(
        self,
        liked: Sequence[QueryPart],
        disliked: Sequence[QueryPart],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """The products that are near to any of several vectors, each once, nearest first, ties by id.

        A product counts by the nearest one that is liked, and its score is that of this one; where one that is disliked
        is nearer, it comes after all others, the farthest from that one first.

        Args:
            liked: 1 or more, each compared with products' pictures.
            disliked: 0 or more, likewise.
            limit, where, effort: see `query`.

        Raises:
            StoreUnavailable, VersionIncomplete: see `query`.
        """

    def scores(self, part: QueryPart, product_ids: Sequence[str]) -> dict[str, float]:
        """What one part by itself gives some products: their cosine, not scaled, or what their words score.

        Products that are not there, lack such a vector, or have none of the words are absent.
        """

    def fetch_many(self, product_ids: Sequence[str]) -> list[Stored]:
        """Those of some products that the version holds, in the order in which they are asked for."""

    def scan(self, fields: Sequence[str]) -> Iterator[list[Payload]]:
        """The payloads of all products, of which only these fields, some thousands at a time, in no certain order."""


class VersionReader(Searchable, Protocol):
    """Answers from one version, which is sealed."""

    @property
    def manifest(self) -> Manifest:
        """The version's manifest."""

    def has_graph(self) -> bool:
        """Whether searches use a graph; else they compare with all products."""

    def fetch(self, product_id: str) -> Stored | None:
        """One product; None where the version does not hold it."""

    def count(self, where: Expression | None = None) -> int:
        """How many products match, exactly."""

    def counts_values_of(self, field: Field) -> bool:
        """Whether `count_values` knows the field: it holds no numbers, and is indexed."""

    def count_values(self, field: Field, limit: int, where: Expression | None = None) -> dict[str, int]:
        """How many products have which value, exactly; one with several counts for each.

        Args:
            field: one that `counts_values_of`; of a category all levels count.
            limit: how many values at most, 1 or more: those that most products have.
            where: only products that match.

        Returns:
            Value to the number of its products; of a bool "true" and "false".
        """

    def page(self, limit: int, start: str = "", where: Expression | None = None) -> Page:
        """Some of the products that match, in the order of their points' ids.

        Following `Page.next` gives each product once that is there all the time, also where others come and go.

        Args:
            limit: how many at most, 1 or more.
            start: `Page.next` of the page before; "" for the first one.
            where: only products that match.
        """

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


class OnlineChanges(Protocol):
    """An open version that takes changes while it is searched. Calls from several threads are allowed."""

    @property
    def reader(self) -> VersionReader:
        """Answers from the version with all changes; its manifest counts them."""

    def write(self, changes: Sequence[Change]) -> list[Outcome]:
        """Make changes, in order; they are durable, and seen by the next search, when this returns.

        One whose place of its request was written before is not made again.

        Returns:
            For each what became of it.

        Raises:
            StoreUnavailable: the disk is full, or failed; nothing is acknowledged, and the same may be sent again.
            StoreLocked: another process takes changes.
            JournalDamaged: what was acknowledged before cannot be read any more.
        """

    def close(self) -> None:
        """Finish what was asked for, and close the version; a second time does nothing."""


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

    @property
    def revises_in_place(self) -> bool:
        """Whether `revise` changes the version itself, or a copy of it."""

    def revise(self, manifest: Manifest, base: str, reembed: Reembed | None = None) -> VersionWriter:
        """Begin to change what a ready version holds.

        Args:
            manifest: of the version that it becomes; its name is the base's where the store revises in place (then
                readers see each write, and an `abort` leaves what was written), else another one.
            base: the version's name.
            reembed: see `take_changes`; what the base was changed while it was served is in what it becomes.

        Raises:
            StoreNotFound, VersionIncomplete: there is no such version, or it is not whole.
            JournalDamaged: see `take_changes`.
            StoreLocked: another process builds, or has the base open (stores on disk only); the message names it.
            StoreUnavailable: it cannot be written, or the disk is too small.
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

    def open(self, version: str | None = None, owner: str = "", beside: bool = False) -> VersionReader:
        """Open a version to read; None is the live one.

        Args:
            version: its name.
            owner: who opens it, for others' messages, such as a server's address.
            beside: where another process has it, open a copy, which is deleted when it is closed.

        Raises:
            StoreNotFound: there is no such version, or no live one.
            VersionIncomplete: it is not whole.
            StoreLocked: another process has it (stores on disk only, and not `beside`).
            StoreUnavailable: the engine cannot be reached, or there is no room for a copy.
        """

    def take_changes(self, reader: VersionReader, reembed: Reembed, owner: str = "") -> OnlineChanges | None:
        """Have an open version take changes, and apply those that came since it was begun.

        Args:
            reader: of the version, from `open`; closed with what this returns.
            reembed: makes a product's vectors again where another model made them.
            owner: see `open`.

        Returns:
            What takes changes; None where this engine takes none while a version is served.

        Raises:
            JournalDamaged: changes that were acknowledged cannot be read any more.
            StoreUnavailable: there is no room for a copy.
        """

    def verify(self, version: str, deep: bool = False) -> Verification:
        """Check a version without opening it to read; `deep` looks at all of it, however large.

        Raises:
            StoreNotFound, StoreUnavailable: it is not there, or cannot be reached.
            VersionIncomplete: its manifest cannot be read.
        """

    @property
    def file_form(self) -> str:
        """Of what form a version's files on this machine are; "": the engine keeps them on its own."""

    def files(self, version: str) -> VersionFiles:
        """A ready version's files, to be copied; only where there is a `file_form`. They are not looked into.

        Raises:
            StoreNotFound, VersionIncomplete: it is not there, or not whole.
        """

    def take_in(self, manifest: Manifest, unpack: Callable[[Path], None], needed: int) -> None:
        """Make a ready version of the files of another one; only where there is a `file_form`. It is not live yet.

        Args:
            manifest: of the new version: the other one's with another name.
            unpack: writes the other one's files (see `files`) into an empty folder.
            needed: bytes that they take.

        Raises:
            VersionIncomplete: they are not what was sealed.
            StoreLocked: another process builds.
            StoreUnavailable: the disk is too small, or cannot be written.
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


def ranking_parts(parts: Sequence[QueryPart], weights: Sequence[float], held: Collection[Part]) -> list[QueryPart]:
    """The parts that products are ranked by: those with a weight above 0.

    Args:
        parts, weights: of a query.
        held: what vectors the version has.

    Raises:
        ValueError: none of them, two that use the same vectors, vectors that the version lacks, or a weight below 0.
    """
    using = [part.using for part in parts]
    if len(weights) != len(parts) or len(set(using)) != len(using) or not all(0 <= weight < inf for weight in weights):
        raise ValueError(
            f"query parts {using} with weights {list(weights)}; permitted: each of {sorted(held)} at most once, with a "
            "weight of 0 or more each"
        )
    if not set(using) <= set(held):
        raise ValueError(f"query parts {using}; permitted: what the version holds, {sorted(held)}")
    chosen = [part for part, weight in zip(parts, weights, strict=True) if weight > 0]
    if not chosen:
        raise ValueError(f"query parts {using} with weights {list(weights)}; permitted: at least one weight above 0")
    return chosen


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

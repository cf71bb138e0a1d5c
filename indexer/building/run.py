"""The bulk build: rows to pictures to vectors to a store, all four at once.

    reader ─► decode (threads) ─► embed (this thread, all cores) ─► load (the store's own process)

A slow stage makes the ones before it wait: at no time are more than a few batches in memory.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.catalogs.outline import outline_catalog
from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import CatalogReader
from embedder.encoder import Encoder
from embedder.errors import PictureError
from indexer.building.payload import SchemaBuilder, to_payload
from indexer.building.rejects import RejectLog
from indexer.building.vote_fitting import VoteSample, fit_votes
from indexer.errors import BuildError
from indexer.filters.schema import Schema
from indexer.settings import IndexerSettings
from indexer.stores.protocol import Batch, Payload, Store, VersionWriter
from indexer.versions.manifest import Manifest, new_version_name

_log = logging.getLogger(__name__)

AHEAD = 4
"""Batches that may be decoded and waiting."""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did.

    Attributes:
        manifest: of the new, live version.
        rejects: the file with the rejected rows.
        reasons: why rows were rejected, with how many.
        elapsed_s: from the first row read to the flip of the live version.
    """

    manifest: Manifest
    rejects: Path
    reasons: Counter[str]
    elapsed_s: float

    @property
    def products_per_s(self) -> float:
        """Indexed products a second, end to end."""
        return self.manifest.products / self.elapsed_s if self.elapsed_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What a first pass over the rows, without pictures, tells: attribute types, number of rows."""

    schema: Schema
    rows: int


def outline(reader: CatalogReader, limit: int | None) -> BuildPlan:
    """Read the catalog's rows once, leaving pictures alone; not even that where the reader knows its outline."""
    found = outline_catalog(reader, limit)
    builder = SchemaBuilder()
    for name, kinds in found.attributes.items():
        builder.add_kinds(name, kinds)
    return BuildPlan(builder.schema(), found.rows)


def build(
    reader: CatalogReader,
    encoder: Encoder,
    store: Store,
    settings: IndexerSettings,
    rejects_path: Path,
    *,
    catalog: str = "default",
    limit: int | None = None,
    on_rows: Callable[[int], None] = lambda total: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> BuildResult:
    """Build a new index version and make it the live one; on any failure the live one stays as it was.

    Args:
        reader: the catalog.
        encoder: makes the vectors.
        store: where to.
        settings: batch sizes, versions to keep, how many rejects are too many.
        rejects_path: where rejected rows are written.
        catalog: name that the server serves this index under.
        limit: index at most this many products of the catalog's beginning; None: all.
        on_rows: called once with the number of rows.
        on_progress: called with the number of rows done since the last call.

    Raises:
        CatalogError: the catalog cannot be read.
        BuildError: nothing left to index, or too many rows rejected.
        StoreError: the store failed.
    """
    started = time.monotonic()
    plan = outline(reader, limit)
    on_rows(plan.rows)
    manifest = Manifest(
        version=new_version_name(),
        catalog=catalog,
        source=reader.name,
        model_fingerprint=encoder.info.fingerprint,
        model_base=encoder.info.base,
        dim=encoder.dim,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        schema=plan.schema,
        settings=settings.model_dump(mode="json", exclude={"qdrant_api_key", "cache_dir"}),
    )
    writer = store.create(manifest)
    try:
        with RejectLog(rejects_path) as rejects:
            loaded = _load(_rows(reader, limit), encoder, writer, plan.schema, rejects, settings, on_progress)
        _check_share(loaded.products, rejects, settings.max_reject_share)
        manifest = replace(
            manifest,
            state="ready",
            products=loaded.products,
            rejected=rejects.count,
            catalog_hash=loaded.digest.hexdigest(),
            categories=dict(sorted(loaded.categories.items())),
            votes=fit_votes(encoder, loaded.sample),
        )
        writer.finish(manifest)
    finally:
        # After `finish` this does nothing; before, it takes away what is half done, whatever went wrong.
        writer.abort()
    store.activate(manifest.version)
    _drop_old(store, settings.keep_versions)
    return BuildResult(manifest, rejects_path, rejects.reasons, time.monotonic() - started)


class _Loaded:
    """What went into the store."""

    def __init__(self) -> None:
        self.products = 0
        self.categories: Counter[str] = Counter()
        self.digest = hashlib.sha256()
        self.sample = VoteSample()

    def add(self, products: Sequence[Product], vectors: npt.NDArray[np.float32], payloads: Sequence[Payload]) -> None:
        self.products += len(products)
        self.categories.update(product.category for product in products if product.category)
        for payload in payloads:
            self.digest.update(json.dumps(payload, sort_keys=True).encode())
        self.sample.add(products, vectors)


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    products: list[Product]
    pixels: npt.NDArray[np.float32]
    rejections: list[Rejection]
    rows: int


def _load(
    rows: Iterator[Product | Rejection],
    encoder: Encoder,
    writer: VersionWriter,
    schema: Schema,
    rejects: RejectLog,
    settings: IndexerSettings,
    on_progress: Callable[[int], None],
) -> _Loaded:
    loaded = _Loaded()
    # One thread hands batches to the store, so that a store that is behind does not hold up the encoder.
    with ThreadPoolExecutor(settings.decode_threads) as decoders, ThreadPoolExecutor(1) as sender:
        sent: deque[Future[None]] = deque()
        for decoded in _decode_ahead(rows, encoder, decoders, settings.batch_size):
            for rejection in decoded.rejections:
                rejects.add(rejection)
            if decoded.products:
                vectors = encoder.embed_pixels(decoded.pixels)
                payloads = [to_payload(product, schema) for product in decoded.products]
                loaded.add(decoded.products, vectors, payloads)
                batch = Batch([product.id for product in decoded.products], vectors, payloads)
                sent.append(sender.submit(writer.upsert, batch))
            while len(sent) > AHEAD:
                sent.popleft().result()
            on_progress(decoded.rows)
        for future in sent:
            future.result()
    return loaded


def _decode_ahead(
    rows: Iterator[Product | Rejection], encoder: Encoder, pool: ThreadPoolExecutor, batch_size: int
) -> Iterator[_Decoded]:
    pending: deque[Future[_Decoded]] = deque()
    while chunk := list(islice(rows, batch_size)):
        pending.append(pool.submit(_decode, chunk, encoder))
        if len(pending) >= AHEAD:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _decode(chunk: Sequence[Product | Rejection], encoder: Encoder) -> _Decoded:
    images: list[Image.Image] = []
    products: list[Product] = []
    rejections: list[Rejection] = []
    for row in chunk:
        if isinstance(row, Rejection):
            rejections.append(row)
            continue
        try:
            images.append(encoder.decode(row.pictures[0].source)[0])
            products.append(row)
        except PictureError as error:
            rejections.append(Rejection(row.line, row.id, error.reason, str(error)))
    return _Decoded(products, encoder.preprocess(images), rejections, len(chunk))


def _rows(reader: CatalogReader, limit: int | None) -> Iterator[Product | Rejection]:
    """The reader's rows up to and with the `limit`-th product."""
    products = 0
    for row in reader.read():
        yield row
        products += isinstance(row, Product)
        if limit is not None and products >= limit:
            return


def _check_share(products: int, rejects: RejectLog, permitted: float) -> None:
    total = products + rejects.count
    if products == 0:
        raise BuildError(
            f"no product of {total} rows could be indexed; {_reasons(rejects)}; next step: look at {rejects.path}; "
            "the live index stays as it was"
        )
    if rejects.count > permitted * total:
        raise BuildError(
            f"{rejects.count:,} of {total:,} rows were rejected ({_reasons(rejects)}); permitted: a share of "
            f"{permitted}; next step: look at {rejects.path}, or raise max_reject_share; the live index stays as it was"
        )


def _reasons(rejects: RejectLog) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in rejects.reasons.most_common(5)) or "no rows at all"


def _drop_old(store: Store, keep: int) -> None:
    """Delete all but the live version and the `keep` youngest ready ones before it; those in use stay."""
    live = store.live_version()
    others = [manifest for manifest in store.versions() if manifest.version != live]
    ready = [manifest for manifest in others if manifest.state == "ready"]
    for manifest in ready[: max(0, len(ready) - keep)]:
        store.drop(manifest.version)
        _log.info("dropped version %s", manifest.version)


def describe(result: BuildResult) -> dict[str, Any]:
    """The closing summary, JSON-able."""
    return {
        "version": result.manifest.version,
        "products": result.manifest.products,
        "rejected": result.manifest.rejected,
        "reasons": dict(result.reasons),
        "elapsed_s": round(result.elapsed_s, 3),
        "products_per_s": round(result.products_per_s, 1),
        "rejects_file": str(result.rejects),
    }

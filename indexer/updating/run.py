"""An update: products are added, changed and taken away, and nothing else is embedded or written.

An index on disk gets a new version, a copy of the live one with the changes in it, so that the live one answers until
the new one is whole; in a Qdrant server the live version itself is changed, product by product.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from embedder.catalogs.registry import CatalogReader
from embedder.encoder import Encoder
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.pipeline import Pipeline
from indexer.building.plan import BuildPlan, plan_build
from indexer.building.rejects import RejectLog
from indexer.caches.embedding_cache import EmbeddingCache
from indexer.changes.opening import opened_with_changes
from indexer.changes.reembedding import Reembedder
from indexer.errors import BuildError, StoreNotFound
from indexer.filters.schema import FieldType, Schema
from indexer.settings import IndexerSettings
from indexer.stores.protocol import Store
from indexer.updating.changes import Changes
from indexer.versions.going_live import filling, go_live, seal_version
from indexer.versions.graph_effort import carried
from indexer.versions.live_version import live_manifest
from indexer.versions.manifest import Manifest, check_precision, check_servable, new_version_name

_log = logging.getLogger(__name__)

_NEXT_STEP = "next step: python -m indexer build"


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What an update did.

    Attributes:
        manifest: of the live version.
        written, unchanged, deleted, absent: see `Changes`.
        rejects: the file with the rejected rows and pictures.
        reasons: why rows and pictures were rejected, with how many.
        pictures_embedded: that went through the encoder.
        elapsed_s: seconds.
    """

    manifest: Manifest
    written: int
    unchanged: int
    deleted: int
    absent: int
    rejects: Path
    reasons: Counter[str]
    pictures_embedded: int
    elapsed_s: float


def update(
    reader: CatalogReader | None,
    deletions: Iterable[str],
    encoder: Encoder,
    store: Store,
    settings: IndexerSettings,
    rejects_path: Path,
    *,
    is_whole: bool = False,
    on_rows: Callable[[int], None] = lambda total: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> UpdateResult:
    """Change the live version; on any failure before its end an index on disk stays as it was.

    Args:
        reader: products to add or to replace; None: none.
        deletions: ids of products to take away.
        encoder: the model that the version was made with.
        store: where the index is.
        settings: as of a build.
        rejects_path: where rejected rows are written. A product whose row is rejected stays as it was.
        is_whole: whether the reader yields the whole catalog, so that what is not in it goes too.
        on_rows, on_progress: see `indexer.building.run.build`.

    Raises:
        CatalogError: the catalog cannot be read.
        BuildError: the changes do not fit the version, or too many rows were rejected or products left out.
        ModelMismatch: the version was made with another model.
        StoreError: the store failed, there is no live version, or another process has it open.
    """
    started = time.monotonic()
    base = live_base(store)
    check_servable(base, encoder.info.fingerprint)
    check_precision(base, encoder.info.precisions, encoder.precisions)
    plan = BuildPlan(base.schema, 0, 0, 1.0) if reader is None else plan_build(reader, None)
    on_rows(plan.rows)
    schema = _extended(base, plan)
    manifest = replace(
        base,
        version=base.version if store.revises_in_place else new_version_name(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        state="building",
        schema=schema,
    )
    reembed = Reembedder(encoder, settings.picture_limits())
    with filling(store.revise(manifest, base.version, reembed)) as writer:
        with (
            opened_with_changes(store, base.version, reembed, "indexer update") as before,
            EmbeddingCache(settings.cache_dir, settings.embedding_cache_mb * 2**20) as cache,
            RejectLog(rejects_path) as rejects,
        ):
            cached = CachedEncoder(encoder, cache)
            changes = Changes(before)
            if reader is not None:
                pipeline = Pipeline(cached, replace(plan, schema=schema), settings, base.texts)
                pipeline.run(reader, None, writer, rejects, on_progress, choose=changes.to_write)
                _check_rejected(plan.rows, rejects, settings.max_reject_share)
            going = [*deletions, *(changes.left_behind(rejects.product_ids) if is_whole else ())]
            if is_whole:
                _check_left_out(base, len(changes.seen), len(going), settings.max_delete_share)
            for some in changes.to_delete(going):
                writer.delete(some)
        if not changes.are_none:
            if changes.holdings.products == 0:
                raise BuildError(
                    f"the update would take all {base.products:,} products away; the index stays as it was"
                )
            manifest = replace(
                changes.holdings.noted(manifest),
                state="ready",
                rejected=rejects.rows,
                pictures_rejected=rejects.pictures,
            )
            held = carried(base.effort, changes.written + changes.deleted, manifest.products)
            if held is None:
                manifest, _ = seal_version(writer, manifest, settings)
            else:
                manifest = replace(manifest, effort=held)
                writer.finish(manifest)
    if changes.are_none:
        manifest = base
    elif not store.revises_in_place:
        go_live(store, manifest, changes.sample, settings)
    return UpdateResult(
        manifest,
        changes.written,
        changes.unchanged,
        changes.deleted,
        changes.absent,
        rejects_path,
        rejects.reasons,
        cached.pictures_embedded,
        time.monotonic() - started,
    )


def live_base(store: Store) -> Manifest:
    """The live version's manifest.

    Raises:
        StoreNotFound: there is none.
    """
    found = live_manifest(store)
    if found is None:
        raise StoreNotFound(f"no live version at {store.url} to update; {_NEXT_STEP} --store {store.url} …")
    return found


def _extended(base: Manifest, plan: BuildPlan) -> Schema:
    """The version's schema with the attributes that the changes bring.

    Raises:
        BuildError: they do not fit what the version holds.
    """
    if plan.most_pictures > 1 and not base.multivector:
        raise BuildError(
            f"a changed product has {plan.most_pictures} pictures; permitted: 1, as version {base.version} holds one "
            f"vector a product; {_NEXT_STEP} with the whole catalog"
        )
    attributes = dict(base.schema.attributes)
    for name, kind in plan.schema.attributes.items():
        held = attributes.setdefault(name, kind)
        # Anything can become a word.
        if held not in (kind, FieldType.KEYWORD):
            raise BuildError(
                f"attribute {name!r} is of kind {kind.value} in the changes; permitted: {held.value}, as in version "
                f"{base.version}; {_NEXT_STEP} with the whole catalog"
            )
    return Schema(dict(sorted(attributes.items())))


def _check_rejected(rows: int, rejects: RejectLog, permitted: float) -> None:
    if rows and rejects.rows > permitted * rows:
        raise BuildError(
            f"{rejects.rows:,} of {rows:,} rows were rejected; permitted: a share of {permitted}; next step: look at "
            f"{rejects.path}, or raise max_reject_share; the index stays as it was"
        )


def _check_left_out(base: Manifest, came: int, going: int, permitted: float) -> None:
    """A feed that broke off must not empty the shop."""
    if came == 0:
        raise BuildError("the catalog holds no product that can be indexed; the index stays as it was")
    if going > permitted * base.products:
        raise BuildError(
            f"{going:,} of {base.products:,} products are not in the catalog any more; permitted: a share of "
            f"{permitted}; next step: is the catalog complete? else raise max_delete_share; the index stays as it was"
        )

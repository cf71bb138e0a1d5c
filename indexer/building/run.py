"""The bulk build: rows to pixels to vectors to a store, all at once.

    read (this thread) ─► decode (threads) ─► embed (this thread, all cores) ─► load (a thread; Edge: its own process)

A slow stage makes the ones before it wait: at no time are more than a few batches in memory.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from embedder.catalogs.registry import CatalogReader
from embedder.encoder import Encoder
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.calibration.product_views import ProductViews
from indexer.building.calibration.run import calibrate
from indexer.building.pipeline import Pipeline
from indexer.building.plan import BuildPlan, plan_build
from indexer.building.quality_inspection import report_quality
from indexer.building.rejects import RejectLog
from indexer.building.stage import StageTime, stage_times
from indexer.caches.embedding_cache import EmbeddingCache
from indexer.errors import BuildError
from indexer.quality.duplicates import Duplicates, find_duplicates, mark_duplicates
from indexer.quality.reporting.report import QualityReport
from indexer.quality.roll import ProductRoll
from indexer.settings import IndexerSettings
from indexer.shadow.evaluation import ShadowEvaluation
from indexer.shadow.run import ShadowRules, evaluate_shadow
from indexer.stores.protocol import Store
from indexer.versions.examination import ASKED
from indexer.versions.going_live import filling, go_live, seal_version
from indexer.versions.live_version import live_manifest
from indexer.versions.manifest import Manifest, new_version_name
from indexer.words.text_index import Bm25Settings, TextIndex


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did.

    Attributes:
        manifest: of the new, live version.
        rejects: the file with the rejected rows and pictures.
        reasons: why rows and pictures were rejected, with how many.
        pictures_left_out: beyond the number of pictures that a product may have.
        pictures_embedded: of the catalog's that went through the encoder; of the others the vectors were known.
        titles_embedded: of the catalog's titles that went through the encoder, each once.
        title_bytes: what titles' embeddings and words take in the version.
        further_embedded: what else went through it, to learn what the index's answers are worth: views of pictures, and
            texts.
        elapsed_s: from the first row read to the switch of the live version.
        outline_s: of that, the first pass over the rows, without pictures.
        stages: how busy the stages were that ran side by side.
        seal_s: of that, calibrating, indexing and making durable, after the last product was in.
        duplicates_s: of that, finding products that show the same and marking them.
        effort_s: of that, measuring how many candidates of the graph are enough.
        duplicates: what was found.
        calibrated_in: the version that knew already what answers are worth; None: it was learnt now.
        shadow: its answers beside those of the version that was live; None: they were not compared.
        quality: the report on the catalog, made after the switch; None: none was wanted, or it failed.
    """

    manifest: Manifest
    rejects: Path
    reasons: Counter[str]
    pictures_left_out: int
    pictures_embedded: int
    titles_embedded: int
    title_bytes: int
    further_embedded: int
    elapsed_s: float
    outline_s: float
    stages: tuple[StageTime, ...]
    seal_s: float
    duplicates_s: float = 0.0
    effort_s: float = 0.0
    duplicates: Duplicates = field(default_factory=Duplicates)
    calibrated_in: str | None = None
    shadow: ShadowEvaluation | None = None
    quality: QualityReport | None = None

    @property
    def products_per_s(self) -> float:
        """Indexed products a second, end to end."""
        return self.manifest.products / self.elapsed_s if self.elapsed_s > 0 else 0.0


def build(
    reader: CatalogReader,
    encoder: Encoder,
    store: Store,
    settings: IndexerSettings,
    rejects_path: Path,
    *,
    catalog: str = "default",
    limit: int | None = None,
    quality_folder: Path | None = None,
    shadow: ShadowRules = ShadowRules(),
    on_rows: Callable[[int], None] = lambda total: None,
    on_progress: Callable[[int], None] = lambda done: None,
    on_busiest: Callable[[StageTime], None] = lambda busiest: None,
) -> BuildResult:
    """Build a new index version and make it the live one; on any failure the live one stays as it was.

    Args:
        reader: the catalog.
        encoder: makes the vectors.
        store: where the version is written.
        settings: batch sizes, versions to keep, how many rejects are too many.
        rejects_path: where rejected rows are written.
        catalog: name that the server serves this index under.
        limit: index at most this many products of the catalog's beginning; None: all.
        quality_folder: where the report on the catalog goes; None: none is made.
        shadow: how the new version is compared with the live one.
        on_rows: called once with the number of rows.
        on_progress: called with the number of rows done since the last call.
        on_busiest: called beside it with the stage that the others wait for at present.

    Raises:
        CatalogError: the catalog cannot be read.
        BuildError: nothing left to index, or too many rows rejected.
        VersionRefused: the new version answers worse than the live one; it is kept.
        StoreError: the store failed.
    """
    with ProductRoll(encoder.dim, settings.cache_dir) as roll:
        result, views = _build(
            reader,
            encoder,
            store,
            settings,
            rejects_path,
            roll,
            catalog,
            limit,
            shadow,
            on_rows,
            on_progress,
            on_busiest,
        )
        if quality_folder is None:
            return result
        quality = report_quality(
            quality_folder, reader, limit, encoder, settings, roll, result.duplicates, views, result.manifest
        )
        return replace(result, quality=quality)


def _build(
    reader: CatalogReader,
    encoder: Encoder,
    store: Store,
    settings: IndexerSettings,
    rejects_path: Path,
    roll: ProductRoll,
    catalog: str,
    limit: int | None,
    shadow: ShadowRules,
    on_rows: Callable[[int], None],
    on_progress: Callable[[int], None],
    on_busiest: Callable[[StageTime], None],
) -> tuple[BuildResult, ProductViews]:
    """As `build`, less the report; what was indexed is in the roll afterwards."""
    started = time.monotonic()
    plan = plan_build(reader, limit)
    on_rows(plan.rows)
    outlined = time.monotonic()
    manifest = begin_manifest(reader.name, encoder, plan, settings, catalog)
    with (
        filling(store.create(manifest, expected_products=plan.rows)) as writer,
        EmbeddingCache(settings.cache_dir, settings.embedding_cache_mb * 2**20) as cache,
    ):
        cached = CachedEncoder(encoder, cache)
        pipeline = Pipeline(cached, plan, settings, manifest.texts)
        with RejectLog(rejects_path) as rejects:
            tally = pipeline.run(reader, limit, writer, rejects, on_progress, roll, on_busiest=on_busiest)
        loaded = time.monotonic()
        check_share(tally.holdings.products, rejects, settings.max_reject_share)
        duplicates = find_duplicates(roll)
        mark_duplicates(writer, roll, duplicates)
        marked = time.monotonic()
        pictures_embedded, titles_embedded = cached.pictures_embedded, cached.texts_embedded
        calibration = calibrate(cached, tally, rejects, manifest, settings, settings.match_views, live_manifest(store))
        manifest = replace(
            calibration.manifest,
            pictures_rejected=rejects.pictures,
            precisions={str(tower): str(precision) for tower, precision in encoder.precisions.items()},
        )
        manifest, effort_s = seal_version(writer, manifest, settings, lambda: calibration.held_out(cached))
    evaluation, live = go_live(
        store,
        manifest,
        list(zip(tally.sample.ids, tally.sample.vectors, strict=True))[:ASKED],
        settings,
        lambda: evaluate_shadow(store, manifest, encoder, tally.sample, calibration.views, settings, shadow),
    )
    result = BuildResult(
        manifest,
        rejects_path,
        rejects.reasons,
        tally.pictures_left_out,
        pictures_embedded,
        titles_embedded,
        pipeline.title_bytes,
        cached.pictures_embedded - pictures_embedded + cached.texts_embedded - titles_embedded,
        elapsed_s=live - started,
        outline_s=outlined - started,
        stages=stage_times(pipeline.stages, loaded - outlined),
        seal_s=live - loaded,
        duplicates_s=marked - loaded,
        effort_s=effort_s,
        duplicates=duplicates,
        calibrated_in=calibration.taken_from,
        shadow=evaluation,
    )
    return result, calibration.views


def begin_manifest(source: str, encoder: Encoder, plan: BuildPlan, settings: IndexerSettings, catalog: str) -> Manifest:
    """The manifest of a version that is to be built.

    Args:
        source: where the products are read from, for people.
        encoder: the model that makes the vectors.
        plan: the version's shape.
        settings: of the build.
        catalog: see `build`.
    """
    return Manifest(
        version=new_version_name(),
        catalog=catalog,
        source=source,
        model_fingerprint=encoder.info.fingerprint,
        model_base=encoder.info.base,
        dim=encoder.dim,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        multivector=plan.most_pictures > 1,
        texts=_text_index(encoder, plan, settings),
        schema=plan.schema,
        settings=settings.model_dump(mode="json", exclude={"qdrant_api_key", "cache_dir"}),
    )


def _text_index(encoder: Encoder, plan: BuildPlan, settings: IndexerSettings) -> TextIndex | None:
    if not (settings.index_titles or settings.index_words):
        return None
    bm25 = Bm25Settings(settings.language, plan.title_words) if settings.index_words else None
    return TextIndex(encoder.info.semantic_dim if settings.index_titles else 0, bm25)


def check_share(products: int, rejects: RejectLog, permitted: float) -> None:
    """Refuse a version that holds no product, or too few of the catalog's rows.

    Args:
        products: that it holds.
        rejects: the other rows.
        permitted: share of the rows that may be rejected, 0..1.

    Raises:
        BuildError: it is refused.
    """
    total = products + rejects.rows
    if products == 0:
        raise BuildError(
            f"no product of {total} rows could be indexed; {_reasons(rejects)}; next step: look at {rejects.path}; "
            "the live index stays as it was"
        )
    if rejects.rows > permitted * total:
        raise BuildError(
            f"{rejects.rows:,} of {total:,} rows were rejected ({_reasons(rejects)}); permitted: a share of "
            f"{permitted}; next step: look at {rejects.path}, or raise max_reject_share; the live index stays as it was"
        )


def _reasons(rejects: RejectLog) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in rejects.reasons.most_common(5)) or "no rows at all"

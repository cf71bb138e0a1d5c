"""The step of a build that looks at the catalog once its index is live, and never fails it."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from embedder.catalogs.registry import CatalogReader
from embedder.encoder import Encoder
from embedder.errors import EmbedderError
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.calibration.product_views import ProductViews
from indexer.caches.embedding_cache import EmbeddingCache
from indexer.quality.duplicates import Duplicates
from indexer.quality.inspection import inspect_catalog
from indexer.quality.reporting.report import QualityReport, write_report
from indexer.quality.roll import ProductRoll
from indexer.settings import IndexerSettings
from indexer.versions.manifest import Manifest

_log = logging.getLogger(__name__)


def report_quality(
    folder: Path,
    reader: CatalogReader,
    limit: int | None,
    encoder: Encoder,
    settings: IndexerSettings,
    roll: ProductRoll,
    duplicates: Duplicates,
    views: ProductViews,
    manifest: Manifest,
) -> QualityReport | None:
    """Inspect what was indexed and write the report.

    Args:
        folder: where it goes.
        reader: the catalog, read again for pictures that are shown.
        limit: of its products.
        encoder: that embedded it; what the build looked at already comes from the cache.
        settings: of the build.
        roll: all products.
        duplicates: among them.
        views: of some of them, with which they are asked for.
        manifest: of the version, which is live.

    Returns:
        None where there is no report; the log says why.
    """
    if not len(roll):
        return None
    started = time.monotonic()
    try:
        with EmbeddingCache(settings.cache_dir, settings.embedding_cache_mb * 2**20) as cache:
            cached = CachedEncoder(encoder, cache)
            found = inspect_catalog(
                cached,
                roll,
                duplicates,
                views.by_id(cached),
                sorted(manifest.categories),
                manifest.category_models.get("image"),
            )
        limits, thumbnails = settings.picture_limits(), settings.thumbnails()
        return write_report(folder, found, manifest, reader, limit, limits, thumbnails, started)
    # The index is live: whatever is wrong with a report must not make that a failed build.
    except Exception as error:  # noqa: BLE001
        _log.warning(
            "there is no quality report: %s; the index is live all the same; next step: build again, or with "
            "--no-quality-report",
            error,
            exc_info=not isinstance(error, (EmbedderError, OSError)),
        )
        return None

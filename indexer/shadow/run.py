"""The shadow evaluation of a build: the new version beside the live one, with the models that made them."""

from __future__ import annotations

import json
import logging
import os
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from embedder.encoder import Encoder, open_encoder
from embedder.errors import EmbedderError
from embedder.model_folder import find_bundle
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.calibration.held_out_queries import held_out_places
from indexer.building.calibration.product_sample import ProductSample
from indexer.building.calibration.product_views import ProductViews
from indexer.caches.embedding_cache import EmbeddingCache
from indexer.errors import StoreError, VersionRefused
from indexer.settings import IndexerSettings
from indexer.shadow.asking import answers, encode_queries
from indexer.shadow.evaluation import ASKED, ShadowEvaluation, compare, held_by
from indexer.shadow.gate import ShadowGate
from indexer.shadow.queries import ShadowQuery, catalog_queries
from indexer.stores.protocol import Store, VersionReader
from indexer.versions.live_version import live_manifest
from indexer.versions.manifest import Manifest, holds_the_same

OWNER = "indexer build"

_CANDIDATES = 3
"""Products that are looked for in the live version, for each query: some are new."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShadowRules:
    """How a build's version is compared with the live one.

    Attributes:
        queries: of an operator; None: the catalog's own.
        models: folders in which the bundle that made the live version may lie, where another made the new one.
        out: a JSON file with the outcome; None: none is written.
        force: whether a version that is refused goes live nevertheless.
    """

    queries: tuple[ShadowQuery, ...] | None = None
    models: tuple[Path, ...] = ()
    out: Path | None = None
    force: bool = False


def evaluate_shadow(
    store: Store,
    manifest: Manifest,
    encoder: Encoder,
    sample: ProductSample,
    views: ProductViews,
    settings: IndexerSettings,
    rules: ShadowRules,
) -> ShadowEvaluation | None:
    """Compare a finished version with the live one, and refuse it where it answers worse.

    Where both hold the same in all, the catalog's own queries are not asked: their answers would be compared with
    themselves. An operator's queries are.

    Args:
        store: where both are.
        manifest: of the new one, which is ready and not live.
        encoder: the model that made it.
        sample: of the products that went into it.
        views: of some of them.
        settings: how many queries, and what may be lost.
        rules: see there.

    Returns:
        None where there is nothing to compare with: no live version, one that cannot be opened, or whose model is not
        at hand; the log says which.

    Raises:
        VersionRefused: it answers worse; it stays, and is not live.
        StoreError: the new version cannot be searched.
    """
    if settings.shadow_queries == 0:
        return None
    try:
        before = live_manifest(store)
        if before is not None and rules.queries is None and holds_the_same(manifest, before):
            return _same(manifest, before, rules)
        name = store.live_version()
        if name is None:
            return None
        live = store.open(name, OWNER, beside=True)
    except StoreError as error:
        _log.warning("the new version is not compared with the live one, which cannot be opened: %s", error)
        return None
    with closing(live):
        live_encoder = _live_encoder(live.manifest, encoder, settings, rules)
        if live_encoder is None:
            return None
        with (
            closing(store.open(manifest.version, OWNER)) as version,
            EmbeddingCache(settings.cache_dir, settings.embedding_cache_mb * 2**20) as cache,
        ):
            cached = CachedEncoder(encoder, cache)
            live_cached = cached if live_encoder is encoder else CachedEncoder(live_encoder, cache)
            evaluation = _evaluate(version, live, cached, live_cached, sample, views, settings, rules)
    refusals = ShadowGate(settings.shadow_max_loss, settings.shadow_min_overlap).refusals(evaluation)
    for line in evaluation.describe() if refusals else ():
        _log.warning("beside the live version: %s", line)
    if rules.out is not None:
        _write(rules.out, evaluation, refusals, rules.force)
    if not refusals:
        return evaluation
    if not rules.force:
        raise VersionRefused(
            f"version {manifest.version} at {store.url} answers worse than the live one, which stays: "
            f"{'; '.join(refusals)}; next step: python -m indexer rollback --version {manifest.version} makes it live "
            "nevertheless, as --force would have done"
        )
    _log.warning("the new version goes live although it answers worse: %s", "; ".join(refusals))
    return evaluation


def _same(manifest: Manifest, live: Manifest, rules: ShadowRules) -> ShadowEvaluation:
    _log.info("the new version is not compared with the live one, %s, which holds the same in all", live.version)
    evaluation = ShadowEvaluation(manifest.version, live.version, same_model=True, kinds={}, same_contents=True)
    if rules.out is not None:
        _write(rules.out, evaluation, [], rules.force)
    return evaluation


def _evaluate(
    version: VersionReader,
    live: VersionReader,
    encoder: Encoder,
    live_encoder: Encoder,
    sample: ProductSample,
    views: ProductViews,
    settings: IndexerSettings,
    rules: ShadowRules,
) -> ShadowEvaluation:
    count = settings.shadow_queries
    if rules.queries is not None:
        queries = list(rules.queries)
    else:
        asking = [sample.ids[place] for place in held_out_places(encoder, sample)[: _CANDIDATES * count]]
        viewed = views.by_id(encoder)
        held = held_by(live, {*asking, *viewed})
        queries = catalog_queries(encoder, sample, viewed, held, count)
    encoded = encode_queries(encoder, queries, settings.picture_limits(), known=True)
    found = answers(version, encoder, encoded, ASKED)
    if live_encoder is not encoder:
        encoded = encode_queries(live_encoder, queries, settings.picture_limits())
    return compare(version, live, queries, found, answers(live, live_encoder, encoded, ASKED))


def _live_encoder(live: Manifest, encoder: Encoder, settings: IndexerSettings, rules: ShadowRules) -> Encoder | None:
    """The model that the live version is asked with."""
    if live.model_fingerprint == encoder.info.fingerprint:
        return encoder
    for folder in rules.models:
        path = find_bundle(folder, live.model_fingerprint, live.head_digest)
        if path is not None:
            try:
                return open_encoder(
                    path, threads=settings.threads, device=settings.device, precision=settings.precision
                )
            except EmbedderError as error:
                _log.warning("%s, which made the live version, cannot be opened: %s", path, error)
    _log.warning(
        "the new version is not compared with the live one: the model %s… that made it is not in %s; next step: "
        "--live-model names the folder that it lies in",
        live.model_fingerprint[:16],
        ", ".join(map(str, rules.models)) or "any folder that is known",
    )
    return None


def _write(path: Path, evaluation: ShadowEvaluation, refusals: list[str], force: bool) -> None:
    told = {**evaluation.to_dict(), "refused": refusals, "went_live": force or not refusals}
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        _log.warning("%s cannot be written: %s", path, error)

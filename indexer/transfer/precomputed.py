"""Making a version of precomputed vectors, in the space of a model that is at hand.

As a build does, less decoding and embedding pictures: titles are embedded, and what answers are worth is learnt from
the vectors. What needs the pictures themselves stays unknown: how sure it is that a photo shows the very product, which
products show the same, and the report on the catalog.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from embedder.catalogs.product import Rejection
from embedder.catalogs.registry import CatalogReader
from embedder.encoder import Encoder
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.calibration.product_sample import ProductSample
from indexer.building.calibration.run import calibrate
from indexer.building.loading import Loading
from indexer.building.payload import to_payload
from indexer.building.plan import BuildPlan, plan_build
from indexer.building.rejects import RejectLog
from indexer.building.run import begin_manifest, check_share
from indexer.building.tally import Tally
from indexer.building.titling import Titling
from indexer.caches.embedding_cache import EmbeddingCache
from indexer.errors import TransferError
from indexer.settings import IndexerSettings
from indexer.stores.protocol import Batch, Store
from indexer.transfer.paired_rows import PairedProduct, PairedRows
from indexer.transfer.vector_rows import AT_ONCE, VectorSource
from indexer.versions.examination import ASKED
from indexer.versions.going_live import filling, go_live, seal_version
from indexer.versions.live_version import live_manifest
from indexer.versions.manifest import Manifest

_COMPARED = 2_000
_FEWEST_COMPARED = 30
_SURELY = 3.0
"""Standard errors."""


@dataclass(frozen=True, slots=True)
class PrecomputedResult:
    """What was loaded.

    Attributes:
        manifest: of the live version.
        reasons: why rows were rejected, with how many.
        fits_titles: how much nearer, as cosines, titles are to their own product's vectors than to another's, mean and
            standard error; None: too few products have titles.
        elapsed_s: seconds.
    """

    manifest: Manifest
    reasons: Counter[str]
    fits_titles: tuple[float, float] | None
    elapsed_s: float

    @property
    def is_doubtful(self) -> bool:
        """Whether titles are no nearer to their own product's vectors: of another model, or in another order."""
        return self.fits_titles is not None and self.fits_titles[0] < _SURELY * self.fits_titles[1]


def load_vectors(
    reader: CatalogReader,
    vectors: VectorSource,
    encoder: Encoder,
    store: Store,
    settings: IndexerSettings,
    rejects_path: Path,
    *,
    source: str,
    in_rows: bool,
    catalog: str = "default",
    on_rows: Callable[[int], None] = lambda total: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> PrecomputedResult:
    """Load vectors as a new version and make it the live one; on any failure the live one stays as it was.

    Args:
        reader: the products.
        vectors: theirs, float32 (encoder.dim,) each.
        encoder: the model that made them.
        store: where the version is written.
        settings: as of a build.
        rejects_path: where rejected rows are written.
        source: where the vectors come from, for people.
        in_rows: see `PairedRows`.
        catalog: name that the server serves this index under.
        on_rows: called once with the number of rows.
        on_progress: called with the number of products done since the last call.

    Raises:
        TransferError: there are more vectors than rows, or fewer.
        CatalogError: the catalog or the vectors cannot be read.
        BuildError: nothing left to index, or too many rows rejected.
        StoreError: the store failed.
    """
    started = time.monotonic()
    paired = PairedRows(reader, vectors, in_rows=in_rows)
    rows, most_vectors = paired.outline()
    if vectors.rows != rows:
        raise TransferError(
            f"{source} holds {vectors.rows:,} vectors, {reader.name} {rows:,} rows; permitted: as many, in the same "
            "order (a product with several rows counts once); nothing is written"
        )
    on_rows(rows)
    plan = replace(plan_build(reader, None), most_pictures=most_vectors)
    manifest = begin_manifest(f"{source} with {reader.name}", encoder, plan, settings, catalog)
    with (
        filling(store.create(manifest, expected_products=rows)) as writer,
        EmbeddingCache(settings.cache_dir, settings.embedding_cache_mb * 2**20) as cache,
    ):
        cached = CachedEncoder(encoder, cache)
        titling = Titling(cached, manifest.texts, settings.batch_size)
        with RejectLog(rejects_path) as rejects, Loading(writer) as loading:
            tally = _send(paired, plan, titling, loading, rejects, on_progress)
            loading.wait()
            check_share(tally.holdings.products, rejects, settings.max_reject_share)
        # Views would be made of pictures.
        calibration = calibrate(cached, tally, rejects, manifest, settings, 0, live_manifest(store))
        manifest, _ = seal_version(writer, calibration.manifest, settings, lambda: calibration.held_out(cached))
    go_live(store, manifest, list(zip(tally.sample.ids, tally.sample.vectors, strict=True))[:ASKED], settings)
    return PrecomputedResult(manifest, rejects.reasons, _fit_of(encoder, tally.sample), time.monotonic() - started)


def _send(
    paired: PairedRows,
    plan: BuildPlan,
    titling: Titling,
    loading: Loading,
    rejects: RejectLog,
    on_progress: Callable[[int], None],
) -> Tally:
    tally = Tally()
    rows = paired.read()
    while some := list(islice(rows, AT_ONCE)):
        found = list(_accepted(some, rejects))
        if found:
            products = [item.product for item in found]
            values, counts = np.concatenate([item.vectors for item in found]), [len(item.vectors) for item in found]
            payloads = [to_payload(product, plan.schema) for product in products]
            titles = titling.embeddings(products)
            tally.add(products, counts, values, payloads, titles)
            ids = [product.id for product in products]
            loading.send(Batch(ids, values, payloads, counts, titles, titling.words(products)))
        on_progress(len(some))
    return tally


def _accepted(rows: list[PairedProduct | Rejection], rejects: RejectLog) -> Iterator[PairedProduct]:
    for row in rows:
        if isinstance(row, Rejection):
            rejects.add(row)
        else:
            yield row


def _fit_of(encoder: Encoder, sample: ProductSample) -> tuple[float, float] | None:
    """See `PrecomputedResult.fits_titles`."""
    places = [place for place, title in enumerate(sample.titles) if title][:_COMPARED] if sample.title_vectors else []
    # Another product's: half of the sample further on, as catalogs are often sorted.
    half = len(places) // 2
    pairs = list(zip(places, places[half:] + places[:half], strict=True))
    pairs = [(place, other) for place, other in pairs if sample.titles[place] != sample.titles[other]]
    if len(pairs) < _FEWEST_COMPARED:
        return None
    asked = encoder.space.text_vectors(np.stack([sample.title_vectors[place] for place, _ in pairs]))
    own, others = (np.stack([sample.vectors[pair[side]] for pair in pairs]) for side in (0, 1))
    gains = (asked * (own - others)).sum(axis=1)
    return float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))


def describe(result: PrecomputedResult, url: str) -> str:
    """What was loaded, and what the version cannot know, for people."""
    made = result.manifest
    lines = [
        f"{made.products:,} products, {made.rejected:,} rejected, {result.elapsed_s:.1f} s; live version "
        f"{made.version} at {url}",
        f"made by model {made.model_base} {made.model_fingerprint[:16]}; next step: start servers with that one",
        "learnt from the vectors: categories of "
        + (", ".join(made.category_models) or "nothing")
        + " queries, how likely hits are to be right; not known without pictures: whether a photo shows the very "
        "product, which products show the same",
    ]
    if result.fits_titles is not None:
        gain, error = result.fits_titles
        lines.append(f"titles are nearer to their own product's vector than to another's by {gain:.3f} +- {error:.3f}")
    if result.is_doubtful:
        lines.append(
            "WARNING: that is no more than chance: are these vectors of this model, and in the order of the products?"
        )
    if result.reasons:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in result.reasons.most_common())
        lines.append(f"rejected: {reasons}; see the rejects file")
    return "\n".join(lines)

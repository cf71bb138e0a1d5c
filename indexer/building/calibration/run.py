"""What a full version's answers are worth, learnt from a sample of its products, and noted in its manifest."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from embedder.encoder import Encoder
from embedder.recognition.head import WEIGHTS_FILE
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.calibration.held_out_queries import held_out_for_graph
from indexer.building.calibration.origin import digest_fits, digest_origin
from indexer.building.calibration.product_sample import ProductSample
from indexer.building.calibration.product_views import ProductViews
from indexer.building.calibration.ranking_fitting import fit_ranking
from indexer.building.calibration.recognition_fitting import fit_recognition
from indexer.building.rejects import RejectLog
from indexer.building.tally import Tally
from indexer.settings import IndexerSettings
from indexer.versions.effort_measuring import HeldOut
from indexer.versions.manifest import Manifest

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt.

    Attributes:
        manifest: with all of it, and "ready".
        sample: of the products that it was learnt from.
        views: of some of their pictures.
        taken_from: the version that knew all of it already; None: it was learnt now.
    """

    manifest: Manifest
    sample: ProductSample
    views: ProductViews
    taken_from: str | None

    def held_out(self, encoder: Encoder) -> HeldOut:
        """Queries that the version's graph is asked."""
        return held_out_for_graph(encoder, self.sample, self.views.by_id(encoder))


def calibrate(
    encoder: CachedEncoder,
    tally: Tally,
    rejects: RejectLog,
    manifest: Manifest,
    settings: IndexerSettings,
    most_views: int,
    live: Manifest | None,
) -> Calibration:
    """Learn how text queries are ranked, and how categories and matches are judged.

    Where the live version has learnt from the same products and by the same model, the same would come out, and is
    taken over.

    Args:
        encoder: the model that made the vectors.
        tally: what went into the version.
        rejects: what did not.
        manifest: of the version, as it was begun.
        settings: of the build.
        most_views: products whose pictures are looked at as a photo would show them; 0: none are.
        live: the live version's manifest; None: there is none.
    """
    sample, limits = tally.sample, settings.picture_limits()
    views = ProductViews(sample, limits, most_views)
    categories = sorted(tally.holdings.categories)
    manifest = replace(
        tally.holdings.noted(manifest),
        state="ready",
        rejected=rejects.rows,
        head_digest=encoder.info.files.get(WEIGHTS_FILE, ""),
    )
    origin = digest_origin(encoder, sample, categories, limits, most_views, manifest.texts)
    if live is not None and live.calibration == digest_fits(origin, live):
        _log.info(
            "what answers are worth is taken over from version %s, made of the same products by the same model",
            live.version,
        )
        return Calibration(_with_fits_of(live, manifest), sample, views, live.version)
    texts = fit_ranking(encoder, sample, manifest.texts)
    fitted = fit_recognition(encoder, sample, categories, views, texts)
    manifest = replace(
        manifest,
        category_models=fitted.category_models,
        match_models=fitted.match_models,
        texts=texts,
        words=fitted.words,
    )
    manifest = replace(manifest, calibration=digest_fits(origin, manifest))
    return Calibration(manifest, sample, views, None)


def _with_fits_of(live: Manifest, manifest: Manifest) -> Manifest:
    """A manifest with another one's fits: all that `digest_fits` covers."""
    texts, fitted = manifest.texts, live.texts
    if texts is not None and fitted is not None:
        texts = replace(texts, weights=fitted.weights, asked=fitted.asked, found=fitted.found)
    return replace(
        manifest,
        category_models=live.category_models,
        match_models=live.match_models,
        texts=texts,
        words=live.words,
        calibration=live.calibration,
    )

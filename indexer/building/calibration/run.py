"""What a full version's answers are worth, learnt from a sample of its products, and noted in its manifest."""

from __future__ import annotations

from dataclasses import dataclass, replace

from embedder.recognition.head import WEIGHTS_FILE
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.calibration.held_out_queries import held_out_for_graph
from indexer.building.calibration.ranking_fitting import fit_ranking
from indexer.building.calibration.recognition_fitting import Recognition, fit_recognition
from indexer.building.rejects import RejectLog
from indexer.building.tally import Tally
from indexer.settings import IndexerSettings
from indexer.versions.effort_measuring import HeldOut
from indexer.versions.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt.

    Attributes:
        manifest: with all of it, and "ready".
        fitted: how categories and matches are judged, and the views that it was learnt from.
        held_out: queries that the graph is asked.
    """

    manifest: Manifest
    fitted: Recognition
    held_out: HeldOut


def calibrate(
    encoder: CachedEncoder,
    tally: Tally,
    rejects: RejectLog,
    manifest: Manifest,
    settings: IndexerSettings,
    views: int,
) -> Calibration:
    """Learn how text queries are ranked, how categories and matches are judged, and what the graph is asked.

    Args:
        encoder: the model that made the vectors.
        tally: what went into the version.
        rejects: what did not.
        manifest: of the version, as it was begun.
        settings: of the build.
        views: products whose pictures are looked at as a photo would show them; 0: none are.
    """
    texts = fit_ranking(encoder, tally.sample, manifest.texts)
    categories = sorted(tally.holdings.categories)
    fitted = fit_recognition(encoder, tally.sample, categories, settings.picture_limits(), views, texts)
    held_out = held_out_for_graph(encoder, tally.sample, fitted.views) if settings.wanted_recall else {}
    manifest = replace(
        tally.holdings.noted(manifest),
        state="ready",
        rejected=rejects.rows,
        head_digest=encoder.info.files.get(WEIGHTS_FILE, ""),
        category_models=fitted.category_models,
        match_models=fitted.match_models,
        texts=texts,
        words=fitted.words,
    )
    return Calibration(manifest, fitted, held_out)

"""Records of changes as rows of one version: the same when they come and when they are applied again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from embedder.catalogs.captions import searched_words, title_of
from indexer.building.payload import to_payload
from indexer.changes.change import Record, Reembed
from indexer.stores.points import CONTENT_KEY, INDEX_TIME_KEY
from indexer.stores.protocol import Batch, Row
from indexer.versions.layout import VectorLayout
from indexer.versions.manifest import Manifest
from indexer.words.bm25 import Bm25Words

_log = logging.getLogger(__name__)


class ChangedRows:
    """What a version holds of changed products. Used by one thread."""

    def __init__(self, manifest: Manifest, reembed: Reembed) -> None:
        self._manifest = manifest
        self._reembed = reembed
        texts = manifest.texts
        self._words = None if texts is None or texts.bm25 is None else Bm25Words(texts.bm25)

    def of(self, record: Record) -> Row | None:
        """The row of a record that writes a product; None where it was made by another model and cannot be made again.

        Then the product stays as the version has it, which is in the log.
        """
        becomes = record.change.becomes
        assert becomes is not None
        layout = self._manifest.layout
        untitled = bool(layout.title_dim) and becomes.title is None and bool(title_of(becomes.product))
        if becomes.fingerprint != self._manifest.model_fingerprint or untitled:
            made = self._reembed(becomes)
            if made is None or made.vectors.shape[1] != layout.dim:
                _log.error(
                    "change %d, of product %r, was made with another model than version %s, and its pictures are not "
                    "known: the product stays as the version has it; next step: send it again",
                    record.sequence,
                    becomes.product.id[:80],
                    self._manifest.version,
                )
                return None
            becomes = made
        product, vectors = becomes.product, becomes.vectors
        if not layout.multivector:
            product, vectors = replace(product, pictures=product.pictures[:1]), vectors[:1]
        payload = {
            **to_payload(product, self._manifest.schema),
            CONTENT_KEY: becomes.content,
            INDEX_TIME_KEY: record.time.isoformat(),
        }
        words = None
        if self._words is not None:
            words = self._words.title(searched_words(product.title, product.category, product.description))
        return Row(product.id, vectors, payload, becomes.title if layout.title_dim else None, words)


def to_batch(rows: Sequence[Row], layout: VectorLayout) -> Batch:
    """Rows, 1 or more, by column."""
    titles = None
    if layout.title_dim:
        titles = np.zeros((len(rows), layout.title_dim), dtype=np.float32)
        for place, row in enumerate(rows):
            if row.title is not None:
                titles[place] = row.title
    return Batch(
        [row.product_id for row in rows],
        np.concatenate([row.vectors for row in rows]),
        [row.payload for row in rows],
        [len(row.vectors) for row in rows],
        titles,
        [row.words for row in rows] if layout.has_words else None,
    )

"""Changes that were written with another model, for the one that is served now."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from embedder.catalogs.captions import title_of
from embedder.encoder import Encoder
from embedder.errors import PictureError
from embedder.inputs.picture import PictureBytes, PictureLimits
from indexer.changes.change import ChangedProduct


class Reembedder:
    """Makes vectors again; see `indexer.changes.change.Reembed`."""

    def __init__(self, encoder: Encoder, limits: PictureLimits) -> None:
        self._encoder = encoder
        self._reader = encoder.pixel_reader(limits)

    def __call__(self, changed: ChangedProduct) -> ChangedProduct | None:
        """The product with this model's vectors; None where a picture's bytes are not known, or cannot be read."""
        fingerprint = self._encoder.info.fingerprint
        vectors = changed.vectors
        if changed.fingerprint != fingerprint:
            sources = [picture.source for picture in changed.product.pictures]
            if not all(isinstance(source, PictureBytes) and source.data for source in sources):
                return None
            try:
                pixels = [self._reader.read(source).values for source in sources]
            except PictureError:
                return None
            vectors = self._encoder.embed_pixels(np.stack(pixels))
        title = title_of(changed.product)
        embedding = self._encoder.semantic_texts([title])[0] if title else None
        return replace(changed, vectors=vectors, fingerprint=fingerprint, title=embedding)

"""Products' pictures as photos would show them: what asks for the very product."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.errors import PictureError
from embedder.inputs.picture import PictureLimits, decode_picture
from embedder.inputs.street_views import street_view
from indexer.building.calibration.held_out_queries import held_out_places
from indexer.building.calibration.product_sample import ProductSample

_BATCH = 32
"""Views that are in memory at a time."""

_log = logging.getLogger(__name__)


class ProductViews:
    """A view of the main picture of each of some products, drawn and embedded when it is first asked for."""

    def __init__(self, sample: ProductSample, limits: PictureLimits, most: int) -> None:
        """Take what they are drawn of; nothing is read yet.

        Args:
            sample: of the products that were indexed.
            limits: what a picture may weigh.
            most: products whose pictures are looked at, 0 or more.
        """
        self.most = most
        self._sample = sample
        self._limits = limits
        self._drawn: dict[int, npt.NDArray[np.float32]] | None = None

    def at_places(self, encoder: Encoder) -> Mapping[int, npt.NDArray[np.float32]]:
        """Index vectors, float32 (dim,), by the products' places in the sample, which are the seeds of their views.

        A picture that cannot be read any more is left out, with a line in the log.
        """
        if self._drawn is None:
            self._drawn = self._draw(encoder)
        return self._drawn

    def by_id(self, encoder: Encoder) -> Mapping[str, npt.NDArray[np.float32]]:
        """The same by the products' ids."""
        return {self._sample.ids[place]: vector for place, vector in self.at_places(encoder).items()}

    def _draw(self, encoder: Encoder) -> dict[int, npt.NDArray[np.float32]]:
        ids, pictures = self._sample.ids, self._sample.pictures
        asking = [int(place) for place in held_out_places(encoder, self._sample) if ids[place] in pictures][: self.most]
        drawn: dict[int, npt.NDArray[np.float32]] = {}
        for start in range(0, len(asking), _BATCH):
            places, images = [], []
            for place in asking[start : start + _BATCH]:
                try:
                    image = decode_picture(pictures[ids[place]], self._limits).image
                # It was read a while ago; whatever happened to it since, the index has it.
                except PictureError as error:
                    _log.warning("a picture of product %s cannot be read any more: %s", ids[place], error)
                    continue
                places.append(place)
                images.append(street_view(image, "street", place))
            drawn.update(zip(places, encoder.encode_images(images), strict=True))
        return drawn

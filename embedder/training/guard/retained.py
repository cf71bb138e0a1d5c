"""What a model that is being tuned keeps of what its base knew: the retention suite, measured on any weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields

import numpy as np
import numpy.typing as npt
import torch

from embedder.encoder import Encoder
from embedder.training.heads.captions import text_features
from embedder.training.retention.figures import RetentionFigures, retention_loss
from embedder.training.retention.measured_model import MeasuredModel
from embedder.training.retention.parts import is_studios_own
from embedder.training.retention.suite import MIN_SIZE, SIZE, RetentionSuite
from embedder.training.tuning.model import TunableModel

_PICTURES_A_THING = 2


class Retained:
    """Measures whatever weights a model holds, on one suite."""

    def __init__(
        self, encoder: Encoder, tunes_texts: bool, *, pictures: int, catalog: str = "", sold: Collection[str] = ()
    ) -> None:
        """Draw the suite.

        Args:
            encoder: the base; it tokenizes, and computes features of texts where the text tower is not tuned.
            tunes_texts: whether it is.
            pictures: how many pictures may be looked at, about.
            catalog: what is tuned on: of the studio's own catalog, nothing of the studio is held out here.
            sold: titles and categories of the catalog's products; things of these names are left out.
        """
        size = max(MIN_SIZE, min(2 * SIZE, pictures // _PICTURES_A_THING))
        self._suite = RetentionSuite.drawn(size, with_studio=not is_studios_own(catalog), leave_out=sold)
        self._encoder = encoder
        self._tunes_texts = tunes_texts

    def measure(self, model: TunableModel) -> Mapping[str, float]:
        """The suite's figures, by name."""
        device = next(model.head.parameters()).device

        @torch.no_grad()
        def embed_pixels(pixels: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
            found = model.encode(torch.from_numpy(pixels).to(device).contiguous(memory_format=torch.channels_last))
            return model.semantic(found.features).cpu().numpy(), found.levels.cpu().numpy()

        @torch.no_grad()
        def embed_texts(texts: list[str]) -> npt.NDArray[np.float32]:
            if self._tunes_texts:
                features = model.encode_tokens(torch.from_numpy(self._encoder.tokenize(texts).ids).to(device))
            else:
                features = torch.from_numpy(text_features(self._encoder, texts)).to(device)
            return model.embed_texts(features).cpu().numpy()

        measured = MeasuredModel(self._encoder.preprocessing, model.trunk.widths, embed_pixels, embed_texts)
        return self._suite.measure(measured).to_dict()

    @staticmethod
    def lost(before: Mapping[str, float], after: Mapping[str, float]) -> float:
        """Points, of 1, that the worse of words and pictures fell; below 0 where both rose."""
        return retention_loss(_figures(before), _figures(after)).largest


def _figures(values: Mapping[str, float]) -> RetentionFigures:
    return RetentionFigures(**{field.name: values.get(field.name) for field in fields(RetentionFigures)})  # type: ignore[arg-type]

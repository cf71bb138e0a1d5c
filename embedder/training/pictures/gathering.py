"""What a training looks at, in the time that it has: features of the products' pictures, and levels of a sample."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from embedder.catalogs.product import Product, Rejection
from embedder.encoder import Encoder
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.training.pictures.features import Features, Pace, compute_features, join_features
from embedder.training.pictures.shots import Shot, companions, main_pictures

VALIDATION_VIEWED = 500
"""Validation products whose views and further pictures search for them, when the parts' weight is chosen."""

_VALIDATION_UNTIL, _SAMPLE_UNTIL, _PAIRS_UNTIL, _ALL_UNTIL = 1 / 6, 3 / 6, 4 / 6, 5 / 6
"""Shares of a time budget; what one step leaves is the next one's. The last sixth is the loop's."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Features of a training's pictures.

    Attributes:
        training, validation: main pictures; the first `sampled` of training's, and validation's, with their levels.
        sample: the training products that the instance part is fitted on; main pictures, with their levels.
        pairs: further pictures and views of the sample's products, with their levels.
        validation_pairs: the same of validation products.
    """

    training: Features
    validation: Features
    sample: Features
    pairs: Features
    validation_pairs: Features

    @property
    def rejected(self) -> tuple[Rejection, ...]:
        """Main and further pictures that could not be read; views are of pictures that could."""
        further = self.pairs.rejected + self.validation_pairs.rejected
        return self.training.rejected + self.validation.rejected + tuple(item for item in further if item.picture)


class Gatherer:
    """Computes features step by step within a budget.

    Attributes:
        pace: how fast.
    """

    def __init__(
        self, encoder: Encoder, config: EmbedderSettings, progress: ProgressReport, budget_s: float | None
    ) -> None:
        """Begin; the budget, in seconds, runs from here. None: as long as it takes."""
        self._encoder = encoder
        self._config = config
        self._progress = progress
        self._budget_s = budget_s
        self._started = time.monotonic()
        self.pace = Pace()

    def gather(self, training: Sequence[Product], validation: Sequence[Product]) -> Gathered:
        """Look at the products' pictures; both in an order of which every prefix is a fair sample."""
        chosen = self._config.instance
        wanted = chosen.dim > 0 and bool(self._encoder.info.level_widths)
        held_out = self._step("validation", main_pictures(validation), _VALIDATION_UNTIL, wanted)
        viewed = list(held_out.products[:VALIDATION_VIEWED]) if wanted else []
        held_pairs = self._step(
            "validation views", companions(viewed, chosen.pictures, 2 * len(viewed)), _VALIDATION_UNTIL, wanted
        )
        first = chosen.products if wanted else 0
        sample = self._step("training, with levels", main_pictures(training[:first]), _SAMPLE_UNTIL, True)
        pairs = self._step(
            "views", companions(sample.products, chosen.pictures, chosen.views) if wanted else [], _PAIRS_UNTIL, True
        )
        rest = training[len(sample.shots) + len(sample.rejected) :]
        others = self._step("training", main_pictures(rest), _ALL_UNTIL, False)
        return Gathered(join_features([sample, others]), held_out, sample, pairs, held_pairs)

    def _step(self, label: str, shots: Sequence[Shot], until: float, with_levels: bool) -> Features:
        if not shots:
            return join_features([])
        step = self._progress.step(f"pictures ({label})", len(shots))
        left = None
        if self._budget_s is not None:
            left = max(0.0, self._started + until * self._budget_s - time.monotonic())
        features = compute_features(
            self._encoder,
            shots,
            self._config.cache_dir,
            with_levels=with_levels,
            limits=self._config.picture_limits(),
            decode_threads=self._config.decode_threads,
            budget_s=left,
            pace=self.pace,
            on_progress=step.advance,
        )
        used = len(features.shots) + len(features.rejected)
        if used < len(shots):
            step.update(total=used, note="(time budget)")
        return features

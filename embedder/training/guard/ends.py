"""How far trained projections go from the base's: chosen on held-out products.

Projections that are trained on one catalog's words know these words alone; part of the way back, titles that were not
learnt are found more often (figures in RESULTS.md), and more of what the base knew is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from embedder.encoder import Encoder
from embedder.towers.projection import Projection
from embedder.training.comparison import Looked, Stage, measure_stage
from embedder.training.guard.shares import Shares
from embedder.training.guard.sweep import sweep
from embedder.training.pictures.gathering import Gathered
from embedder.training.settings import ALL_SCORED, Scored
from embedder.training.tuning.validation import with_score

_log = logging.getLogger(__name__)

SHARES = tuple(Shares.even(share) for share in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0))

_SLACK = 0.01
"""Of the score: about what chance makes of a few hundred held-out products."""


def choose_ends(
    encoder: Encoder,
    base: tuple[Projection, Projection],
    tuned: Stage,
    gathered: Gathered,
    scored: Sequence[Scored] = ALL_SCORED,
) -> tuple[Stage, float]:
    """Mix trained projections with the base's, with the share that does best on the validation products.

    Args:
        encoder: computes features of titles.
        base: its own (image, text).
        tuned: trained projections and head.
        gathered: features of the pictures.
        scored: what counts.

    Returns:
        What is kept, and the share of the trained weights; all of them where there is nothing to choose by.
    """
    mixed = tuned

    def load(state: Mapping[str, torch.Tensor], tuned_too: bool) -> None:
        nonlocal mixed
        mixed = replace(tuned, image=_projection(state, "image"), text=_projection(state, "text"))

    found = sweep(
        load,
        _named(base),
        _named((tuned.image, tuned.text)),
        frozen=None,
        in_domain=lambda: with_score(measure_stage(Looked(encoder, mixed, gathered)), scored),
        retention=dict,
        lost=lambda before, after: 0.0,
        tolerance=1.0,
        shares=SHARES,
        slack=_SLACK,
    )
    share = 1.0 if found.kept is None else found.kept.shares.ends
    _log.info(
        "projections: %.0f %% of the trained weights are kept; scores on validation products: %s",
        100 * share,
        ", ".join(f"{item.shares.ends:g}: {item.score:.3f}" for item in found.mixtures),
    )
    return mixed, share


def _named(projections: tuple[Projection, Projection]) -> dict[str, torch.Tensor]:
    named = {}
    for name, projection in zip(("image", "text"), projections, strict=True):
        named[f"{name}.weight"] = projection.weight
        if projection.bias is not None:
            named[f"{name}.bias"] = projection.bias
    return named


def _projection(state: Mapping[str, torch.Tensor], name: str) -> Projection:
    return Projection(state[f"{name}.weight"], state.get(f"{name}.bias"))

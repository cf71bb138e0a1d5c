"""Between the base and tuned weights: which mixture of both gains most and loses little enough.

Straight lines between a model and what was fine-tuned from it pass through models that are often better than both
(WiSE-FT: Wortsman et al., 2022). Besides those that have as much of the tuned weights in all layers, mixtures are tried
that have more of them in the first layers than in the last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from embedder.training.guard.shares import Shares
from embedder.training.tuning.validation import score_of

_log = logging.getLogger(__name__)

SHARES = (
    *(Shares.even(share) for share in (0.3, 0.5, 0.7)),
    Shares(0.5, 0.0, 0.5),
    Shares(0.7, 0.2, 0.7),
    *(Shares(1.0, last, ends) for last, ends in ((0.0, 0.7), (0.0, 0.85), (0.3, 0.7), (0.3, 0.85), (0.5, 0.85))),
    Shares.even(1.0),
)
"""Of the tuned weights, those that are tried."""

NONE = Shares.even(0.0)

_BASE_TITLES = "title_recall_at_1"


@dataclass(frozen=True, slots=True)
class Mixture:
    """Weights between the base's and the tuned ones.

    Attributes:
        shares: of the tuned weights; `NONE` is the base itself.
        in_domain: figures on held-out products of the catalog (see `Validation.measure`); empty without any.
        retention: figures on things of other kinds.
        lost: points, of 1, that retention is below the base's.
        refused: why it may not be kept; "" where it may.
    """

    shares: Shares
    in_domain: Mapping[str, float]
    retention: Mapping[str, float]
    lost: float
    refused: str = ""

    @property
    def score(self) -> float:
        """What mixtures are compared by."""
        return score_of(self.in_domain)


@dataclass(frozen=True, slots=True)
class Frozen:
    """The best that there was before the towers were tuned: frozen ones with trained ends.

    Attributes:
        words: all weights of the base, by name, but with the trained text side.
        score: on held-out products of the catalog.
        retention: figures on things of other kinds.
    """

    words: Mapping[str, torch.Tensor]
    score: float
    retention: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was measured, and what is kept.

    Attributes:
        mixtures: the base first, then as they were tried.
        frozen_score: of frozen towers with trained ends.
        frozen_lost: points that their retention is below the base's.
        kept: the mixture that is kept; None: none may be.
        tolerance: most points that may be lost.
    """

    mixtures: tuple[Mixture, ...]
    frozen_score: float
    frozen_lost: float
    kept: Mixture | None
    tolerance: float

    @property
    def frozen_is_kept(self) -> bool:
        """Whether trained ends behind frozen towers lose little enough to be kept."""
        return self.frozen_lost <= self.tolerance


def mix(
    base: Mapping[str, torch.Tensor],
    tuned: Mapping[str, torch.Tensor],
    shares: Shares,
    depths: Mapping[str, float] | None = None,
) -> dict[str, torch.Tensor]:
    """Weights between two models of one shape.

    Args:
        base, tuned: all values, by name.
        shares: of the second.
        depths: of those that are in a layer of the image tower, 0 to 1, by name; None: there are none.
    """
    if shares == Shares.even(1.0):
        return dict(tuned)
    return {
        name: torch.lerp(value, tuned[name].to(value.device), shares.at((depths or {}).get(name)))
        for name, value in base.items()
    }


def sweep(
    load: Callable[[Mapping[str, torch.Tensor], bool], None],
    base: Mapping[str, torch.Tensor],
    tuned: Mapping[str, torch.Tensor],
    *,
    frozen: Frozen | None,
    in_domain: Callable[[], dict[str, float]],
    retention: Callable[[], Mapping[str, float]],
    lost: Callable[[Mapping[str, float], Mapping[str, float]], float],
    tolerance: float,
    shares: Sequence[Shares] = SHARES,
    depths: Mapping[str, float] | None = None,
    slack: float = 0.0,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Sweep:
    """Measure all mixtures, and choose; the chosen one is loaded afterwards, or the base where none is.

    The line begins at the base, with the trained text side where trained ends lose little enough: what is forgotten is
    on the image side, and what titles gained need not be given up for it. Losses are counted from the base itself.

    Args:
        load: takes weights, which the measurements are of from then on, and whether any of the tuned ones are in them.
        base, tuned: all of them, by name.
        frozen: what a mixture must be better than; None: than nothing, and the line begins at the base itself.
        in_domain, retention: measure what is loaded.
        lost: points that the second figures are below the first.
        tolerance: most points that may be lost, 0..1; 1: whatever is lost is accepted.
        shares: of the tuned weights, those that are tried.
        depths: see `mix`.
        slack: see `choose`.
        on_progress: called with 1 after each measurement.
    """
    mixtures: list[Mixture] = []
    begin, frozen_lost = base, 0.0
    for each in (NONE, *shares):
        load(mix(begin, tuned, each, depths), each != NONE)
        figures, kept = in_domain(), retention()
        if not mixtures:
            mixtures.append(Mixture(each, figures, kept, 0.0, "the base itself"))
            if frozen is not None:
                frozen_lost = lost(kept, frozen.retention)
                begin = frozen.words if frozen_lost <= tolerance else base
        else:
            points = lost(mixtures[0].retention, kept)
            why = _refusal(points, figures, mixtures[0].in_domain, frozen, tolerance)
            mixtures.append(Mixture(each, figures, kept, points, why))
        latest = mixtures[-1]
        # Hours of training may end in the base's weights: the log says why, also where no bundle is kept.
        _log.info(
            "%s of the tuned weights: score %.4f, retention lost %.4f%s",
            each.label,
            latest.in_domain.get("score", 0.0),
            latest.lost,
            f"; not kept: {latest.refused}" if latest.refused else "",
        )
        on_progress(1)
    chosen = choose(mixtures, slack)
    if chosen is None:
        load(dict(base), False)
    else:
        load(mix(begin, tuned, chosen.shares, depths), True)
    return Sweep(tuple(mixtures), 0.0 if frozen is None else frozen.score, frozen_lost, chosen, tolerance)


def choose(mixtures: Sequence[Mixture], slack: float = 0.0) -> Mixture | None:
    """The mixture that gains most, of those that may be kept; of equal ones the nearest to the base.

    Where nothing was measured on the catalog, the one that may be kept which has most of the tuned weights.

    Args:
        mixtures: what was measured.
        slack: scores that are this near to the best are as good, and the mixture of these that has most of the tuned
            weights is taken: a few held-out products are no reason to give up what was trained. 0: none are.
    """
    permitted = [item for item in mixtures if not item.refused]
    if not permitted:
        return None
    if not any(item.in_domain for item in permitted):
        return max(permitted, key=_tuned)
    best = max(item.score for item in permitted)
    if slack:
        return max((item for item in permitted if item.score >= best - slack), key=_tuned)
    return min((item for item in permitted if item.score == best), key=_tuned)


def _tuned(mixture: Mixture) -> float:
    return mixture.shares.mean


def _refusal(
    points: float, figures: Mapping[str, float], base: Mapping[str, float], frozen: Frozen | None, tolerance: float
) -> str:
    if points > tolerance:
        return f"loses {points:.3f} of retention, more than {tolerance:g}"
    if not figures:
        return ""
    if frozen is not None and score_of(figures) <= frozen.score:
        return f"its score {score_of(figures):.3f} is no better than {frozen.score:.3f}, that of frozen towers"
    titles, before = figures.get(_BASE_TITLES), base.get(_BASE_TITLES)
    if tolerance < 1 and titles is not None and before is not None and titles < before:
        return f"titles find their product first less often than with the base: {titles:.3f}, {before:.3f}"
    return ""

"""What short fine-tuning makes small."""

from __future__ import annotations

import torch
from torch.nn import functional

NO_CATEGORY = -100
"""Label of a product without one."""

WORDS_SCALE = 20.0
"""Factor of the cosines with generic words, before they are a distribution."""


def contrastive_loss(
    images: torch.Tensor, texts: torch.Tensor, describes: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """Symmetric InfoNCE (Radford et al., 2021, section 2.3) in which a picture may have several right texts.

    Without that, a catalog in which many products share a title would teach that they differ from their own words.

    Args:
        images: float32 (n, dim), unit.
        texts: float32 (m, dim), unit.
        describes: bool (n, m), whether text j (column) is one of picture i's.
        scale: factor of the cosines, above 0.
    """
    if len(images) == 0:
        return images.sum()
    logits = images @ texts.t() * scale
    right = describes.float()
    by_image = functional.cross_entropy(logits, _spread(right))
    by_text = functional.cross_entropy(logits.t(), _spread(right.t()))
    return (by_image + by_text) / 2


def _spread(right: torch.Tensor) -> torch.Tensor:
    """Rows of 0 and 1 as distributions; a row of zeros stays one."""
    return right / right.sum(dim=1, keepdim=True).clamp_min(1.0)


def category_loss(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Cross-entropy over the rows that have a category; 0 where none has.

    Args:
        logits: float32 (n, c).
        labels: int64 (n,), 0..c-1, or `NO_CATEGORY`.
        smoothing: label smoothing, 0..1.
    """
    known = labels != NO_CATEGORY
    if not bool(known.any()):
        return logits.sum() * 0.0
    return functional.cross_entropy(logits[known], labels[known], label_smoothing=smoothing)


def wording_loss(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """How far from the base one is in which words a picture looks like: the divergence of two distributions over them.

    Args:
        found, wanted: cosines of n pictures with g generic words, float32 (n, g); the base's are `wanted`.
    """
    return functional.kl_div(
        (found * WORDS_SCALE).log_softmax(dim=1), (wanted * WORDS_SCALE).softmax(dim=1), reduction="batchmean"
    )


def rehearsal_loss(
    images: torch.Tensor, wanted: torch.Tensor, words: torch.Tensor, base_words: torch.Tensor, spread: torch.Tensor
) -> torch.Tensor:
    """How far from the base one is on pictures of other kinds: in generic words, and in the space of words itself.

    Args:
        images, wanted: semantic embeddings of n pictures, float32 (n, dim), unit; the base's are `wanted`.
        words, base_words: embeddings of g generic words, float32 (g, dim), unit, now and by the base.
        spread: see `spread_of`.
    """
    said = wording_loss(images @ words.t(), wanted @ base_words.t())
    return said + ((images - wanted).square() / spread).mean()


def spread_of(embeddings: torch.Tensor) -> torch.Tensor:
    """Variance of each value over r embeddings, float32 (dim,), so that differences of all values count alike."""
    variance = embeddings.var(dim=0)
    return variance.clamp_min(1e-2 * float(variance.mean()) + 1e-12)


def anchor_loss(weight: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """Squared distance of a projection to where it started, relative to the start's own squared length."""
    return (weight - start).square().sum() / start.square().sum()

"""The losses against their definitions, spelled out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from embedder.training.heads.losses import NO_CATEGORY, category_loss, contrastive_loss


def unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


class TestContrastiveLoss:
    @staticmethod
    def by_hand(images: np.ndarray, texts: np.ndarray, describes: np.ndarray, scale: float) -> float:
        logits = images @ texts.T * scale
        terms = []
        for matrix, right in ((logits, describes), (logits.T, describes.T)):
            rows = []
            for row, wanted in zip(matrix, right, strict=True):
                log_probabilities = row - np.log(np.exp(row).sum())
                rows.append(-np.mean(log_probabilities[wanted]))
            terms.append(np.mean(rows))
        return float(np.mean(terms))

    @pytest.mark.parametrize("shared", [False, True])
    def test_by_hand(self, shared: bool) -> None:
        rng = np.random.default_rng(0)
        images, texts = (unit(rng.normal(size=(6, 4))) for _ in range(2))
        describes = np.eye(6, dtype=bool)
        if shared:
            describes[0, 3] = describes[3, 0] = describes[2, 5] = True
        actual = contrastive_loss(*(torch.from_numpy(v) for v in (images, texts, describes)), torch.tensor(7.0))
        assert float(actual) == pytest.approx(self.by_hand(images, texts, describes, 7.0), rel=1e-5)

    def test_products_that_share_their_words_do_not_repel_each_other(self) -> None:
        same = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        shared = contrastive_loss(same, same, torch.ones(2, 2, dtype=torch.bool), torch.tensor(10.0))
        images = same.clone().requires_grad_()
        contrastive_loss(images, same, torch.ones(2, 2, dtype=torch.bool), torch.tensor(10.0)).backward()
        assert float(shared) == pytest.approx(np.log(2))
        assert float(images.grad.abs().max()) < 1e-6

    def test_nothing_costs_nothing(self) -> None:
        empty = torch.empty(0, 4)
        assert float(contrastive_loss(empty, empty, torch.empty(0, 0, dtype=torch.bool), torch.tensor(1.0))) == 0.0


class TestCategoryLoss:
    LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [5.0, 5.0, 5.0]])

    def test_rows_without_a_category_do_not_count(self) -> None:
        labels = torch.tensor([0, 2, NO_CATEGORY])
        expected = functional.cross_entropy(self.LOGITS[:2], labels[:2])
        assert float(category_loss(self.LOGITS, labels, 0.0)) == pytest.approx(float(expected))

    def test_no_categories_cost_nothing(self) -> None:
        assert float(category_loss(self.LOGITS, torch.full((3,), NO_CATEGORY), 0.1)) == 0.0

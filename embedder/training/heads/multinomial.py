"""Multinomial logistic regression with a ridge: one linear classifier on vectors that stay as they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

_PASSES = 60


def fit_multinomial(
    vectors: npt.NDArray[np.float32], targets: npt.NDArray[np.generic], classes: int, ridge: float, scale: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Weight, float32 (classes, dim), and bias (classes,), by L-BFGS.

    Args:
        vectors: float32 (n, dim).
        targets: int64 (n,), 0..classes-1, or float32 (n, classes), rows sum to 1.
        classes: how many.
        ridge: of the prior that the coefficients of the scaled vectors are 0, in examples.
        scale: what the vectors are multiplied with, so that one range of ridges suits them.
    """
    inputs, truth = torch.from_numpy(vectors * np.float32(scale)), torch.from_numpy(targets)
    weight = torch.zeros(classes, inputs.shape[1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_PASSES, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        prior = ridge * (weight.square().sum() + bias.square().sum()) / len(truth)
        total = functional.cross_entropy(inputs @ weight.T + bias, truth) + prior
        total.backward()
        return total

    optimizer.step(loss)
    return weight.detach().numpy() * np.float32(scale), bias.detach().numpy().copy()

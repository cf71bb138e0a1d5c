"""What is trained: the two projections and the category head, on features of the frozen towers."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from embedder.towers.projection import Projection

_CALM = 3.0
"""Features are made this much smaller than of variance 1, so that the image projection moves that much more slowly."""


class TrainableModel(nn.Module):
    """Two linear maps and a head, from features to unit embeddings and category logits.

    Attributes:
        image, text, head: what is trained.
        log_scale: logarithm of the factor of all cosines; trained.
        mean: of the image features, float32 (width,); fixed.
        scale: one for all of them, a scalar above 0; fixed.
        image_start, text_start: the weights before the first step; fixed.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    image_start: torch.Tensor
    text_start: torch.Tensor

    def __init__(self, projections: tuple[Projection, Projection], features: torch.Tensor, categories: int) -> None:
        """Start from the model's own projections (image, text), and a random head.

        Args:
            projections: start and anchor.
            features: image features of the training products, float32 (n, width).
            categories: how many there are, 0 or more.
        """
        super().__init__()
        image, text = projections
        # One scale for all features: were each scaled to variance 1, those that hardly vary in this catalog would get
        # huge weights, and say nothing but nonsense of pictures of other kinds, in which they do vary. A tower whose
        # projection has no bias cannot take up a shift of the mean.
        self.register_buffer("mean", features.mean(dim=0) if image.bias is not None else torch.zeros_like(features[0]))
        self.register_buffer("scale", _CALM * features.var(dim=0).mean().sqrt().clamp_min(1e-4))
        self.image = nn.Linear(image.weight.shape[1], image.weight.shape[0])
        self.text = nn.Linear(text.weight.shape[1], text.weight.shape[0], bias=False)
        self.image.bias.requires_grad_(image.bias is not None)
        with torch.no_grad():
            self.image.weight.copy_(image.weight * self.scale)
            shift = nn.functional.linear(self.mean, image.weight)
            self.image.bias.copy_(shift + (image.bias if image.bias is not None else 0.0))
            self.text.weight.copy_(text.weight)
        self.text_bias = text.bias
        self.head = nn.Linear(image.weight.shape[0], max(categories, 1))
        self.log_scale = nn.Parameter(torch.tensor(2.5))
        self.register_buffer("image_start", self.image.weight.detach().clone())
        self.register_buffer("text_start", self.text.weight.detach().clone())

    def keep_projections(self) -> None:
        """Train the head alone."""
        for parameter in (*self.image.parameters(), *self.text.parameters()):
            parameter.requires_grad_(False)

    def embed_images(self, features: torch.Tensor, dropout: float = 0.0) -> torch.Tensor:
        """Image features (n, width) to unit embeddings (n, dim); `dropout` is the share of features dropped."""
        scaled = functional.dropout((features - self.mean) / self.scale, dropout, training=dropout > 0)
        return functional.normalize(self.image(scaled), dim=1)

    def embed_texts(self, features: torch.Tensor) -> torch.Tensor:
        """Text features (n, width) to unit embeddings (n, dim)."""
        return functional.normalize(functional.linear(features, self.text.weight, self.text_bias), dim=1)

    def logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Unit embeddings (n, dim) to category logits (n, categories)."""
        return torch.as_tensor(self.head(embeddings)) * self.log_scale.exp()

    def projections(self, with_image_bias: bool) -> tuple[Projection, Projection]:
        """The trained (image, text) projections, on features as the towers give them."""
        weight = self.image.weight / self.scale
        bias = self.image.bias - functional.linear(self.mean, weight)
        image = Projection(weight.clone(), bias.clone() if with_image_bias else None)
        return image, Projection(self.text.weight.clone(), self.text_bias)

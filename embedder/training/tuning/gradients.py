"""The gradient of a loss that compares all pictures of a batch, where they do not all go through the tower at once.

The losses compare what the tower gives, so their gradient with respect to that is found first, and then led back
through the tower part by part: chunk by chunk (GradCache: Gao et al., 2021), and each process its own rows. Parts give
the same gradient as the whole, as long as one picture's way through the tower does not depend on the others': with
frozen BatchNorm statistics. With statistics of the batch each part would be normalized by its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from embedder.training.settings import TuneSettings
from embedder.training.tuning.augmentation import Mix
from embedder.training.tuning.batches import Batch, step_seed
from embedder.training.tuning.model import TunableModel
from embedder.training.tuning.objective import Objective
from embedder.training.tuning.processes import Processes


def gradients(
    model: TunableModel,
    pixels: torch.Tensor,
    batch: Batch,
    tokens: torch.Tensor | None,
    mix: Mix | None,
    objective: Objective,
    settings: TuneSettings,
    processes: Processes,
    seed: int,
) -> dict[str, float]:
    """Leave the loss's gradient in all trainable parameters.

    Args:
        model: in the mode that it is trained in.
        pixels: normalized, float32 (n, 3, side, side), on the model's device.
        batch: what they show, on the same device.
        tokens: of the batch's captions, int64 (b, t); None: the text tower is not trained.
        mix: how pictures were mixed.
        objective: the loss.
        settings: size of the chunks.
        processes: who computes which rows.
        seed: of dropout and of dropped residual branches in this step.

    Returns:
        Each term of the loss without its weight, and "loss".
    """
    own = processes.own(len(pixels))
    size = settings.chunk or max(1, own.stop - own.start)
    starts = range(own.start, own.stop, size)
    chunks = [pixels[start : min(start + size, own.stop)] for start in starts]
    seeds = [step_seed(seed, start, "chunk") for start in starts]
    at_once = len(chunks) == 1
    outputs: list[torch.Tensor] = []
    with torch.set_grad_enabled(at_once):
        for chunk, chunk_seed in zip(chunks, seeds, strict=True):
            outputs.append(_encode(model, chunk, chunk_seed))
    widths = (outputs[0] if outputs else _encode(model, pixels[:1], 0)).shape[1]
    local = torch.cat(outputs) if outputs else torch.empty((0, widths), device=pixels.device)
    leaf = processes.gather(local.detach()).requires_grad_()
    # The same on all processes from here on: what lies behind the tower is small.
    torch.manual_seed(seed)
    texts = batch.texts if tokens is None else model.encode_tokens(tokens)
    total = sum(model.trunk.widths)
    features, levels = leaf.split([widths - total, total], dim=1)
    parts = objective.terms(model, features, levels, texts, batch, mix)
    loss = objective.weighted(parts)
    loss.backward()
    if leaf.grad is not None and any(parameter.requires_grad for parameter in model.visual.parameters()):
        _lead_back(model, chunks, seeds, outputs if at_once else None, leaf.grad[own])
        processes.add_up(parameter for parameter in model.visual.parameters() if parameter.requires_grad)
    return {"loss": float(loss.detach()), **{name: float(part.detach()) for name, part in parts.items()}}


def _encode(model: TunableModel, pixels: torch.Tensor, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    found = model.encode(pixels)
    return torch.cat([found.features, found.levels], dim=1)


def _lead_back(
    model: TunableModel,
    chunks: Sequence[torch.Tensor],
    seeds: Sequence[int],
    computed: Sequence[torch.Tensor] | None,
    gradient: torch.Tensor,
) -> None:
    start = 0
    for place, (chunk, seed) in enumerate(zip(chunks, seeds, strict=True)):
        output = _encode(model, chunk, seed) if computed is None else computed[place]
        output.backward(gradient[start : start + len(output)])
        start += len(output)

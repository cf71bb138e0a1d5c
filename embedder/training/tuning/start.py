"""Where tuning starts from, written down before its first step.

A resumed run, and each further process of one run, starts from the very same: features that are gathered within a time
budget are not the same twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from embedder.catalogs.product import Product
from embedder.catalogs.split_report import NotCompared
from embedder.errors import TrainingError
from embedder.instance_map import InstanceMap
from embedder.towers.projection import Projection
from embedder.training.tuning.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from embedder.training.tuning.model import Ends

START = "start.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class TuningStart:
    """What the first step starts from.

    Attributes:
        products: ids of the training products, in order.
        held_out: ids of the held-out products, in order.
        categories: of the head, in order; may be empty.
        ends: what lies behind the towers.
        teacher: the base's semantic embeddings of the products' main pictures, float32 (n, dim), unit.
        rehearsal: the base's semantic embeddings of pictures of other kinds, float32 (r, dim), unit; None: none are
            rehearsed.
        rehearses_studio: whether products of the studio are among them.
        budget_s: for the steps, seconds; None: there is no budget.
        not_compared: why pictures were not compared when the catalog was split (see `split_catalog`).
    """

    products: tuple[str, ...]
    held_out: tuple[str, ...]
    categories: tuple[str, ...]
    ends: Ends
    teacher: torch.Tensor
    rehearsal: torch.Tensor | None
    rehearses_studio: bool
    budget_s: float | None
    not_compared: NotCompared = ""

    def save(self, folder: Path) -> None:
        """Write it into an existing folder.

        Raises:
            TrainingError: it cannot be written.
        """
        weight, bias = self.ends.head
        tensors = {"teacher": self.teacher, "head.weight": weight, "head.bias": bias}
        for name, projection in (("image", self.ends.image), ("text", self.ends.text)):
            tensors[f"{name}.weight"] = projection.weight
            if projection.bias is not None:
                tensors[f"{name}.bias"] = projection.bias
        if self.rehearsal is not None:
            tensors["rehearsal"] = self.rehearsal
        instance = self.ends.instance
        if instance is not None:
            for name in ("center", "weight", "offset"):
                tensors[f"instance.{name}"] = torch.from_numpy(getattr(instance, name))
        numbers = {
            "products": self.products,
            "held_out": self.held_out,
            "categories": self.categories,
            "widths": None if instance is None else instance.widths,
            "rehearses_studio": self.rehearses_studio,
            "budget_s": self.budget_s,
            "not_compared": self.not_compared,
        }
        if not save_checkpoint(folder / START, Checkpoint(0, tensors, numbers)):
            raise TrainingError(f"{folder / START} cannot be written; next step: free space there")

    @classmethod
    def load(cls, folder: Path) -> TuningStart | None:
        """What was written into a folder; None where nothing was."""
        found = load_checkpoint(folder / START)
        if found is None:
            return None
        tensors, numbers = found.tensors, found.numbers
        instance = None
        if numbers["widths"] is not None:
            center, weight, offset = (
                tensors[f"instance.{name}"].numpy().astype(np.float32) for name in ("center", "weight", "offset")
            )
            instance = InstanceMap(tuple(numbers["widths"]), center, weight, offset)
        ends = Ends(
            image=Projection(tensors["image.weight"], tensors.get("image.bias")),
            text=Projection(tensors["text.weight"], tensors.get("text.bias")),
            head=(tensors["head.weight"], tensors["head.bias"]),
            instance=instance,
        )
        return cls(
            products=tuple(numbers["products"]),
            held_out=tuple(numbers["held_out"]),
            categories=tuple(numbers["categories"]),
            ends=ends,
            teacher=tensors["teacher"],
            rehearsal=tensors.get("rehearsal"),
            rehearses_studio=numbers["rehearses_studio"],
            budget_s=numbers["budget_s"],
            not_compared=numbers["not_compared"],
        )

    def named_ends(self) -> dict[str, torch.Tensor]:
        """The ends by the names that they have in `TunableModel.state`."""
        named = {"head.weight": self.ends.head[0], "head.bias": self.ends.head[1]}
        for name, projection in (("image", self.ends.image), ("text", self.ends.text)):
            named[f"{name}.weight"] = projection.weight
            if projection.bias is not None:
                named[f"{name}.bias"] = projection.bias
        instance = self.ends.instance
        if instance is not None:
            named["instance.map.weight"] = torch.from_numpy(instance.weight)
            named["instance.map.bias"] = torch.from_numpy(instance.offset)
        return named

    def chosen(self, products: Sequence[Product]) -> list[Product]:
        """Its training products out of a catalog's.

        Raises:
            TrainingError: some are not in the catalog any more.
        """
        return _chosen(self.products, products)

    def chosen_held_out(self, products: Sequence[Product]) -> list[Product]:
        """Its held-out products out of a catalog's; raises as `chosen`."""
        return _chosen(self.held_out, products)


def _chosen(names: Sequence[str], products: Sequence[Product]) -> list[Product]:
    by_id: Mapping[str, Product] = {product.id: product for product in products}
    missing = [name for name in names if name not in by_id]
    if missing:
        raise TrainingError(
            f"{len(missing)} products that tuning began with, such as {missing[0]!r}, are not in the catalog any more"
        )
    return [by_id[name] for name in names]

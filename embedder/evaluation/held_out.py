"""The splits of a catalog as the training of the model to be measured made them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedder import bundle
from embedder.catalogs.product import Product
from embedder.catalogs.split_report import NotCompared, SplitReport
from embedder.catalogs.splits import split_catalog
from embedder.settings import EmbedderSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What no training of some models has seen, and what all of them could see.

    Attributes:
        tested: products that were held out of all trainings, in the catalog's order.
        trained: products that are for training in all of them, in the catalog's order.
        report: how the catalog was split for the first model.
    """

    tested: list[Product]
    trained: list[Product]
    report: SplitReport


def hold_out(products: Sequence[Product], models: Sequence[str], config: EmbedderSettings) -> HeldOut:
    """Split a whole catalog as the models' trainings did.

    Trainings split alike but where one of them had no time to compare pictures: then each held out products that the
    other may know, and what is left is what both held out.

    Args:
        products: the whole catalog.
        models: as `open_encoder` and `resolve_bundle` take them, 1 or more.
        config: limits, threads and cache.
    """
    reasons = list(dict.fromkeys(_why_not_compared(Path(model)) for model in models))
    splits = [
        split_catalog(
            products,
            config.cache_dir,
            limits=config.picture_limits(),
            decode_threads=config.decode_threads,
            not_compared=reason,
        )
        for reason in reasons
    ]
    tested, trained = splits[0].products("test"), splits[0].products("train")
    for other in splits[1:]:
        also_tested = {product.id for product in other.products("test")}
        also_trained = {product.id for product in other.products("train")}
        tested = [product for product in tested if product.id in also_tested]
        trained = [product for product in trained if product.id in also_trained]
    return HeldOut(tested, trained, splits[0].report)


def _why_not_compared(model: Path) -> NotCompared:
    """Whether pictures are left uncompared because there was no time for it when the model was trained."""
    if not bundle.is_bundle(model):
        return ""
    training = bundle.load_info(model).training
    if "splits" in training:
        return "budget" if training["splits"].get("not_compared") == "budget" else ""
    if "training_products" in training:
        _log.warning(
            "%s was trained by an earlier release, which split a catalog by the products' ids alone: it may have been "
            "trained on test products that have siblings; next step: train it again",
            model,
        )
    return ""

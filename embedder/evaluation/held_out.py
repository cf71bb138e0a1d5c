"""The splits of a catalog as the training of the model to be measured made them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from embedder import bundle
from embedder.catalogs.product import Product
from embedder.catalogs.split_report import NotCompared
from embedder.catalogs.splits import Splits, split_catalog
from embedder.settings import EmbedderSettings

_log = logging.getLogger(__name__)


def split_as_trained(products: Sequence[Product], model: str, config: EmbedderSettings) -> Splits:
    """Split a whole catalog; `model` is as `open_encoder` and `resolve_bundle` take it."""
    return split_catalog(
        products,
        config.cache_dir,
        limits=config.picture_limits(),
        decode_threads=config.decode_threads,
        not_compared=_why_not_compared(Path(model)),
    )


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

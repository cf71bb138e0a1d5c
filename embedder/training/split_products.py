"""What to train, and the catalog's products that it is trained on, split."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.guessed_columns import log_columns
from embedder.catalogs.loading import Catalog, load_catalog
from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.split_report import NotCompared, SplitReport
from embedder.catalogs.splits import shuffled, split_catalog
from embedder.errors import TrainingError
from embedder.settings import EmbedderSettings

_log = logging.getLogger(__name__)

VALIDATION_CAP = 5000


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train.

    Attributes:
        catalog: as `open_catalog` takes it.
        columns: our field to the catalog's column.
        model: base model, by any name; "auto": the starter that suits catalog and budget (see `proposal`).
        out: the bundle to write.
        image_size: side of the input in pixels; None fits it to the catalog (starter) or keeps the model's own.
        budget_s: about how long to take, seconds; products beyond it are left out. 0: nothing is tuned, the instance
            part is solved in closed form from all products. None: all products.
        max_products: at most this many training products; None: all.
        allow_outside_pictures: pictures may lie outside the catalog's folder.
        image_size_reason: why it is that size, where it was proposed.
        model_reason: why it is this model, for people.
    """

    catalog: str
    columns: dict[str, str]
    model: str
    out: Path
    image_size: int | None
    budget_s: float | None
    max_products: int | None
    allow_outside_pictures: bool = False
    image_size_reason: str = ""
    model_reason: str = "as asked"


@dataclass(frozen=True, slots=True, eq=False)
class SplitCatalog:
    """What is learnt from and what is held out, both in an order of which every prefix is a fair sample.

    Attributes:
        rejections: rows that hold no product.
        left_s: what splitting has left of the time budget, seconds; None: there is none.
    """

    training: list[Product]
    validation: list[Product]
    rejections: tuple[Rejection, ...]
    report: SplitReport
    left_s: float | None


def load_everything(request: TrainRequest, config: EmbedderSettings | None = None) -> Catalog:
    """Read the whole catalog, and log first what its columns are taken for.

    Args:
        request: which catalog.
        config: which web servers pictures may be on; None: none.
    """
    reader = open_catalog(
        request.catalog,
        columns=request.columns,
        allow_outside_pictures=request.allow_outside_pictures,
        web=None if config is None else config.web_pictures(),
    )
    log_columns(reader, _log)
    return load_catalog(reader)


def split_products(
    request: TrainRequest, config: EmbedderSettings, everything: Catalog, not_compared: NotCompared = ""
) -> SplitCatalog:
    """Split a catalog: the test products' pictures are compared with the others', to keep siblings together; nothing is
    learnt from them.

    Args:
        request: what to train.
        config: seed, limits, cache.
        everything: the catalog.
        not_compared: see `split_catalog`.

    Raises:
        TrainingError: no product trains.
    """
    started = time.monotonic()
    splits = split_catalog(
        everything.products,
        config.cache_dir,
        limits=config.picture_limits(),
        decode_threads=config.decode_threads,
        budget_s=request.budget_s / 10 if request.budget_s else None,
        not_compared=not_compared,
    )
    left_s = max(1.0, request.budget_s - (time.monotonic() - started)) if request.budget_s else None
    training = shuffled(splits.products("train"), config.seed)[: request.max_products]
    if not training:
        raise TrainingError(
            f"catalog {request.catalog!r} has no training products ({len(everything.rejections)} rows rejected); "
            "permitted: 2 or more"
        )
    validation = shuffled(splits.products("validation"), config.seed)[:VALIDATION_CAP]
    return SplitCatalog(training, validation, everything.rejections, splits.report, left_s)

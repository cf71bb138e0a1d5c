"""Fitting a catalog's attributes on what a training has gathered: classifiers of pictures, and what titles say."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from embedder.catalogs.captions import title_of
from embedder.encoder import Encoder
from embedder.recognition.abstention import threshold_for
from embedder.recognition.attribute_model import (
    MAX_ERROR,
    AttributeModel,
    Attributes,
    NameWeights,
    PictureClassifier,
    picture_inputs,
)
from embedder.recognition.calibration import fit_temperature
from embedder.recognition.head import Modality, softmax
from embedder.recognition.palette import NAMES
from embedder.recognition.value_names import ValueNames
from embedder.towers.projection import Projection
from embedder.training.comparison import Stage
from embedder.training.heads.attribute_labels import AttributeLabels, choose_attributes
from embedder.training.heads.captions import text_embeddings
from embedder.training.heads.multinomial import fit_multinomial
from embedder.training.instance.part import embed
from embedder.training.pictures.features import Features, join_features
from embedder.training.pictures.gathering import Gathered
from embedder.training.settings import AttributeSettings

COLOR = "color"
"""What the colour measured from pixels is called in a catalog that has no such column."""

_COLOR_COLUMNS = frozenset({"color", "colour", "colors", "colours", "base_color", "base_colour"})

_SCALE = 4.0
"""Inputs are multiplied with it, so that the ridges suit them."""

_RIDGE = 1.0
_OTHER_RIDGES = (0.1, 10.0)
_LEVEL_FACTORS = (0.0, 0.3, 1.0)
"""How much levels count beside colours, which have three values of length 1 for the levels' one each."""

_DIM = 384
"""Principal directions of the levels that the fit sees; the classifier is applied to all of them."""

_MOST_WORK = 4e8
"""Products of pictures, values and inputs in one pass of the fit; above it, fewer pictures are taken."""

_LEAST_HELD_OUT = 20
"""Labelled pictures that nothing was fitted on; with fewer of them the middle choices are taken, and uncalibrated."""

_ERRORS = 2.5
"""Standard errors by which held-out pictures must make values likelier than the values' frequencies do: a chance of
one in a hundred, as the best of five classifiers is asked."""

_TITLES = 2_000
_FEW_TITLES = 50

_NAME_SCALE = 30.0
"""Of cosines with the names of values that nothing is known of but their names."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FittedAttributes:
    """What was made of a catalog's attributes.

    Attributes:
        attributes: None where there is nothing to recognise.
        described: by the attribute's name, what was fitted, and how right it was about held-out pictures; or why it
            cannot be recognised. JSON-able.
    """

    attributes: Attributes | None
    described: dict[str, Any]


def fit_attributes(
    encoder: Encoder, stage: Stage, gathered: Gathered, settings: AttributeSettings, seed: int
) -> FittedAttributes:
    """Fit whatever the catalog's columns and the settings' words permit.

    Args:
        encoder: computes features of words, and gave the features and levels.
        stage: whose projections are used.
        gathered: features, levels and colours.
        settings: see there.
        seed: of which pictures are taken where there are too many.
    """
    widths = encoder.info.level_widths
    learnt, held = (
        join_features(list(parts))
        for parts in ((gathered.sample, gathered.pairs), (gathered.validation, gathered.validation_pairs))
    )
    labels, refused = choose_attributes(gathered.training.products, settings.leave_out)
    labels = tuple(item for item in labels if item.name not in settings.words)
    described: dict[str, Any] = {name: {"left_out": reason} for name, reason in refused.items()}
    models: list[AttributeModel] = []
    center = np.zeros(sum(widths), dtype=np.float32)
    if learnt.levels is None or learnt.colors is None:
        described |= {item.name: {"left_out": "no levels of the image tower were gathered"} for item in labels}
    elif labels:
        center = learnt.levels.mean(axis=0, dtype=np.float64).astype(np.float32)
        fitting = _Fitting(encoder, stage, learnt, held, widths, center, seed)
        for item in labels:
            model, told = fitting.fit(item)
            models += [] if model is None else [model]
            described[item.name] = told
    spoken_for = (*(model.name for model in models), *settings.words, *settings.leave_out)
    if not _COLOR_COLUMNS & {name.casefold() for name in spoken_for}:
        names = _names(encoder, stage.text, NAMES)
        models.append(AttributeModel(COLOR, names, None, _unproven(), is_calibrated=False))
        described[COLOR] = {"values": len(NAMES), "method": "pixels"}
    for name, values in settings.words.items():
        models.append(_zero_shot(encoder, stage, name, values, gathered.training))
        described[name] = {"values": len(values), "method": "names"}
    if not models:
        return FittedAttributes(None, described)
    return FittedAttributes(Attributes(tuple(models), widths, center), described)


class _Fitting:
    """What the attributes of one catalog have in common."""

    def __init__(
        self,
        encoder: Encoder,
        stage: Stage,
        learnt: Features,
        held: Features,
        widths: tuple[int, ...],
        center: npt.NDArray[np.float32],
        seed: int,
    ) -> None:
        self._encoder = encoder
        self._stage = stage
        self._learnt, self._held = learnt, held
        self._width = sum(widths)
        self._inputs = _inputs(learnt, widths, center)
        self._held_inputs = _inputs(held, widths, center)
        self._directions = _principal(self._inputs[:, : self._width], seed)
        self._reduced = self._inputs[:, : self._width] @ self._directions
        self._random = np.random.default_rng(seed)

    def fit(self, labels: AttributeLabels) -> tuple[AttributeModel | None, dict[str, Any]]:
        """One attribute: how it is judged, or None where pictures do not show it; and what is to be said of it."""
        targets, truth = labels.targets(self._learnt.products), labels.targets(self._held.products)
        known = np.flatnonzero(targets.any(axis=1))
        asked = np.flatnonzero(truth.any(axis=1))
        rows = self._affordable(known, len(labels.values))
        weight, bias, factor, ridge = self._choose(rows, targets, asked, truth)
        least, told = 1.0 - MAX_ERROR, dict[str, Any]()
        is_calibrated = len(asked) >= _LEAST_HELD_OUT
        if is_calibrated:
            logits = self._held_inputs[asked] @ weight.T + bias
            blind = np.tile(np.log(targets[rows].sum(axis=0) + 0.5), (len(asked), 1)).astype(np.float32)
            gains = _likelihoods(logits, truth[asked]) - _likelihoods(blind, truth[asked])
            if gains.mean() < _ERRORS * gains.std() / np.sqrt(len(gains)):
                return None, {"left_out": "pictures tell no more of it than how frequent its values are"}
            temperature = np.float32(_soft_temperature(logits, truth[asked]))
            weight, bias = weight / temperature, bias / temperature
            found = softmax(logits / temperature)
            right = truth[asked, found.argmax(axis=1)] > 0
            least = _least_sure(found.max(axis=1), right)
            told = {"held_out": len(asked), "accuracy": round(float(right.mean()), 4)}
        names, text_least = self._by_texts(labels, targets[known])
        model = AttributeModel(
            labels.name, names, PictureClassifier(weight, bias), {"image": least, "text": text_least}, is_calibrated
        )
        _log.info(
            "attribute %s: %d values (%d too rare), learnt from %d pictures%s",
            labels.name,
            len(labels.values),
            labels.left_out,
            len(rows),
            f", right for {told['accuracy']:.3f} of {told['held_out']} held-out ones" if told else "",
        )
        return model, {
            "values": len(labels.values),
            "values_left_out": labels.left_out,
            "method": "head",
            "levels_factor": factor,
            "ridge": ridge,
            "pictures": len(rows),
            **told,
        }

    def _choose(
        self,
        rows: npt.NDArray[np.intp],
        targets: npt.NDArray[np.float32],
        asked: npt.NDArray[np.intp],
        truth: npt.NDArray[np.float32],
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], float, float]:
        """The classifier under which held-out values are likeliest: first how much levels count, then the ridge."""
        tried: dict[tuple[float, float], tuple[float, npt.NDArray[np.float32], npt.NDArray[np.float32]]] = {}

        def attempt(factor: float, ridge: float) -> float:
            weight, bias = self._solve(rows, targets[rows], factor, ridge)
            likelihood = 0.0
            if len(asked) >= _LEAST_HELD_OUT:
                likelihood = _likelihood(self._held_inputs[asked] @ weight.T + bias, truth[asked])
            tried[factor, ridge] = (likelihood, weight, bias)
            return likelihood

        if len(asked) < _LEAST_HELD_OUT:
            attempt(_LEVEL_FACTORS[-1], _RIDGE)
        else:
            best = max(_LEVEL_FACTORS, key=lambda factor: attempt(factor, _RIDGE))
            for ridge in _OTHER_RIDGES:
                attempt(best, ridge)
        chosen = max(tried, key=lambda key: tried[key][0])
        return *tried[chosen][1:], *chosen

    def _solve(
        self, rows: npt.NDArray[np.intp], targets: npt.NDArray[np.float32], factor: float, ridge: float
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Weight on all inputs, and bias."""
        reduced = self._reduced[rows] * np.float32(factor)
        seen = np.concatenate([reduced, self._inputs[rows, self._width :]], axis=1)
        weight, bias = fit_multinomial(seen, targets, targets.shape[1], ridge, _SCALE)
        dim = self._directions.shape[1]
        levels = weight[:, :dim] @ self._directions.T * np.float32(factor)
        return np.concatenate([levels, weight[:, dim:]], axis=1), bias

    def _affordable(self, known: npt.NDArray[np.intp], values: int) -> npt.NDArray[np.intp]:
        inputs = self._directions.shape[1] + self._inputs.shape[1] - self._width
        most = max(1_000, int(_MOST_WORK / (values * inputs)))
        if len(known) <= most:
            return known
        return np.sort(self._random.choice(known, most, replace=False))

    def _by_texts(self, labels: AttributeLabels, targets: npt.NDArray[np.float32]) -> tuple[ValueNames, float]:
        """How texts name the values, fitted on titles where there are enough; and from where on they are sure."""
        shares = targets.sum(axis=0) + np.float32(0.5)
        names = _names(self._encoder, self._stage.text, labels.values, shares / shares.sum())
        titles, wanted = self._titles(labels)
        if not titles:
            return names, 1.0 - MAX_ERROR
        semantic = text_embeddings(self._encoder, self._stage.text, titles)
        names = names.fitted(titles, semantic, wanted)
        found = names.probabilities(titles, semantic)
        right = wanted[np.arange(len(titles)), found.argmax(axis=1)] > 0
        return names, _least_sure(found.max(axis=1), right)

    def _titles(self, labels: AttributeLabels) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Titles of held-out products with their values; of those that were learnt from where these are few."""
        for features in (self._held, self._learnt):
            products = list({product.id: product for product in features.products}.values())
            wanted = labels.targets(products)
            rows = [row for row, product in enumerate(products) if title_of(product) and wanted[row].any()][:_TITLES]
            if len(rows) >= _FEW_TITLES:
                return [title_of(products[row]) for row in rows], wanted[rows]
        return [], np.empty((0, len(labels.values)), dtype=np.float32)


def _inputs(features: Features, widths: tuple[int, ...], center: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if features.levels is None or features.colors is None:
        return np.empty((0, 0), dtype=np.float32)
    return picture_inputs(features.levels, features.colors.astype(np.float32), widths, center)


def _principal(rows: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float32]:
    """Directions in which rows (n, width) differ most, float32 (width, at most `_DIM`)."""
    if min(rows.shape) <= _DIM:
        return np.eye(rows.shape[1], dtype=np.float32)
    torch.manual_seed(seed)
    return torch.svd_lowrank(torch.from_numpy(rows - rows.mean(axis=0)), _DIM, niter=2)[2].numpy()


def _zero_shot(encoder: Encoder, stage: Stage, name: str, values: Sequence[str], pictures: Features) -> AttributeModel:
    names = _names(encoder, stage.text, values)
    center = (embed(stage.image, pictures) @ names.embeddings.T).mean(axis=0)
    return AttributeModel(
        name, names, NameWeights(center.astype(np.float32), _NAME_SCALE), _unproven(), is_calibrated=False
    )


def _names(
    encoder: Encoder, text: Projection, values: Sequence[str], shares: npt.NDArray[np.float32] | None = None
) -> ValueNames:
    spoken = [value.replace("_", " ").replace("/", " ") for value in values]
    even = np.full(len(values), 1 / len(values), dtype=np.float32)
    return ValueNames(tuple(values), text_embeddings(encoder, text, spoken), even if shares is None else shares)


def _unproven() -> dict[Modality, float]:
    return {"image": 1.0 - MAX_ERROR, "text": 1.0 - MAX_ERROR}


def _least_sure(probabilities: npt.NDArray[np.float32], right: npt.NDArray[np.bool_]) -> float:
    """What is less likely than not is no answer, even where all titles or pictures so far were right with less."""
    found = threshold_for(probabilities, right, MAX_ERROR)
    return 1.0 - MAX_ERROR if found > 1.0 else max(found, 0.5)


def _soft_temperature(logits: npt.NDArray[np.float32], truth: npt.NDArray[np.float32]) -> float:
    """Where a product has several values, the likeliest of them counts as its own."""
    return fit_temperature(logits, np.where(truth > 0, logits, -np.inf).argmax(axis=1))


def _likelihood(logits: npt.NDArray[np.float32], truth: npt.NDArray[np.float32]) -> float:
    return float(_likelihoods(logits, truth).mean())


def _likelihoods(logits: npt.NDArray[np.float32], truth: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Logarithm of the probability of each product's values, at the best temperature, float64 (n,)."""
    found = softmax(logits / _soft_temperature(logits, truth))
    return np.asarray(np.log(np.maximum((found * (truth > 0)).sum(axis=1), 1e-12)), dtype=np.float64)

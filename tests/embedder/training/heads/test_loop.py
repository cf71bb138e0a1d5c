"""Short fine-tuning learns what a catalog shows, the same each time, and keeps what it does not show."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import Encoder, open_encoder
from embedder.errors import TrainingError
from embedder.inputs.picture import PicturePixels
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import Projection, split
from embedder.training.heads.captions import Captions
from embedder.training.heads.examples import Dataset, Examples
from embedder.training.heads.loop import FineTuned, fine_tune, terms, weighted
from embedder.training.heads.trainable import TrainableModel
from embedder.training.settings import FineTuneSettings
from tests.conftest import COLORS, SHAPES, draw_product

SETTINGS = FineTuneSettings(epochs=8, batch_size=32)


@pytest.fixture(scope="module")
def encoder(starter_bundle: Path) -> Encoder:
    return open_encoder(starter_bundle, device="cpu")


@pytest.fixture(scope="module")
def projections(starter_bundle: Path) -> tuple[Projection, Projection]:
    model = load_folder(starter_bundle)
    return split(model, "image")[1], split(model, "text")[1]


def examples(encoder: Encoder, seeds: range, **fields) -> Examples:
    """One product of each shape and colour for each seed."""
    products, images = [], []
    for seed in seeds:
        for category, shape in SHAPES.items():
            for color in COLORS:
                image = draw_product(shape, color, seed * 1000 + len(products))
                given = {"title": f"{color} {category.split('/')[-1]}", "category": category, **fields}
                products.append(
                    Product(
                        f"{len(products)}-{seed}", pictures=(ProductPicture(PicturePixels(np.asarray(image))),), **given
                    )
                )
                images.append(image)
    return Examples(products, encoder.pixel_features(encoder.preprocess(images)))


@pytest.fixture(scope="module")
def training(encoder: Encoder) -> Examples:
    return examples(encoder, range(8))


@pytest.fixture(scope="module")
def validation(encoder: Encoder) -> Examples:
    return examples(encoder, range(50, 53))


@pytest.fixture(scope="module")
def tuned(encoder, projections, training, validation) -> FineTuned:
    return fine_tune(encoder, projections, training, validation, SETTINGS)


def unit(values: torch.Tensor) -> np.ndarray:
    return functional.normalize(values, dim=1).detach().numpy()


def found_by_words(encoder: Encoder, image: Projection, text: Projection, examples: Examples) -> float:
    """Share of pictures whose own title is the nearest of all titles."""
    titles = sorted({product.title for product in examples.products})
    pictures = unit(image(torch.from_numpy(examples.features)))
    words = unit(text(torch.from_numpy(encoder.text_features(titles))))
    nearest = (pictures @ words.T).argmax(axis=1)
    return float(np.mean([titles[place] == p.title for place, p in zip(nearest, examples.products, strict=True)]))


def test_words_find_unseen_pictures_far_better_than_before(encoder, projections, tuned, validation) -> None:
    before = found_by_words(encoder, *projections, validation)
    after = found_by_words(encoder, tuned.image, tuned.text, validation)
    assert after >= max(0.6, before + 0.3)


def test_the_head_knows_unseen_pictures(encoder, tuned, validation) -> None:
    assert tuned.head is not None
    embeddings = unit(tuned.image(torch.from_numpy(validation.features)))
    predicted = tuned.head.probabilities(embeddings, "image").argmax(axis=1)
    right = [tuned.head.categories[p] == q.category for p, q in zip(predicted, validation.products, strict=True)]
    assert np.mean(right) >= 0.9
    assert tuned.metrics["validation_accuracy"] == pytest.approx(np.mean(right))


def test_the_head_knows_words_in_their_singular_and_plural(encoder, tuned) -> None:
    words = {"ball": "toys/ball", "balls": "toys/ball", "boxes": "boxes/box", "triangles": "signs/triangle"}
    embeddings = unit(tuned.text(torch.from_numpy(encoder.text_features(list(words)))))
    predicted = tuned.head.probabilities(embeddings, "text").argmax(axis=1)
    assert [tuned.head.categories[place] for place in predicted] == list(words.values())


def test_words_that_the_catalog_lacks_keep_their_meaning(encoder, projections, tuned) -> None:
    words = ["a car", "a guitar", "a bird", "an apple", "a computer", "a chair"]
    features = torch.from_numpy(encoder.text_features(words))
    kept = (unit(projections[1](features)) * unit(tuned.text(features))).sum(axis=1)
    assert kept.min() > 0.7


def test_the_same_seed_gives_the_same_model(encoder, projections, training, validation, tuned) -> None:
    again = fine_tune(encoder, projections, training, validation, SETTINGS)
    assert torch.equal(again.image.weight, tuned.image.weight)
    assert torch.equal(again.text.weight, tuned.text.weight)
    assert np.array_equal(again.head.weight, tuned.head.weight)
    assert again.metrics == tuned.metrics


def test_another_seed_gives_another(encoder, projections, training, validation, tuned) -> None:
    other = fine_tune(encoder, projections, training, validation, SETTINGS, seed=1)
    assert not torch.equal(other.image.weight, tuned.image.weight)


def test_progress_is_reported_epoch_by_epoch(encoder, projections, training, validation) -> None:
    reported = []
    fine_tune(
        encoder,
        projections,
        training,
        validation,
        SETTINGS,
        on_epoch=lambda epoch, figures: reported.append((epoch, figures)),
    )
    assert [epoch for epoch, _ in reported] == list(range(1, 9))
    assert reported[-1][1]["train_loss"] < reported[0][1]["train_loss"]
    assert {"train_loss", "validation_loss", "validation_accuracy"} == set(reported[0][1])


def test_the_epoch_with_the_least_validation_loss_is_kept(encoder, projections, training, validation) -> None:
    losses = []
    # So fast that it overshoots.
    wild = replace(SETTINGS, learning_rate=0.5, epochs=6)
    result = fine_tune(
        encoder,
        projections,
        training,
        validation,
        wild,
        on_epoch=lambda _, figures: losses.append(figures["validation_loss"]),
    )
    assert result.metrics["validation_loss"] == pytest.approx(min(losses), rel=1e-5)


def test_without_validation_products_the_last_epoch_is_taken(encoder, projections, training) -> None:
    result = fine_tune(encoder, projections, training, examples(encoder, range(0)), replace(SETTINGS, epochs=2))
    assert result.metrics == {}
    assert result.head is not None
    assert dict(result.head.temperatures) == {"image": 1.0, "text": 1.0}


def test_a_catalog_without_categories_has_no_head(encoder, projections, validation) -> None:
    unsorted = examples(encoder, range(3), category=None)
    result = fine_tune(encoder, projections, unsorted, examples(encoder, range(60, 61), category=None), SETTINGS)
    assert result.head is None
    assert found_by_words(encoder, result.image, result.text, validation) >= 0.5


def test_products_without_words_are_learnt_from_where_others_have_some(encoder, projections, training) -> None:
    mute = examples(encoder, range(70, 71), title="", category=None)
    mixed = Examples(
        [*training.products, *mute.products], np.concatenate([training.features, mute.features]).astype(np.float32)
    )
    result = fine_tune(encoder, projections, mixed, examples(encoder, range(0)), replace(SETTINGS, epochs=1))
    assert torch.isfinite(result.image.weight).all()


@pytest.mark.parametrize("fields", [{"title": "", "category": None}])
def test_a_catalog_without_any_words_teaches_nothing(encoder, projections, fields: dict) -> None:
    with pytest.raises(TrainingError, match="0 of them with a title or category; permitted: 2 or more of each"):
        fine_tune(encoder, projections, examples(encoder, range(1), **fields), examples(encoder, range(0)), SETTINGS)


def test_one_product_teaches_nothing(encoder, projections, training) -> None:
    one = Examples(training.products[:1], training.features[:1])
    with pytest.raises(TrainingError, match="1 training products"):
        fine_tune(encoder, projections, one, examples(encoder, range(0)), SETTINGS)


@pytest.mark.parametrize("where", ["training", "validation"])
def test_a_loss_that_is_no_number_ends_training_at_once(encoder, projections, training, validation, where: str) -> None:
    """A model whose features overflow for one picture: without a word, the untrained projections would be written."""
    data = {"training": training, "validation": validation}
    features = data[where].features.copy()
    features[3] = np.nan
    data[where] = Examples(data[where].products, features)
    epochs = []
    with pytest.raises(TrainingError, match=rf"{'train' if where == 'training' else 'validation'} loss nan in epoch 1 "
                       r"at a learning rate of 0\.002; permitted: a finite number; next step: a lower --learning-rate"):  # fmt: skip
        fine_tune(encoder, projections, data["training"], data["validation"], SETTINGS,
                  on_epoch=lambda epoch, figures: epochs.append(epoch))  # fmt: skip
    assert epochs == []


@pytest.fixture(scope="module")
def dataset(encoder, training) -> Dataset:
    return Dataset(training, Captions(encoder, training.products), sorted({p.category for p in training.products}))


def test_a_batch_has_a_caption_of_each_products_own(dataset: Dataset, training: Examples) -> None:
    rows = torch.tensor([0, 5, 17, 17])
    batch = dataset.draw(rows, 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(batch.images, torch.from_numpy(training.features[rows]))
    assert batch.worded.all()
    assert batch.describes.diagonal().all()
    assert bool(batch.describes[2, 3])
    for row, text in zip(rows, batch.texts, strict=True):
        # A wording at a cosine of 1 is the caption itself.
        own = dataset.caption_features[dataset.captions[row][: dataset.caption_counts[row]]]
        assert functional.cosine_similarity(own, text[None]).max() > 0.9999


def test_half_of_the_captions_are_moved(dataset: Dataset) -> None:
    batch = dataset.draw(torch.arange(len(dataset)), 0.6, torch.Generator().manual_seed(0))
    unmoved = (batch.texts[:, None] == dataset.caption_features[None]).all(dim=2).any(dim=1)
    assert 0.3 < unmoved.float().mean() < 0.7


def test_the_loss_is_the_weighted_sum_of_its_terms(projections, dataset: Dataset) -> None:
    torch.manual_seed(0)
    model = TrainableModel(projections, dataset.features, 4)
    batch = dataset.draw(torch.arange(32), 0.6, torch.Generator().manual_seed(0))
    settings = replace(SETTINGS, dropout=0.0, contrastive_weight=2.0, image_category_weight=0.5, text_anchor_weight=0.0)
    parts = terms(model, batch, settings)
    # What weighs nothing is not computed.
    assert set(parts) == {"image_category", "text_category", "contrastive", "image_anchor"}
    assert set(terms(model, batch, SETTINGS)) == {*parts, "text_anchor"}
    assert all(part.shape == () and part >= 0 for part in parts.values())
    expected = 0.5 * parts["image_category"] + 0.3 * parts["text_category"] + 2.0 * parts["contrastive"]
    assert torch.allclose(weighted(parts, settings), expected + 0.2 * parts["image_anchor"])


def test_the_anchors_weight_says_how_far_a_projection_may_move(encoder, projections, training) -> None:
    none = examples(encoder, range(0))
    held = replace(SETTINGS, epochs=1, image_anchor_weight=1e6)
    free = replace(SETTINGS, epochs=1, image_anchor_weight=0.0)
    start = projections[0].weight
    moved = [
        float((fine_tune(encoder, projections, training, none, settings).image.weight - start).norm())
        for settings in (held, free)
    ]
    assert moved[0] < moved[1]


OUT_OF_RANGE = {
    "epochs": [0, 1001], "batch_size": [1, 65_537], "learning_rate": [0.0, 1.1, float("nan")],
    "weight_decay": [-0.1, 1.1, float("nan")], "dropout": [-0.1, 1.0, float("nan")],
    "wording_cosine": [-0.1, 1.1, float("nan")], "label_smoothing": [-0.1, 1.0, float("nan")],
    "image_category_weight": [-1.0, float("inf")], "text_category_weight": [-1.0, float("inf")],
    "contrastive_weight": [-1.0, float("inf")], "image_anchor_weight": [-1.0, float("nan")],
    "text_anchor_weight": [-1.0, float("nan")], "rehearsal": [-1, 10_001], "rehearsal_weight": [-1.0, float("inf")],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, bad in OUT_OF_RANGE.items() for value in bad])
def test_a_setting_out_of_range_is_named_with_its_range(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=rf"{name}\n.*(greater than|less than|finite number)"):
        FineTuneSettings(**{name: value})


def test_every_setting_has_a_range() -> None:
    assert set(OUT_OF_RANGE) == {field.name for field in fields(FineTuneSettings)}


def test_weights_that_teach_nothing_are_refused() -> None:
    with pytest.raises(ValidationError, match="nothing is learnt"):
        FineTuneSettings(image_category_weight=0, text_category_weight=0, contrastive_weight=0)

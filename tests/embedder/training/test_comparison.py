"""Before and after: the figures are those of a count by hand, on products that were held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import Encoder, open_encoder
from embedder.index_space import IndexSpace
from embedder.inputs.picture import PictureBytes
from embedder.instance_map import InstanceMap
from embedder.recognition.head import CategoryHead
from embedder.towers.projection import Projection
from embedder.training import comparison
from embedder.training.comparison import MEANINGS, Comparison, Looked, Stage, compare
from embedder.training.instance.part import InstancePart, embed
from embedder.training.instance.whitening import kept_directions
from embedder.training.pictures.features import Features, join_features
from embedder.training.pictures.gathering import Gathered
from embedder.training.pictures.shots import Shot

COLORS, THINGS = ("red", "blue", "green"), ("ball", "box")
WIDTHS, EMPTY = (5, 4), join_features([])


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class World:
    """Products whose features and levels are drawn: a view lies near its product's own."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        self.own = {f"p{number}": self.random.standard_normal(64 + 9) for number in range(40)}

    def product(self, number: int) -> Product:
        title = "" if number == 3 else f"{COLORS[number % 3]} {THINGS[number % 2]}"
        category = None if number == 5 else f"toys/{THINGS[number % 2]}"
        return Product(f"p{number}", title, (ProductPicture(PictureBytes(b"?")),), category)

    def features(self, numbers: list[int], noise: float, with_levels: bool = True) -> Features:
        rows = np.stack([self.own[f"p{number}"] for number in numbers])
        rows = rows + noise * self.random.standard_normal(rows.shape)
        shots = tuple(Shot(self.product(number), 0, 1 if noise else None) for number in numbers)
        levels = rows[:, 64:].astype(np.float16) if with_levels else None
        return Features(shots, rows[:, :64].astype(np.float32), (), levels)

    def gathered(self, with_levels: bool = True) -> Gathered:
        sample, held = list(range(12, 40)), list(range(12))
        training = self.features(sample, 0.0, with_levels)
        views = self.features(held * 2, 0.9) if with_levels else EMPTY
        validation = self.features(held, 0.0, with_levels)
        return Gathered(training, validation, training if with_levels else EMPTY, EMPTY, views)


@pytest.fixture
def encoder(tiny_bundle: Path) -> Encoder:
    return open_encoder(tiny_bundle, device="cpu")


def drawn_stage(seed: int, gathered: Gathered, with_part: bool, with_head: bool = False) -> Stage:
    generator = torch.Generator().manual_seed(seed)
    image = Projection(torch.randn(16, 64, generator=generator), torch.randn(16, generator=generator))
    text = Projection(torch.randn(16, 32, generator=generator), None)
    random = np.random.default_rng(seed)
    head = None
    if with_head:
        weight = random.standard_normal((2, 16)).astype(np.float32)
        head = CategoryHead(("toys/ball", "toys/box"), weight, np.zeros(2, np.float32), {"image": 1.0, "text": 1.0})
    if not with_part:
        return Stage(image, text, head)
    instance = InstanceMap(
        WIDTHS, *(random.standard_normal(shape).astype(np.float32) for shape in ((9,), (6, 9), (6,)))
    )
    space = IndexSpace(16, kept_directions(embed(image, gathered.training), 10), 6, 0.6)
    return Stage(image, text, head, InstancePart(instance, space, (), 3))


def compared(encoder: Encoder, before: Stage, after: Stage, gathered: Gathered) -> Comparison:
    """Of two stages behind the same towers."""
    return compare(Looked(encoder, before, gathered), Looked(encoder, after, gathered))


def shares(scores: np.ndarray, wanted: list[str], found: list[str]) -> tuple[float, float]:
    order = np.argsort(-scores, axis=1)
    hits = [[found[place] == name for place in row[:10]] for row, name in zip(order, wanted, strict=True)]
    return float(np.mean([row[0] for row in hits])), float(np.mean([any(row) for row in hits]))


@pytest.mark.parametrize("block", [5, 512])
@pytest.mark.parametrize("with_part", [False, True])
def test_figures_are_those_of_a_count_by_hand(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch, with_part: bool, block: int
) -> None:
    monkeypatch.setattr(comparison, "_BLOCK", block)
    gathered = World().gathered()
    before, stage = drawn_stage(1, gathered, False), drawn_stage(2, gathered, with_part, with_head=True)
    found = compared(encoder, before, stage, gathered)
    gallery = join_features([gathered.validation, gathered.sample])
    assert (found.products, found.views, found.gallery) == (12, 24, 40)
    assert gallery.levels is not None
    assert gathered.validation_pairs.levels is not None
    semantics, searching = embed(stage.image, gallery), embed(stage.image, gathered.validation_pairs)
    titles = sorted({title_of(product) for product in gathered.validation.products} - {""})
    with torch.no_grad():
        texts = unit(stage.text(torch.from_numpy(encoder.text_features(titles))).numpy())
    scores = searching @ semantics.T
    if stage.part is not None:
        kept = stage.part.space.kept
        semantics, searching, texts = (unit(rows @ kept.T) for rows in (semantics, searching, texts))
        instances = [stage.part.instance.apply(part.levels) for part in (gathered.validation_pairs, gallery)]
        scores = 0.4 * searching @ semantics.T + 0.6 * instances[0] @ instances[1].T
    photo = shares(
        scores, [product.id for product in gathered.validation_pairs.products], [p.id for p in gallery.products]
    )
    title = shares(texts @ semantics.T, titles, [title_of(product) for product in gallery.products])
    rows = [row for row, product in enumerate(gathered.validation.products) if product.category]
    assert stage.head is not None
    places = (embed(stage.image, gathered.validation)[rows] @ stage.head.weight.T).argmax(axis=1)
    right = [
        stage.head.categories[place] == gathered.validation.products[row].category
        for place, row in zip(places, rows, strict=True)
    ]
    assert found.after == pytest.approx(
        {
            "category_accuracy": np.mean(right),
            "photo_recall_at_1": photo[0],
            "photo_recall_at_10": photo[1],
            "title_recall_at_1": title[0],
            "title_recall_at_10": title[1],
        }
    )
    assert set(found.before) == set(MEANINGS)
    assert found.before != found.after
    assert found.to_dict()["gallery"] == 40


def test_a_figure_that_the_catalog_does_not_allow_is_absent(encoder: Encoder) -> None:
    world = World()
    bare = Product("p0", "", (ProductPicture(PictureBytes(b"?")),))
    alone = Features((Shot(bare),), world.features([0], 0.0).values, (), world.features([0], 0.0).levels)
    stage = drawn_stage(1, world.gathered(), False)
    assert compared(encoder, stage, stage, Gathered(alone, EMPTY, alone, EMPTY, EMPTY)).after == {}
    gathered = Gathered(alone, alone, world.features(list(range(12, 40)), 0.0), EMPTY, EMPTY)
    assert compared(encoder, stage, stage, gathered).after == {}
    assert compared(encoder, stage, stage, Gathered(alone, EMPTY, EMPTY, EMPTY, EMPTY)).gallery == 0


def test_a_base_with_an_instance_part_is_measured_without_it_where_nothing_has_levels(encoder: Encoder) -> None:
    """As when such a bundle is trained with dim 0."""
    world = World()
    before = drawn_stage(1, world.gathered(), True)
    gathered = world.gathered(with_levels=False)
    gathered = Gathered(gathered.training, gathered.validation, gathered.training, EMPTY, EMPTY)
    found = compared(encoder, before, drawn_stage(2, gathered, False), gathered)
    assert {"title_recall_at_1", "title_recall_at_10"} <= set(found.before)


def test_two_towers_are_compared_among_the_products_that_both_have_seen(encoder: Encoder) -> None:
    world = World()
    first, second = world.gathered(), world.gathered()
    fewer = Gathered(
        second.training, second.validation, second.sample.of_products({f"p{number}" for number in range(12, 20)}),
        EMPTY, second.validation_pairs,
    )  # fmt: skip
    stage = drawn_stage(1, first, False)
    found = compare(Looked(encoder, stage, first), Looked(encoder, stage, fewer))
    assert found.gallery == 12 + 8
    alone = compare(Looked(encoder, stage, fewer), Looked(encoder, stage, fewer))
    assert found.after == alone.after

"""Batches follow from the seed and the step alone, show each product equally often, and know what belongs together."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import Encoder
from embedder.inputs.picture import PictureBytes
from embedder.inputs.pixels import PixelReader
from embedder.training.heads.captions import Captions
from embedder.training.heads.losses import NO_CATEGORY
from embedder.training.settings import TuneSettings
from embedder.training.tuning.batches import Batch, Batches, step_seed
from embedder.training.tuning.pixel_cache import PixelCache
from tests.embedder.training.tuning.conftest import CATEGORIES, product

Opened = tuple[Encoder, list[Product], Captions, object]


def batches(
    opened: Opened, only: list[Product] | None = None, seed: int = 3, mb: int = 64, **changed: object
) -> Batches:
    encoder, items, _, _ = opened
    chosen = items if only is None else only
    settings = TuneSettings(**{"products": 4, "pictures": 3, **changed})  # type: ignore[arg-type]
    pixels = PixelCache(PixelReader(encoder.preprocessing), 32, mb * 2**20)
    return Batches(chosen, CATEGORIES, Captions(encoder, chosen), pixels, settings, 0.8, seed)


def equal(first: Batch, second: Batch) -> bool:
    return all(torch.equal(getattr(first, f.name), getattr(second, f.name)) for f in fields(Batch))


def test_a_batch_follows_from_the_seed_and_the_step_alone(opened: Opened) -> None:
    first = batches(opened)
    drawn = [first.draw(step) for step in range(6)]
    later = batches(opened, mb=0)
    assert equal(later.draw(5), drawn[5])
    assert equal(later.draw(2), drawn[2])
    assert not torch.equal(batches(opened, seed=4).draw(2).pixels, drawn[2].pixels)


def test_each_pass_shows_every_product_once(opened: Opened) -> None:
    made = batches(opened)
    seen = [row for step in range(8) for row in made.draw(step).rows[::3].tolist()]
    assert sorted(seen[:16]) == sorted(seen[16:]) == list(range(16))
    assert seen[:16] != seen[16:]


def test_pictures_captions_and_categories_belong_to_their_products(opened: Opened) -> None:
    _, items, captions, _ = opened
    batch = batches(opened).draw(0)
    assert batch.pixels.shape == (12, 3, 32, 32)
    assert batch.slots.tolist() == [slot for slot in range(4) for _ in range(3)]
    for row, label in zip(batch.rows.tolist(), batch.labels.tolist(), strict=True):
        assert CATEGORIES[label] == items[row].category
    for slot, place in enumerate(batch.captions.tolist()):
        assert place in captions.of_product[items[int(batch.rows[3 * slot])].id]


def test_a_title_is_right_for_all_products_that_have_it(opened: Opened) -> None:
    alike = [product(0), replace(product(0), id="same title"), product(5), product(6), product(7)]
    batch = batches(opened, alike, products=5).draw(0)
    order = [alike[int(batch.rows[3 * slot])].id for slot in range(5)]
    right = {(order[i], order[j]) for i, j in batch.describes.nonzero().tolist()}
    assert {("p-0", "same title"), ("same title", "p-0")} <= right
    assert ("p-5", "p-6") not in right


@pytest.mark.parametrize(
    ("variants", "alike"),
    [("by_title", {"red", "another red"}), ("alike", {"red", "another red", "blue"}), ("apart", set())],
)
def test_variants_are_one_thing_by_their_titles_or_as_the_settings_say(
    opened: Opened, variants: str, alike: set[str]
) -> None:
    titles = {"red": "red ball", "another red": "red ball", "blue": "blue ball", "alone": "red ball"}
    shop = [
        replace(product(number), id=name, title=title, variant_group=None if name == "alone" else "v")
        for number, (name, title) in enumerate(titles.items())
    ]
    batch = batches(opened, shop, variants=variants).draw(0)
    order = [shop[int(batch.rows[3 * slot])].id for slot in range(4)]
    groups = dict(zip(order, batch.groups[::3].tolist(), strict=True))
    assert {name for name in groups if list(groups.values()).count(groups[name]) > 1} == alike


def test_every_second_pass_puts_variants_into_one_batch(opened: Opened) -> None:
    shop = [replace(product(number), id=f"{number}", variant_group=f"v{number // 4}") for number in range(16)]
    made = batches(opened, shop)

    def families(step: int) -> set[int]:
        return {int(row) // 4 for row in made.draw(step).rows}

    assert [len(families(step)) for step in range(4, 8)] == [1, 1, 1, 1]
    assert max(len(families(step)) for step in range(4)) > 1
    assert sorted({row for step in range(4, 8) for row in made.draw(step).rows.tolist()}) == list(range(16))


def test_a_product_without_words_or_category_takes_part_with_its_pictures(opened: Opened) -> None:
    bare = replace(product(1), title="", category=None)
    batch = batches(opened, [bare, product(2)], products=2).draw(0)
    assert batch.worded.tolist() == [int(row) == 1 for row in batch.rows[::3]]
    assert set(batch.labels.tolist()) == {NO_CATEGORY, 2}


def test_a_further_picture_that_cannot_be_read_is_replaced_by_the_main_one(opened: Opened) -> None:
    broken = ProductPicture(PictureBytes(b"?"))
    main_only = replace(product(1), pictures=(product(1).pictures[0], broken))
    lost = replace(product(2), pictures=(broken,))
    made = batches(opened, [main_only, lost], products=2, view_share=0.0)
    main = np.asarray(product(1).pictures[0].source.pixels).transpose(2, 0, 1)
    batch = made.draw(0)
    assert batch.rows.tolist() == [0, 0, 0]
    assert all(np.array_equal(pixels.numpy(), main) for pixels in batch.pixels)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_views_are_shown_as_often_as_wanted(opened: Opened, share: float) -> None:
    batch = batches(opened, view_share=share, jpeg_share=0.0).draw(0)
    plain = batches(opened, view_share=0.0, jpeg_share=0.0).draw(0)
    unchanged = (batch.pixels == plain.pixels).flatten(1).all(dim=1)
    assert bool(unchanged.all()) == (share == 0.0)


def test_the_cache_keeps_no_more_than_it_may(opened: Opened) -> None:
    encoder = opened[0]
    cache = PixelCache(PixelReader(encoder.preprocessing), 32, 3 * 3 * 32 * 32)
    from embedder.training.pictures.shots import Shot

    found = [cache.get(Shot(product(number))) for number in range(5)]
    assert len(cache) == 3
    assert all(np.array_equal(cache.get(Shot(product(number))), found[number]) for number in range(5))


def test_seeds_of_steps_and_purposes_differ() -> None:
    seeds = {step_seed(seed, step, purpose) for seed in (0, 1) for step in range(50) for purpose in ("a", "b")}
    assert len(seeds) == 200
    assert min(seeds) >= 0

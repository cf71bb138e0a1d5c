"""What a training looks at: each picture once, in shares of the time that it has."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product, ProductPicture
from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from embedder.inputs.picture import PictureBytes
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.training.pictures import features as features_module
from embedder.training.pictures import gathering as gathering_module
from embedder.training.pictures.gathering import Gathered, Gatherer
from embedder.training.settings import InstanceSettings


class ClockedEncoder(Encoder):
    """On its clock four pictures take a second; nothing else takes time."""

    now = 0.0

    def run_pixels(self, pixels):
        self.now += len(pixels) / 4
        return super().run_pixels(pixels)


@pytest.fixture
def encoder(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> ClockedEncoder:
    opened = open_encoder(tiny_bundle, device="cpu")
    clocked = ClockedEncoder(opened.info, opened._runtime, opened._tokenizer, None)
    clock = SimpleNamespace(monotonic=lambda: clocked.now)
    for module in (features_module, gathering_module):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(features_module, "CHUNK", 4)
    return clocked


@pytest.fixture
def products(drawn_catalog: Path) -> list[Product]:
    return list(load_catalog(open_catalog(str(drawn_catalog))).products)


def gather(
    encoder: Encoder, folder: Path, training: list[Product], validation: list[Product], budget_s: float | None,
    **chosen: float,
) -> Gathered:  # fmt: skip
    config = EmbedderSettings(cache_dir=folder, instance=InstanceSettings(**chosen))
    with ProgressReport(logging.getLogger("test")) as progress:
        return Gatherer(encoder, config, progress, budget_s).gather(training, validation)


def ids(found: features_module.Features) -> list[str]:
    return [product.id for product in found.products]


def test_without_a_budget_all_are_looked_at_once(
    encoder: ClockedEncoder, products: list[Product], tmp_path: Path
) -> None:
    gathered = gather(encoder, tmp_path, products[20:50], products[:8], None, products=12, views=24)
    assert ids(gathered.training) == [product.id for product in products[20:50]]
    assert ids(gathered.sample) == ids(gathered.training)[:12]
    assert ids(gathered.validation) == [product.id for product in products[:8]]
    assert ids(gathered.pairs) == [product.id for product in products[20:32] for _ in range(2)]
    assert ids(gathered.validation_pairs) == [product.id for product in products[:8] for _ in range(2)]
    assert encoder.now * 4 == 30 + 8 + 24 + 16
    for part in (gathered.sample, gathered.pairs, gathered.validation, gathered.validation_pairs):
        assert part.levels is not None
        assert len(part.levels) == len(part.values) == len(part.shots)
    assert gathered.rejected == ()


def test_each_step_ends_when_its_share_of_the_time_is_used(
    encoder: ClockedEncoder, products: list[Product], tmp_path: Path
) -> None:
    """Of 60 s: validation until 10, sample until 30, pairs until 40, others until 50; a chunk is a second."""
    gathered = gather(encoder, tmp_path, products[60:], products[:60], 60.0, products=100, views=100)
    assert len(gathered.validation.shots) == 40
    # Its share is used up: one chunk, so that there is something to choose the weight by.
    assert len(gathered.validation_pairs.shots) == 4
    assert len(gathered.sample.shots) == 76
    assert len(gathered.pairs.shots) == 40
    assert ids(gathered.training) == [product.id for product in products[60:]]
    assert encoder.now <= 50.0


def test_what_a_step_leaves_is_the_next_ones(encoder: ClockedEncoder, products: list[Product], tmp_path: Path) -> None:
    gathered = gather(encoder, tmp_path, products[4:], products[:4], 60.0, products=16, views=400)
    assert len(gathered.sample.shots) == 16
    # Validation took 1 s, its views 2, the sample 4: of the 33 s left until 40 the 96 views take 24.
    assert len(gathered.pairs.shots) == 96
    # And 19 s are left until 50.
    assert len(gathered.training.shots) == 16 + 4 * 19
    assert ids(gathered.training) == [product.id for product in products[4 : 4 + 16 + 76]]


def test_the_others_follow_the_sample_also_where_the_time_cut_it(
    encoder: ClockedEncoder, products: list[Product], tmp_path: Path
) -> None:
    unreadable = Product("bad", "", (ProductPicture(PictureBytes(b"?")),))
    training = [products[10], unreadable, *products[11:100]]
    gathered = gather(encoder, tmp_path, training, products[:4], 12.0, products=50, views=20)
    readable = [product.id for product in training if product is not unreadable]
    assert ids(gathered.training) == readable[: len(gathered.training.shots)]
    assert len(gathered.sample.shots) < 50
    assert len(gathered.training.shots) > len(gathered.sample.shots)
    assert [item.product_id for item in gathered.rejected] == ["bad"]


def test_without_an_instance_part_there_are_neither_levels_nor_views(
    encoder: ClockedEncoder, products: list[Product], tmp_path: Path
) -> None:
    gathered = gather(encoder, tmp_path, products[20:50], products[:8], None, dim=0)
    assert len(gathered.training.shots) == 30
    assert gathered.validation.levels is None
    for part in (gathered.sample, gathered.pairs, gathered.validation_pairs):
        assert part.shots == ()
    assert encoder.now * 4 == 38


def test_further_pictures_that_cannot_be_read_are_counted_once_and_main_ones_too(
    encoder: ClockedEncoder, products: list[Product], tmp_path: Path
) -> None:
    bad = ProductPicture(PictureBytes(b"?"), "bad.png")
    mixed = [
        Product("two", "", (products[0].pictures[0], bad)),
        Product("none", "", (bad, products[1].pictures[0])),
        *products[2:4],
    ]
    gathered = gather(encoder, tmp_path, mixed, [Product("held", "", (products[9].pictures[0], bad))], None)
    assert sorted((item.product_id, item.picture) for item in gathered.rejected) == [
        ("held", "bad.png"),
        ("none", ""),
        ("two", "bad.png"),
    ]
    assert ids(gathered.training) == ["two", *ids(gathered.training)[1:]]
    assert not any(shot.product.id == "none" for shot in gathered.pairs.shots)


def test_no_validation_products(encoder: ClockedEncoder, products: list[Product], tmp_path: Path) -> None:
    gathered = gather(encoder, tmp_path, products[:3], [], 60.0)
    assert len(gathered.training.shots) == 3
    assert gathered.validation.values.shape == (0, 0)
    assert np.isfinite(gathered.pairs.values).all()

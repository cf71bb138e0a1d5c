"""What training rehearses: pictures of kinds that the retention suite does not ask for, and what the base says of them."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from embedder.catalogs.captions import category_words
from embedder.encoder import open_encoder
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import split
from embedder.training.heads.examples import Examples
from embedder.training.heads.loop import fine_tune
from embedder.training.pictures.rehearsal import load_rehearsal, rehearsal_shots
from embedder.training.retention.parts import STUDIO_KINDS
from embedder.training.settings import FineTuneSettings
from tests.embedder.training.tuning.conftest import product


def test_its_kinds_are_none_that_the_retention_suite_asks_for() -> None:
    shots = rehearsal_shots(400, with_studio=True)
    asked = {kind.removeprefix("pair of ") for kind in STUDIO_KINDS}
    shown = {category_words(shot.product.category or "") for shot in shots}
    assert len(shown) > 25
    assert not shown & asked


def test_every_second_one_shows_nothing_in_particular_and_the_others_the_studio_in_two_ways() -> None:
    shots = rehearsal_shots(20, with_studio=True)
    assert all(shot.product.id.startswith("procedural-") and shot.is_main for shot in shots[::2])
    studio = shots[1::2]
    assert [shot.view is None for shot in studio] == [True, False] * 5
    assert [shot.product.id for shot in studio[::2]] == [shot.product.id for shot in studio[1::2]]
    assert len({shot.product.id for shot in studio}) == 5
    assert len({shot.product.id for shot in shots[::2]}) == 10


@pytest.mark.parametrize("with_studio", [True, False])
def test_fewer_pictures_are_the_first_of_more(with_studio: bool) -> None:
    def names(count: int) -> list[tuple[str, int | None]]:
        return [(shot.product.id, shot.view) for shot in rehearsal_shots(count, with_studio)]

    assert len(set(names(9))) == 9
    for few in (2, 5, 6):
        assert names(few) == names(9)[:few]


def test_where_the_catalog_is_the_studios_nothing_of_it_is_rehearsed() -> None:
    assert all(shot.product.id.startswith("procedural-") for shot in rehearsal_shots(30, with_studio=False))


def test_training_that_rehearses_stays_nearer_to_the_base(tiny_bundle: Path, tmp_path: Path) -> None:
    encoder = open_encoder(tiny_bundle, "onnx", device="cpu")
    whole = load_folder(tiny_bundle)
    image, text = split(whole, "image")[1], split(whole, "text")[1]
    config = EmbedderSettings(cache_dir=tmp_path, device="cpu")
    with ProgressReport(logging.getLogger("test")) as progress:
        assert load_rehearsal(encoder, image, 0, True, config, progress) is None
        rehearsal = load_rehearsal(encoder, image, 12, True, config, progress)
    assert rehearsal is not None
    assert len(rehearsal) == 12
    assert torch.allclose(rehearsal.embeddings, functional.normalize(image(rehearsal.features), dim=1), atol=1e-5)
    rng = np.random.default_rng(0)
    products = [product(number) for number in range(16)]
    examples = Examples(products, rng.normal(size=(16, image.weight.shape[1])).astype(np.float32))
    empty = Examples([], np.empty((0, image.weight.shape[1]), np.float32))
    moved = {}
    for weight in (0.0, 20.0):
        settings = FineTuneSettings(epochs=40, batch_size=16, rehearsal_weight=weight, image_anchor_weight=0)
        tuned = fine_tune(encoder, (image, text), examples, empty, settings, rehearsal=rehearsal)
        now = functional.normalize(tuned.image(rehearsal.features), dim=1)
        moved[weight] = float((now - rehearsal.embeddings).norm(dim=1).mean())
    assert moved[20.0] < 0.7 * moved[0.0]

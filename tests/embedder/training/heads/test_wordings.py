"""Other wordings lie as far away as they are told to."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from embedder.training.heads.wordings import GENERIC_WORDS, MANY_TITLES, Wordings


def test_wordings_move_as_far_as_they_are_told() -> None:
    generator = torch.Generator().manual_seed(0)
    wordings = Wordings(torch.randn(500, 384, generator=generator) + 3, titles=10)
    features = torch.randn(400, 384, generator=generator)
    moved = wordings.move(features, 0.6, generator)
    assert torch.allclose(moved.norm(dim=1), features.norm(dim=1), rtol=1e-4)
    assert float(functional.cosine_similarity(moved, features).mean()) == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize(
    ("titles", "cosine"), [(0, 0.5), (MANY_TITLES - 1, 0.5), (MANY_TITLES, math.cos(math.radians(30)))]
)
def test_where_there_are_many_titles_captions_are_moved_half_as_far(titles: int, cosine: float) -> None:
    assert Wordings(torch.eye(3), titles).cosine(0.5) == pytest.approx(cosine)


def test_what_people_say_is_a_thousand_things() -> None:
    assert len(set(GENERIC_WORDS)) > 950

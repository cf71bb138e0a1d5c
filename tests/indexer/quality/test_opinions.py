"""What pictures say block by block is what they say all at once, and what a server would be told of each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from embedder.index_space import IndexSpace
from embedder.recognition.category_model import Heard
from embedder.recognition.neighbor_vote import Neighbors
from indexer.quality import opinions
from indexer.quality.nearest import nearest_products
from indexer.quality.opinions import judge_pictures
from tests.indexer.conftest import DIM, unfitted_model, unit_rows

CATEGORIES = ("a", "b", "c")


class Encoder(SimpleNamespace):
    space = IndexSpace(DIM)
    head: Any = None

    def semantic_texts(self, texts: list[str]) -> np.ndarray:
        return unit_rows(len(texts), seed=5)


@pytest.mark.parametrize("cells", [4_000_000, 21, 1])
def test_each_product_is_judged_by_the_others_whatever_the_block(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(opinions, "_MOST_CELLS", cells)
    vectors, labels = unit_rows(30).astype(np.float16), np.arange(30) % 4 - 1
    near = nearest_products(vectors, Encoder.space, np.arange(30), 6)
    asked = np.arange(30) % 5 - 2
    asked[asked < 0] = -1
    model = unfitted_model()
    found = judge_pictures(Encoder(), model, CATEGORIES, vectors, near, labels, asked)  # type: ignore[arg-type]
    names = unit_rows(3, seed=5)
    for place in range(30):
        vector = vectors[place : place + 1].astype(np.float32)
        others = near.places[place : place + 1]
        heard = Heard(None, Neighbors(labels[others], near.scores[place : place + 1]), vector @ names.T)
        (expected,) = model.judge(heard, 3).probabilities
        assert found.top[place] == expected.argmax()
        assert found.top_probability[place] == pytest.approx(expected.max(), abs=1e-5)
        for label, value in ((labels[place], found.own[place]), (asked[place], found.suggested[place])):
            assert (np.isnan(value) and label < 0) or value == pytest.approx(expected[label], abs=1e-5)

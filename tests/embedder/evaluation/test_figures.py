"""The figures are what their names say, computed by hand on a catalog small enough to see through."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.evaluation.embedding import Embedded
from embedder.evaluation.figures import category_probabilities, evaluate
from embedder.evaluation.per_query import per_query
from embedder.index_space import IndexSpace
from embedder.inputs.picture import PicturePixels
from embedder.recognition.head import CategoryHead

PICTURE = PicturePixels(np.zeros((2, 2), dtype=np.uint8))
DIRECTIONS = {"boot": 0, "bag": 1, "dress": 2, "hat": 3}


def vector(*parts: float) -> np.ndarray:
    values = np.zeros(4, dtype=np.float32)
    values[: len(parts)] = parts
    return values / np.linalg.norm(values)


class WordEncoder(SimpleNamespace):
    """Each text embeds to the direction of the word in it: what a real tower would do, with nothing left to chance."""

    space = IndexSpace(4)

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        rows = [next((DIRECTIONS[word] for word in DIRECTIONS if word in text), None) for text in texts]
        return np.stack([np.eye(4, dtype=np.float32)[row] if row is not None else vector(1, 1, 1, 1) for row in rows])


def product(name: str, category: str | None, title: str = "") -> Product:
    return Product(name, title, (ProductPicture(PICTURE),), category=category)


def head(*categories: str) -> CategoryHead:
    weight = np.eye(4, dtype=np.float32)[[DIRECTIONS[category] for category in categories]] * 4
    return CategoryHead(categories, weight, np.zeros(len(categories), np.float32), {"image": 1.0, "text": 1.0})


def figures_of(*arguments: object, **others: object) -> dict[str, float]:
    return evaluate(*arguments, **others).figures  # type: ignore[arg-type]


def test_classification_by_hand() -> None:
    # Truth: boot boot boot bag; told: boot boot bag bag.
    queries = Embedded(
        [product("1", "boot"), product("2", "boot"), product("3", "boot"), product("4", "bag")],
        np.stack([vector(1), vector(1), vector(0, 1), vector(0, 1)]),
    )
    figures = figures_of(WordEncoder(head=head("boot", "bag")), queries, Embedded([], np.empty((0, 4), np.float32)))
    assert figures["accuracy"] == pytest.approx(3 / 4)
    assert figures["precision"] == pytest.approx((1 + 1 / 2) / 2)
    assert figures["recall"] == pytest.approx((2 / 3 + 1) / 2)
    assert figures["f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    sure = np.exp(4) / (np.exp(4) + 1)
    assert figures["calibration_error"] == pytest.approx(abs(sure - 3 / 4), abs=1e-4)
    assert figures["brier_score"] == pytest.approx((3 * (1 - sure) ** 2 + sure**2) / 4, abs=1e-4)


def test_a_category_that_the_head_never_saw_is_always_missed() -> None:
    queries = Embedded([product("1", "boot"), product("2", "hat")], np.stack([vector(1), vector(0, 0, 0, 1)]))
    figures = figures_of(WordEncoder(head=head("boot", "bag")), queries, Embedded([], np.empty((0, 4), np.float32)))
    assert figures["accuracy"] == pytest.approx(1 / 2)
    assert figures["recall"] <= 1 / 2


def test_without_a_head_the_categories_names_decide() -> None:
    probabilities, categories = category_probabilities(
        WordEncoder(head=None), np.stack([vector(0, 1)]), ["bag", "boot"]
    )
    assert categories == ("bag", "boot")
    assert probabilities[0, 0] > 0.99


def test_text_to_image_by_hand() -> None:
    queries = Embedded(
        [product(str(n), None, title) for n, title in enumerate(["boot", "bag", "bag", "hat"])],
        # The hat looks like a dress, and the nearest to the word "hat" is a bag.
        np.stack([vector(1), vector(0, 1), vector(0, 1, 0, 0.5), vector(0, 0, 1, 0.1)]),
    )
    figures = figures_of(WordEncoder(head=None), queries, Embedded([], np.empty((0, 4), np.float32)))
    assert figures["text_to_image_recall_at_1"] == pytest.approx(2 / 3)
    assert figures["text_to_image_recall_at_10"] == 1.0


def test_image_to_image_by_hand() -> None:
    gallery = Embedded(
        [product(f"g{n}", category) for n, category in enumerate(["boot"] * 4 + ["bag"] * 16)],
        np.stack([vector(1, 0.01 * n) for n in range(4)] + [vector(0.01 * n, 1) for n in range(16)]),
    )
    queries = Embedded([product("a", "boot"), product("b", "hat")], np.stack([vector(1), vector(0, 1)]))
    figures = figures_of(WordEncoder(head=None), queries, gallery)
    assert figures["image_to_image_recall_at_1"] == pytest.approx(1 / 2)
    assert figures["image_to_image_recall_at_10"] == pytest.approx(1 / 2)
    # Of the ten nearest to the first query four are boots; the second finds no hat.
    assert figures["category_share_at_10"] == pytest.approx((4 / 10 + 0) / 2)


def test_a_querys_own_product_never_counts_as_found() -> None:
    same = [product("a", "boot"), product("b", "bag"), product("c", "bag")]
    embedded = Embedded(same, np.stack([vector(1), vector(0, 1), vector(0.1, 1)]))
    figures = figures_of(WordEncoder(head=None), embedded, embedded)
    assert figures["image_to_image_recall_at_1"] == pytest.approx(2 / 3)


def test_only_so_many_queries_search() -> None:
    gallery = Embedded([product("g", "boot"), product("h", "bag")], np.stack([vector(1), vector(0, 1)]))
    queries = Embedded([product("a", "boot"), product("b", "hat")], np.stack([vector(1), vector(1)]))
    assert figures_of(WordEncoder(head=None), queries, gallery, 1)["image_to_image_recall_at_1"] == 1.0
    assert figures_of(WordEncoder(head=None), queries, gallery, 2)["image_to_image_recall_at_1"] == 0.5


def test_figures_that_a_catalog_does_not_allow_are_absent() -> None:
    bare = Embedded([product("a", None), product("b", None)], np.stack([vector(1), vector(0, 1)]))
    assert figures_of(WordEncoder(head=None), bare, bare) == {}


def test_a_single_category_has_an_accuracy_only() -> None:
    one = Embedded([product("a", "boot"), product("b", "boot")], np.stack([vector(1), vector(0.9, 0.1)]))
    figures = figures_of(WordEncoder(head=None), one, one)
    assert figures["accuracy"] == 1.0
    assert "precision" not in figures


def test_titles_are_searched_among_all_products_too() -> None:
    """A training product without that title is nearer to the word than the test product that has it."""
    queries = Embedded(
        [product("a", None, "boot"), product("b", None, "bag")], np.stack([vector(1, 0.5), vector(0, 1)])
    )
    gallery = Embedded(
        [product("c", None, "boots for rain"), product("d", None, "bag")], np.stack([vector(1), vector(0, 1)])
    )
    figures = figures_of(WordEncoder(head=None), queries, gallery)
    assert figures["text_to_image_recall_at_1"] == 1.0
    assert figures["title_to_product_recall_at_1"] == pytest.approx(1 / 2)
    assert figures["title_to_product_recall_at_10"] == 1.0
    # Ten others push it out of the ten nearest; a product of that very title among them is as good.
    others = Embedded(
        [product(f"o{n}", None, "sole") for n in range(10)], np.stack([vector(1, 0.01 * n) for n in range(10)])
    )
    figures = figures_of(WordEncoder(head=None), queries, gallery, others=others)
    assert figures["title_to_product_recall_at_10"] == pytest.approx(1 / 2)
    assert figures["text_to_image_recall_at_10"] == 1.0
    same = Embedded([product("e", None, "boot")], np.stack([vector(1)]))
    nearest = Embedded([product("c", None, "bag")], np.stack([vector(0, 1)]))
    assert figures_of(WordEncoder(head=None), queries, nearest, others=same)["title_to_product_recall_at_1"] == 1.0


def test_each_query_is_kept_and_the_figures_are_their_means() -> None:
    gallery = Embedded(
        [product(f"g{n}", category) for n, category in enumerate(["boot"] * 4 + ["bag"] * 16)],
        np.stack([vector(1, 0.01 * n) for n in range(4)] + [vector(0.01 * n, 1) for n in range(16)]),
    )
    queries = Embedded(
        [product("a", "boot", "boot"), product("b", "hat", "bag"), product("c", None)],
        np.stack([vector(1), vector(0, 1), vector(0, 1)]),
    )
    found = evaluate(WordEncoder(head=head("boot", "bag")), queries, gallery)
    first, second, third = found.outcomes
    assert (first.product_id, first.truth, first.predicted, first.is_right) == ("a", "boot", "boot", True)
    assert (second.truth, second.predicted, second.is_right) == ("hat", "bag", False)
    # The third has no category: it is classified, and does not search.
    assert (third.truth, third.predicted, third.is_right, third.search) == (None, "bag", None, None)
    assert first.probability == pytest.approx(np.exp(4) / (np.exp(4) + 1), abs=1e-4)
    assert first.witnesses == {"head": "boot", "neighbors": "boot", "names": "boot"}
    assert first.search is not None
    assert (first.search.first, first.search.relevant, sum(first.search.right)) == (1, 4, 4)
    assert first.search.nearest[0] == "g0"
    assert second.search is not None
    assert (second.search.first, second.search.relevant) == (0, 0)
    assert [title.title for title in found.titles] == ["bag", "boot"]
    for name, figure in per_query(found.outcomes, found.titles, None).items():
        assert found.figures[name] == pytest.approx(figure.values.mean()), name
    assert found.figures["image_to_image_mrr"] == pytest.approx((1 + 0) / 2)
    assert found.figures["image_to_image_map_at_10"] == pytest.approx((1 + 0) / 2)


def test_without_labels_queries_search_and_are_classified_all_the_same() -> None:
    """By the names of the gallery's categories, and by the nearest products."""
    gallery = Embedded(
        [product("g", "boot"), product("h", "bag"), product("i", None)],
        np.stack([vector(1), vector(0, 1), vector(0, 1)]),
    )
    queries = Embedded([product("a", None), product("b", None)], np.stack([vector(1), vector(0, 1)]))
    found = evaluate(WordEncoder(head=None), queries, gallery)
    assert found.figures == {}
    assert [outcome.predicted for outcome in found.outcomes] == ["boot", "bag"]
    assert [outcome.witnesses for outcome in found.outcomes] == [
        {"neighbors": "boot", "names": "boot"},
        {"neighbors": "bag", "names": "bag"},
    ]
    assert found.outcomes[1].search is not None
    assert set(found.outcomes[1].search.nearest[:2]) == {"h", "i"}


def test_variants_are_one_group() -> None:
    variants = [
        Product(name, "", (ProductPicture(PICTURE),), category="boot", variant_group=group)
        for name, group in (("a", "g"), ("b", "g"), ("g", None))
    ]
    queries = Embedded(variants, np.stack([vector(1)] * 3))
    groups = [outcome.group for outcome in evaluate(WordEncoder(head=None), queries, queries).outcomes]
    assert groups[0] == groups[1] != groups[2]

"""Names help a head where they say something of the categories, and stay out of it where they do not."""

from __future__ import annotations

import numpy as np

from embedder.recognition.head import CategoryHead
from embedder.training.heads.names import with_names

CATEGORIES, DIM, EACH = 20, 32, 10


def unit(values: np.ndarray) -> np.ndarray:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def case(known: float, seed: int = 0) -> tuple[CategoryHead, np.ndarray, np.ndarray, np.ndarray]:
    """A head that knows its categories this well, the categories' true directions, pictures near these, labels."""
    rng = np.random.default_rng(seed)
    true = unit(rng.normal(size=(CATEGORIES, DIM)))
    labels = np.repeat(np.arange(CATEGORIES), EACH)
    pictures = unit(true[labels] + 0.25 * rng.normal(size=(len(labels), DIM)))
    weight = (8 * (known * true + (1 - known) * unit(rng.normal(size=true.shape)))).astype(np.float32)
    head = CategoryHead(
        tuple(map(str, range(CATEGORIES))), weight, np.zeros(CATEGORIES, np.float32), {"image": 1.0, "text": 1.0}
    )
    return head, true, pictures, labels


def accuracy(head: CategoryHead, pictures: np.ndarray, labels: np.ndarray) -> float:
    return float((head.probabilities(pictures, "image").argmax(axis=1) == labels).mean())


def test_a_head_that_saw_few_pictures_gains_by_the_names() -> None:
    head, names, pictures, labels = case(known=0.3)
    other = case(known=0.3)[2:]
    named = with_names(head, names, pictures, labels)
    assert accuracy(named, *other) > accuracy(head, *other) + 0.05


def test_names_that_say_nothing_are_left_out() -> None:
    head, names, pictures, labels = case(known=1.0)
    assert with_names(head, names[::-1].copy(), pictures, labels) is head


def test_without_held_out_pictures_a_head_stays_as_it_is() -> None:
    head, names, pictures, labels = case(known=0.3)
    assert with_names(head, names, pictures[:0], labels[:0]) is head

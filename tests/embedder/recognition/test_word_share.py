"""How much of a query's words a product has: rare words count, common ones hardly."""

from __future__ import annotations

import json
from math import isnan

import pytest

from embedder.recognition.word_share import MOST_COMMON, WordWeights, words_of

TITLES = [f"the red boot number{number}" for number in range(90)] + [
    f"the blue hat number{number}" for number in range(10)
]
WEIGHTS = WordWeights.of(TITLES)


def share(query: str, text: str) -> float:
    return WEIGHTS.shares(words_of(query), [words_of(text)])[0]


def test_words_are_lower_case_without_a_plurals_ending() -> None:
    assert words_of("Red BOOTS, ladies' glass_jars!") == {"red", "boot", "lady", "glass", "jar"}
    assert words_of("") == frozenset()
    assert words_of("bus gas is") == {"bus"[:3], "gas", "is"}


def test_all_of_the_words_is_one_and_none_is_nothing() -> None:
    assert share("blue hat", "A blue hat") == pytest.approx(1.0)
    assert share("blue hat", "green scarf") == 0.0


def test_a_common_word_in_common_proves_little() -> None:
    assert share("the unicorn", "the red boot") < 0.01
    assert share("red unicorn", "the red boot") < 0.1
    assert share("blue unicorn", "the blue hat") > share("red unicorn", "the red boot")


def test_a_rare_word_in_common_proves_much() -> None:
    assert share("the number7", "the red boot number7") > 0.95


def test_a_query_without_words_shares_neither_much_nor_little() -> None:
    assert isnan(share("?!", "the red boot"))


def test_a_query_of_words_that_are_everywhere_names_what_is_here() -> None:
    everywhere = WordWeights.of([f"acme boot {number}" for number in range(200)])
    assert everywhere.shares(words_of("acme boots"), [words_of("acme boot 7")])[0] == pytest.approx(1.0)
    assert everywhere.shares(words_of("boots"), [words_of("acme boot 7")])[0] == pytest.approx(1.0)


def test_other_scripts_have_words_too() -> None:
    assert share("赤い靴", "赤い靴 23") == pytest.approx(1.0)


def test_few_words_are_kept() -> None:
    assert len(WordWeights.of(f"w{number}" for number in range(5000)).common) == MOST_COMMON


def test_a_catalog_of_one_title() -> None:
    weights = WordWeights.of(["red boot"])
    assert weights.shares(words_of("red boot"), [words_of("red boot")])[0] == pytest.approx(1.0)
    assert weights.rare > 0


def test_it_survives_json() -> None:
    assert WordWeights.from_dict(json.loads(json.dumps(WEIGHTS.to_dict()))) == WEIGHTS


def test_weights_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="permitted"):
        WordWeights({}, 0.0)
    with pytest.raises(ValueError, match="permitted"):
        WordWeights({"a": -1.0}, 1.0)

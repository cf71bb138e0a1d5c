"""Words are found as customers write them: in any case, number and accent, and none of them is too common to count."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.words.bm25 import Bm25Words
from indexer.words.postings import WordPostings
from indexer.words.text_index import Bm25Settings, Language, TextIndex


def shared(language: Language, title: str, query: str) -> int:
    """How many words of a query a title has."""
    words = Bm25Words(Bm25Settings(language, 4.0))
    made, asked = words.title(title), words.query(query)
    return len(set(made.indices if made else ()) & set(asked.indices if asked else ()))


@pytest.mark.parametrize(
    ("language", "title", "query", "expected"),
    [
        ("english", "Red Boxes", "a red box", 2),
        ("english", "The Can", "the can", 2),
        ("english", "café chair", "CAFE CHAIRS", 2),
        ("english", "SKU-123/45", "sku 123 45", 3),
        ("german", "Rote Stiefel", "roter stiefel", 2),
        ("none", "boots", "boot", 0),
        ("multilingual", "赤い靴", "靴", 1),
        ("english", "赤い靴", "靴", 0),
        ("english", "x" * 300, "x" * 300, 0),
    ],
)
def test_words_of_a_title_and_a_query_are_compared(language: Language, title: str, query: str, expected: int) -> None:
    assert shared(language, title, query) == expected


@pytest.mark.parametrize("text", ["", "   ", "!?", "\n\t"])
def test_a_text_without_words_has_no_vector(text: str) -> None:
    words = Bm25Words(Bm25Settings())
    assert words.title(text) is None
    assert words.query(text) is None


def test_every_language_can_be_chosen() -> None:
    for language in Language.__args__:  # type: ignore[attr-defined]
        assert Bm25Words(Bm25Settings(language)).query("box") is not None


@pytest.mark.parametrize("bad", [{"language": "klingon"}, {"average_length": 0.0}, {"k": -1.0}, {"b": 1.5}])
def test_settings_outside_their_range_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"permitted"):
        Bm25Settings(**bad)  # type: ignore[arg-type]


def test_what_a_manifest_says_of_titles_is_read_again() -> None:
    texts = TextIndex(384, Bm25Settings("french", 3.5), {"image": 1.0, "words": 2.0}, 40, {"image": 0.25})
    assert TextIndex.from_dict(texts.to_dict()) == texts
    assert TextIndex.from_dict(TextIndex().to_dict()) == TextIndex()


def test_rare_words_count_for_more() -> None:
    words = Bm25Words(Bm25Settings("english", 2.0))
    titles = ["red box", "red boot", "red hat", "", "blue hat"]
    scores = WordPostings([words.title(title) for title in titles]).scores(words.query("red hat"))
    assert scores[3] == 0
    assert np.argsort(-scores).tolist()[0] == 2
    assert scores[4] > scores[0] == scores[1] > 0


def test_a_query_without_words_finds_nothing() -> None:
    words = Bm25Words(Bm25Settings())
    assert not WordPostings([words.title("red box"), None]).scores(None).any()

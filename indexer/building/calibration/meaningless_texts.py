"""Texts that no catalog sells anything by: keys struck at random, and sentences about other things.

They show, when an index is built, how texts look that find nothing there. Sentences are put together from lists, by a
seed.
"""

from __future__ import annotations

import random
import string

_SUBJECTS = (
    "the committee", "our landlord", "her lawyer", "the weather", "this theorem", "the parliament", "my appointment",
    "the second paragraph", "their marriage", "the interest rate", "a rumour", "the software update", "his opinion",
    "the referee", "an invoice", "the password", "the election", "your application", "inflation", "the meeting",
)  # fmt: skip
_VERBS = (
    "was postponed until", "will be discussed", "has not changed since", "surprised everyone", "ended in", "depends on",
    "was rejected because of", "should arrive before", "contradicts", "had little to do with", "cannot explain",
    "was forgotten after", "improved during", "is due", "was blamed for",
)  # fmt: skip
_ENDS = (
    "next Tuesday", "the end of the quarter", "a lack of evidence", "the new regulation", "last year's results",
    "an unexpected delay", "the terms of the contract", "a misunderstanding", "the general assembly", "public opinion",
    "the average temperature", "a compiler error", "the statute of limitations", "higher taxes", "the final minute",
)  # fmt: skip
_QUESTIONS = (
    "how do I reset my password", "what time is it in Tokyo", "why is my order late", "who won the match yesterday",
    "can you translate this for me", "what is the square root of two", "when does the train leave", "tell me a joke",
    "is it going to rain tomorrow", "how old is the universe",
)  # fmt: skip


def meaningless_texts(count: int, seed: int = 0) -> list[str]:
    """So many texts, half of them of random letters, half of them sentences and questions."""
    rng = random.Random(f"meaningless {seed}")  # noqa: S311
    return [_letters(rng) if number % 2 else _sentence(rng) for number in range(count)]


def _letters(rng: random.Random) -> str:
    alphabet = string.ascii_lowercase if rng.random() < 0.8 else string.ascii_lowercase + string.digits
    return " ".join("".join(rng.choices(alphabet, k=rng.randint(2, 10))) for _ in range(rng.randint(1, 4)))


def _sentence(rng: random.Random) -> str:
    if rng.random() < 0.1:
        return rng.choice(_QUESTIONS)
    return f"{rng.choice(_SUBJECTS)} {rng.choice(_VERBS)} {rng.choice(_ENDS)}"

"""Texts to token batches, without torch or transformers.

The `tokenizers` library does the work from the bundle's `tokenizer.json`; cleaning follows `open_clip.tokenizer`.
"""

from __future__ import annotations

import html
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import ftfy
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from embedder.errors import TextEmpty, TextTooLong

Cleaning = Literal["whitespace", "lower", "canonicalize"]

MAX_TEXT_CHARS = 4096


@dataclass(frozen=True, slots=True)
class TextSettings:
    """What the text tower expects.

    Attributes:
        context_length: longest input, tokens, special ones included.
        pad_id: id that fills shorter rows.
        dynamic_length: whether a batch may be as short as its longest text (towers that mask padding), which makes
            short texts several times cheaper; otherwise every row has `context_length` tokens.
        cleaning: open_clip's text cleaning.
    """

    context_length: int
    pad_id: int
    dynamic_length: bool
    cleaning: Cleaning

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Texts as the tower takes them.

    Attributes:
        ids: int64 (n, t).
        truncated: per text, whether it was longer than the context and lost its end.
    """

    ids: npt.NDArray[np.int64]
    truncated: tuple[bool, ...]


class TextTokenizer:
    """Tokenizes as the model was trained with."""

    def __init__(self, path: Path, settings: TextSettings) -> None:
        """Load `tokenizer.json` at `path`."""
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(settings.context_length)
        self._settings = settings
        self._clean = _CLEANERS[settings.cleaning]

    def tokenize(self, texts: Sequence[str]) -> TokenBatch:
        """Tokenize n texts; n may be 0."""
        cleaned = [self._clean(text) for text in texts]
        # A batch goes through a thread pool, whose wake-up takes longer than one text.
        one = len(cleaned) == 1
        encodings = [self._tokenizer.encode(cleaned[0])] if one else self._tokenizer.encode_batch(cleaned)
        longest = max((len(encoding.ids) for encoding in encodings), default=1)
        width = longest if self._settings.dynamic_length else self._settings.context_length
        ids = np.full((len(texts), width), self._settings.pad_id, dtype=np.int64)
        for row, encoding in zip(ids, encodings, strict=True):
            row[: len(encoding.ids)] = encoding.ids
        return TokenBatch(ids, tuple(bool(encoding.overflowing) for encoding in encodings))


def check_text(text: str, max_chars: int = MAX_TEXT_CHARS) -> None:
    """Refuse what cannot be a query.

    Raises:
        TextEmpty: nothing but white space and control characters.
        TextTooLong: more than `max_chars` characters.
    """
    if len(text) > max_chars:
        raise TextTooLong(f"text of {len(text):,} characters; permitted: 1 to {max_chars:,}; send a shorter one")
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise TextEmpty(f"text {text[:20]!r} has no visible characters; permitted: 1 to {max_chars:,} characters")


def _unescape(text: str) -> str:
    # Most queries: nothing in them to repair or unescape.
    if text.isascii() and text.isprintable() and "&" not in text:
        return text.strip()
    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def _whitespace(text: str) -> str:
    return " ".join(_unescape(text).split()).strip()


def _lower(text: str) -> str:
    return _whitespace(text).lower()


_PUNCTUATION = str.maketrans("", "", string.punctuation)


def _canonicalize(text: str) -> str:
    plain = _unescape(text).replace("_", " ").translate(_PUNCTUATION).lower()
    return re.sub(r"\s+", " ", plain).strip()


_CLEANERS: dict[Cleaning, Callable[[str], str]] = {
    "whitespace": _whitespace,
    "lower": _lower,
    "canonicalize": _canonicalize,
}

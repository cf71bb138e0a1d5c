"""open_clip's byte pairs become a tokenizer of the `tokenizers` library; other kinds are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from open_clip.tokenizer import SimpleTokenizer
from tokenizers import Tokenizer

from embedder.errors import ModelError
from embedder.towers.byte_pairs import byte_pair_tokenizer


def test_saved_and_loaded_it_tokenizes_as_open_clip_does(tmp_path: Path) -> None:
    simple = SimpleTokenizer(context_length=77)
    byte_pair_tokenizer(simple).save(str(tmp_path / "tokenizer.json"))
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in ("ankle boot", "women's dress, 100% cotton!", "café 42", "靴"):
        ids = simple([text])[0].tolist()
        assert loaded.encode(text).ids == ids[: ids.index(49407) + 1]


def test_another_kind_of_tokenizer_is_refused() -> None:
    with pytest.raises(ModelError, match="tokenizer SentencePiece is not supported; permitted: byte pairs"):
        byte_pair_tokenizer(type("SentencePiece", (), {})())

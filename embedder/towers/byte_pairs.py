"""open_clip's own byte-pair tokenizer, in the form of the `tokenizers` library.

So a bundle of any CLIP carries a `tokenizer.json` that serving reads without open_clip; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

from embedder.errors import ModelError


def byte_pair_tokenizer(simple: Any) -> Tokenizer:
    """Build the equivalent of an `open_clip.tokenizer.SimpleTokenizer` (cleaning not included).

    Raises:
        ModelError: another kind of tokenizer.
    """
    if not hasattr(simple, "bpe_ranks"):
        raise ModelError(f"tokenizer {type(simple).__name__} is not supported; permitted: byte pairs, Hugging Face")
    start, end = (simple.decoder[token] for token in simple.all_special_ids[:2])
    tokenizer = Tokenizer(
        models.BPE(
            vocab=dict(simple.encoder),
            merges=[tuple(pair) for pair in simple.bpe_ranks],
            end_of_word_suffix="</w>",
        )
    )
    # The model lowers its texts first, so the pattern need not ignore case.
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(start, simple.encoder[start]), (end, simple.encoder[end])],
    )
    return tokenizer

"""Texts become the tokens that open_clip would make of them; long ones are cut and say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip.tokenizer import HFTokenizer

from embedder import bundle
from embedder.errors import TextEmpty, TextTooLong
from embedder.inputs.text import TextSettings, TextTokenizer, check_text
from embedder.towers.starter import TEXT_FOLDER, TEXT_WHEEL, _wheel_path

TEXTS = [
    "ankle boot",
    "  Ankle\tBOOT\n\n size 42 ",
    "women's dress, it's 100% cotton",
    "café crème – naïve Übergröße",
    "&lt;b&gt;bag&lt;/b&gt; &amp;amp; shoes",
    "schÃ¶n",
    "靴 красные туфли حذاء",
    "👟👠 shoes!!! ???",
    "a_b_c-d.e/f\\g",
    "a" * 300,
    "word " * 200,
    "x",
    "'s 't 're",
    "1234567890 12,50 €",
    "zero\u200bwidth\ufeff",
]


@pytest.fixture(scope="module")
def starter_pair(starter_bundle: Path) -> tuple[TextTokenizer, HFTokenizer]:
    """Ours and open_clip's, for the starter."""
    settings = bundle.load_info(starter_bundle).text
    ours = TextTokenizer(starter_bundle / bundle.TOKENIZER_FILE, settings)
    return ours, HFTokenizer(str(_wheel_path(TEXT_WHEEL, TEXT_FOLDER)), context_length=settings.context_length)


@pytest.fixture(scope="module")
def clip_pair(tiny_clip: Path, tiny_bundle: Path):
    """Ours and open_clip's, for a CLIP of open_clip's own kind."""
    ours = TextTokenizer(tiny_bundle / bundle.TOKENIZER_FILE, bundle.load_info(tiny_bundle).text)
    return ours, open_clip.get_tokenizer(f"local-dir:{tiny_clip}")


def assert_same_tokens(ours: TextTokenizer, theirs, texts: list[str]) -> None:
    expected = theirs(texts).numpy()
    actual = ours.tokenize(texts).ids
    width = actual.shape[1]
    assert np.array_equal(actual, expected[:, :width])
    assert (expected[:, width:] == 0).all()


def test_the_starters_tokens_are_open_clips(starter_pair) -> None:
    assert_same_tokens(*starter_pair, TEXTS)


def test_a_clips_tokens_are_open_clips(clip_pair) -> None:
    assert_same_tokens(*clip_pair, TEXTS)


# Letters that came with the latest Unicode versions are known to one regular-expression engine before the other.
LONG_KNOWN = st.characters(max_codepoint=0x1FFFF, exclude_categories=("Cn", "Co", "Cs"))


@settings(max_examples=150, deadline=None)
@given(text=st.text(LONG_KNOWN, min_size=1, max_size=40))
def test_any_text_gives_open_clips_tokens(clip_pair, starter_pair, text: str) -> None:
    assert_same_tokens(*clip_pair, [text])
    assert_same_tokens(*starter_pair, [text])


def test_one_text_alone_has_the_tokens_that_it_has_in_company(starter_pair) -> None:
    ours, _ = starter_pair
    together = ours.tokenize(TEXTS).ids
    for row, text in enumerate(TEXTS):
        alone = ours.tokenize([text]).ids[0]
        assert np.array_equal(together[row, : len(alone)], alone)
        assert (together[row, len(alone) :] == 0).all()


def test_a_batch_is_as_wide_as_its_longest_text_only_where_the_tower_masks_padding(starter_pair, clip_pair) -> None:
    assert starter_pair[0].tokenize(["boot"]).ids.shape == (1, 3)
    assert clip_pair[0].tokenize(["boot"]).ids.shape == (1, 24)


def test_what_is_longer_than_the_context_is_cut_and_said(starter_pair) -> None:
    batch = starter_pair[0].tokenize(["short", "word " * 500])
    assert batch.truncated == (False, True)
    assert batch.ids.shape == (2, 128)


def test_what_just_fits_is_not_cut(starter_pair) -> None:
    assert starter_pair[0].tokenize(["word " * 126]).truncated == (False,)
    assert starter_pair[0].tokenize(["word " * 127]).truncated == (True,)


def test_no_texts_are_no_rows(starter_pair) -> None:
    assert len(starter_pair[0].tokenize([]).ids) == 0


@pytest.mark.parametrize(
    ("cleaning", "text", "same_as"),
    [
        ("lower", "Ankle  BOOT", "ankle boot"),
        ("whitespace", " a \n b ", "a b"),
        ("canonicalize", "A_b, c!", "a b c"),
        ("lower", "&amp;amp;", "&"),
    ],
)
def test_cleaning(tiny_bundle: Path, cleaning: str, text: str, same_as: str) -> None:
    settings = TextSettings(context_length=24, pad_id=0, dynamic_length=False, cleaning=cleaning)
    tokenizer = TextTokenizer(tiny_bundle / bundle.TOKENIZER_FILE, settings)
    assert np.array_equal(tokenizer.tokenize([text]).ids, tokenizer.tokenize([same_as]).ids)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\0\x01", "\u200b"])
def test_a_text_without_visible_characters_is_refused(text: str) -> None:
    with pytest.raises(TextEmpty, match="permitted: 1 to 4,096 characters"):
        check_text(text)


def test_a_text_of_too_many_characters_is_refused() -> None:
    check_text("x" * 4096)
    with pytest.raises(TextTooLong, match="4,097 characters; permitted: 1 to 4,096"):
        check_text("x" * 4097)

"""An operator's queries: a line each; what is no query is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedder.inputs.picture import PictureFile
from indexer.errors import BuildError
from indexer.shadow.query_file import MOST, read_queries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "photo.jpg").write_bytes(b"any")
    return tmp_path / "queries.jsonl"


def test_texts_and_pictures_with_what_is_right(path: Path) -> None:
    path.write_text(
        '{"text": " rote Stiefel ", "expected": ["a", "b"]}\n\n{"image": "photo.jpg", "expected": "c"}\n', "utf-8"
    )
    text, picture = read_queries(path)
    assert (text.kind, text.text, text.expected) == ("text", "rote Stiefel", {"a", "b"})
    assert (picture.kind, picture.picture, picture.expected) == ("image", PictureFile(path.parent / "photo.jpg"), {"c"})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "line 2"),
        ("[]", "line 2"),
        ('{"text": 5}', "text 5"),
        ('{"title": "boots"}', "title"),
        ("{}", "either a text of 1 to 4,096 characters or an image"),
        ('{"text": "  "}', "either a text of 1 to 4,096 characters or an image"),
        ('{"text": "boots", "image": "photo.jpg"}', "either a text"),
        ('{"text": "' + "x" * 4097 + '"}', "either a text of 1 to 4,096 characters"),
        ('{"image": "nowhere.jpg"}', "there is no picture"),
        ('{"text": "boots", "expected": 7}', "expected 7"),
    ],
)
def test_a_line_that_is_no_query_is_named(path: Path, line: str, said: str) -> None:
    path.write_text('{"text": "boots"}\n' + line + "\n", "utf-8")
    with pytest.raises(BuildError, match="line 2") as caught:
        read_queries(path)
    assert said in str(caught.value)
    assert "permitted" in str(caught.value)
    assert len(str(caught.value)) < 6000


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe", b'{"text": "a"}\n' * (MOST + 1)])
def test_a_file_that_holds_none_or_too_many_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(BuildError, match="next step"):
        read_queries(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"nowhere\.jsonl cannot be read"):
        read_queries(tmp_path / "nowhere.jsonl")

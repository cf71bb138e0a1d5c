"""What was encoded a moment ago is not encoded again."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from server.search.encode import PartEncoder
from server.search.encoded_part import EncodedPart
from server.search.query import PictureQuery, ProductQuery, Query, TextQuery
from server.search.query_cache import QueryCache
from server.settings import ServerSettings
from tests.conftest import draw_product
from tests.server.conftest import Served


def drawn(color: str = "red", seed: int = 9000) -> bytes:
    buffer = io.BytesIO()
    draw_product("ellipse", color, seed).save(buffer, "PNG")
    return buffer.getvalue()


class Counting:
    """An encoder that counts what goes through its towers."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self.texts = self.pictures = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def run_tokens(self, batch: Any) -> Any:
        self.texts += len(batch.truncated)
        return self._encoder.run_tokens(batch)

    def run_pixels(self, pixels: Any) -> Any:
        self.pictures += len(pixels)
        return self._encoder.run_pixels(pixels)


def parts_of(served: Served, **settings: Any) -> tuple[PartEncoder, Counting]:
    counting = Counting(served.catalog.encoder)
    encoder: Any = counting
    return PartEncoder(encoder, served.catalog.reader.fetch, ServerSettings(**settings)), counting


def assert_same(one: EncodedPart, other: EncodedPart) -> None:
    for name in ("vector", "semantic", "indexed"):
        before, after = getattr(one, name), getattr(other, name)
        assert (before is None) == (after is None)
        assert before is None or np.array_equal(before, after), name
    assert (one.scale, one.modality, one.text, one.warnings) == (
        other.scale,
        other.modality,
        other.text,
        other.warnings,
    )
    assert (one.seen is None) == (other.seen is None)
    if one.seen is not None and other.seen is not None:
        assert np.array_equal(one.seen.colors, other.seen.colors)
        assert np.array_equal(one.seen.semantic, other.seen.semantic)
    assert list(one.timings_us) == list(other.timings_us)


@pytest.mark.parametrize("query", [TextQuery("red ball"), PictureQuery(drawn()), TextQuery("word " * 400)])
def test_the_same_again_is_the_same_and_does_not_go_through_a_tower(served: Served, query: Query) -> None:
    parts, counting = parts_of(served)
    first = parts.encode(query, "parts[0]")
    assert_same(parts.encode(query, "parts[0]"), first)
    assert counting.texts + counting.pictures == 1


def test_a_warning_names_the_field_of_the_request_that_it_is_of(served: Served) -> None:
    parts, _ = parts_of(served)
    long = TextQuery("word " * 400)
    fields = [parts.encode(long, field).warnings[0].field for field in ("parts[0]", "parts[3]", "")]
    assert fields == ["parts[0].text", "parts[3].text", "text"]


def test_of_a_batch_only_what_is_new_is_encoded(served: Served) -> None:
    parts, counting = parts_of(served)
    asked: list[tuple[Query, str]] = [
        (TextQuery("ball"), "a"), (PictureQuery(drawn()), "b"), (TextQuery("box"), "c"), (ProductQuery("p-0000"), "d"),
    ]  # fmt: skip
    parts.encode(TextQuery("box"), "c")
    first = parts.encode_many(asked)
    assert (counting.texts, counting.pictures) == (2, 1)
    again = parts.encode_many([*reversed(asked)])
    assert (counting.texts, counting.pictures) == (2, 1)
    for one, other in zip(first, reversed(again), strict=True):
        assert isinstance(one, EncodedPart)
        assert isinstance(other, EncodedPart)
        assert_same(one, other)


def test_what_cannot_be_read_is_refused_each_time(served: Served) -> None:
    parts, counting = parts_of(served)
    for _ in range(2):
        found = parts.encode_many([(TextQuery(" "), "a"), (PictureQuery(b"no picture"), "b")])
        assert all(isinstance(item, Exception) for item in found)
    assert counting.texts + counting.pictures == 0


def test_without_room_everything_is_encoded_anew(served: Served) -> None:
    parts, counting = parts_of(served, query_cache_mb=0)
    for _ in range(3):
        parts.encode(TextQuery("ball"), "a")
    assert counting.texts == 3


def test_it_keeps_to_its_size_and_drops_what_was_not_asked_for_the_longest(served: Served) -> None:
    part = served.catalog.parts.encode(TextQuery("ball"), "a")
    size = part.nbytes + 1_000
    cache = QueryCache(3 * size)
    for number in range(3):
        cache.keep(TextQuery(str(number)), part)
    assert cache.find(TextQuery("0"), "a")
    cache.keep(TextQuery("3"), part)
    held = [number for number in range(4) if cache.find(TextQuery(str(number)), "a")]
    assert held == [0, 2, 3]
    small = QueryCache(size - 1)
    small.keep(TextQuery("0"), part)
    assert small.find(TextQuery("0"), "a") is None


def test_a_kept_row_does_not_hold_on_to_its_batch(served: Served) -> None:
    cache = QueryCache(1 << 20)
    rows = np.zeros((1000, 8), dtype=np.float32)
    cache.keep(TextQuery("a"), EncodedPart(rows[3], 1.0, rows[3], "text", {"encode": 1}))
    found = cache.find(TextQuery("a"), "x")
    assert found is not None
    assert found.vector.base is None


def test_a_text_and_a_picture_of_the_same_bytes_are_not_the_same(served: Served) -> None:
    cache = QueryCache(1 << 20)
    part = served.catalog.parts.encode(TextQuery("ball"), "a")
    cache.keep(TextQuery("ball"), part)
    assert cache.find(PictureQuery(b"ball"), "a") is None


def test_a_search_is_the_same_the_second_time(served: Served) -> None:
    image = drawn("blue", 9009)
    first, second = (served.client.search(image=image, top_k=20) for _ in range(2))
    assert list(first) == list(second)
    assert (first.category, first.attributes) == (second.category, second.attributes)
    assert list(first.timings_us) == list(second.timings_us)
    assert second.timings_us["encode"] == 0

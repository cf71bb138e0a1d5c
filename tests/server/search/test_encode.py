"""A part of a query becomes a vector without a searcher: what other rpcs than Search begin with too."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from embedder.encoder import Encoder
from embedder.inputs.picture import PictureBytes
from embedder.inputs.pixels import PixelReader
from server.errors import DeadlineExpired, DecodeMemoryFull, InvalidRequest, ResourceMissing
from server.search.encode import PartEncoder
from server.search.query import PictureQuery, ProductQuery, Query, TextQuery, VectorQuery
from server.settings import ServerSettings
from tests.conftest import draw_product
from tests.server.conftest import DIM, Served


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


BALL = draw_product("ellipse", "red", 9000)
FRAMES = encoded(BALL, "GIF", save_all=True, append_images=[draw_product("ellipse", "red", 9001)])


@pytest.fixture
def encoder(served: Served) -> Encoder:
    return served.catalog.encoder


@pytest.fixture
def parts(served: Served, encoder: Encoder) -> PartEncoder:
    return PartEncoder(encoder, served.catalog.reader.fetch, ServerSettings(query_cache_mb=0))


def test_each_kind_of_part_becomes_what_the_index_is_searched_with(
    served: Served, parts: PartEncoder, encoder: Encoder
) -> None:
    stored = served.catalog.reader.fetch("p-0000")
    assert stored is not None
    expected: list[tuple[Query, str, np.ndarray, list[str]]] = [
        (TextQuery("red ball"), "text", encoder.encode_texts(["red ball"])[0], ["decode", "encode"]),
        (PictureQuery(encoded(BALL)), "image", encoder.encode_images([BALL])[0], ["decode", "encode"]),
        (ProductQuery("p-0000"), "image", stored.direction, ["decode"]),
        (VectorQuery(stored.direction), "image", stored.direction, []),
    ]
    for query, modality, vector, stages in expected:
        part = parts.encode(query, "query")
        found = encoder.text_queries([query.text])[0] if isinstance(query, TextQuery) else encoder.space.query(vector)
        assert np.allclose(part.vector, found.vector, atol=1e-5), query
        assert part.scale == pytest.approx(found.scale, abs=1e-5)
        assert (part.modality, list(part.timings_us), part.warnings) == (modality, stages, ())


@pytest.mark.parametrize(("kind", "orientation"), [("PNG", 1), ("JPEG", 1), ("JPEG", 6)])
def test_a_large_picture_is_the_same_vector_to_a_query_and_to_a_build(
    parts: PartEncoder, encoder: Encoder, kind: str, orientation: int
) -> None:
    """Also where it is decoded at a reduced scale that its sides are no multiples of, or scaled in two steps."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(draw_product("ellipse", "red", 9000, side=1203).resize((1203, 1101)), kind, exif=exif)
    (built,) = encoder.embed_pixels(PixelReader(encoder.preprocessing).read(PictureBytes(data)).values[None])
    asked = parts.encode(PictureQuery(data), "q").indexed
    assert asked is not None
    assert np.allclose(asked, built, atol=1e-6)


def test_the_head_sees_the_whole_semantic_embedding(parts: PartEncoder, encoder: Encoder) -> None:
    """Of a picture or a text all of it; of a vector of the index as much as the index keeps."""
    pixels = encoder.preprocess([BALL])
    whole = encoder.run_pixels(pixels).embeddings[0]
    words = encoder.run_tokens(encoder.tokenize(["red ball"])).embeddings[0]
    assert np.allclose(parts.encode(PictureQuery(encoded(BALL)), "q").semantic, whole, atol=1e-5)
    assert np.allclose(parts.encode(TextQuery("red ball"), "q").semantic, words, atol=1e-5)
    vector = encoder.embed_pixels(pixels)[0]
    kept = parts.encode(VectorQuery(vector), "q").semantic
    assert kept.shape == whole.shape == (encoder.info.semantic_dim,)
    assert float(kept @ whole) > 0.9
    assert np.linalg.norm(kept) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("query", "reason", "below"),
    [
        (TextQuery(" "), "TEXT_EMPTY", ".text"),
        (PictureQuery(b"no picture"), "IMAGE_UNREADABLE", ".image.data"),
        (ProductQuery(""), "PRODUCT_ID_EMPTY", ".product_id"),
        (ProductQuery("nope"), "PRODUCT_NOT_FOUND", ".product_id"),
        (VectorQuery(np.zeros(DIM, dtype=np.float32)), "VECTOR_ZERO", ".vector.values"),
    ],
)
@pytest.mark.parametrize("field", ["parts[0]", "queries[7].parts[2]", "input"])
def test_a_fault_is_reported_below_the_field_that_the_caller_names(
    parts: PartEncoder, query: Query, reason: str, below: str, field: str
) -> None:
    with pytest.raises((InvalidRequest, ResourceMissing)) as caught:
        parts.encode(query, field)
    assert (caught.value.reason, caught.value.field) == (reason, field + below)


def test_warnings_name_the_field_too(parts: PartEncoder) -> None:
    long = parts.encode(TextQuery("a red ball " * 300), "a").warnings
    animated = parts.encode(PictureQuery(FRAMES), "b").warnings
    scaled = parts.encode(VectorQuery(np.full(DIM, 2.0, dtype=np.float32)), "c").warnings
    assert [(item.code, item.field) for item in (*long, *animated, *scaled)] == [
        ("TEXT_TRUNCATED", "a.text"),
        ("ANIMATION_FIRST_FRAME", "b.image.data"),
        ("VECTOR_NORMALIZED", "c.vector.values"),
    ]


@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e-20, 1e20, 1e36])
def test_a_vector_of_any_length_but_zero_has_a_direction(parts: PartEncoder, scale: float) -> None:
    values = np.zeros(DIM, dtype=np.float32)
    values[:2] = np.float32(scale) * np.float32([3, 4])
    part = parts.encode(VectorQuery(values), "v")
    assert np.linalg.norm(part.vector) == pytest.approx(1.0, abs=1e-6)
    assert part.vector[1] > part.vector[0] > 0
    assert [(item.code, "inf" in item.text, " 0 " in item.text) for item in part.warnings] == [
        ("VECTOR_NORMALIZED", False, False)
    ]


def test_a_caller_who_leaves_while_a_picture_is_decoded_costs_neither_scaling_nor_encoding(
    parts: PartEncoder, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    for name in ("preprocess", "run_pixels"):
        monkeypatch.setattr(encoder, name, lambda *_, name=name: done.append(name))

    def check_alive() -> None:
        raise DeadlineExpired("the caller cancelled")

    with pytest.raises(DeadlineExpired):
        parts.encode(PictureQuery(encoded(BALL)), "parts[0]", check_alive)
    assert done == []
    assert parts.decode_memory.used_bytes == 0


def test_pictures_are_decoded_within_the_servers_bound(served: Served, encoder: Encoder) -> None:
    settings = ServerSettings(max_decode_bytes=1 << 20, decode_wait_s=0)
    parts = PartEncoder(encoder, served.catalog.reader.fetch, settings)
    with parts.decode_memory.reservation(lambda: None) as take:
        take(1 << 20)
        with pytest.raises(DecodeMemoryFull):
            parts.encode(PictureQuery(encoded(BALL)), "parts[0]")
        assert parts.encode(TextQuery("ball"), "parts[0]").modality == "text"
    assert parts.encode(PictureQuery(encoded(BALL)), "parts[0]").modality == "image"
    with pytest.raises(InvalidRequest) as caught:
        parts.encode(PictureQuery(encoded(Image.new("RGB", (600, 600)))), "parts[0]")
    assert caught.value.reason == "IMAGE_TOO_MANY_PIXELS"

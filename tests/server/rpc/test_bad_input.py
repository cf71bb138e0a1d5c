"""Requests that break the contract: a clear status with field, value and permitted range, and a server that lives on."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import grpc
import pytest
from merchlens.v1 import query_pb2, search_service_pb2
from PIL import Image

from tests.conftest import draw_product
from tests.server.conftest import DIM, Served, unpacked


@pytest.fixture(autouse=True)
def _the_server_lives_on(served: Served) -> Iterator[None]:
    yield
    assert len(served.client.search(text="ball", top_k=3)) == 3


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header_only(width: int, height: int) -> bytes:
    """A PNG whose pixels are promised and never come."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def claiming(width: int, height: int, **options) -> bytes:
    """A JPEG of 64 x 48 pixels whose header claims another size."""
    data = bytearray(encoded(draw_product("ellipse", "red", 1).resize((64, 48)), "JPEG", **options))
    position = 2
    while data[position + 1] not in (0xC0, 0xC2):
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    data[position + 5 : position + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def bomb(width: int, height: int) -> bytes:
    """A whole PNG of black pixels, 1 bit each, in a thousandth of their bytes."""
    compressor = zlib.compressobj(9)
    row = b"\0" * (-(-width // 8) + 1)
    body = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def image_part(data: bytes) -> query_pb2.QueryPart:
    return query_pb2.QueryPart(image=query_pb2.Image(data=data))


def vector_part(values: list[float]) -> query_pb2.QueryPart:
    return query_pb2.QueryPart(vector=query_pb2.Vector(values=values))


TEXT = query_pb2.QueryPart(text="ball")
WHOLE = encoded(draw_product("ellipse", "red", 1))
JPEG = encoded(draw_product("ellipse", "red", 1), "JPEG")

BAD = {
    "no query": ([], {}, "QUERY_PARTS", "parts", "1 to 16"),
    "17 parts": ([TEXT] * 17, {}, "QUERY_PARTS", "parts", "1 to 16"),
    "a bad second part": ([TEXT, image_part(b"no")], {}, "IMAGE_UNREADABLE", "parts[1].image.data", "JPEG, PNG"),
    "a weight over 10": ([TEXT, query_pb2.QueryPart(text="box", weight=10.001)], {}, "PART_WEIGHT", "parts[1].weight", "-10 to 10"),
    "a weight below -10": ([TEXT, query_pb2.QueryPart(text="box", weight=-10.001)], {}, "PART_WEIGHT", "parts[1].weight", "-10 to 10"),
    "a weight that is no number": ([query_pb2.QueryPart(text="box", weight=float("nan"))], {}, "PART_WEIGHT", "parts[0].weight", "-10 to 10"),
    "nothing to look for": (
        [query_pb2.QueryPart(text="box", weight=-1), query_pb2.QueryPart(text="ball", weight=-2)],
        {}, "PART_WEIGHT", "parts", "at least one",
    ),
    "parts that cancel out": (
        [query_pb2.QueryPart(text="box", weight=2), query_pb2.QueryPart(text="box", weight=-2)],
        {}, "QUERY_CANCELS_OUT", "parts", "differ",
    ),
    "an empty part": ([query_pb2.QueryPart()], {}, "QUERY_EMPTY", "parts[0]", "text, image"),
    "an image without a source": ([query_pb2.QueryPart(image=query_pb2.Image())], {}, "IMAGE_EMPTY", "parts[0].image", "data"),
    "not an image": ([image_part(b"<html>no</html>")], {}, "IMAGE_UNREADABLE", "parts[0].image.data", "JPEG, PNG"),
    "a truncated PNG": ([image_part(WHOLE[: len(WHOLE) // 2])], {}, "IMAGE_UNREADABLE", "parts[0].image.data", "one whole"),
    "a truncated JPEG": ([image_part(JPEG[: len(JPEG) // 2])], {}, "IMAGE_UNREADABLE", "parts[0].image.data", "one whole"),
    "zero bytes": ([image_part(b"")], {}, "IMAGE_EMPTY", "parts[0].image.data", "1 byte or more"),
    "a 0 x 0 picture": ([image_part(png_header_only(0, 0))], {}, None, "parts[0].image.data", "permitted"),
    "a 20,000 x 20,000 bomb": ([image_part(bomb(20_000, 20_000))], {}, "IMAGE_TOO_MANY_PIXELS", "parts[0].image.data", "50,000,000"),
    "a row of 50,000,000 pixels": ([image_part(bomb(50_000_000, 1))], {}, "IMAGE_SIDE_TOO_LONG", "parts[0].image.data", "32,768"),
    "a column of 40,000 pixels": ([image_part(bomb(1, 40_000))], {}, "IMAGE_SIDE_TOO_LONG", "parts[0].image.data", "32,768"),
    "a JPEG that claims 7000 x 7000": ([image_part(claiming(7000, 7000))], {}, "IMAGE_UNREADABLE", "parts[0].image.data", "one whole"),
    "a JPEG that claims a few more rows": ([image_part(claiming(64, 80))], {}, "IMAGE_UNREADABLE", "parts[0].image.data", "one whole"),
    "a progressive JPEG that claims more": (
        [image_part(claiming(7000, 70, progressive=True))], {}, "IMAGE_UNREADABLE", "parts[0].image.data", "one whole",
    ),
    "a promise of 2^31 pixels a side": (
        [image_part(png_header_only(2**31 - 1, 2**31 - 1))], {}, "IMAGE_TOO_MANY_PIXELS", "parts[0].image.data", "50,000,000",
    ),
    "over 10 MiB": ([image_part(b"\xff\xd8" + b"x" * (10 << 20))], {}, "IMAGE_TOO_LARGE", "parts[0].image.data", "10,485,760"),
    "a Photoshop file": ([image_part(b"8BPS\x00\x01" + b"\0" * 100)], {}, "IMAGE_UNREADABLE", "parts[0].image.data", "JPEG"),
    "an empty text": ([query_pb2.QueryPart(text="")], {}, "TEXT_EMPTY", "parts[0].text", "1 to 4,096"),
    "a blank text": ([query_pb2.QueryPart(text=" \t\n\u200b")], {}, "TEXT_EMPTY", "parts[0].text", "1 to 4,096"),
    "a long text": ([query_pb2.QueryPart(text="a" * 4097)], {}, "TEXT_TOO_LONG", "parts[0].text", "1 to 4,096"),
    "an empty product id": ([query_pb2.QueryPart(product_id="")], {}, "PRODUCT_ID_EMPTY", "parts[0].product_id", "indexed"),
    "a NaN in a vector": ([vector_part([float("nan")] * DIM)], {}, "VECTOR_NOT_FINITE", "parts[0].vector.values", "finite"),
    "an infinity": ([vector_part([float("inf")] + [0.0] * (DIM - 1))], {}, "VECTOR_NOT_FINITE", "parts[0].vector.values", "finite"),
    "a short vector": ([vector_part([1.0])], {}, "VECTOR_DIM", "parts[0].vector.values", f"exactly {DIM}"),
    "no vector": ([vector_part([])], {}, "VECTOR_DIM", "parts[0].vector.values", f"exactly {DIM}"),
    "a zero vector": ([vector_part([0.0] * DIM)], {}, "VECTOR_ZERO", "parts[0].vector.values", "at least one"),
    "no candidates": ([TEXT], {"accuracy": {"candidates": 0}}, "ACCURACY_CANDIDATES", "accuracy.candidates", "1 to 10,000"),
    "10,001 candidates": ([TEXT], {"accuracy": {"candidates": 10_001}}, "ACCURACY_CANDIDATES", "accuracy.candidates", "1 to 10,000"),
    "an unknown level": ([TEXT], {"accuracy": {"level": 99}}, "ACCURACY_UNKNOWN", "accuracy.level", "LEVEL_FAST"),
    "a negative page size": ([TEXT], {"page_size": -1}, "PAGE_SIZE_NEGATIVE", "page_size", "to 1000"),
    "an unknown filter field": ([TEXT], {"filter": "colour = red"}, "FILTER_UNKNOWN_FIELD", "filter", "color"),
    "a broken filter": ([TEXT], {"filter": "price <"}, "FILTER_SYNTAX", "filter", "expected"),
    "a filter of the wrong type": ([TEXT], {"filter": "price < cheap"}, "FILTER_TYPE", "filter", "number"),
    "a deep filter": ([TEXT], {"filter": "(" * 40 + "in_stock" + ")" * 40}, "FILTER_TOO_DEEP", "filter", "32"),
    "a long filter": ([TEXT], {"filter": "in_stock AND " * 400 + "in_stock"}, "FILTER_TOO_LONG", "filter", "4096"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_field_value_and_permitted_range(served: Served, name: str) -> None:
    parts, fields, reason, field, permitted = BAD[name]
    with pytest.raises(grpc.RpcError) as caught:
        served.stub.Search(search_service_pb2.SearchRequest(parts=parts, **fields))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = unpacked(caught.value)
    assert reason in (None, details["ErrorInfo"].reason)
    assert details["ErrorInfo"].domain == "merchlens"
    assert details["ErrorInfo"].metadata["request_id"]
    (violation,) = details["BadRequest"].field_violations
    assert violation.field == field
    assert permitted in violation.description


def test_an_unknown_product_is_not_found(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        served.stub.Search(search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(product_id="nope")]))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    resource = unpacked(caught.value)["ResourceInfo"]
    assert (resource.resource_type, resource.resource_name) == ("product", "nope")


def test_an_oversize_message_has_a_reason_of_its_own(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        served.stub.Search(search_service_pb2.SearchRequest(parts=[image_part(b"x" * (17 << 20))]))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = unpacked(caught.value)
    assert details["ErrorInfo"].reason == "MESSAGE_TOO_LARGE"
    assert "RetryInfo" not in details


def test_a_picture_that_finds_no_memory_left_may_be_sent_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = served.catalog.parts.decode_memory
    monkeypatch.setattr(memory, "wait_s", 0.0)
    request = search_service_pb2.SearchRequest(parts=[image_part(WHOLE)])
    with memory.reservation(lambda: None) as take:
        take(memory.max_bytes)
        with pytest.raises(grpc.RpcError) as caught:
            served.stub.Search(request)
        assert served.client.search(text="ball")
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = unpacked(caught.value)
    assert details["ErrorInfo"].reason == "DECODE_MEMORY_FULL"
    assert details["RetryInfo"].retry_delay.ToMilliseconds() > 0
    assert "next step" in caught.value.details()
    assert served.stub.Search(request).hits


@pytest.mark.parametrize("values", [[1e-20] * DIM, [0.0, 1e-44] + [0.0] * (DIM - 2), [3e38] * DIM])
def test_a_vector_of_any_length_but_zero_is_answered(served: Served, values: list[float]) -> None:
    result = served.client.search(vector=values)
    assert len(result) == 10
    assert "VECTOR_NORMALIZED" in [warning.code for warning in result.warnings]


def test_bytes_that_are_no_request_are_refused(served: Served) -> None:
    with grpc.insecure_channel(served.target) as channel:
        call = channel.unary_unary("/merchlens.v1.SearchService/Search")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff\xff\xff")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert unpacked(caught.value)["ErrorInfo"].reason == "MESSAGE_MALFORMED"


def _oriented() -> bytes:
    image = draw_product("ellipse", "red", 1)
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image.rotate(90), "JPEG", exif=exif)


def _animated() -> bytes:
    frames = [draw_product("ellipse", "red", seed) for seed in (1, 2, 3)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


UNUSUAL = {
    "CMYK": lambda: encoded(draw_product("ellipse", "red", 1).convert("CMYK"), "JPEG"),
    "16-bit grey": lambda: encoded(draw_product("ellipse", "red", 1).convert("L").convert("I;16")),
    "palette": lambda: encoded(draw_product("ellipse", "red", 1).convert("P")),
    "alpha": lambda: encoded(draw_product("ellipse", "red", 1).convert("RGBA")),
    "EXIF-rotated": _oriented,
    "grey": lambda: encoded(draw_product("ellipse", "red", 1).convert("L")),
    "one bit": lambda: encoded(draw_product("ellipse", "red", 1).convert("1")),
    "WebP": lambda: encoded(draw_product("ellipse", "red", 1), "WEBP"),
    "TIFF": lambda: encoded(draw_product("ellipse", "red", 1), "TIFF"),
    "BMP": lambda: encoded(draw_product("ellipse", "red", 1), "BMP"),
    "one pixel": lambda: encoded(Image.new("RGB", (1, 1), "red")),
    "very wide": lambda: encoded(Image.new("RGB", (3000, 2), "red")),
    "a row of 32,000 pixels": lambda: bomb(32_000, 1),
    "a column of 32,000 pixels": lambda: bomb(1, 32_000),
    "mid-grey JPEG": lambda: encoded(Image.new("RGB", (64, 48), (128, 128, 128)), "JPEG"),
    "progressive mid-grey JPEG": lambda: encoded(Image.new("L", (640, 48), 128), "JPEG", progressive=True),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_pictures_are_answered(served: Served, name: str) -> None:
    result = served.client.search(image=UNUSUAL[name]())
    assert len(result) == 10
    # Some are of nothing that this catalog has.
    assert {warning.code for warning in result.warnings} <= {"NOTHING_GOOD_FOUND"}


def test_an_animation_is_answered_by_its_first_frame_with_a_warning(served: Served) -> None:
    result = served.client.search(image=_animated())
    assert [warning.code for warning in result.warnings] == ["ANIMATION_FIRST_FRAME"]

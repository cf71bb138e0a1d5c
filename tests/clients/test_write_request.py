"""What is to be written, as the messages that are sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from merchlens import InvalidArgument, ProductInput, ProductPicture
from merchlens.write_request import build_delete_requests, build_upsert_requests


def built(**fields):
    (message,) = build_upsert_requests([ProductInput(**{"product_id": "a", **fields})], catalog="shop", request_id="r")
    return message


def test_all_that_is_given_is_sent_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "shoe.jpg").write_bytes(b"file")
    message = built(
        title="Red shoe",
        description="new",
        category="shoes",
        price=0.0,
        in_stock=False,
        attributes={"color": "red", "size": 42, "new": True, "tags": ("a", "b")},
        pictures=[tmp_path / "shoe.jpg", b"bytes", ProductPicture(vector=[1.0, 0.0], name="v")],
    )
    product = message.product
    assert (message.catalog, message.request_id, product.product_id, product.title) == ("shop", "r", "a", "Red shoe")
    assert (product.HasField("price"), product.HasField("in_stock"), product.in_stock) == (True, True, False)
    assert dict(product.attributes.items())["size"] == 42
    assert list(product.attributes["tags"]) == ["a", "b"]
    assert [picture.image.data for picture in product.pictures[:2]] == [b"file", b"bytes"]
    assert (list(product.pictures[2].vector.values), product.pictures[2].name) == ([1.0, 0.0], "v")
    bare = built().product
    assert (bare.HasField("price"), bare.HasField("in_stock"), bare.HasField("attributes")) == (False, False, False)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": "\ud800"}, r"products\[0\]\.title"),
        ({"pictures": [ProductPicture()]}, r"image and vector, or neither"),
        ({"pictures": [ProductPicture(image=b"x", vector=[1.0])]}, r"image and vector, or neither"),
        ({"attributes": {"a": "\ud800"}}, r"products\[0\]\.attributes"),
    ],
)
def test_what_no_message_can_carry_is_refused(fields: dict, field: str) -> None:
    with pytest.raises(InvalidArgument, match=field):
        built(**fields)


@pytest.mark.parametrize(
    "fields", [{"pictures": b"one"}, {"pictures": "one"}, {"attributes": {"a": {"b": 1}}}, {"attributes": {"a": [1]}}]
)
def test_values_of_a_wrong_type_are_a_type_error(fields: dict) -> None:
    with pytest.raises(TypeError, match="permitted"):
        built(**fields)


def test_many_ids_are_several_messages_and_one_text_is_not_many() -> None:
    sent = build_delete_requests((f"p-{number}" for number in range(2500)), catalog="", request_id="r")
    assert [len(message.product_ids) for message in sent] == [1000, 1000, 500]
    assert {message.request_id for message in sent} == {"r"}
    assert [len(message.product_ids) for message in build_delete_requests([], catalog="", request_id="r")] == [0]
    with pytest.raises(TypeError, match="one product id"):
        build_delete_requests("p-1", catalog="", request_id="r")

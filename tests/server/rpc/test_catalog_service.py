"""What is indexed, through the client and a real channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from merchlens import Client, FailedPrecondition, InvalidArgument, NotFound
from merchlens.v1 import catalog_service_pb2, catalog_service_pb2_grpc

from indexer.filters.expression import matches
from indexer.filters.parser import parse_filter
from indexer.stores.edge.store import EdgeStore
from server.catalog.index_versions import IndexVersions
from server.pages.page_token import Walk
from server.rpc.services import list_services
from server.settings import ServerSettings
from tests.indexer.conftest import load, manifest_of, shelf
from tests.server.conftest import DIM, Served, serving

IDS = {f"p-{number:04d}" for number in range(160)}


@pytest.fixture(scope="module")
def stub(served: Served) -> Iterator[catalog_service_pb2_grpc.CatalogServiceStub]:
    with grpc.insecure_channel(served.target) as channel:
        yield catalog_service_pb2_grpc.CatalogServiceStub(channel)


# One product


def test_a_product_is_given_as_the_catalog_has_it(served: Served) -> None:
    result = served.client.get_product("p-0001", request_id="order-17")
    product = result.product
    assert (product.product_id, product.title, product.category) == ("p-0001", "red box", "boxes/box")
    assert (product.price, product.in_stock, product.attributes) == (6.0, True, {"color": "red"})
    assert (product.payload["pictures"], product.vectors) == (["0001.png"], ())
    assert not {"product_id", "category_path", "content"} & set(product.payload)
    assert (result.meta.request_id, list(result.meta.timings_us)) == ("order-17", ["read"])
    assert result.meta.model_fingerprint == served.catalog.origin.model_fingerprint
    assert result.meta.index_version == served.catalog.origin.index_version


def test_its_vectors_are_given_where_they_are_asked_for_and_find_it(served: Served) -> None:
    (vector,) = served.client.get_product("p-0001", vectors=True).product.vectors
    assert len(vector) == DIM
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    result = served.client.search(vector=vector, top_k=1)
    assert (result.hits[0].product_id, result.warnings) == ("p-0001", ())


def test_a_product_that_is_not_there_is_not_found(served: Served) -> None:
    with pytest.raises(NotFound) as caught:
        served.client.get_product("nope")
    assert caught.value.reason == "PRODUCT_NOT_FOUND"
    assert caught.value.resource is not None
    assert (caught.value.resource.type, caught.value.resource.name) == ("product", "nope")
    with pytest.raises(InvalidArgument) as empty:
        served.client.get_product("")
    assert (empty.value.reason, empty.value.field_violations[0].field) == ("PRODUCT_ID_EMPTY", "product_id")


CALLS: dict[str, Any] = {
    "get_product": lambda client, **options: client.get_product("p-0001", **options),
    "list_products": lambda client, **options: client.list_products(**options),
    "get_index": lambda client, **options: client.get_index(**options),
    "list_index_versions": lambda client, **options: client.list_index_versions(**options),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_default_catalog_may_be_named_and_no_other(served: Served, name: str) -> None:
    assert CALLS[name](served.client, catalog="default") is not None
    with pytest.raises(NotFound) as caught:
        CALLS[name](served.client, catalog="other")
    assert caught.value.reason == "CATALOG_NOT_FOUND"


# Which fields


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["title"], {"title": "red box"}),
        (["price", "attributes.color"], {"price": 6.0, "attributes": {"color": "red"}}),
        (["color", "color"], {"attributes": {"color": "red"}}),
        (["attributes", "color"], {"attributes": {"color": "red"}}),
        # What a product does not have is not there.
        (["description"], {}),
    ],
)
def test_a_mask_says_which_fields_are_given(served: Served, fields: list[str], expected: dict[str, Any]) -> None:
    assert served.client.get_product("p-0001", fields=fields).product.payload == expected
    (hit,) = served.client.search(text="red box", filter='id = "p-0001"', fields=fields)
    assert hit.payload == expected
    (listed,) = served.client.list_products(filter='id = "p-0001"', fields=fields)
    assert listed.payload == expected


def test_a_mask_changes_neither_hits_nor_what_they_are_worth(served: Served) -> None:
    whole, masked = (served.client.search(text="red ball", top_k=20, fields=fields) for fields in ((), ("price",)))
    for one, other in zip(whole, masked, strict=True):
        assert (one.product_id, one.score, one.picture) == (other.product_id, other.score, other.picture)
        assert one.match_probability == other.match_probability


def test_everything_is_given_for_a_star(served: Served) -> None:
    whole = served.client.get_product("p-0001").product
    assert served.client.get_product("p-0001", fields=["*", "title"]).product == whole


@pytest.mark.parametrize(
    "field", ["", "colour", "product_id", "content", "category_path", "attributes.price", "title.x"]
)
def test_a_field_that_there_is_not_is_refused_with_those_that_there_are(served: Served, field: str) -> None:
    asked = {
        **CALLS,
        "search": lambda client, **options: client.search(text="ball", **options),
    }
    for name in ("get_product", "list_products", "search"):
        with pytest.raises(InvalidArgument) as caught:
            asked[name](served.client, fields=[field])
        assert (caught.value.reason, caught.value.field_violations[0].field) == ("READ_MASK_UNKNOWN_FIELD", "read_mask")
        assert "title, category, price" in caught.value.message
        assert ("did you mean color" in caught.value.message) == (field == "colour")


# Page by page


@pytest.mark.parametrize("page_size", [1000, 160, 7])
def test_all_pages_together_have_each_product_once(served: Served, page_size: int) -> None:
    walked = [product.product_id for product in served.client.walk_products(page_size=page_size)]
    assert len(walked) == 160
    assert set(walked) == IDS
    assert walked == [product.product_id for product in served.client.walk_products(page_size=33, fields=["title"])]


def test_a_filter_is_kept_to_and_pages_may_differ_in_size(served: Served) -> None:
    where = parse_filter("in_stock AND price < 100", served.catalog.schema)
    assert where is not None
    stored = served.catalog.reader.fetch_many(sorted(IDS))
    expected = {item.product_id for item in stored if matches(where, item.payload)}
    first = served.client.list_products(filter="in_stock AND price < 100", page_size=9)
    rest = served.client.list_products(
        filter="in_stock AND price < 100", page_size=1000, page_token=first.next_page_token
    )
    found = [product.product_id for product in (*first, *rest)]
    assert (len(first), rest.next_page_token) == (9, "")
    assert len(found) == len(expected)
    assert set(found) == expected


def test_without_a_size_a_page_has_ten(stub: catalog_service_pb2_grpc.CatalogServiceStub) -> None:
    assert len(stub.ListProducts(catalog_service_pb2.ListProductsRequest()).products) == 10


def test_pages_have_at_most_1000_and_more_is_answered_with_a_warning(
    served: Served, stub: catalog_service_pb2_grpc.CatalogServiceStub
) -> None:
    assert served.client.list_products(page_size=1000).meta.warnings == ()
    page = served.client.list_products(page_size=1001)
    assert [(warning.code, warning.field) for warning in page.meta.warnings] == [("PAGE_SIZE_CAPPED", "page_size")]
    with pytest.raises(grpc.RpcError) as caught:
        stub.ListProducts(catalog_service_pb2.ListProductsRequest(page_size=-1))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def reason_of(served: Served, token: str, **options: Any) -> str:
    with pytest.raises(InvalidArgument) as caught:
        served.client.list_products(page_token=token, **options)
    assert caught.value.field_violations[0].field == "page_token"
    assert "permitted: next_page_token of the page before" in caught.value.message
    return caught.value.reason


def test_a_token_that_was_not_made_here_is_refused(served: Served) -> None:
    token = served.client.list_products(page_size=5).next_page_token
    garbled = [token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :] for place in range(0, len(token) - 1, 9)]
    for bad in (*garbled, token[:-4], token + "AAAA", token * 2, "A", "!", "ä", "AAAA" * 300, "AAAA" * 100_000):
        assert reason_of(served, bad) == "PAGE_TOKEN_INVALID", bad[:300]


@pytest.mark.parametrize("start", [b"1", b"not a uuid", b"x" * 17])
def test_a_token_that_leads_nowhere_is_refused(served: Served, start: bytes) -> None:
    walk = Walk(served.catalog.origin.index_version, (b"default", b""))
    assert reason_of(served, walk.to_token(start)) == "PAGE_TOKEN_INVALID"


def test_a_token_of_another_filter_is_refused(served: Served) -> None:
    token = served.client.list_products(page_size=5).next_page_token
    assert reason_of(served, token, filter="in_stock") == "PAGE_TOKEN_OTHER_QUERY"


def test_a_token_of_a_version_that_is_not_served_any_more_says_what_to_do(served: Served) -> None:
    walk = Walk("v20200101T000000000000-abcdef", (b"default", b""))
    token = walk.to_token(b"0123456789abcdef")
    with pytest.raises(FailedPrecondition) as caught:
        served.client.list_products(page_token=token)
    assert caught.value.reason == "PAGE_TOKEN_VERSION"
    assert [item.type for item in caught.value.preconditions] == ["PAGE_TOKEN_VERSION"]
    assert "first page" in caught.value.message


@given(token=st.text(min_size=1, max_size=60))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_any_text_as_a_token_is_refused(served: Served, token: str) -> None:
    with pytest.raises(InvalidArgument):
        served.client.list_products(page_token=token)


# The index


def test_the_index_says_what_it_is(served: Served) -> None:
    index = served.client.get_index()
    manifest = served.catalog.reader.manifest
    version = index.version
    assert (version.name, version.state, version.is_live, version.is_served) == (manifest.version, "ready", True, True)
    assert (version.product_count, version.picture_count, version.retired) == (160, 160, None)
    assert version.model_fingerprint == index.meta.model_fingerprint == manifest.model_fingerprint
    assert version.created is not None
    assert version.created.isoformat() == manifest.created_at.replace("Z", "+00:00")
    assert (index.catalog, index.dim, index.has_titles, index.has_words) == ("default", DIM, True, True)
    assert (index.rejected_product_count, index.rejected_picture_count) == (0, 0)
    assert {field.path: field.type for field in index.fields} == {
        "id": "keyword",
        "title": "keyword",
        "category": "category",
        "price": "number",
        "in_stock": "bool",
        "color": "keyword",
    }
    assert index.categories == {"boxes/box": 40, "boxes/tall box": 40, "signs/triangle": 40, "toys/ball": 40}
    assert index.settings["language"] == "english"


def test_of_the_settings_no_path_is_told(served: Served) -> None:
    assert {"store", "cache_dir", "picture_hosts", "qdrant"}.isdisjoint(served.client.get_index().settings)


def test_all_limits_of_a_request_are_told(served: Served) -> None:
    limits = served.client.get_index().limits
    # What all calls together may take is no limit of one.
    names = {name for name in ServerSettings.model_fields if name.startswith("max_")}
    names -= {"max_decode_bytes", "max_streams"}
    assert limits == {name: getattr(served.settings, name) for name in names}


def test_all_versions_are_listed_newest_first(served: Served, tmp_path: Path) -> None:
    store, things = EdgeStore(tmp_path / "index"), shelf(20)
    first, second = load(store, things, "v1"), load(store, things, "v2")
    store.activate("v1")
    store.activate("v2")
    writer = store.create(manifest_of(things, "v3", created_at="soon"))
    catalog = replace(served.catalog, versions=IndexVersions(store, lambda: first))
    with serving(ServerSettings(), list_services(catalog)) as target, Client(target) as client:
        result = client.list_index_versions(request_id="order-17")
        third, live, served_one = result
        own = client.get_index().version
    writer.abort()
    assert result.meta.request_id == "order-17"
    assert (third.name, third.state, third.is_live, third.created) == ("v3", "building", False, None)
    assert (live.name, live.state, live.is_live, live.is_served, live.retired) == ("v2", "ready", True, False, None)
    assert (served_one.name, served_one.is_live, served_one.is_served) == ("v1", False, True)
    assert served_one.retired is not None
    assert own == served_one
    assert (live.product_count, live.model_fingerprint, live.model_base) == (second.products, "f" * 64, "starter")

"""Products that are written and taken away through the client and a real channel."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import numpy as np
import pytest
from merchlens import (
    Client,
    InvalidArgument,
    MerchlensError,
    NotFound,
    ProductInput,
    ProductPicture,
)
from merchlens.v1 import catalog_service_pb2, catalog_service_pb2_grpc

from server.hosting.served_catalog import ServedCatalog
from server.rpc.services import list_services
from server.settings import ServerSettings
from tests.conftest import copy_folder, draw_product
from tests.server.conftest import DIM, Served, running, serving, unpacked


def drawn(shape: str, color: str, seed: int) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    draw_product(shape, color, seed).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def stub(changing: Served) -> Iterator[catalog_service_pb2_grpc.CatalogServiceStub]:
    with grpc.insecure_channel(changing.target) as channel:
        yield catalog_service_pb2_grpc.CatalogServiceStub(channel)


def refusal(changing: Served, product: ProductInput) -> MerchlensError:
    """Why a product is not written; the one beside it is."""
    results = changing.client.upsert_products(
        [product, ProductInput(product_id="beside", title="beside", pictures=[drawn("tall", "red", 1)])]
    )
    refused, beside = results
    assert (beside.error, beside.product_id) == (None, "beside")
    assert refused.error is not None
    assert (refused.index_time, refused.was_there, refused.already_applied) == (None, None, False)
    return refused.error


# What is written


def test_a_product_is_found_by_picture_title_word_and_filter_as_soon_as_it_is_written(changing: Served) -> None:
    picture = drawn("ellipse", "green", 1001)
    before = datetime.now(UTC)
    (result,) = changing.client.upsert_products(
        [
            ProductInput(
                product_id="zebra-1",
                title="Zebra striped cushion",
                description="<b>soft</b>",
                category="toys/ball",
                price=1234.5,
                in_stock=True,
                attributes={"color": "stripes", "washable": True},
                pictures=[ProductPicture(image=picture, name="zebra.png")],
            )
        ]
    )
    assert (result.error, result.was_there, result.already_applied) == (None, False, False)
    assert [warning.code for warning in result.warnings] == ["ATTRIBUTE_NOT_FILTERABLE"]
    assert "washable" in result.warnings[0].text
    found = changing.client.search(image=picture, top_k=1)
    assert (found.hits[0].product_id, found.hits[0].picture) == ("zebra-1", "zebra.png")
    assert found.hits[0].score == pytest.approx(1.0, abs=1e-4)
    assert changing.client.search(text="zebra", top_k=1).hits[0].product_id == "zebra-1"
    assert [hit.product_id for hit in changing.client.search(text="ball", filter="color:stripes").hits] == ["zebra-1"]
    product = changing.client.get_product("zebra-1").product
    assert (product.title, product.price, product.category) == ("Zebra striped cushion", 1234.5, "toys/ball")
    assert product.attributes == {"color": "stripes", "washable": True}
    assert product.payload["description"] == "soft"
    assert not {"content", "index_time", "category_path"} & set(product.payload)
    assert product.index_time == result.index_time
    assert before <= product.index_time <= before + timedelta(minutes=10)


def test_it_is_what_a_build_would_have_made_of_it(changing: Served) -> None:
    """The same picture and title as a product of the catalog has: the same vectors, the same words."""
    reader = changing.catalog.reader
    (built,) = reader.fetch_many(["p-0005"])
    (result,) = changing.client.upsert_products(
        [
            ProductInput(
                product_id="twin",
                title=str(built.payload["title"]),
                category=str(built.payload["category"]),
                pictures=[ProductPicture(image=drawn("rectangle", "blue", 5), name="0005.png")],
            )
        ]
    )
    assert result.error is None
    (twin,) = reader.fetch_many(["twin"])
    np.testing.assert_allclose(twin.vectors, built.vectors, atol=1e-6)
    assert built.title is not None
    assert twin.title is not None
    np.testing.assert_allclose(twin.title, built.title, atol=1e-5)
    assert twin.payload["content"] == built.payload["content"]
    assert twin.payload["category_path"] == built.payload["category_path"]


def test_a_product_is_written_as_a_whole_and_without_pictures_keeps_those_that_it_has(changing: Served) -> None:
    picture = drawn("tall", "blue", 1002)
    whole = ProductInput(product_id="whole", title="old", price=5.0, category="signs/triangle", pictures=[picture])
    changing.client.upsert_products([whole]).raise_for_errors()
    vectors = changing.client.get_product("whole", vectors=True).product.vectors
    (result,) = changing.client.upsert_products([ProductInput(product_id="whole", title="new", in_stock=False)])
    assert (result.error, result.was_there) == (None, True)
    product = changing.client.get_product("whole", vectors=True).product
    assert (product.title, product.price, product.category, product.in_stock) == ("new", None, None, False)
    np.testing.assert_allclose(product.vectors, vectors, atol=1e-6)
    assert changing.client.search(image=picture, top_k=1).hits[0].product_id == "whole"


def test_pictures_sent_just_before_in_the_same_call_are_kept(changing: Served) -> None:
    picture = drawn("tall", "black", 1003)
    first = ProductInput(product_id="twice", title="one", pictures=[picture])
    results = changing.client.upsert_products([first, ProductInput(product_id="twice", title="two")])
    results.raise_for_errors()
    assert [result.was_there for result in results] == [False, True]
    assert changing.client.get_product("twice").product.title == "two"
    assert changing.client.search(image=picture, top_k=1).hits[0].product_id == "twice"


def test_an_embedding_may_be_given_in_place_of_a_picture(changing: Served) -> None:
    (vector,) = changing.client.embed_images([drawn("rectangle", "green", 1004)])
    assert isinstance(vector, tuple)
    longer = [2 * value for value in vector]
    results = changing.client.upsert_products(
        [
            ProductInput(product_id="given", pictures=[ProductPicture(vector=vector)]),
            ProductInput(product_id="longer", pictures=[ProductPicture(vector=longer)]),
        ]
    )
    results.raise_for_errors()
    assert [[warning.code for warning in result.warnings] for result in results] == [[], ["VECTOR_NORMALIZED"]]
    assert {hit.product_id for hit in changing.client.search(vector=vector, top_k=2).hits} == {"given", "longer"}


def test_a_product_that_the_build_wrote_has_the_builds_time(changing: Served) -> None:
    index = changing.client.get_index()
    assert changing.client.get_product("p-0007").product.index_time == index.version.created
    assert all(product.index_time is not None for product in changing.client.list_products(page_size=5))


def test_the_index_counts_what_it_holds(changing: Served) -> None:
    before = changing.client.get_index()
    changing.client.upsert_products(
        [ProductInput(product_id="counted", category="hats", pictures=[drawn("tall", "red", 1005)])]
    ).raise_for_errors()
    after = changing.client.get_index()
    assert after.version.product_count == before.version.product_count + 1
    assert (before.categories.get("hats"), after.categories["hats"]) == (None, 1)
    changing.client.delete_products(["counted"]).raise_for_errors()
    assert changing.client.get_index().version.product_count == before.version.product_count


# What is taken away


def test_what_is_taken_away_is_not_found_any_more(changing: Served) -> None:
    picture = drawn("ellipse", "black", 1006)
    changing.client.upsert_products([ProductInput(product_id="going", pictures=[picture])]).raise_for_errors()
    gone, absent, unnamed = changing.client.delete_products(["going", "never-there", ""])
    assert (gone.error, gone.was_there, gone.index_time is None) == (None, True, False)
    assert (absent.error, absent.was_there) == (None, False)
    assert isinstance(unnamed.error, InvalidArgument)
    assert unnamed.error.reason == "PRODUCT_ID_EMPTY"
    assert changing.client.search(image=picture, top_k=1).hits[0].product_id != "going"
    with pytest.raises(NotFound):
        changing.client.get_product("going")


# The same call again


def test_a_call_that_is_made_again_is_done_once(changing: Served) -> None:
    picture = drawn("tall", "green", 1007)
    one = ProductInput(product_id="once", title="first", pictures=[picture])
    (first,) = changing.client.upsert_products([one], request_id="order-17")
    changing.client.upsert_products([ProductInput(product_id="once", title="later")]).raise_for_errors()
    (again,) = changing.client.upsert_products([one], request_id="order-17")
    assert (again.error, again.already_applied, again.was_there, again.index_time) == (
        None,
        True,
        None,
        first.index_time,
    )
    assert changing.client.get_product("once").product.title == "later"
    (deleted,) = changing.client.delete_products(["once"], request_id="order-18")
    (again,) = changing.client.delete_products(["once"], request_id="order-18")
    assert (deleted.was_there, deleted.already_applied, again.already_applied) == (True, False, True)


def test_another_call_under_its_id_is_refused_product_by_product(changing: Served) -> None:
    picture = drawn("tall", "green", 1008)
    products = [ProductInput(product_id=name, title=name, pictures=[picture]) for name in ("a-1", "a-2")]
    changing.client.upsert_products(products, request_id="order-19").raise_for_errors()
    products[1] = ProductInput(product_id="a-2", title="other", pictures=[picture])
    same, other = changing.client.upsert_products(products, request_id="order-19")
    assert same.already_applied
    assert isinstance(other.error, InvalidArgument)
    assert other.error.reason == "REQUEST_ID_REUSED"
    assert changing.client.get_product("a-2").product.title == "a-2"


def test_without_an_id_each_call_is_its_own(
    changing: Served, stub: catalog_service_pb2_grpc.CatalogServiceStub
) -> None:
    request = catalog_service_pb2.UpsertProductsRequest(
        product=catalog_service_pb2.ProductInput(product_id="p-0009", title="named by nobody")
    )
    for _ in range(2):
        (result,) = stub.UpsertProducts(iter([request])).results
        assert (result.HasField("error"), result.already_applied, result.was_there) == (False, False, True)


# What is refused


@pytest.mark.parametrize(
    ("product", "reason", "field"),
    [
        ({"product_id": ""}, "PRODUCT_ID_EMPTY", "product.product_id"),
        ({"product_id": " a"}, "ID_INVALID", "product.product_id"),
        ({"product_id": "a\nb"}, "ID_INVALID", "product.product_id"),
        ({"product_id": "x" * 513}, "ID_TOO_LONG", "product.product_id"),
        ({"title": "x" * 4097}, "TEXT_TOO_LONG", "product.title"),
        ({"title": "a\0b"}, "TITLE_INVALID", "product.title"),
        ({"category": "a//b"}, "CATEGORY_INVALID", "product.category"),
        ({"price": -1.0}, "PRICE_INVALID", "product.price"),
        ({"price": float("nan")}, "PRICE_INVALID", "product.price"),
        ({"attributes": {"color": float("inf")}}, "ATTRIBUTE_INVALID", "product.attributes"),
        ({"attributes": {"  ": "a"}}, "ATTRIBUTE_INVALID", "product.attributes"),
        ({"attributes": {"care": "x" * 70_000}}, "PRODUCT_TOO_LARGE", "product"),
        ({"pictures": [b""]}, "IMAGE_EMPTY", "product.pictures[0].image.data"),
        ({"pictures": [b"no picture"]}, "IMAGE_UNREADABLE", "product.pictures[0].image.data"),
        ({"pictures": [ProductPicture(vector=[1.0])]}, "VECTOR_DIM", "product.pictures[0].vector.values"),
        ({"pictures": [ProductPicture(vector=[0.0] * DIM)]}, "VECTOR_ZERO", "product.pictures[0].vector.values"),
        ({"pictures": [ProductPicture(image=b"x", name="x" * 513)]}, "PICTURE_NAME", "product.pictures[0].name"),
    ],
)
def test_a_field_outside_its_range_is_an_error_of_its_product_alone(
    changing: Served, product: dict, reason: str, field: str
) -> None:
    fields = {"product_id": "bad", "pictures": [drawn("tall", "red", 3)], **product}
    error = refusal(changing, ProductInput(**fields))
    assert isinstance(error, InvalidArgument)
    assert (error.reason, error.field_violations[0].field) == (reason, field)
    assert "permitted" in str(error)


def test_a_new_product_without_a_picture_is_refused(changing: Served) -> None:
    error = refusal(changing, ProductInput(product_id="invisible", title="unseen"))
    assert isinstance(error, NotFound)
    assert error.reason == "PRODUCT_NOT_FOUND"


def test_values_at_their_edge_are_taken(changing: Served) -> None:
    edge = ProductInput(
        product_id="x" * 512,
        title="y" * 4096,
        description="z" * 6000,
        price=0.0,
        attributes={"color": ["red", "blue"]},
        pictures=[ProductPicture(image=drawn("tall", "red", 4), name="n" * 512)],
    )
    (result,) = changing.client.upsert_products([edge])
    assert result.error is None
    assert [warning.code for warning in result.warnings] == ["DESCRIPTION_CUT"]
    assert len(str(changing.client.get_product("x" * 512).product.payload["description"])) == 5000
    changing.client.delete_products(["x" * 512]).raise_for_errors()


def test_pictures_beyond_what_the_index_holds_are_left_out_with_a_warning(changing: Served) -> None:
    pictures = [drawn("tall", "blue", seed) for seed in (5, 6)]
    (result,) = changing.client.upsert_products([ProductInput(product_id="two", pictures=pictures)])
    assert result.error is None
    assert [warning.code for warning in result.warnings] == ["PICTURES_LEFT_OUT"]
    assert len(changing.client.get_product("two", vectors=True).product.vectors) == 1


def test_a_calls_messages_name_one_call(stub: catalog_service_pb2_grpc.CatalogServiceStub) -> None:
    def message(**fields) -> catalog_service_pb2.DeleteProductsRequest:
        return catalog_service_pb2.DeleteProductsRequest(product_ids=["nobody"], **fields)

    named = stub.DeleteProducts(
        iter([message(request_id="r-1", catalog="default"), message(), message(request_id="r-1")])
    )
    assert len(named.results) == 3
    for later, field in ((message(request_id="r-3"), "request_id"), (message(catalog="other"), "catalog")):
        with pytest.raises(grpc.RpcError) as caught:
            stub.DeleteProducts(iter([message(request_id="r-2"), later]))
        details = unpacked(caught.value)
        assert details["ErrorInfo"].reason == "REQUEST_CHANGED"
        assert details["BadRequest"].field_violations[0].field == field


@pytest.mark.parametrize("bad", ["a b", "ä", "x" * 129])
def test_an_id_that_no_call_may_have_is_refused(stub: catalog_service_pb2_grpc.CatalogServiceStub, bad: str) -> None:
    request = catalog_service_pb2.DeleteProductsRequest(request_id=bad, product_ids=["nobody"])
    with pytest.raises(grpc.RpcError) as caught:
        stub.DeleteProducts(iter([request]))
    assert unpacked(caught.value)["ErrorInfo"].reason == "REQUEST_ID_INVALID"


def test_a_caller_that_sends_no_more_holds_nobody_up(changing: Served) -> None:
    ended = threading.Event()

    def idle() -> Iterator[catalog_service_pb2.DeleteProductsRequest]:
        yield catalog_service_pb2.DeleteProductsRequest(product_ids=["nobody"])
        ended.wait(120)

    settings = changing.settings.model_copy(update={"default_timeout_s": 0.5})
    with serving(settings, list_services(changing.catalog)) as target, grpc.insecure_channel(target) as channel:
        try:
            # It has no deadline of its own.
            with pytest.raises(grpc.RpcError) as caught:
                catalog_service_pb2_grpc.CatalogServiceStub(channel).DeleteProducts(idle())
        finally:
            ended.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert unpacked(caught.value)["ErrorInfo"].reason == "DEADLINE_EXPIRED"


def test_a_caller_that_is_slow_to_send_leaves_the_others_their_workers(changing: Served) -> None:
    ended = threading.Event()

    def slow() -> Iterator[catalog_service_pb2.DeleteProductsRequest]:
        yield catalog_service_pb2.DeleteProductsRequest(product_ids=["nobody"])
        ended.wait(120)

    settings = changing.settings.model_copy(update={"workers": 1})
    with (
        serving(settings, list_services(changing.catalog)) as target,
        grpc.insecure_channel(target) as channel,
        Client(target) as client,
    ):
        pending = catalog_service_pb2_grpc.CatalogServiceStub(channel).DeleteProducts.future(slow(), timeout=60)
        assert len(client.search(text="ball", timeout_s=30)) == 10
        assert not pending.done()
        ended.set()
        assert [result.product_id for result in pending.result().results] == ["nobody"]


def test_another_catalog_and_nothing_at_all_are_refused(changing: Served) -> None:
    with pytest.raises(NotFound) as caught:
        changing.client.delete_products(["a"], catalog="other")
    assert caught.value.reason == "CATALOG_NOT_FOUND"
    for nothing in (lambda: changing.client.upsert_products([]), lambda: changing.client.delete_products([])):
        with pytest.raises(InvalidArgument) as empty:
            nothing()
        assert empty.value.reason == "WRITE_SIZE"


def test_more_than_a_call_may_have_is_refused_and_what_came_before_is_done(changing: Served) -> None:
    most = changing.settings.max_write_products
    assert changing.client.get_index().limits["max_write_products"] == most
    assert len(changing.client.delete_products([f"nobody-{number}" for number in range(most)])) == most
    with pytest.raises(InvalidArgument) as caught:
        changing.client.delete_products([f"nobody-{number}" for number in range(most + 1)])
    assert caught.value.reason == "WRITE_SIZE"


def test_where_others_reach_the_server_nothing_is_written_unless_that_is_permitted(changing: Served) -> None:
    def serve(**fields) -> tuple:
        settings = changing.settings.model_copy(update={"host": "0.0.0.0", "insecure": True, **fields})
        catalog = ServedCatalog.of(
            changing.catalog.encoder,
            changing.catalog.store,
            changing.catalog.reader,
            settings,
            changing.catalog.categories,
            online=changing.catalog.online,
        )
        return settings, list_services(catalog)

    request = catalog_service_pb2.DeleteProductsRequest(product_ids=["nobody"])
    with serving(*serve()) as target, grpc.insecure_channel(target) as channel:
        stub = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.DeleteProducts(iter([request]))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert unpacked(caught.value)["ErrorInfo"].reason == "WRITES_REFUSED"
        assert "--allow-unauthenticated-writes" in str(caught.value.details())
    with serving(*serve(allow_unauthenticated_writes=True)) as target, grpc.insecure_channel(target) as channel:
        (result,) = catalog_service_pb2_grpc.CatalogServiceStub(channel).DeleteProducts(iter([request])).results
        assert not result.HasField("error")


def test_an_index_whose_engine_takes_no_changes_says_so(changing: Served) -> None:
    catalog = ServedCatalog.of(
        changing.catalog.encoder,
        changing.catalog.store,
        changing.catalog.reader,
        changing.settings,
        changing.catalog.categories,
    )
    with (
        serving(changing.settings, list_services(catalog)) as target,
        grpc.insecure_channel(target) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        catalog_service_pb2_grpc.CatalogServiceStub(channel).DeleteProducts(
            iter([catalog_service_pb2.DeleteProductsRequest(product_ids=["nobody"])])
        )
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert unpacked(caught.value)["ErrorInfo"].reason == "WRITES_UNSUPPORTED"


# A restart


def test_what_was_written_is_there_after_a_restart(drawn_store: str, trained_bundle: Path, tmp_path: Path) -> None:
    copy = copy_folder(drawn_store.removeprefix("edge:"), tmp_path / "index")
    settings = ServerSettings(model=str(trained_bundle), store=f"edge:{copy}", port=0)
    picture = drawn("ellipse", "blue", 1009)
    with running(settings) as first:
        first.client.upsert_products(
            [ProductInput(product_id="stays", title="It stays", pictures=[picture])], request_id="order-20"
        ).raise_for_errors()
        first.client.delete_products(["p-0001"]).raise_for_errors()
    with running(settings) as second:
        assert second.client.search(image=picture, top_k=1).hits[0].product_id == "stays"
        with pytest.raises(NotFound):
            second.client.get_product("p-0001")
        (again,) = second.client.upsert_products(
            [ProductInput(product_id="stays", title="It stays", pictures=[picture])], request_id="order-20"
        )
        assert again.already_applied
        assert second.client.get_index().version.product_count == 160

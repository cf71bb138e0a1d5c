"""Each exception has its row in the one table from exception to gRPC status."""

from __future__ import annotations

import inspect

import grpc
import pytest

import embedder.errors
import indexer.errors
import indexer.filters.errors
import server.errors
from server.errors import InvalidRequest, ResourceMissing
from server.rpc.status import TABLE, to_status

TREES = (embedder.errors, indexer.errors, indexer.filters.errors, server.errors)
CLASSES = [
    kind
    for module in TREES
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == module.__name__
]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_each_exception_class_has_a_row_of_its_own(kind: type[Exception]) -> None:
    assert kind in TABLE


def test_the_table_has_no_row_without_a_class() -> None:
    assert set(TABLE) == set(CLASSES)


def test_a_fault_of_the_request_is_explained_with_field_and_reason() -> None:
    code, status, _ = to_status(InvalidRequest("TEXT_EMPTY", "parts[0].text", "text ''; permitted: words"), "r-1")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert status.message == "text ''; permitted: words"
    assert [item.type_url.rpartition(".")[2] for item in status.details] == ["ErrorInfo", "BadRequest"]


def test_of_an_unknown_exception_the_caller_learns_nothing_but_the_requests_id() -> None:
    code, status, row = to_status(ZeroDivisionError("password=hunter2"), "r-2")
    assert code is grpc.StatusCode.INTERNAL
    assert "hunter2" not in str(status)
    assert "r-2" in status.message
    assert not row.for_caller


def test_a_store_that_fails_may_be_asked_again() -> None:
    code, status, _ = to_status(indexer.errors.StoreUnavailable("at 10.0.0.7"), "r-3")
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "10.0.0.7" not in str(status)
    assert "RetryInfo" in [item.type_url.rpartition(".")[2] for item in status.details]


def test_names_that_no_protobuf_string_may_hold_do_not_break_the_answer() -> None:
    error = ResourceMissing("PRODUCT_NOT_FOUND", "parts[0].product_id", "product", "\ud800", "product '\ud800'")
    code, status, _ = to_status(error, "r-4")
    assert code is grpc.StatusCode.NOT_FOUND
    assert status.SerializeToString()

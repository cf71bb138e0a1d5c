from __future__ import annotations

import copy
import pickle

import grpc
import merchlens
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from merchlens.errors import from_rpc_error

CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


class FailedCall(grpc.RpcError):
    """What gRPC raises, without a call."""

    def __init__(self, code, details="said by the server", trailers=()):
        self._code, self._details, self._trailers = code, details, trailers

    def code(self):
        return self._code

    def details(self):
        return self._details

    def trailing_metadata(self):
        return self._trailers


def trailers_of(code, *details):
    status = status_pb2.Status(code=code.value[0], message="said in the status")
    for detail in details:
        status.details.add().Pack(detail)
    return rpc_status.to_status(status).trailing_metadata


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_each_status_has_an_exported_class_named_after_it(code):
    error = from_rpc_error(FailedCall(code))
    name = "".join(word.capitalize() for word in code.name.split("_"))
    assert type(error) is getattr(merchlens, name)
    assert isinstance(error, merchlens.MerchlensError)
    assert error.code is code
    assert str(error) == error.message == "said by the server"


def test_there_is_one_class_a_status_and_each_has_a_line_in_the_tree():
    kinds = merchlens.MerchlensError.__subclasses__()
    assert sorted(kind.code.name for kind in kinds) == sorted(code.name for code in CODES)
    tree = merchlens.errors.__doc__
    assert [kind.__name__ for kind in kinds if f"── {kind.__name__} " not in tree] == []


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_a_real_call_raises_the_class_of_its_status_with_its_details(serve, code):
    def refuse(request, context):
        context.set_trailing_metadata((("x-request-id", "the-server-s"),))
        context.abort(code, "not like this")

    served = serve(refuse)
    with merchlens.Client(served.target, max_attempts=1) as client, pytest.raises(merchlens.MerchlensError) as caught:
        client.search(text="boots")
    assert caught.value.code is code
    assert "not like this" in str(caught.value)
    assert caught.value.request_id == "the-server-s"
    assert isinstance(caught.value.__cause__, grpc.RpcError)


def test_details_become_attributes():
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    precondition = error_details_pb2.PreconditionFailure()
    precondition.violations.add(type="INDEX_MISSING", subject="index", description="build one")
    call = FailedCall(
        grpc.StatusCode.UNAVAILABLE,
        trailers=trailers_of(
            grpc.StatusCode.UNAVAILABLE,
            error_details_pb2.ErrorInfo(reason="STORE_UNAVAILABLE", metadata={"request_id": "r-1"}),
            error_details_pb2.ResourceInfo(resource_type="product", resource_name="A-17"),
            retry,
            precondition,
        ),
    )
    error = from_rpc_error(call)
    assert type(error) is merchlens.Unavailable
    assert error.reason == "STORE_UNAVAILABLE"
    assert error.resource == merchlens.Resource("product", "A-17")
    assert error.retry_after_s == 1.5
    assert error.preconditions == (merchlens.Precondition("INDEX_MISSING", "index", "build one"),)
    assert error.request_id == "r-1"
    assert error.__cause__ is call


def test_a_call_without_details_has_empty_ones():
    error = from_rpc_error(FailedCall(grpc.StatusCode.NOT_FOUND))
    assert (error.reason, error.field_violations, error.resource) == ("", (), None)
    assert (error.preconditions, error.retry_after_s, error.request_id) == ((), None, "")


def test_the_request_id_is_the_servers_before_the_callers():
    echoed = FailedCall(grpc.StatusCode.INTERNAL, trailers=(("x-request-id", "echoed"),))
    assert from_rpc_error(echoed, request_id="sent").request_id == "echoed"
    assert from_rpc_error(FailedCall(grpc.StatusCode.INTERNAL), request_id="sent").request_id == "sent"


def test_only_a_failure_that_the_server_did_not_explain_is_explained_by_the_client():
    code = grpc.StatusCode.UNAVAILABLE
    hints = {code: "no answer from 'shop:1'"}
    explained = trailers_of(code, error_details_pb2.ErrorInfo(reason="STORE_UNAVAILABLE"))
    assert str(from_rpc_error(FailedCall(code, "refused"), unexplained=hints)) == "no answer from 'shop:1' (refused)"
    assert str(from_rpc_error(FailedCall(code, "busy", explained), unexplained=hints)) == "busy"


def test_the_message_falls_back_to_the_statuss_and_then_to_the_codes_name():
    code = grpc.StatusCode.ABORTED
    assert str(from_rpc_error(FailedCall(code, "", trailers_of(code)))) == "said in the status"
    assert "ABORTED" in str(from_rpc_error(FailedCall(code, None)))


def test_an_error_without_a_call_is_unknown():
    error = from_rpc_error(grpc.RpcError())
    assert type(error) is merchlens.Unknown
    assert str(error)


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_errors_survive_copying_and_pickling(again):
    error = merchlens.InvalidArgument(
        "top_k 0", reason="TOP_K_RANGE", field_violations=(merchlens.FieldViolation("page_size", "0"),), request_id="r"
    )
    twin = again(error)
    assert type(twin) is type(error)
    assert str(twin) == "top_k 0"
    assert vars(twin) == vars(error)

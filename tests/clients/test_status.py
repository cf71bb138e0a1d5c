from __future__ import annotations

import subprocess
import sys

import pytest
from google.protobuf import descriptor
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from merchlens import status
from merchlens.status import FieldViolation, Precondition, Resource, StatusDetails, decode_status, read_details


def complete() -> status_pb2.Status:
    """A status with every detail that the client knows, made by Google's own messages."""
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="parts[0].text", description="5,000 characters", reason="TEXT_TOO_LONG")
    bad.field_violations.add(field="filter", description="größer")
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(250)
    precondition = error_details_pb2.PreconditionFailure()
    precondition.violations.add(type="INDEX_MISSING", subject="index", description="build one")
    message = status_pb2.Status(code=3, message="two faults")
    for detail in (
        error_details_pb2.ErrorInfo(reason="TEXT_TOO_LONG", domain="merchlens", metadata={"request_id": "r-1"}),
        bad,
        retry,
        error_details_pb2.ResourceInfo(resource_type="product", resource_name="A-17", description="not there"),
        precondition,
    ):
        message.details.add().Pack(detail)
    return message


EXPECTED = StatusDetails(
    message="two faults",
    reason="TEXT_TOO_LONG",
    request_id="r-1",
    field_violations=(FieldViolation("parts[0].text", "5,000 characters"), FieldViolation("filter", "größer")),
    resource=Resource("product", "A-17"),
    preconditions=(Precondition("INDEX_MISSING", "index", "build one"),),
    retry_after_s=0.25,
    code=3,
)


def test_every_detail_is_read():
    assert decode_status(complete().SerializeToString()) == EXPECTED


def test_the_trailer_is_found_among_others():
    trailers = (("x-request-id", "r-1"), ("grpc-status-details-bin", complete().SerializeToString()))
    assert read_details(trailers) == EXPECTED


@pytest.mark.parametrize("trailers", [(), (("x-request-id", "r-1"),), (("grpc-status-details-bin", "text"),)])
def test_no_trailer_gives_no_details(trailers):
    assert read_details(trailers) == StatusDetails()


def test_unknown_details_are_passed_over():
    message = complete()
    message.details.insert(0, message.details.add())
    message.details[0].Pack(error_details_pb2.DebugInfo(detail="a stack trace"))
    message.details.add(type_url="type.example.com/shop.Unheard", value=b"\x08\x01")
    message.details.add(type_url="", value=b"\xff")
    assert decode_status(message.SerializeToString()) == EXPECTED


def test_an_unreadable_detail_is_passed_over_and_the_others_are_read():
    message = complete()
    message.details.add(type_url="type.googleapis.com/google.rpc.BadRequest", value=b"\xff\xff\xff")
    assert decode_status(message.SerializeToString()) == EXPECTED


def test_several_bad_requests_are_joined():
    message = status_pb2.Status(code=3)
    for field in ("filter", "page_size"):
        bad = error_details_pb2.BadRequest()
        bad.field_violations.add(field=field, description="no")
        message.details.add().Pack(bad)
    violations = decode_status(message.SerializeToString()).field_violations
    assert [item.field for item in violations] == ["filter", "page_size"]


@pytest.mark.parametrize(("seconds", "nanos", "expected"), [(0, 0, 0.0), (2, 500_000_000, 2.5), (-3, 0, 0.0)])
def test_the_retry_delay_is_seconds_and_never_negative(seconds, nanos, expected):
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.seconds, retry.retry_delay.nanos = seconds, nanos
    message = status_pb2.Status(code=14)
    message.details.add().Pack(retry)
    assert decode_status(message.SerializeToString()).retry_after_s == expected


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x12\x02\xff\xfe", b"garbage " * 100])
def test_garbage_gives_no_details(data):
    assert decode_status(data) == StatusDetails()


@settings(derandomize=True, max_examples=300)
@given(data=st.binary(max_size=200))
def test_no_bytes_make_it_raise(data):
    assert isinstance(decode_status(data), StatusDetails)


@settings(derandomize=True, max_examples=300)
@given(position=st.integers(0, complete().ByteSize() - 1), byte=st.integers(0, 255), length=st.integers(0, 1000))
def test_no_damage_to_a_status_makes_it_raise(position, byte, length):
    data = bytearray(complete().SerializeToString())
    data[position] = byte
    assert isinstance(decode_status(bytes(data[:length])), StatusDetails)


def assert_described_alike(ours: descriptor.Descriptor, googles: descriptor.Descriptor) -> None:
    assert ours.full_name == googles.full_name
    for field in ours.fields:
        twin = googles.fields_by_name[field.name]
        assert (field.number, field.type, field.is_repeated) == (twin.number, twin.type, twin.is_repeated)
        if field.message_type is not None:
            assert field.message_type.GetOptions().map_entry == twin.message_type.GetOptions().map_entry
            assert_described_alike(field.message_type, twin.message_type)


@pytest.mark.parametrize("name", sorted(status._CLASSES))
def test_the_messages_are_described_as_google_describes_them(name):
    module = status_pb2 if name == "google.rpc.Status" else error_details_pb2
    short = name.rpartition(".")[2]
    assert_described_alike(status._CLASSES[name].DESCRIPTOR, getattr(module, short).DESCRIPTOR)


@pytest.mark.parametrize(
    "imports", ["import merchlens, google.rpc.error_details_pb2", "import google.rpc.error_details_pb2, merchlens"]
)
@pytest.mark.parametrize("implementation", ["upb", "python"])
def test_googles_package_may_be_imported_before_or_after_with_either_protobuf_implementation(imports, implementation):
    code = f"""{imports}
from google.rpc import error_details_pb2, status_pb2
message = status_pb2.Status(code=5)
message.details.add().Pack(error_details_pb2.ErrorInfo(reason="PRODUCT_NOT_FOUND", metadata={{"request_id": "r-1"}}))
details = merchlens.status.decode_status(message.SerializeToString())
print(details.reason, details.request_id, merchlens.status.decode_status(b"\\x12\\x02\\xff\\xfe").message == "")
"""
    environment = {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": implementation}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.returncode) == ("PRODUCT_NOT_FOUND r-1 True\n", 0), done.stderr

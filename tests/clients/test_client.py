from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import merchlens
import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from merchlens import Client
from merchlens.v1 import search_service_pb2


def echo(request, context):
    """One hit whose id is the query's text."""
    return search_service_pb2.SearchResponse(hits=[search_service_pb2.Hit(product_id=request.parts[0].text)])


class Failing:
    """Answers the first `times` calls with a status, then with a hit."""

    def __init__(self, times, code=grpc.StatusCode.UNAVAILABLE, trailers=()):
        self.times, self.code, self.trailers, self.calls = times, code, trailers, 0

    def __call__(self, request, context):
        self.calls += 1
        if self.calls <= self.times:
            context.set_trailing_metadata(self.trailers)
            context.abort(self.code, "not now")
        return search_service_pb2.SearchResponse(hits=[search_service_pb2.Hit(product_id="A-1")])


# Settings


@pytest.mark.parametrize(
    "arguments", [{"timeout_s": -1.0}, {"max_attempts": 0}, {"max_attempts": 6}, {"api_key": ""}, {"api_key": "a\nb"}]
)
def test_a_client_with_a_setting_outside_its_range_is_refused(arguments):
    with pytest.raises(merchlens.InvalidArgument, match="permitted"):
        Client(**arguments)


def test_a_refused_api_key_is_not_repeated_in_the_message():
    with pytest.raises(merchlens.InvalidArgument) as caught:
        Client(api_key="s3cret \n")
    assert "s3cret" not in str(caught.value)


def test_the_api_key_is_sent_as_a_bearer_token_and_none_without_one(serve):
    served = serve()
    with Client(served.target, api_key="k-123") as client:
        client.search(text="boots")
    with Client(served.target) as client:
        client.search(text="boots")
    assert served.metadata[0]["authorization"] == "Bearer k-123"
    assert "authorization" not in served.metadata[1]


def test_credentials_make_the_channel_secure(serve):
    served = serve(echo, credentials=grpc.local_server_credentials())
    with Client(served.target, credentials=grpc.local_channel_credentials()) as client:
        assert client.search(text="boots").hits[0].product_id == "boots"


# Deadlines


def test_every_call_has_a_deadline(serve):
    remaining = []

    def note(request, context):
        remaining.append(context.time_remaining())
        return search_service_pb2.SearchResponse()

    served = serve(note)
    with Client(served.target) as default, Client(served.target, timeout_s=100) as own:
        default.search(text="boots")
        own.search(text="boots")
        own.search(text="boots", timeout_s=1000)
    # gRPC rounds a deadline up on its way.
    assert remaining[0] < 15 < remaining[1] < 150 < remaining[2] < 1500


def test_a_call_past_its_deadline_fails_and_says_what_the_deadline_was(serve):
    done = threading.Event()

    def wait(request, context):
        done.wait()
        return search_service_pb2.SearchResponse()

    served = serve(wait)
    with Client(served.target) as client, pytest.raises(merchlens.DeadlineExceeded) as caught:
        client.search(text="boots", timeout_s=0.2, request_id="order-17")
    done.set()
    assert served.target in str(caught.value)
    assert "within 0.2 s" in str(caught.value)
    assert caught.value.request_id == "order-17"


# Retries


def test_a_server_that_is_unavailable_twice_is_asked_three_times(serve):
    failing = Failing(2)
    served = serve(failing)
    with Client(served.target) as client:
        result = client.search(text="boots")
    assert [hit.product_id for hit in result] == ["A-1"]
    assert failing.calls == 3
    assert len({metadata["x-request-id"] for metadata in served.metadata}) == 1


def test_a_picture_of_many_bytes_is_sent_again_as_well(serve):
    failing = Failing(1)
    served = serve(failing)
    picture = bytes(10 * 2**20)
    with Client(served.target) as client:
        client.search(image=picture)
    assert [len(request.parts[0].image.data) for request in served.requests] == [len(picture)] * 2


@pytest.mark.parametrize("max_attempts", [1, 2, 4, 5])
def test_a_server_that_stays_unavailable_is_asked_max_attempts_times(serve, max_attempts):
    failing = Failing(100)
    served = serve(failing)
    with Client(served.target, max_attempts=max_attempts) as client, pytest.raises(merchlens.Unavailable):
        client.search(text="boots")
    assert failing.calls == max_attempts


def test_a_server_that_asks_not_to_be_asked_again_is_not(serve):
    failing = Failing(1, trailers=(("grpc-retry-pushback-ms", "-1"),))
    served = serve(failing)
    with Client(served.target) as client, pytest.raises(merchlens.Unavailable):
        client.search(text="boots")
    assert failing.calls == 1


@pytest.mark.parametrize(
    "code",
    [code for code in grpc.StatusCode if code not in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE)],
    ids=lambda code: code.name,
)
def test_no_other_status_is_tried_again(serve, code):
    failing = Failing(1, code)
    served = serve(failing)
    with Client(served.target) as client, pytest.raises(merchlens.MerchlensError) as caught:
        client.search(text="boots")
    assert caught.value.code is code
    assert failing.calls == 1


def test_an_invalid_argument_tells_the_fields_and_keeps_grpcs_error_as_its_cause(serve):
    def refuse(request, context):
        status = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="text of 5,000 characters")
        status.details.add().Pack(
            error_details_pb2.ErrorInfo(
                reason="TEXT_TOO_LONG", domain="merchlens", metadata={"request_id": "the-server-s"}
            )
        )
        bad = error_details_pb2.BadRequest()
        bad.field_violations.add(field="parts[0].text", description="5,000 characters; permitted: 1 to 4,096")
        status.details.add().Pack(bad)
        context.abort_with_status(rpc_status.to_status(status))

    served = serve(refuse)
    with Client(served.target) as client, pytest.raises(merchlens.InvalidArgument) as caught:
        client.search(text="boots")
    error = caught.value
    assert str(error) == error.message == "text of 5,000 characters"
    assert (error.reason, error.request_id) == ("TEXT_TOO_LONG", "the-server-s")
    assert error.field_violations == (
        merchlens.FieldViolation("parts[0].text", "5,000 characters; permitted: 1 to 4,096"),
    )
    assert isinstance(error.__cause__, grpc.RpcError)
    assert len(served.requests) == 1


def test_a_message_over_the_servers_limit_is_resource_exhausted(serve):
    served = serve()
    with Client(served.target) as client, pytest.raises(merchlens.ResourceExhausted):
        client.search(image=bytes(16 * 2**20 + 1))


# Connections


@pytest.mark.parametrize(("attempts", "timeout_s"), [(1, 120), (4, 0.5)], ids=["at once", "at the deadline"])
def test_where_nobody_listens_the_error_names_the_target_and_a_next_step(free_port, attempts, timeout_s):
    target = f"127.0.0.1:{free_port}"
    with (
        Client(target, timeout_s=timeout_s, max_attempts=attempts) as client,
        pytest.raises(merchlens.Unavailable) as caught,
    ):
        client.search(text="boots", request_id="order-17")
    assert caught.value.request_id == "order-17"
    assert f"127.0.0.1:{free_port}" in str(caught.value)
    assert "next step" in str(caught.value)


def test_a_server_that_starts_late_is_found(serve, free_port):
    with Client(f"127.0.0.1:{free_port}") as client:
        with pytest.raises(merchlens.Unavailable, match=str(free_port)):
            client.wait_ready(timeout_s=0.3)
        serve(echo, port=free_port)
        client.wait_ready(timeout_s=60)
        assert client.search(text="boots").hits[0].product_id == "boots"


def test_a_call_made_while_no_server_runs_is_answered_by_the_one_that_starts_within_its_deadline(serve, free_port):
    with Client(f"127.0.0.1:{free_port}", timeout_s=60) as client, ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(client.search, text=f"boots {number}") for number in range(4)]
        with pytest.raises(merchlens.Unavailable):
            client.wait_ready(timeout_s=0.5)
        serve(echo, port=free_port)
        assert [call.result().hits[0].product_id for call in calls] == [f"boots {number}" for number in range(4)]


def test_restarts_under_load_cost_no_call(serve):
    """gRPC's server drops calls that reach it while it shuts down; at each of these restarts it does so with some."""
    served = serve(echo)
    port = int(served.target.rpartition(":")[2])
    over, answered, failed = threading.Event(), [], []

    def ask():
        with Client(served.target, timeout_s=60) as client:
            while not over.is_set():
                try:
                    answered.append(client.search(text="boots").hits[0].product_id)
                except Exception as error:
                    failed.append(error)

    callers = [threading.Thread(target=ask) for _ in range(8)]
    for caller in callers:
        caller.start()
    for _ in range(10):
        before = len(answered)
        while not failed and len(answered) < before + 100:
            over.wait(0.001)
        served.server.stop(grace=10).wait()
        served = serve(echo, port=port)
    over.set()
    for caller in callers:
        caller.join()
    assert failed == []
    assert set(answered) == {"boots"}


def dropping(times):
    """An answer like that of a server that is stopping: CANCELLED, without a message or metadata, `times` times."""
    left = iter(range(times))

    def answer(request, context):
        if next(left, None) is not None:
            context.abort(grpc.StatusCode.CANCELLED, "")
        return echo(request, context)

    return answer


def test_a_server_that_takes_long_to_stop_drops_a_call_more_often_than_it_may_be_attempted(serve):
    served = serve(dropping(7))
    with Client(served.target, timeout_s=60, max_attempts=2) as client:
        assert client.search(text="boots").hits[0].product_id == "boots"
    assert len(served.requests) == 8


def test_a_call_that_is_dropped_until_its_deadline_is_unavailable(serve):
    served = serve(dropping(1_000_000))
    with Client(served.target, timeout_s=0.5) as client, pytest.raises(merchlens.Unavailable, match="next step"):
        client.search(text="boots", request_id="order-17")


def test_with_one_attempt_a_dropped_call_is_not_sent_again(serve):
    served = serve(dropping(1))
    with Client(served.target, max_attempts=1) as client, pytest.raises(merchlens.Cancelled):
        client.search(text="boots")
    assert len(served.requests) == 1


def test_a_restarted_server_is_found_again(serve):
    first = serve(echo)
    with Client(first.target) as client:
        client.search(text="boots")
        first.server.stop(grace=None).wait()
        with pytest.raises(merchlens.Unavailable):
            client.search(text="boots", timeout_s=0.3)
        serve(echo, port=int(first.target.rpartition(":")[2]))
        client.wait_ready(timeout_s=60)
        assert client.search(text="boots").hits[0].product_id == "boots"


def test_eight_threads_share_a_client(serve):
    served = serve(echo)
    texts = [f"query {number}" for number in range(400)]
    with Client(served.target) as client, ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda text: client.search(text=text), texts))
    assert [result.hits[0].product_id for result in results] == texts


def test_closing_cancels_the_calls_in_progress(serve):
    arrived, done = threading.Event(), threading.Event()

    def wait(request, context):
        arrived.set()
        done.wait()
        return search_service_pb2.SearchResponse()

    served = serve(wait)
    client = Client(served.target, timeout_s=120)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(client.search, text="boots")
        arrived.wait()
        client.close()
        with pytest.raises(merchlens.Cancelled):
            call.result()
        done.set()


def test_a_closed_client_says_so_and_may_be_closed_again(serve):
    client = Client(serve().target)
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="client is closed"):
        client.search(text="boots")
    with pytest.raises(RuntimeError, match="client is closed"):
        client.wait_ready()

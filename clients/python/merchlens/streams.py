"""The two ends of a stream of searches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from merchlens.errors import MerchlensError, from_status
from merchlens.queries import SearchQuery
from merchlens.request import build_search_request
from merchlens.results import SearchResult
from merchlens.v1 import search_service_pb2


class QueriesSent:
    """Queries on their way; gRPC takes them in a thread of its own, and drops whatever is raised there."""

    def __init__(self, queries: Iterable[SearchQuery]) -> None:
        self._queries = queries
        self._failure: BaseException | None = None

    def messages(self) -> Iterator[search_service_pb2.StreamSearchRequest]:
        """Each query's message, its place as its id; ends before one that cannot be sent."""
        try:
            for place, query in enumerate(self._queries):
                built = build_search_request(query, f"queries[{place}].")
                yield search_service_pb2.StreamSearchRequest(query_id=str(place), query=built)
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001
            self._failure = error

    def raise_failure(self) -> None:
        """Raise what ended the queries too early."""
        if self._failure is not None:
            raise self._failure


def read_stream_reply(
    reply: search_service_pb2.StreamSearchResponse, request_id: str
) -> tuple[int, SearchResult | MerchlensError]:
    """A query's place, and its result, or what a call of its own would have raised."""
    place = int(reply.query_id)
    if reply.WhichOneof("result") == "response":
        return place, SearchResult.from_message(reply.response)
    return place, from_status(reply.error.SerializeToString(), request_id=request_id)

"""The answers to several queries, each with its own status, in one message that is not too large."""

from __future__ import annotations

from merchlens.v1 import search_service_pb2

from server.errors import ReplyTooLarge
from server.rpc.call import Call
from server.rpc.messages.failure import to_error
from server.rpc.messages.search import to_search_response
from server.search.query import SearchOutcome, Shortfall
from server.search.timings import StageTimings

_ERROR_BYTES = 1024
"""Kept free for each query that is still to come, so that it can be said why it is not answered."""


class BatchReply:
    """Results, as they are added.

    Attributes:
        results: those added so far.
        timings: of all of them together.
        shortfalls: of any of them, by code.
    """

    def __init__(self, call: Call, count: int, most_bytes: int) -> None:
        """Begin a reply to `count` queries of at most `most_bytes` bytes."""
        self.results: list[search_service_pb2.BatchSearchResult] = []
        self.timings = StageTimings()
        self.shortfalls: dict[str, Shortfall] = {}
        self._call = call
        self._count = count
        self._most_bytes = most_bytes
        self._bytes = 0

    def add(self, outcome: SearchOutcome | Exception) -> bool:
        """Add the next query's outcome; False where it has no place any more: then nothing is worth its work."""
        if isinstance(outcome, Exception):
            return self._put(search_service_pb2.BatchSearchResult(error=to_error(outcome, self._call)))
        response = to_search_response(outcome, self._call.request_id)
        self.timings.add(outcome.timings_us)
        self.shortfalls |= {item.code: item for item in outcome.shortfalls}
        return self._put(search_service_pb2.BatchSearchResult(response=response))

    def give_up(self) -> None:
        """Say of all queries that are left why they are not answered."""
        left = self._count - len(self.results)
        if left:
            error = ReplyTooLarge(
                f"the answer does not fit into the reply's {self._most_bytes:,} bytes, beside the {len(self.results)} "
                "answers before it; next step: send this query and those after it in another call, or for fewer hits"
            )
            self.results += [search_service_pb2.BatchSearchResult(error=to_error(error, self._call))] * left

    def _put(self, result: search_service_pb2.BatchSearchResult) -> bool:
        size = result.ByteSize()
        left = self._count - len(self.results) - 1
        if self._bytes + size + left * _ERROR_BYTES > self._most_bytes:
            return False
        self._bytes += size
        self.results.append(result)
        return True

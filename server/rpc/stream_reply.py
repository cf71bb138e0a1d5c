"""The answer to one query of a stream, in one message that is not too large."""

from __future__ import annotations

from merchlens.v1 import search_service_pb2

from server.errors import ReplyTooLarge
from server.rpc.call import Call
from server.rpc.messages.failure import to_error
from server.rpc.messages.search import to_search_response
from server.search.query import SearchOutcome


def to_stream_reply(
    query_id: str, outcome: SearchOutcome | Exception, call: Call, most_bytes: int
) -> search_service_pb2.StreamSearchResponse:
    """Write an answer, or why there is none.

    Args:
        query_id: the caller's.
        outcome: of the query.
        call: the stream's.
        most_bytes: of a message; a longer answer is an error.
    """
    if isinstance(outcome, Exception):
        return search_service_pb2.StreamSearchResponse(query_id=query_id, error=to_error(outcome, call))
    response = to_search_response(outcome, call.request_id)
    reply = search_service_pb2.StreamSearchResponse(query_id=query_id, response=response)
    if reply.ByteSize() <= most_bytes:
        return reply
    error = ReplyTooLarge(
        f"the answer has {reply.ByteSize():,} bytes; permitted: up to {most_bytes:,}; next step: ask for fewer hits"
    )
    return search_service_pb2.StreamSearchResponse(query_id=query_id, error=to_error(error, call))

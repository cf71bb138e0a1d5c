"""`merchlens.v1.SearchService`: requests in, replies out."""

from __future__ import annotations

from merchlens.v1 import search_service_pb2

from server.rpc.call import Call
from server.rpc.convert import to_command, to_response
from server.search.searcher import Searcher


class SearchServicer:
    """Answers searches. Errors leave as exceptions; the interceptor turns them into statuses."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def Search(  # noqa: N802  (the contract's name)
        self, request: search_service_pb2.SearchRequest, call: Call
    ) -> search_service_pb2.SearchResponse:
        """Answer one query; see the contract."""
        call.check_alive()
        return to_response(self._searcher.search(to_command(request), call.check_alive), call.request_id)

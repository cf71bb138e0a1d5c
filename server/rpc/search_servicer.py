"""`merchlens.v1.SearchService`: requests in, replies out."""

from __future__ import annotations

from merchlens.v1 import search_service_pb2

from server.hosting.served_catalog import ServedCatalog
from server.rpc.call import Call
from server.rpc.messages.search import to_search_command, to_search_response


class SearchServicer:
    """Answers searches. Errors leave as exceptions; the interceptor turns them into statuses."""

    def __init__(self, catalog: ServedCatalog) -> None:
        self._searcher = catalog.searcher

    def Search(  # noqa: N802  (the contract's name)
        self, request: search_service_pb2.SearchRequest, call: Call
    ) -> search_service_pb2.SearchResponse:
        """Answer one query; see the contract."""
        call.check_alive()
        return to_search_response(self._searcher.search(to_search_command(request), call.check_alive), call.request_id)

"""The servicer: requests in, replies out."""

from __future__ import annotations

import grpc
from merchlens.v1 import search_service_pb2, search_service_pb2_grpc

from server.rpc.call import Call
from server.rpc.convert import to_command, to_response
from server.search.searcher import Searcher


class SearchServicer(search_service_pb2_grpc.SearchServiceServicer):
    """`merchlens.v1.SearchService`. Errors leave as exceptions; the interceptor turns them into statuses."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def Search(  # noqa: N802  (the contract's name)
        self, request: search_service_pb2.SearchRequest, context: grpc.ServicerContext
    ) -> search_service_pb2.SearchResponse:
        """Answer one query; see the contract."""
        call = Call.of(context)
        call.check_alive()
        outcome = self._searcher.search(to_command(request), call.check_alive)
        return to_response(outcome, self._searcher.model_fingerprint, self._searcher.index_version, call.request_id)

"""`merchlens.v1.SearchService`: requests in, replies out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from merchlens.v1 import search_service_pb2

from server.hosting.served_catalog import ServedCatalog
from server.rpc.batch_reply import BatchReply
from server.rpc.call import Call
from server.rpc.messages.meta import to_meta
from server.rpc.messages.search import to_hit_message, to_recommend_command, to_search_command, to_search_response
from server.rpc.query_stream import QueryStream
from server.rpc.stream_places import StreamPlaces
from server.rpc.stream_reply import to_stream_reply
from server.search.attempt import attempt


class SearchServicer:
    """Answers searches. Errors leave as exceptions; the interceptor turns them into statuses."""

    def __init__(self, catalog: ServedCatalog) -> None:
        self._catalog = catalog
        self._searcher = catalog.searcher
        self._streams = StreamPlaces(catalog.settings.max_streams)

    def Search(  # noqa: N802  (the contract's name)
        self, request: search_service_pb2.SearchRequest, call: Call
    ) -> search_service_pb2.SearchResponse:
        """Answer one query; see the contract."""
        call.check_alive()
        command = to_search_command(request, self._catalog.settings.max_query_parts)
        return to_search_response(self._searcher.search(command, call.check_alive), call.request_id)

    def Recommend(  # noqa: N802
        self, request: search_service_pb2.RecommendRequest, call: Call
    ) -> search_service_pb2.RecommendResponse:
        """Find what is like some products and unlike others; see the contract."""
        call.check_alive()
        found = self._catalog.recommender.recommend(to_recommend_command(request), call.check_alive)
        return search_service_pb2.RecommendResponse(
            hits=[to_hit_message(hit) for hit in found.hits],
            meta=to_meta(self._catalog.origin, call.request_id, found.timings_us, found.warnings),
        )

    def BatchSearch(  # noqa: N802
        self, request: search_service_pb2.BatchSearchRequest, call: Call
    ) -> search_service_pb2.BatchSearchResponse:
        """Answer several queries; see the contract."""
        call.check_alive()
        count = len(request.queries)
        self._catalog.checks.batch_size(count)
        most_parts = self._catalog.settings.max_query_parts
        read = [attempt(partial(to_search_command, query, most_parts)) for query in request.queries]
        commands = [item for item in read if not isinstance(item, Exception)]
        reply = BatchReply(call, count, self._catalog.settings.max_message_bytes)
        with closing(self._searcher.search_many(commands, call.check_alive)) as outcomes:
            for item in read:
                if not reply.add(item if isinstance(item, Exception) else next(outcomes)):
                    break
        reply.give_up()
        meta = to_meta(
            self._catalog.origin,
            call.request_id,
            reply.timings.measured_us,
            shortfalls=tuple(reply.shortfalls.values()),
        )
        return search_service_pb2.BatchSearchResponse(results=reply.results, meta=meta)

    def StreamSearch(  # noqa: N802
        self, requests: Iterator[search_service_pb2.StreamSearchRequest], call: Call
    ) -> Iterator[search_service_pb2.StreamSearchResponse]:
        """Answer queries as they come; see the contract."""
        call.check_alive()
        settings = self._catalog.settings
        with self._streams.taken():
            for batch in QueryStream(requests, call, settings.stream_idle_s).batches():
                read = [attempt(partial(to_search_command, item.query, settings.max_query_parts)) for item in batch]
                commands = [item for item in read if not isinstance(item, Exception)]
                with closing(self._searcher.search_many(commands, call.check_alive)) as outcomes:
                    for asked, item in zip(batch, read, strict=True):
                        outcome = item if isinstance(item, Exception) else next(outcomes)
                        yield to_stream_reply(asked.query_id, outcome, call, settings.max_message_bytes)

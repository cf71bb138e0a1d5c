"""`merchlens.v1.RecognitionService`: what pictures show and texts name."""

from __future__ import annotations

from contextlib import closing
from functools import partial

from merchlens.v1 import query_pb2, recognition_service_pb2

from server.hosting.served_catalog import ServedCatalog
from server.rpc.call import Call
from server.rpc.messages.failure import to_error
from server.rpc.messages.meta import to_meta
from server.rpc.messages.query import to_input
from server.rpc.messages.recognition import to_attribute, to_category
from server.search.attempt import attempt
from server.search.query import ServerWarning
from server.search.timings import StageTimings


class RecognitionServicer:
    """Classifies and embeds. Errors leave as exceptions; the interceptor turns them into statuses."""

    def __init__(self, catalog: ServedCatalog) -> None:
        self._catalog = catalog

    def Classify(  # noqa: N802  (the contract's name)
        self, request: recognition_service_pb2.ClassifyRequest, call: Call
    ) -> recognition_service_pb2.ClassifyResponse:
        """Judge one picture or text; see the contract."""
        call.check_alive()
        found = self._catalog.classifier.classify(request.catalog, to_input(request, ""), call.check_alive)
        seen = found.seen
        return recognition_service_pb2.ClassifyResponse(
            category=None if seen.category is None else to_category(seen.category),
            attributes=[to_attribute(item) for item in seen.attributes],
            meta=to_meta(self._catalog.origin, call.request_id, found.timings_us, found.warnings),
        )

    def Embed(  # noqa: N802
        self, request: recognition_service_pb2.EmbedRequest, call: Call
    ) -> recognition_service_pb2.EmbedResponse:
        """Embed pictures and texts; see the contract."""
        call.check_alive()
        self._catalog.checks.catalog(request.catalog)
        self._catalog.checks.embed_size(len(request.inputs))
        fields = [f"inputs[{place}]" for place in range(len(request.inputs))]
        read = [attempt(partial(to_input, each, field)) for each, field in zip(request.inputs, fields, strict=True)]
        asked = [(item, field) for item, field in zip(read, fields, strict=True) if not isinstance(item, Exception)]
        results = []
        timings = StageTimings()
        warnings: list[ServerWarning] = []
        with closing(self._catalog.parts.encode_each(asked, call.check_alive)) as encoded:
            for item in read:
                part = item if isinstance(item, Exception) else next(encoded)
                if isinstance(part, Exception):
                    results.append(recognition_service_pb2.EmbedResult(error=to_error(part, call)))
                    continue
                timings.add(part.timings_us)
                warnings += part.warnings
                vector = query_pb2.Vector(values=part.embedding.tolist())
                results.append(recognition_service_pb2.EmbedResult(vector=vector))
        return recognition_service_pb2.EmbedResponse(
            results=results, meta=to_meta(self._catalog.origin, call.request_id, timings.measured_us, warnings)
        )

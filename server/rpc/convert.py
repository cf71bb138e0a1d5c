"""Messages to the server's own types and back; only this module and the servicers know both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf import struct_pb2
from merchlens.v1 import attribute_pb2, category_pb2, meta_pb2, query_pb2, search_service_pb2

from indexer.stores.condition import CATEGORY_PATH_KEY
from indexer.stores.points import CONTENT_KEY
from server.errors import InvalidRequest
from server.search.query import (
    PictureQuery,
    PredictedAttribute,
    PredictedCategory,
    ProductQuery,
    Query,
    SearchCommand,
    SearchOutcome,
    ServerWarning,
    TextQuery,
    VectorQuery,
)

_HIDDEN = frozenset({"product_id", CATEGORY_PATH_KEY, CONTENT_KEY})
"""Payload keys that are internal to the index."""

_METHODS = {
    "head": category_pb2.CategoryPrediction.METHOD_HEAD,
    "neighbors": category_pb2.CategoryPrediction.METHOD_NEIGHBORS,
    "fusion": category_pb2.CategoryPrediction.METHOD_FUSION,
}

_ATTRIBUTE_METHODS = {
    "head": attribute_pb2.AttributePrediction.METHOD_HEAD,
    "names": attribute_pb2.AttributePrediction.METHOD_NAMES,
    "pixels": attribute_pb2.AttributePrediction.METHOD_PIXELS,
    "words": attribute_pb2.AttributePrediction.METHOD_WORDS,
}

_ABSTENTIONS = {
    None: category_pb2.CategoryPrediction.ABSTENTION_UNSPECIFIED,
    "not_in_catalog": category_pb2.CategoryPrediction.ABSTENTION_NOT_IN_CATALOG,
    "unsure": category_pb2.CategoryPrediction.ABSTENTION_UNSURE,
}


def to_search_command(request: search_service_pb2.SearchRequest) -> SearchCommand:
    """Read a request.

    Raises:
        InvalidRequest: not exactly one query part, or one that holds nothing.
    """
    if len(request.parts) != 1:
        raise InvalidRequest(
            "QUERY_PARTS",
            "parts",
            f"{len(request.parts)} query parts; permitted: exactly 1, one of text, image, product_id, vector",
        )
    return SearchCommand(request.catalog, to_query(request.parts[0], "parts[0]"), request.filter, request.page_size)


def to_query(part: query_pb2.QueryPart, field: str) -> Query:
    """Read a query part.

    Args:
        part: as sent.
        field: its path in the request, as in "parts[0]".

    Raises:
        InvalidRequest: it holds nothing.
    """
    kind = part.WhichOneof("query")
    if kind == "text":
        return TextQuery(part.text)
    if kind == "image":
        if part.image.WhichOneof("source") is None:
            raise InvalidRequest("IMAGE_EMPTY", f"{field}.image", "an image without a source; permitted: data")
        return PictureQuery(part.image.data)
    if kind == "product_id":
        return ProductQuery(part.product_id)
    if kind == "vector":
        return VectorQuery(np.asarray(part.vector.values, dtype=np.float32))
    raise InvalidRequest(
        "QUERY_EMPTY", field, "a query part with nothing in it; permitted: one of text, image, product_id, vector"
    )


def to_search_response(outcome: SearchOutcome, request_id: str) -> search_service_pb2.SearchResponse:
    """Write a reply."""
    return search_service_pb2.SearchResponse(
        hits=[
            search_service_pb2.Hit(
                product_id=hit.product_id,
                score=hit.score,
                payload=_to_struct(hit.payload),
                picture=hit.picture,
                match_probability=hit.match.relevant,
                same_product_probability=hit.match.same,
            )
            for hit in outcome.hits
        ],
        category=None if outcome.category is None else to_category(outcome.category),
        attributes=[to_attribute(item) for item in outcome.attributes],
        meta=to_meta(
            outcome.model_fingerprint, outcome.index_version, request_id, outcome.timings_us, outcome.warnings
        ),
    )


def to_meta(
    model_fingerprint: str,
    index_version: str,
    request_id: str,
    timings_us: Mapping[str, int],
    warnings: Sequence[ServerWarning],
) -> meta_pb2.ResponseMeta:
    """Write a reply's metadata."""
    return meta_pb2.ResponseMeta(
        model_fingerprint=model_fingerprint,
        index_version=index_version,
        request_id=request_id,
        timings=[meta_pb2.StageTiming(stage=stage, duration_us=duration) for stage, duration in timings_us.items()],
        warnings=[meta_pb2.Warning(code=item.code, field=item.field, text=item.text) for item in warnings],
    )


def to_category(predicted: PredictedCategory) -> category_pb2.CategoryPrediction:
    """Write a predicted category."""
    best = predicted.candidates[0]
    return category_pb2.CategoryPrediction(
        category=best.category,
        probability=best.probability,
        candidates=[
            category_pb2.CategoryProbability(
                category=item.category,
                probability=item.probability,
                head_probability=item.head,
                neighbor_share=item.neighbors,
                name_cosine=item.names,
            )
            for item in predicted.candidates
        ],
        method=_METHODS[predicted.method],
        in_catalog_probability=predicted.known,
        abstention=_ABSTENTIONS[predicted.abstention],
        branch=[
            category_pb2.CategoryNode(category=node.path, probability=node.probability) for node in predicted.branch
        ],
        sure_category=predicted.sure,
    )


def to_attribute(predicted: PredictedAttribute) -> attribute_pb2.AttributePrediction:
    """Write a predicted attribute."""
    best = predicted.candidates[0]
    return attribute_pb2.AttributePrediction(
        name=predicted.name,
        value=best.value,
        probability=best.probability,
        is_sure=predicted.is_sure,
        candidates=[
            attribute_pb2.AttributeValueProbability(value=item.value, probability=item.probability)
            for item in predicted.candidates
        ],
        method=_ATTRIBUTE_METHODS[predicted.method],
        is_calibrated=predicted.is_calibrated,
    )


def _to_struct(payload: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({key: value for key, value in payload.items() if key not in _HIDDEN})
    return struct

"""What is asked for: one part of a query."""

from __future__ import annotations

import numpy as np
from merchlens.v1 import query_pb2, recognition_service_pb2

from server.errors import InvalidRequest
from server.search.query import PictureQuery, ProductQuery, Query, TextQuery, VectorQuery


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
        return _to_picture(part.image, f"{field}.image")
    if kind == "product_id":
        return ProductQuery(part.product_id)
    if kind == "vector":
        return VectorQuery(np.asarray(part.vector.values, dtype=np.float32))
    raise InvalidRequest(
        "QUERY_EMPTY", field, "a query part with nothing in it; permitted: one of text, image, product_id, vector"
    )


def to_input(
    message: recognition_service_pb2.ClassifyRequest | recognition_service_pb2.EmbedInput, field: str
) -> TextQuery | PictureQuery:
    """Read what is to be looked at.

    Args:
        message: as sent.
        field: its path in the request; "" where it is the request.

    Raises:
        InvalidRequest: it holds nothing.
    """
    kind = message.WhichOneof("input")
    if kind == "text":
        return TextQuery(message.text)
    if kind == "image":
        return _to_picture(message.image, f"{field}.image" if field else "image")
    raise InvalidRequest("QUERY_EMPTY", field or "input", "nothing to look at; permitted: one of text, image")


def _to_picture(image: query_pb2.Image, field: str) -> PictureQuery:
    if image.WhichOneof("source") is None:
        raise InvalidRequest("IMAGE_EMPTY", field, "an image without a source; permitted: data")
    return PictureQuery(image.data)

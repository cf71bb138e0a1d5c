"""Arguments of a call, checked, to the request that is sent.

Checked is only what has no place in a message (a lone surrogate, a deadline) or would mean something else there
(`top_k=0`); the rest is left to the server, whose limits are configured.
"""

from __future__ import annotations

import math
import operator
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from google.protobuf import field_mask_pb2

from merchlens.errors import REQUEST_ID_METADATA, InvalidArgument
from merchlens.queries import Accuracy, FacetQuery, ImageSource, QueryPart, Ranking, SearchQuery, Strategy
from merchlens.status import FieldViolation
from merchlens.v1 import catalog_service_pb2, query_pb2, recognition_service_pb2, search_service_pb2

# A little over the 16 MiB that servers take, so that the server refuses it and names its limit.
MAX_MESSAGE_BYTES = 17 * 2**20
_MAX_TIMEOUT_S = 86_400.0
_MAX_INT32 = 2**31 - 1
_MOST_WEIGHT = 10.0
_LEVELS: Mapping[str, Any] = {
    "balanced": search_service_pb2.Accuracy.LEVEL_BALANCED,
    "fast": search_service_pb2.Accuracy.LEVEL_FAST,
    "exact": search_service_pb2.Accuracy.LEVEL_EXACT,
}
_RANKINGS: Mapping[str, Any] = {
    "hybrid": search_service_pb2.RANKING_UNSPECIFIED,
    "pictures": search_service_pb2.RANKING_PICTURES,
    "words": search_service_pb2.RANKING_WORDS,
}
_SCOPES: Mapping[str, Any] = {
    "candidates": search_service_pb2.FacetRequest.SCOPE_CANDIDATES,
    "filter": search_service_pb2.FacetRequest.SCOPE_FILTER,
}
_STRATEGIES: Mapping[Strategy, Any] = {
    "average": search_service_pb2.RecommendRequest.STRATEGY_AVERAGE,
    "best_score": search_service_pb2.RecommendRequest.STRATEGY_BEST_SCORE,
}
# What an HTTP/2 header carries unchanged: white space at the ends would be cut.
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def refuse(reason: str, field: str, message: str) -> NoReturn:
    """Raise what the server would, before anything is sent.

    Args:
        reason: UPPER_SNAKE; the contract's where it has one.
        field: path in the request message, or the argument's name where the message has no such field.
        message: the value and what is permitted.
    """
    raise InvalidArgument(message, reason=reason, field_violations=(FieldViolation(field, message),))


def check_timeout(timeout_s: float) -> float:
    """Return a deadline, in seconds, over 0 and at most 86,400.

    Raises:
        InvalidArgument: it is outside; gRPC would take an endless one for one that has passed.
    """
    if not (math.isfinite(timeout_s) and 0 < timeout_s <= _MAX_TIMEOUT_S):
        refuse("TIMEOUT_RANGE", "timeout_s", f"timeout_s {timeout_s}; permitted: over 0, at most {_MAX_TIMEOUT_S:g}")
    return timeout_s


def check_request_id(request_id: str | None) -> str:
    """Return a request id, or a new one for None.

    Raises:
        InvalidArgument: not 1 to 128 printable ASCII characters.
    """
    if request_id is None:
        return str(uuid.uuid4())
    if len(request_id) > 128 or not _PRINTABLE.fullmatch(request_id):
        refuse(
            "REQUEST_ID",
            REQUEST_ID_METADATA,
            f"request_id {request_id[:128]!r}; permitted: 1 to 128 printable ASCII characters, no white space",
        )
    return request_id


def check_api_key(api_key: str) -> None:
    """Refuse what cannot be sent as a key.

    Raises:
        InvalidArgument: anything but printable ASCII characters, or none at all; the message keeps the value secret.
    """
    if not _PRINTABLE.fullmatch(api_key):
        refuse("API_KEY", "api_key", "api_key; permitted: 1 or more printable ASCII characters, no white space")


def build_search_request(query: SearchQuery, within: str = "") -> search_service_pb2.SearchRequest:
    """Build the message of one search.

    Args:
        query: the search.
        within: path of the message in the request, such as "queries[3]."; "" where it is the request.

    Raises:
        InvalidArgument: not exactly one query, or a value that the message cannot carry.
        OSError: the picture's file cannot be read.
        TypeError: an argument of a wrong type.
    """
    given = (query.text, query.image, query.product_id, query.vector)
    if query.parts is None:
        parts = [build_query_part(*given, within=f"{within}parts", field=f"{within}parts[0]")]
    elif any(value is not None for value in given):
        refuse(
            "QUERY_PARTS", f"{within}parts", "parts beside text, image, product_id or vector; permitted: one of them"
        )
    else:
        parts = [_build_weighted_part(part, f"{within}parts[{place}]") for place, part in enumerate(query.parts)]
    return search_service_pb2.SearchRequest(
        catalog=checked_text(query.catalog, f"{within}catalog"),
        parts=parts,
        filter=checked_text(query.filter, f"{within}filter"),
        page_size=_checked_top_k(query.top_k, f"{within}page_size"),
        read_mask=read_mask(query.fields) if query.fields else None,
        accuracy=_build_accuracy(query.accuracy, f"{within}accuracy"),
        ranking=_build_ranking(query.ranking, f"{within}ranking"),
        page_token=checked_text(query.page_token, f"{within}page_token"),
        group_by=_build_group_by(query.group_by, query.hits_per_group, f"{within}group_by"),
        facets=_build_facets(query.facets, f"{within}facets"),
        diversity=_build_diversity(query.diversity, f"{within}diversity"),
        min_match_probability=query.min_match_probability,
        count_total=query.count_total,
        keep_duplicates=query.keep_duplicates,
        include_parts=query.parts_of_hits,
    )


def _build_ranking(ranking: Ranking, field: str) -> Any:
    if ranking not in _RANKINGS:
        refuse("RANKING_UNKNOWN", field, f"ranking {ranking!r}; permitted: {', '.join(_RANKINGS)}")
    return _RANKINGS[ranking]


def _build_group_by(field: str, hits: int, path: str) -> search_service_pb2.GroupBy | None:
    named = checked_text(field, f"{path}.field")
    if not named:
        return None
    # 0 would mean "the default" on the wire, which nobody who writes hits_per_group=0 means.
    if not 1 <= operator.index(hits) <= _MAX_INT32:
        refuse("GROUP_BY_HITS", f"{path}.hits_per_group", f"{hits} hits per group; permitted: 1 to 100")
    return search_service_pb2.GroupBy(field=named, hits_per_group=operator.index(hits))


def _build_facets(facets: Sequence[str | FacetQuery], path: str) -> list[search_service_pb2.FacetRequest]:
    if isinstance(facets, str):
        raise TypeError("facets: str; permitted: several, as in ['color', 'category']")
    return [
        _build_facet(FacetQuery(facet) if isinstance(facet, str) else facet, f"{path}[{place}]")
        for place, facet in enumerate(facets)
    ]


def _build_facet(facet: FacetQuery, path: str) -> search_service_pb2.FacetRequest:
    if facet.scope not in _SCOPES:
        refuse("FACET_SCOPE_UNKNOWN", f"{path}.scope", f"scope {facet.scope!r}; permitted: {', '.join(_SCOPES)}")
    if not 1 <= operator.index(facet.max_values) <= _MAX_INT32:
        refuse("FACET_VALUES", f"{path}.max_values", f"{facet.max_values} values; permitted: 1 to 1,000")
    return search_service_pb2.FacetRequest(
        field=checked_text(facet.field, f"{path}.field"),
        max_values=operator.index(facet.max_values),
        scope=_SCOPES[facet.scope],
    )


def _build_diversity(diversity: float, path: str) -> search_service_pb2.Diversity | None:
    if not 0 <= diversity <= 1:
        refuse("DIVERSITY_RANGE", f"{path}.relevance", f"diversity {diversity}; permitted: 0 to 1")
    return search_service_pb2.Diversity(relevance=1 - diversity) if diversity else None


def _build_accuracy(accuracy: Accuracy, field: str) -> search_service_pb2.Accuracy | None:
    if isinstance(accuracy, int):
        if not -_MAX_INT32 <= accuracy <= _MAX_INT32:
            refuse("ACCURACY_CANDIDATES", f"{field}.candidates", f"{accuracy} candidates; permitted: 1 to 10,000")
        return search_service_pb2.Accuracy(candidates=accuracy)
    if accuracy not in _LEVELS:
        refuse(
            "ACCURACY_UNKNOWN", f"{field}.level", f"accuracy {accuracy!r}; permitted: {', '.join(_LEVELS)}, a number"
        )
    return None if accuracy == "balanced" else search_service_pb2.Accuracy(level=_LEVELS[accuracy])


def _build_weighted_part(part: QueryPart, field: str) -> query_pb2.QueryPart:
    # 0 would mean 1 on the wire, which nobody who writes weight=0 means.
    if not (-_MOST_WEIGHT <= part.weight <= _MOST_WEIGHT and part.weight):
        refuse("PART_WEIGHT", f"{field}.weight", f"weight {part.weight}; permitted: -10 to 10, and not 0")
    message = build_query_part(part.text, part.image, part.product_id, part.vector, within=field, field=field)
    message.weight = part.weight
    return message


def build_batch_search_request(queries: Iterable[SearchQuery]) -> search_service_pb2.BatchSearchRequest:
    """Build the message of several searches; see `build_search_request`."""
    return search_service_pb2.BatchSearchRequest(
        queries=[build_search_request(query, f"queries[{place}].") for place, query in enumerate(queries)]
    )


def read_mask(fields: Iterable[str]) -> field_mask_pb2.FieldMask:
    """Build a mask of fields' names.

    Raises:
        TypeError: one of them is no str, or all of it is one str.
        InvalidArgument: a name that the message cannot carry.
    """
    if isinstance(fields, str):
        raise TypeError("fields: str; permitted: several str, as in ['title', 'price']")
    return field_mask_pb2.FieldMask(paths=[checked_text(field, "read_mask") for field in fields])


def build_get_product_request(
    product_id: str, *, fields: Iterable[str], vectors: bool, catalog: str
) -> catalog_service_pb2.GetProductRequest:
    """Build the message that asks for one product; the arguments are those of `Client.get_product`."""
    return catalog_service_pb2.GetProductRequest(
        catalog=checked_text(catalog, "catalog"),
        product_id=checked_text(product_id, "product_id"),
        read_mask=read_mask(fields),
        include_vectors=vectors,
    )


def build_list_products_request(
    *, filter: str, page_size: int, page_token: str, fields: Iterable[str], catalog: str
) -> catalog_service_pb2.ListProductsRequest:
    """Build the message that asks for a page of products; the arguments are those of `Client.list_products`."""
    if not 1 <= operator.index(page_size) <= _MAX_INT32:
        refuse("PAGE_SIZE_RANGE", "page_size", f"page_size {page_size}; permitted: 1 to 1000, more is given 1000")
    return catalog_service_pb2.ListProductsRequest(
        catalog=checked_text(catalog, "catalog"),
        filter=checked_text(filter, "filter"),
        page_size=operator.index(page_size),
        page_token=checked_text(page_token, "page_token"),
        read_mask=read_mask(fields),
    )


def build_recommend_request(
    liked: Sequence[str],
    disliked: Sequence[str],
    *,
    strategy: Strategy,
    top_k: int,
    filter: str,
    fields: Iterable[str],
    keep_duplicates: bool,
    catalog: str,
) -> search_service_pb2.RecommendRequest:
    """Build the message of a recommendation; the arguments are those of `Client.recommend`."""
    if isinstance(liked, str) or isinstance(disliked, str):
        raise TypeError("one product id; permitted: several of them, as in a list")
    if strategy not in _STRATEGIES:
        refuse("STRATEGY_UNKNOWN", "strategy", f"strategy {strategy!r}; permitted: {', '.join(_STRATEGIES)}")
    return search_service_pb2.RecommendRequest(
        catalog=checked_text(catalog, "catalog"),
        liked_product_ids=[checked_text(each, f"liked_product_ids[{place}]") for place, each in enumerate(liked)],
        disliked_product_ids=[
            checked_text(each, f"disliked_product_ids[{place}]") for place, each in enumerate(disliked)
        ],
        strategy=_STRATEGIES[strategy],
        filter=checked_text(filter, "filter"),
        page_size=_checked_top_k(top_k, "page_size"),
        read_mask=read_mask(fields),
        keep_duplicates=keep_duplicates,
    )


def build_classify_request(
    text: str | None, image: ImageSource | None, *, catalog: str
) -> recognition_service_pb2.ClassifyRequest:
    """Build the message that asks what is shown; the arguments are those of `Client.classify`."""
    named = checked_text(catalog, "catalog")
    if (text is None) == (image is None):
        refuse("QUERY_EMPTY", "input", "text and image, or neither; permitted: exactly one of them")
    if image is not None:
        return recognition_service_pb2.ClassifyRequest(catalog=named, image=build_image(image, "image"))
    return recognition_service_pb2.ClassifyRequest(catalog=named, text=checked_text(text or "", "text"))


def build_embed_request(
    *, texts: Iterable[str] = (), images: Iterable[ImageSource] = (), catalog: str
) -> recognition_service_pb2.EmbedRequest:
    """Build the message that asks for embeddings of texts or of pictures."""
    if isinstance(texts, str) or isinstance(images, str | bytes):
        raise TypeError("one text or picture; permitted: several of them, as in a list")
    inputs = [
        recognition_service_pb2.EmbedInput(text=checked_text(text, f"inputs[{place}].text"))
        for place, text in enumerate(texts)
    ]
    inputs += [
        recognition_service_pb2.EmbedInput(image=build_image(image, f"inputs[{place}].image"))
        for place, image in enumerate(images)
    ]
    return recognition_service_pb2.EmbedRequest(catalog=checked_text(catalog, "catalog"), inputs=inputs)


def _checked_top_k(top_k: int, field: str) -> int:
    # 0 would mean "the default" on the wire, which nobody who writes top_k=0 means.
    if not 1 <= operator.index(top_k) <= _MAX_INT32:
        refuse("TOP_K_RANGE", field, f"top_k {top_k}; permitted: 1 to 1000, more is answered with 1000")
    return operator.index(top_k)


def checked_text(value: str, field: str) -> str:
    """Give a text back that a message can carry.

    Raises:
        TypeError: not a str.
        InvalidArgument: it holds a lone surrogate.
    """
    if not isinstance(value, str):
        raise TypeError(f"{field}: {type(value).__name__}; permitted: str")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        message = f"{field} holds a lone surrogate at position {error.start}; permitted: text that UTF-8 can carry"
        raise InvalidArgument(
            message, reason="TEXT_NOT_UTF8", field_violations=(FieldViolation(field, message),)
        ) from error
    return value


def build_query_part(
    text: str | None,
    image: ImageSource | None,
    product_id: str | None,
    vector: Sequence[float] | None,
    *,
    within: str,
    field: str,
) -> query_pb2.QueryPart:
    """Build the message of one query part, of exactly one of the first four arguments.

    Args:
        text, image, product_id, vector: see `Client.search`.
        within: path of the request field that holds the part, named where there is not exactly one.
        field: the part's own path, such as "parts[0]"; errors name fields below it.

    Raises:
        InvalidArgument: not exactly one, or a value that the message cannot carry.
        OSError: the picture's file cannot be read.
        TypeError: an argument of a wrong type.
    """
    given = {"text": text, "image": image, "product_id": product_id, "vector": vector}
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        found = f"{len(names)} query parts ({', '.join(names)})" if names else "no query part"
        refuse("QUERY_PARTS", within, f"{found}; permitted: exactly 1, one of {', '.join(given)}")
    if text is not None:
        return query_pb2.QueryPart(text=checked_text(text, f"{field}.text"))
    if product_id is not None:
        return query_pb2.QueryPart(product_id=checked_text(product_id, f"{field}.product_id"))
    if image is not None:
        return query_pb2.QueryPart(image=build_image(image, f"{field}.image"))
    try:
        return query_pb2.QueryPart(vector=query_pb2.Vector(values=vector))
    except OverflowError:
        refuse(
            "VECTOR_NOT_FINITE",
            f"{field}.vector.values",
            "vector holds a number too large for a float; permitted: floats",
        )


def build_image(image: ImageSource, field: str) -> query_pb2.Image:
    """Build the message of a picture; `field`: its path in the request.

    Raises:
        InvalidArgument: it is too large.
        OSError: its file cannot be read.
    """
    return query_pb2.Image(data=_read_image(image, f"{field}.data"))


def _read_image(image: ImageSource, field: str) -> bytes:
    if isinstance(image, bytes | bytearray | memoryview):
        data = bytes(image)
    else:
        with Path(image).open("rb") as file:
            # Only enough to show that it is too much: a path may name any file.
            data = file.read(MAX_MESSAGE_BYTES + 1)
    if len(data) > MAX_MESSAGE_BYTES:
        refuse("IMAGE_TOO_LARGE", field, "image of more than 17 MiB; permitted: 1 byte to 10 MiB")
    return data

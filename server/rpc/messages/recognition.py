"""What a query shows: its category and its attributes."""

from __future__ import annotations

from merchlens.v1 import attribute_pb2, category_pb2

from server.search.query import PredictedAttribute, PredictedCategory

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

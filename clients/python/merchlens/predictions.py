"""What a query shows or names, as plain Python types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from merchlens.v1 import attribute_pb2, category_pb2

__all__ = [
    "AttributePrediction",
    "AttributeValueProbability",
    "CategoryNode",
    "CategoryPrediction",
    "CategoryProbability",
]

Method = Literal["head", "neighbors", "fusion", "unknown"]
"""How a category was predicted: by the model's classifier, from the nearest products, by both and more, or in a newer
way."""

Abstention = Literal["", "not_in_catalog", "unsure", "unknown"]
"""Why a category is no answer: "" where it is one; "unknown": for a newer reason."""

AttributeMethod = Literal["head", "names", "pixels", "words", "unknown"]
"""How an attribute was predicted: by the model's classifier, by what the values are called, by the picture's colours,
by the words of a text, or in a newer way."""

_ATTRIBUTE_METHODS: Mapping[int, AttributeMethod] = {
    attribute_pb2.AttributePrediction.METHOD_HEAD: "head",
    attribute_pb2.AttributePrediction.METHOD_NAMES: "names",
    attribute_pb2.AttributePrediction.METHOD_PIXELS: "pixels",
    attribute_pb2.AttributePrediction.METHOD_WORDS: "words",
}

_METHODS: Mapping[int, Method] = {
    category_pb2.CategoryPrediction.METHOD_HEAD: "head",
    category_pb2.CategoryPrediction.METHOD_NEIGHBORS: "neighbors",
    category_pb2.CategoryPrediction.METHOD_FUSION: "fusion",
}

_ABSTENTIONS: Mapping[int, Abstention] = {
    category_pb2.CategoryPrediction.ABSTENTION_UNSPECIFIED: "",
    category_pb2.CategoryPrediction.ABSTENTION_NOT_IN_CATALOG: "not_in_catalog",
    category_pb2.CategoryPrediction.ABSTENTION_UNSURE: "unsure",
}


@dataclass(frozen=True, slots=True)
class CategoryProbability:
    """A category and how likely it is.

    Attributes:
        category: path, levels separated by "/".
        probability: 0..1, calibrated.
        head_probability: by the model's own classifier alone, 0..1; None where it does not know the category.
        neighbor_share: of the nearest products' votes, 0..1; None where they were not asked.
        name_cosine: of the query and the category's name, -1..1; None where names count nothing.
    """

    category: str
    probability: float
    head_probability: float | None = None
    neighbor_share: float | None = None
    name_cosine: float | None = None

    @classmethod
    def from_message(cls, message: category_pb2.CategoryProbability) -> CategoryProbability:
        """Read one candidate."""
        return cls(
            message.category,
            message.probability,
            message.head_probability if message.HasField("head_probability") else None,
            message.neighbor_share if message.HasField("neighbor_share") else None,
            message.name_cosine if message.HasField("name_cosine") else None,
        )


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """A category on some level of the tree.

    Attributes:
        category: path, levels separated by "/".
        probability: that the query belongs to it or to a category below it, 0..1.
    """

    category: str
    probability: float


@dataclass(frozen=True, slots=True)
class CategoryPrediction:
    """What category the query shows.

    Attributes:
        category: path of the most likely, levels separated by "/".
        probability: that it is right, 0..1, calibrated on held-out products.
        candidates: the most likely, most likely first, at most 5, `category` among them.
        method: how it was predicted.
        in_catalog_probability: that the query shows one of the catalog's categories at all, 0..1; None where the server
            does not say.
        abstention: why `category` is only a guess; "" where it is an answer.
        branch: `category` with all above it, from the top; may be empty.
        sure_category: the lowest of the branch that is an answer; "" where none is.
    """

    category: str
    probability: float
    candidates: tuple[CategoryProbability, ...]
    method: Method
    in_catalog_probability: float | None = None
    abstention: Abstention = ""
    branch: tuple[CategoryNode, ...] = ()
    sure_category: str = ""

    @classmethod
    def from_message(cls, message: category_pb2.CategoryPrediction) -> CategoryPrediction:
        """Read a prediction."""
        return cls(
            category=message.category,
            probability=message.probability,
            candidates=tuple(CategoryProbability.from_message(item) for item in message.candidates),
            method=_METHODS.get(message.method, "unknown"),
            in_catalog_probability=message.in_catalog_probability
            if message.HasField("in_catalog_probability")
            else None,
            abstention=_ABSTENTIONS.get(message.abstention, "unknown"),
            branch=tuple(CategoryNode(node.category, node.probability) for node in message.branch),
            sure_category=message.sure_category,
        )


@dataclass(frozen=True, slots=True)
class AttributeValueProbability:
    """A value of an attribute, and how likely it is, 0..1."""

    value: str
    probability: float


@dataclass(frozen=True, slots=True)
class AttributePrediction:
    """One attribute of what the query shows or names.

    Attributes:
        name: as the catalog calls it.
        value: the most likely one; an answer where `is_sure`, else a guess.
        probability: that it is right, 0..1.
        is_sure: whether it is likely enough to be an answer.
        candidates: the most likely values, most likely first, at most 5, `value` among them.
        method: how it was predicted.
        is_calibrated: whether probabilities were fitted on the catalog's own labels.
    """

    name: str
    value: str
    probability: float
    is_sure: bool
    candidates: tuple[AttributeValueProbability, ...]
    method: AttributeMethod
    is_calibrated: bool

    @classmethod
    def from_message(cls, message: attribute_pb2.AttributePrediction) -> AttributePrediction:
        """Read a prediction."""
        return cls(
            name=message.name,
            value=message.value,
            probability=message.probability,
            is_sure=message.is_sure,
            candidates=tuple(AttributeValueProbability(item.value, item.probability) for item in message.candidates),
            method=_ATTRIBUTE_METHODS.get(message.method, "unknown"),
            is_calibrated=message.is_calibrated,
        )

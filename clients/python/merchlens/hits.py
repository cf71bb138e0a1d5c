"""Products found, as plain Python types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from merchlens.payload import AttributeValue, read_payload
from merchlens.v1 import search_service_pb2

__all__ = ["Hit"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One product found.

    Attributes:
        product_id: the product's id in the catalog.
        score: of the query and the product's nearest picture, -1..1: a text's cosine, or the weighted mean of both
            parts' cosines of a picture; for comparing hits of one query, not a probability.
        title: what the shop calls it; "" where the catalog gives none.
        category: path with levels separated by "/"; None where the catalog gives none.
        price: in the catalog's currency, 0 or more; None where not given.
        in_stock: None where not given.
        attributes: further fields by name.
        payload: the product as indexed, with all of the above but id and score. Numbers are floats.
        picture: which of its pictures is nearest to the query: its name, one of `payload["pictures"]`; "" where the
            server does not say.
        match_probability: that it is of the kind asked for, 0..1, calibrated; None where the server does not say.
        same_product_probability: that it is the very product shown, 0..1, calibrated; None where it does not say.
    """

    product_id: str
    score: float
    title: str
    category: str | None
    price: float | None
    in_stock: bool | None
    attributes: Mapping[str, AttributeValue]
    payload: Mapping[str, object]
    picture: str = ""
    match_probability: float | None = None
    same_product_probability: float | None = None

    @classmethod
    def from_message(cls, message: search_service_pb2.Hit) -> Hit:
        """Read one hit; a payload value of an unexpected type stays in `payload` and counts as not given."""
        return cls(
            product_id=message.product_id,
            score=message.score,
            **read_payload(message.payload),
            picture=message.picture,
            match_probability=message.match_probability if message.HasField("match_probability") else None,
            same_product_probability=message.same_product_probability
            if message.HasField("same_product_probability")
            else None,
        )

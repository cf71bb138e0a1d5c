"""Filters as Qdrant's models."""

from __future__ import annotations

from typing import Any

from qdrant_client import models

from indexer.filters.expression import Expression
from indexer.stores.condition import Clause, MatchNode, Node, RangeNode, to_condition


def to_filter(where: Expression | None) -> models.Filter | None:
    """A filter as the server takes it; None is none."""
    return None if where is None else _to_filter(to_condition(where))


def _to_filter(clause: Clause) -> models.Filter:
    return models.Filter(
        must=[_to_model(node) for node in clause.must] or None,
        should=[_to_model(node) for node in clause.should] or None,
        must_not=[_to_model(node) for node in clause.must_not] or None,
    )


def _to_model(node: Node) -> Any:
    if isinstance(node, Clause):
        return _to_filter(node)
    if isinstance(node, MatchNode):
        return models.FieldCondition(key=node.key, match=models.MatchValue(value=node.value))
    assert isinstance(node, RangeNode)
    return models.FieldCondition(key=node.key, range=models.Range(gt=node.gt, gte=node.gte, lt=node.lt, lte=node.lte))

"""What can be asked for, as plain Python types."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["SearchQuery"]

ImageSource = str | os.PathLike[str] | bytes | bytearray | memoryview
"""A picture: the path of its file, or the file's bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """One search of several; see `Client.search`, whose arguments these are.

    Attributes:
        text, image, product_id, vector: exactly one of them.
        top_k: how many hits at most, from 1.
        filter: which products to consider; "" is all.
        catalog: "" is the default one.
        fields: which fields of the hits' payloads are given; empty is all.
    """

    text: str | None = None
    image: ImageSource | None = None
    product_id: str | None = None
    vector: Sequence[float] | None = None
    top_k: int = 10
    filter: str = ""
    catalog: str = ""
    fields: Sequence[str] = ()

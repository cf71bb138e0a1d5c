"""What a caller asks to have written, before it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from server.search.query import ServerWarning


@dataclass(frozen=True, slots=True, eq=False)
class AskedPicture:
    """One picture.

    Attributes:
        data: the bytes of its file; None where its embedding is given.
        vector: its embedding, float32 of any length; None where its bytes are given, or nothing is.
        name: what it is to be called.
    """

    data: bytes | None
    vector: npt.NDArray[np.float32] | None
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class AskedProduct:
    """One product.

    Attributes:
        product_id, title, description, category, price, in_stock: as sent; "" and None are nothing.
        attributes: by name: texts, numbers, bools, lists, and whatever else may come.
        pictures: none: those that the index holds stay.
        digest: of all of it: the same request must ask the same.
    """

    product_id: str
    digest: bytes
    title: str = ""
    description: str = ""
    category: str = ""
    price: float | None = None
    in_stock: bool | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[AskedPicture, ...] = ()

    @property
    def picture_bytes(self) -> int:
        """Of all pictures' files."""
        return sum(len(picture.data or b"") for picture in self.pictures)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one product.

    Attributes:
        product_id: as sent.
        error: why nothing was done; None where it was.
        time: when it was done.
        already: whether an earlier attempt had done it.
        was_there: whether the index held the product before; None where that is not known.
        warnings: what was done differently from what was asked.
    """

    product_id: str
    error: Exception | None = None
    time: datetime | None = None
    already: bool = False
    was_there: bool | None = None
    warnings: tuple[ServerWarning, ...] = ()

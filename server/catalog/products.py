"""Products as they are in one index version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from indexer.stores.points import INDEX_TIME_KEY
from indexer.stores.protocol import VersionReader
from indexer.versions.manifest import moment
from server.pages.page_token import Walk, token_invalid
from server.search.checks import RequestChecks
from server.search.indexed_product import check_product_id, product_missing
from server.search.query import ServerWarning
from server.search.timings import StageTimings


@dataclass(frozen=True, slots=True, eq=False)
class ProductFound:
    """A product, or what of it was asked for.

    Attributes:
        product_id, payload: its own.
        vectors: of its pictures, float32 (m, dim), unit length; None where they were not asked for.
        index_time: since when the index holds it like this; None where that is not known.
    """

    product_id: str
    payload: Mapping[str, Any]
    vectors: npt.NDArray[np.float32] | None = None
    index_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Some products.

    Attributes:
        products: those on the page.
        next_token: of the next page; "" where this is the last one.
        timings_us: stage to microseconds.
        warnings: what was done differently from what was asked.
    """

    products: tuple[ProductFound, ...]
    next_token: str
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]


class Products:
    """Reads one version. Calls from several threads are allowed."""

    def __init__(self, checks: RequestChecks, reader: VersionReader) -> None:
        self._checks = checks
        self._reader = reader

    def get(self, catalog: str, product_id: str, read_mask: Sequence[str], with_vectors: bool) -> ProductFound:
        """One product.

        Raises:
            InvalidRequest: an empty id, or an unknown field.
            ResourceMissing: no such catalog, or no such product.
        """
        self._checks.catalog(catalog)
        mask = self._checks.read_mask(read_mask)
        check_product_id(product_id, "product_id")
        stored = self._reader.fetch(product_id)
        if stored is None:
            raise product_missing(product_id, "product_id")
        vectors = stored.vectors if with_vectors else None
        return ProductFound(stored.product_id, mask.apply(stored.payload), vectors, self._index_time(stored.payload))

    def list_page(
        self, catalog: str, where: str, page_size: int, page_token: str, read_mask: Sequence[str]
    ) -> ProductPage:
        """One page of the products that match a filter.

        Raises:
            InvalidRequest: a field outside its range, or a token that is none or of another query.
            ResourceMissing: no such catalog.
            VersionReplaced: a token of a version that is not served any more.
        """
        self._checks.catalog(catalog)
        limit, warnings = self._checks.page_size(page_size)
        mask = self._checks.read_mask(read_mask)
        condition = self._checks.filter(where)
        manifest = self._reader.manifest
        walk = Walk(manifest.version, (manifest.catalog.encode(), where.encode()))
        start = _read_start(walk.position_of(page_token), page_token)
        timings = StageTimings()
        with timings.stage("read"):
            page = self._reader.page(limit, start, condition)
        products = tuple(
            ProductFound(each["product_id"], mask.apply(each), index_time=self._index_time(each))
            for each in page.payloads
        )
        token = walk.to_token(UUID(page.next).bytes) if page.next else ""
        return ProductPage(products, token, timings.measured_us, warnings)

    def _index_time(self, payload: Mapping[str, Any]) -> datetime | None:
        """When it was written while the index was served, else when the version was begun."""
        return moment(str(payload.get(INDEX_TIME_KEY) or self._reader.manifest.created_at))


def _read_start(position: bytes, token: str) -> str:
    """The point at which a page begins; "": the first one."""
    if not position:
        return ""
    try:
        return str(UUID(bytes=position))
    except ValueError as error:
        raise token_invalid(token) from error

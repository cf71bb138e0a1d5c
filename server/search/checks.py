"""What every request that names a catalog, a filter or a page size is held against, before any work starts."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.filters.errors import FilterError
from indexer.filters.expression import Expression
from indexer.filters.parser import parse_filter
from indexer.stores.protocol import Effort
from indexer.versions.manifest import Manifest
from server.errors import InvalidRequest, ResourceMissing
from server.search.query import ServerWarning
from server.search.read_mask import ReadMask
from server.settings import ServerSettings

DEFAULT_PAGE_SIZE = 10


class RequestChecks:
    """One catalog's schema and one server's limits. Calls from several threads are allowed."""

    def __init__(self, manifest: Manifest, settings: ServerSettings) -> None:
        self._catalog = manifest.catalog
        self._schema = manifest.schema
        self._settings = settings

    def catalog(self, name: str) -> None:
        """Refuse a catalog that is not served here; "" is the default one.

        Raises:
            ResourceMissing: CATALOG_NOT_FOUND.
        """
        if name not in ("", self._catalog):
            raise ResourceMissing(
                "CATALOG_NOT_FOUND",
                "catalog",
                "catalog",
                name,
                f"catalog {name[:80]!r} is not served here; permitted: {self._catalog!r}, or empty for it",
            )

    def page_size(self, asked: int) -> tuple[int, tuple[ServerWarning, ...]]:
        """How many are given at most, and what is to be said about it.

        Raises:
            InvalidRequest: PAGE_SIZE_NEGATIVE.
        """
        most = self._settings.max_page_size
        if asked < 0:
            raise InvalidRequest(
                "PAGE_SIZE_NEGATIVE",
                "page_size",
                f"page_size {asked}; permitted: 0 (for {DEFAULT_PAGE_SIZE}) to {most}",
            )
        if asked > most:
            warning = ServerWarning(
                "PAGE_SIZE_CAPPED", "page_size", f"page_size {asked} is over {most}: capped to {most}"
            )
            return most, (warning,)
        return min(asked or DEFAULT_PAGE_SIZE, most), ()

    def filter(self, text: str) -> Expression | None:
        """Read a filter; None for none.

        Raises:
            InvalidRequest: FILTER_...
        """
        try:
            return parse_filter(
                text,
                self._schema,
                max_depth=self._settings.max_filter_depth,
                max_length=self._settings.max_filter_chars,
            )
        except FilterError as error:
            raise InvalidRequest(error.reason, "filter", str(error)) from error

    def read_mask(self, paths: Sequence[str]) -> ReadMask:
        """Read which fields of products are asked for.

        Raises:
            InvalidRequest: READ_MASK_UNKNOWN_FIELD.
        """
        return ReadMask.of(paths, self._schema)

    def effort(self, asked: Effort | int) -> None:
        """Refuse a number of candidates outside its range.

        Raises:
            InvalidRequest: ACCURACY_CANDIDATES.
        """
        most = self._settings.max_search_candidates
        if isinstance(asked, int) and not 1 <= asked <= most:
            raise InvalidRequest(
                "ACCURACY_CANDIDATES", "accuracy.candidates", f"{asked:,} candidates; permitted: 1 to {most:,}"
            )

    def batch_size(self, count: int) -> None:
        """Refuse a batch of none, or of too many.

        Raises:
            InvalidRequest: BATCH_SIZE.
        """
        most = self._settings.max_batch_queries
        if not 1 <= count <= most:
            raise InvalidRequest("BATCH_SIZE", "queries", f"{count:,} queries; permitted: 1 to {most:,}")

    def embed_size(self, count: int) -> None:
        """Refuse to embed nothing, or too much at once.

        Raises:
            InvalidRequest: EMBED_SIZE.
        """
        most = self._settings.max_embed_inputs
        if not 1 <= count <= most:
            raise InvalidRequest("EMBED_SIZE", "inputs", f"{count:,} inputs; permitted: 1 to {most:,}")

    def recommend_size(self, liked: int, disliked: int) -> None:
        """Refuse a recommendation from nothing that is liked, or from too many products.

        Raises:
            InvalidRequest: RECOMMEND_SIZE.
        """
        most = self._settings.max_recommend_products
        if liked < 1 or liked + disliked > most:
            raise InvalidRequest(
                "RECOMMEND_SIZE",
                "liked_product_ids",
                f"{liked:,} liked, {disliked:,} disliked products; permitted: 1 or more liked, up to {most:,} together",
            )

"""Search, from a query in hand to hits and category; knows neither gRPC nor protobuf."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.errors import PictureError, TextError
from embedder.inputs.picture import ANIMATION_FIRST_FRAME, PictureBytes, PictureLimits
from embedder.inputs.text import check_text
from embedder.recognition.head import Modality
from embedder.recognition.neighbor_vote import NEIGHBORS
from indexer.errors import QueryVectorError
from indexer.filters.errors import FilterError
from indexer.filters.expression import Expression
from indexer.filters.parser import parse_filter
from indexer.stores.protocol import QueryPart, Scored, VersionReader, unit_vector
from server.errors import InvalidRequest, ResourceMissing
from server.search.category import CategoryPredictor
from server.search.query import (
    Hit,
    PictureQuery,
    ProductQuery,
    Query,
    SearchCommand,
    SearchOutcome,
    TextQuery,
    VectorQuery,
    Warned,
)
from server.settings import ServerSettings

DEFAULT_PAGE_SIZE = 10

CheckAlive = Callable[[], None]
"""Raises `DeadlineExpired` where nobody waits for the answer any more."""


class Searcher:
    """Answers searches from one model and one index version. Calls from several threads are allowed."""

    def __init__(self, encoder: Encoder, reader: VersionReader, settings: ServerSettings) -> None:
        self._encoder = encoder
        self._reader = reader
        self._settings = settings
        self._categories = CategoryPredictor(encoder.head, reader.manifest)
        self._picture_limits = PictureLimits(settings.max_image_bytes, settings.max_image_pixels)

    @property
    def model_fingerprint(self) -> str:
        """Of the model that encodes."""
        return self._encoder.info.fingerprint

    @property
    def index_version(self) -> str:
        """The version searched."""
        return self._reader.manifest.version

    def warm_up(self) -> None:
        """Run every stage once, so that the first caller does not wait for lazy set-up."""
        pixels = np.zeros((1, 3, *self._encoder.preprocessing.size), dtype=np.float32)
        vector = self._encoder.embed_pixels(pixels)[0]
        self._encoder.encode_texts(["warm up"])
        self._reader.query([QueryPart(vector)], [1.0], 1)
        parse_filter("in_stock", self._reader.manifest.schema)

    def search(self, command: SearchCommand, check_alive: CheckAlive = lambda: None) -> SearchOutcome:
        """Answer one search.

        Raises:
            InvalidRequest: a field outside its range.
            ResourceMissing: a catalog or product that is not there.
            DeadlineExpired: from `check_alive`, before each costly stage.
        """
        timings = _Timings()
        warnings: list[Warned] = []
        manifest = self._reader.manifest
        if command.catalog not in ("", manifest.catalog):
            raise ResourceMissing(
                "CATALOG_NOT_FOUND",
                "catalog",
                "catalog",
                command.catalog,
                f"catalog {command.catalog[:80]!r} is not served here; permitted: {manifest.catalog!r}, "
                "or empty for it",
            )
        page_size = self._page_size(command.page_size, warnings)
        where = self._filter(command.filter)
        check_alive()
        vector, modality = self._encode(command.query, timings, warnings, check_alive)
        check_alive()
        itself = command.query.product_id if isinstance(command.query, ProductQuery) else None
        with timings.stage("search"):
            found = self._reader.query([QueryPart(vector)], [1.0], page_size + (itself is not None), where)
        with timings.stage("rank"):
            hits = [Hit(item.product_id, item.score, item.payload) for item in found if item.product_id != itself]

            def neighbors() -> list[Scored]:
                enough = where is None and (len(found) >= NEIGHBORS or len(found) < page_size)
                more = NEIGHBORS + (itself is not None)
                near = found if enough else self._reader.query([QueryPart(vector)], [1.0], more)
                return [item for item in near if item.product_id != itself][:NEIGHBORS]

            category = self._categories.predict(vector, modality, neighbors)
        return SearchOutcome(tuple(hits[:page_size]), category, timings.measured, tuple(warnings))

    def _page_size(self, asked: int, warnings: list[Warned]) -> int:
        most = self._settings.max_page_size
        if asked < 0:
            raise InvalidRequest(
                "PAGE_SIZE_NEGATIVE",
                "page_size",
                f"page_size {asked}; permitted: 0 (for {DEFAULT_PAGE_SIZE}) to {most}",
            )
        if asked > most:
            warnings.append(
                Warned("PAGE_SIZE_CAPPED", "page_size", f"page_size {asked} is over {most}: {most} answered")
            )
        return min(asked or DEFAULT_PAGE_SIZE, most)

    def _filter(self, text: str) -> Expression | None:
        try:
            return parse_filter(
                text,
                self._reader.manifest.schema,
                max_depth=self._settings.max_filter_depth,
                max_length=self._settings.max_filter_chars,
            )
        except FilterError as error:
            raise InvalidRequest(error.reason, "filter", str(error)) from error

    def _encode(
        self, query: Query, timings: _Timings, warnings: list[Warned], check_alive: CheckAlive
    ) -> tuple[npt.NDArray[np.float32], Modality]:
        if isinstance(query, TextQuery):
            with timings.stage("decode"), _at("parts[0].text"):
                check_text(query.text, self._settings.max_text_chars)
                tokens = self._encoder.tokenize([query.text])
            if tokens.truncated[0]:
                length = self._encoder.info.text.context_length
                warnings.append(
                    Warned("TEXT_TRUNCATED", "parts[0].text", f"only the first {length} tokens of the text were read")
                )
            with timings.stage("encode"):
                return self._encoder.embed_tokens(tokens)[0], "text"
        if isinstance(query, PictureQuery):
            with timings.stage("decode"), _at("parts[0].image.data"):
                image, codes = self._encoder.decode(PictureBytes(query.data), self._picture_limits)
                pixels = self._encoder.preprocess([image])
            if ANIMATION_FIRST_FRAME in codes:
                warnings.append(
                    Warned(ANIMATION_FIRST_FRAME, "parts[0].image.data", "only the animation's first frame was used")
                )
            check_alive()
            with timings.stage("encode"):
                return self._encoder.embed_pixels(pixels)[0], "image"
        if isinstance(query, ProductQuery):
            return self._stored_vector(query.product_id, timings), "image"
        return self._checked_vector(query, warnings), "image"

    def _stored_vector(self, product_id: str, timings: _Timings) -> npt.NDArray[np.float32]:
        if not product_id:
            raise InvalidRequest("PRODUCT_ID_EMPTY", "parts[0].product_id", "product id ''; permitted: an indexed id")
        with timings.stage("decode"):
            stored = self._reader.fetch(product_id)
        if stored is None:
            raise ResourceMissing(
                "PRODUCT_NOT_FOUND",
                "parts[0].product_id",
                "product",
                product_id,
                f"product {product_id[:80]!r} is not in index version {self.index_version}; permitted: an indexed id",
            )
        return stored.direction

    def _checked_vector(self, query: VectorQuery, warnings: list[Warned]) -> npt.NDArray[np.float32]:
        try:
            vector = unit_vector(query.values, self._encoder.dim)
        except QueryVectorError as error:
            raise InvalidRequest(error.reason, "parts[0].vector.values", str(error)) from error
        length = float(np.linalg.norm(query.values))
        if abs(length - 1.0) > 1e-3:
            warnings.append(
                Warned("VECTOR_NORMALIZED", "parts[0].vector.values", f"the vector's length of {length:.6g} was made 1")
            )
        return vector


class _Timings:
    """Microseconds by stage, in order; a stage entered twice adds up."""

    def __init__(self) -> None:
        self.measured: dict[str, int] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self.measured[name] = self.measured.get(name, 0) + (time.perf_counter_ns() - started) // 1000


@contextmanager
def _at(field: str) -> Iterator[None]:
    """Tell the caller which field a picture or text error is about."""
    try:
        yield
    except (PictureError, TextError) as error:
        raise InvalidRequest(error.reason, field, str(error)) from error

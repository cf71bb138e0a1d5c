"""Parts of queries to vectors: what every rpc that is given a picture, a text or a vector begins with."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.errors import PictureError, TextError
from embedder.inputs.picture import ANIMATION_FIRST_FRAME, PictureBytes, PictureLimits
from embedder.inputs.pixels import Pixels, map_ahead
from embedder.inputs.text import check_text
from embedder.recognition.attribute_model import SeenPictures
from indexer.errors import QueryVectorError
from indexer.stores.protocol import Stored, unit_vector
from server.errors import InvalidRequest
from server.search.attempt import attempt
from server.search.decode_memory import CheckAlive, DecodeMemory
from server.search.encoded_part import EncodedPart
from server.search.indexed_product import check_product_id, product_missing
from server.search.query import PictureQuery, ProductQuery, Query, ServerWarning, TextQuery, VectorQuery
from server.search.query_cache import QueryCache
from server.search.timings import StageTimings
from server.settings import ServerSettings

T = TypeVar("T")

ENCODED_TOGETHER = 32
"""Parts of a batch whose texts go through the tower together, and whose pictures do."""

PICTURES_AT_ONCE = 16
"""Pictures that go through the tower together, at most: each takes a hundred times the memory of its file."""

_LONGER = 2.0
"""A text that is longer than so many times the shortest goes through the tower in another batch: a batch takes as long
as if each of its texts were the longest one, and from four texts on saves all that there is to save."""

Fetch = Callable[[str], Stored | None]
"""Finds an indexed product by its id; None where there is none."""


@dataclass(frozen=True, slots=True)
class _Asked(Generic[T]):
    """A text, or a picture's bytes: its place among what was asked, and its path in the request."""

    place: int
    content: T
    field: str


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A picture that was decoded and preprocessed, and how long that took."""

    asked: _Asked[bytes]
    pixels: Pixels
    timings: StageTimings


class PartEncoder:
    """Encodes query parts with one model, within a server's limits. Calls from several threads are allowed."""

    def __init__(self, encoder: Encoder, fetch: Fetch, settings: ServerSettings) -> None:
        self._encoder = encoder
        self._fetch = fetch
        self._max_text_chars = settings.max_text_chars
        self._threads = settings.threads or len(os.sched_getaffinity(0))
        self._reader = encoder.pixel_reader(
            PictureLimits(settings.max_image_bytes, settings.max_image_pixels, settings.max_image_side)
        )
        self.decode_memory = DecodeMemory(settings.max_decode_bytes, settings.decode_wait_s)
        self._cache = QueryCache(settings.query_cache_mb * 2**20)

    @property
    def model_fingerprint(self) -> str:
        """Of the model that encodes."""
        return self._encoder.info.fingerprint

    def encode(self, part: Query, field: str, check_alive: CheckAlive = lambda: None) -> EncodedPart:
        """Encode one part.

        Args:
            part: what to encode.
            field: the part's path in the request, such as "parts[0]"; "" where the request is the part. Errors and
                warnings name fields below it.
            check_alive: raises `DeadlineExpired` where the caller no longer waits; called before each costly stage.

        Raises:
            InvalidRequest: a picture, text or vector that cannot be used; `field` says which.
            ResourceMissing: a product that is not there.
            DecodeMemoryFull: other pictures being decoded leave no memory for this one.
        """
        (found,) = self.encode_many([(part, field)], check_alive)
        if isinstance(found, Exception):
            raise found
        return found

    def encode_each(
        self, asked: Sequence[tuple[Query, str]], check_alive: CheckAlive = lambda: None
    ) -> Generator[EncodedPart | Exception, None, None]:
        """Encode several parts, `ENCODED_TOGETHER` at a time; others are encoded while those before are used.

        Args:
            asked, check_alive: see `encode_many`.

        Yields:
            See `encode_many`.
        """
        groups = [asked[start : start + ENCODED_TOGETHER] for start in range(0, len(asked), ENCODED_TOGETHER)]
        if len(groups) < 2:
            # Threads would cost a single query more than they save.
            found: Iterable[list[EncodedPart | Exception]] = (self.encode_many(group, check_alive) for group in groups)
            yield from chain.from_iterable(found)
            return
        # What is logged in them names the call.
        context = copy_context()
        with closing(
            map_ahead(
                lambda group: context.copy().run(self.encode_many, group, check_alive),
                groups,
                self._threads,
                self._threads,
            )
        ) as encoded:
            yield from chain.from_iterable(encoded)

    def encode_many(
        self, asked: Sequence[tuple[Query, str]], check_alive: CheckAlive = lambda: None
    ) -> list[EncodedPart | Exception]:
        """Encode several parts, texts together and pictures together.

        Args:
            asked: the parts, each with its path; see `encode`.
            check_alive: see `encode`; what it raises ends the whole.

        Returns:
            One for each part, in order: encoded, or what `encode` would have raised for it. Where several went through
            a tower together, each one's timings are its share.
        """
        found: dict[int, EncodedPart | Exception] = {}
        texts: list[_Asked[str]] = []
        pictures: list[_Asked[bytes]] = []
        for place, (part, field) in enumerate(asked):
            match part:
                case TextQuery(text):
                    at = _below(field, "text")
                    if (known := self._cache.find(part, at)) is None:
                        texts.append(_Asked(place, text, at))
                    else:
                        found[place] = known
                case PictureQuery(data):
                    at = _below(field, "image.data")
                    if (known := self._cache.find(part, at)) is None:
                        pictures.append(_Asked(place, data, at))
                    else:
                        found[place] = known
                case ProductQuery(product_id):
                    found[place] = attempt(partial(self._product, product_id, _below(field, "product_id")))
                case VectorQuery(values):
                    found[place] = attempt(partial(self._vector, values, _below(field, "vector.values")))
        for place, encoded in chain(self._texts(texts, check_alive), self._pictures(pictures, check_alive)):
            found[place] = encoded
            part = asked[place][0]
            if isinstance(encoded, EncodedPart) and isinstance(part, TextQuery | PictureQuery):
                self._cache.keep(part, encoded)
        return [found[place] for place in range(len(asked))]

    def _texts(
        self, asked: Sequence[_Asked[str]], check_alive: CheckAlive
    ) -> Iterator[tuple[int, EncodedPart | Exception]]:
        good = []
        for item in asked:
            error = attempt(partial(self._check_text, item))
            if error is None:
                good.append(item)
            else:
                yield item.place, error
        good.sort(key=lambda item: len(item.content))
        while good:
            most = _LONGER * len(good[0].content)
            count = sum(len(item.content) <= most for item in good)
            yield from self._run_texts(good[:count], check_alive)
            good = good[count:]

    def _check_text(self, item: _Asked[str]) -> None:
        with _at(item.field):
            check_text(item.content, self._max_text_chars)

    def _run_texts(self, items: Sequence[_Asked[str]], check_alive: CheckAlive) -> Iterator[tuple[int, EncodedPart]]:
        timings = StageTimings()
        with timings.stage("decode"):
            tokens = self._encoder.tokenize([item.content for item in items])
        check_alive()
        with timings.stage("encode"):
            semantic = self._encoder.run_tokens(tokens).embeddings
            queries = self._encoder.space.text_queries(semantic)
        share = timings.share(len(items))
        length = self._encoder.info.text.context_length
        for row, (item, query, truncated) in enumerate(zip(items, queries, tokens.truncated, strict=True)):
            warnings: tuple[ServerWarning, ...] = ()
            if truncated:
                said = f"only the first {length} tokens of the text were read"
                warnings = (ServerWarning("TEXT_TRUNCATED", item.field, said),)
            part = EncodedPart(query.vector, query.scale, semantic[row], "text", share, warnings, text=item.content)
            yield item.place, part

    def _pictures(
        self, asked: Sequence[_Asked[bytes]], check_alive: CheckAlive
    ) -> Iterator[tuple[int, EncodedPart | Exception]]:
        for start in range(0, len(asked), PICTURES_AT_ONCE):
            read = []
            for item in asked[start : start + PICTURES_AT_ONCE]:
                found = attempt(partial(self._read, item, check_alive))
                if isinstance(found, Exception):
                    yield item.place, found
                else:
                    read.append(found)
            check_alive()
            if read:
                yield from self._run_pictures(read)

    def _read(self, item: _Asked[bytes], check_alive: CheckAlive) -> _Read:
        timings = StageTimings()
        with timings.stage("decode"), _at(item.field), self.decode_memory.reservation(check_alive) as take:
            decoded = self._reader.decode(PictureBytes(item.content), take)
            check_alive()
            read = self._reader.preprocess(decoded)
            # Released with the reservation, not when this call ends.
            del decoded
        return _Read(item, read, timings)

    def _run_pictures(self, read: Sequence[_Read]) -> Iterator[tuple[int, EncodedPart]]:
        encoding = StageTimings()
        pixels = np.stack([item.pixels.values for item in read])
        with encoding.stage("encode"):
            embedded = self._encoder.run_pixels(pixels)
            indexed = self._encoder.index_vectors(embedded)
            colors = None if self._encoder.attributes is None else self._encoder.product_colors(pixels)
        share = encoding.share(len(read))
        for row, item in enumerate(read):
            one = slice(row, row + 1)
            query = self._encoder.space.query(indexed[row])
            seen = None
            if colors is not None:
                levels = None if embedded.levels is None else embedded.levels[one]
                seen = SeenPictures(embedded.embeddings[one], levels, colors[one])
            warnings: tuple[ServerWarning, ...] = ()
            if ANIMATION_FIRST_FRAME in item.pixels.warnings:
                said = "only the animation's first frame was used"
                warnings = (ServerWarning(ANIMATION_FIRST_FRAME, item.asked.field, said),)
            item.timings.add(share)
            yield (
                item.asked.place,
                EncodedPart(
                    query.vector,
                    query.scale,
                    embedded.embeddings[row],
                    "image",
                    item.timings.measured_us,
                    warnings,
                    indexed[row],
                    seen,
                ),
            )

    def _product(self, product_id: str, field: str) -> EncodedPart:
        check_product_id(product_id, field)
        timings = StageTimings()
        with timings.stage("decode"):
            stored = self._fetch(product_id)
        if stored is None:
            raise product_missing(product_id, field)
        return self._indexed(stored.direction, timings.measured_us, ())

    def _vector(self, values: npt.NDArray[np.float32], field: str) -> EncodedPart:
        try:
            vector = unit_vector(values, self._encoder.dim)
        except QueryVectorError as error:
            raise InvalidRequest(error.reason, field, str(error)) from error
        # In 64 bits: the squares of very small and very large float32 values are 0 and infinite.
        length = float(np.linalg.norm(values.astype(np.float64)))
        if abs(length - 1.0) <= 1e-3:
            return self._indexed(vector, {}, ())
        warning = ServerWarning("VECTOR_NORMALIZED", field, f"the vector of length {length:.6g} was scaled to length 1")
        return self._indexed(vector, {}, (warning,))

    def _indexed(
        self, vector: npt.NDArray[np.float32], timings_us: Mapping[str, int], warnings: tuple[ServerWarning, ...]
    ) -> EncodedPart:
        """A part that is a vector of the index already; one without an instance part is a text's."""
        query = self._encoder.space.query(vector)
        semantic = self._encoder.space.semantic_of(vector[None, :])[0]
        if not self._encoder.space.has_instance(vector):
            return EncodedPart(query.vector, query.scale, semantic, "text", timings_us, warnings)
        return EncodedPart(query.vector, query.scale, semantic, "image", timings_us, warnings, vector)


def _below(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


@contextmanager
def _at(field: str) -> Iterator[None]:
    """Say which field a picture or text error is about."""
    try:
        yield
    except (PictureError, TextError) as error:
        raise InvalidRequest(error.reason, field, str(error)) from error

"""One part of a query to one vector: what every rpc that is given a picture, a text or a vector begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.errors import PictureError, TextError
from embedder.inputs.picture import ANIMATION_FIRST_FRAME, PictureBytes, PictureLimits
from embedder.inputs.text import check_text
from embedder.recognition.attribute_model import SeenPictures
from embedder.recognition.head import Modality
from indexer.errors import QueryVectorError
from indexer.stores.protocol import Stored, unit_vector
from server.errors import InvalidRequest, ResourceMissing
from server.search.decode_memory import CheckAlive, DecodeMemory
from server.search.query import PictureQuery, ProductQuery, Query, ServerWarning, TextQuery, VectorQuery
from server.search.timings import StageTimings
from server.settings import ServerSettings

Fetch = Callable[[str], Stored | None]
"""Finds an indexed product by its id; None where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPart:
    """One part of a query, ready to be compared.

    Attributes:
        vector: float32 (dim,), unit length, as products are searched with it.
        scale: what its cosines with products are multiplied with to give scores.
        semantic: the semantic embedding, float32 (semantic dim,), unit length, by which the head knows categories.
        modality: "text" or "image"; products count as images, vectors by the parts that they have.
        timings_us: stage ("decode", "encode") to microseconds, in order.
        warnings: what was done differently from what was asked.
        indexed: what the index would hold of it, float32 (dim,), unit length, by which the head knows categories too;
            None for texts.
        seen: what attributes of a picture are judged by; None for other parts, and where the model knows of none.
        text: what was asked in words; None for other parts.
    """

    vector: npt.NDArray[np.float32]
    scale: float
    semantic: npt.NDArray[np.float32]
    modality: Modality
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...] = ()
    indexed: npt.NDArray[np.float32] | None = None
    seen: SeenPictures | None = None
    text: str | None = None


class PartEncoder:
    """Encodes query parts with one model, within a server's limits. Calls from several threads are allowed."""

    def __init__(self, encoder: Encoder, fetch: Fetch, settings: ServerSettings) -> None:
        self._encoder = encoder
        self._fetch = fetch
        self._max_text_chars = settings.max_text_chars
        self._reader = encoder.pixel_reader(
            PictureLimits(settings.max_image_bytes, settings.max_image_pixels, settings.max_image_side)
        )
        self.decode_memory = DecodeMemory(settings.max_decode_bytes, settings.decode_wait_s)

    @property
    def model_fingerprint(self) -> str:
        """Of the model that encodes."""
        return self._encoder.info.fingerprint

    def encode(self, part: Query, field: str, check_alive: CheckAlive = lambda: None) -> EncodedPart:
        """Encode one part.

        Args:
            part: what to encode.
            field: the part's path in the request, such as "parts[0]"; errors and warnings name fields below it.
            check_alive: raises `DeadlineExpired` where the caller no longer waits; called before each costly stage.

        Raises:
            InvalidRequest: a picture, text or vector that cannot be used; `field` says which.
            ResourceMissing: a product that is not there.
            DecodeMemoryFull: other pictures being decoded leave no memory for this one.
        """
        match part:
            case TextQuery(text):
                return self._text(text, f"{field}.text", check_alive)
            case PictureQuery(data):
                return self._picture(data, f"{field}.image.data", check_alive)
            case ProductQuery(product_id):
                return self._product(product_id, f"{field}.product_id")
            case VectorQuery(values):
                return self._vector(values, f"{field}.vector.values")

    def _text(self, text: str, field: str, check_alive: CheckAlive) -> EncodedPart:
        timings = StageTimings()
        with timings.stage("decode"), _at(field):
            check_text(text, self._max_text_chars)
            tokens = self._encoder.tokenize([text])
        warnings = []
        if tokens.truncated[0]:
            length = self._encoder.info.text.context_length
            warnings.append(
                ServerWarning("TEXT_TRUNCATED", field, f"only the first {length} tokens of the text were read")
            )
        check_alive()
        with timings.stage("encode"):
            semantic = self._encoder.run_tokens(tokens).embeddings
            (query,) = self._encoder.space.text_queries(semantic)
        return EncodedPart(
            query.vector, query.scale, semantic[0], "text", timings.measured_us, tuple(warnings), text=text
        )

    def _picture(self, data: bytes, field: str, check_alive: CheckAlive) -> EncodedPart:
        timings = StageTimings()
        with timings.stage("decode"), _at(field), self.decode_memory.reservation(check_alive) as take:
            decoded = self._reader.decode(PictureBytes(data), take)
            check_alive()
            read = self._reader.preprocess(decoded)
            pixels = read.values[None]
            # Released with the reservation, not when this call ends.
            del decoded
        warnings = []
        if ANIMATION_FIRST_FRAME in read.warnings:
            warnings.append(ServerWarning(ANIMATION_FIRST_FRAME, field, "only the animation's first frame was used"))
        check_alive()
        with timings.stage("encode"):
            embedded = self._encoder.run_pixels(pixels)
            indexed = self._encoder.index_vectors(embedded)[0]
            query = self._encoder.space.query(indexed)
            seen = None
            if self._encoder.attributes is not None:
                colors = self._encoder.product_colors(pixels)
                seen = SeenPictures(embedded.embeddings, embedded.levels, colors)
        semantic = embedded.embeddings[0]
        return EncodedPart(
            query.vector, query.scale, semantic, "image", timings.measured_us, tuple(warnings), indexed, seen
        )

    def _product(self, product_id: str, field: str) -> EncodedPart:
        if not product_id:
            raise InvalidRequest("PRODUCT_ID_EMPTY", field, "product id ''; permitted: an indexed id")
        timings = StageTimings()
        with timings.stage("decode"):
            stored = self._fetch(product_id)
        if stored is None:
            raise ResourceMissing(
                "PRODUCT_NOT_FOUND",
                field,
                "product",
                product_id,
                f"product {product_id[:80]!r} is not in the index; permitted: an indexed id",
            )
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


@contextmanager
def _at(field: str) -> Iterator[None]:
    """Say which field a picture or text error is about."""
    try:
        yield
    except (PictureError, TextError) as error:
        raise InvalidRequest(error.reason, field, str(error)) from error

"""Products that are to be written, as the index holds them: by the functions that builds use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import Encoder
from embedder.inputs.picture import PictureBytes, content_digest
from indexer.building.cached_encoder import CachedEncoder
from indexer.caches.embedding_cache import EmbeddingCache
from indexer.changes.change import ChangedProduct
from indexer.errors import QueryVectorError
from indexer.stores.points import CONTENT_KEY
from indexer.stores.protocol import VersionReader, unit_vector
from indexer.versions.manifest import Manifest
from server.errors import InvalidRequest
from server.search.attempt import attempt
from server.search.encode import PartEncoder
from server.search.encoded_part import EncodedPart
from server.search.indexed_product import product_missing
from server.search.query import PictureQuery, ServerWarning
from server.settings import ServerSettings
from server.writes.asked import AskedPicture
from server.writes.checks import FIELD, CheckedProduct

CheckAlive = Callable[[], None]

_NO_BYTES = PictureBytes(b"")
_LENGTH_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class ReadyProduct:
    """A product that can be written, and what is done differently from what was asked."""

    becomes: ChangedProduct
    warnings: tuple[ServerWarning, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """A usable picture: what the index holds of it, and what it is known by."""

    vector: npt.NDArray[np.float32]
    key: bytes
    warnings: tuple[ServerWarning, ...] = ()


class ProductEmbedder:
    """Embeds products for one index version. Calls from several threads are allowed."""

    def __init__(
        self, encoder: Encoder, parts: PartEncoder, reader: VersionReader, manifest: Manifest, settings: ServerSettings
    ) -> None:
        """Prepare.

        Args:
            encoder: the model.
            parts: encodes pictures with it, within the server's limits.
            reader: gives products whose pictures stay.
            manifest: of the version.
            settings: of the server.
        """
        self._encoder = encoder
        self._parts = parts
        self._reader = reader
        self._has_titles = bool(manifest.layout.title_dim)
        self._max_image_pixels = settings.max_image_pixels
        # It is asked for nothing but names: what it calls a picture is what a build does.
        self._names = CachedEncoder(encoder, EmbeddingCache(settings.cache_dir, 0))

    def embed(
        self, products: Sequence[CheckedProduct], check_alive: CheckAlive = lambda: None
    ) -> list[ReadyProduct | Exception]:
        """Embed several products, their pictures together and their titles together.

        Returns:
            One for each product, in order: ready, or why it cannot be written (InvalidRequest, ResourceMissing,
            DecodeMemoryFull).

        Raises:
            DeadlineExpired: from `check_alive`.
            StoreError: products whose pictures stay cannot be read.
        """
        looked = iter(self._look([item for product in products for item in product.pictures], check_alive))
        found: list[ReadyProduct | Exception] = []
        for product in products:
            seen = [(picture, field, next(looked)) for picture, field in product.pictures]
            found.append(attempt(partial(self._ready, product, seen)))
        check_alive()
        return self._titled(found)

    def _look(self, pictures: Sequence[tuple[AskedPicture, str]], check_alive: CheckAlive) -> list[_Looked | Exception]:
        files = [(PictureQuery(picture.data), field) for picture, field in pictures if picture.data is not None]
        encoded = iter(self._parts.encode_many(files, check_alive) if files else [])
        looked = []
        for picture, field in pictures:
            if picture.data is not None:
                looked.append(self._read(picture.data, next(encoded)))
            else:
                assert picture.vector is not None
                looked.append(attempt(partial(self._vector, picture.vector, field)))
        return looked

    def _read(self, data: bytes, part: EncodedPart | Exception) -> _Looked | Exception:
        if isinstance(part, Exception):
            return part
        assert part.indexed is not None
        key = self._names.picture_key(content_digest(PictureBytes(data)), self._max_image_pixels)
        return _Looked(part.indexed, key, part.warnings)

    def _vector(self, values: npt.NDArray[np.float32], field: str) -> _Looked:
        field = f"{field}.vector.values"
        try:
            vector = unit_vector(values, self._encoder.dim)
        except QueryVectorError as error:
            raise InvalidRequest(error.reason, field, str(error)) from error
        length = float(np.linalg.norm(values.astype(np.float64)))
        warnings: tuple[ServerWarning, ...] = ()
        if abs(length - 1.0) > _LENGTH_TOLERANCE:
            said = f"the vector of length {length:.6g} was scaled to length 1"
            warnings = (ServerWarning("VECTOR_NORMALIZED", field, said),)
        return _Looked(vector, hashlib.sha256(vector.tobytes()).digest(), warnings)

    def _ready(
        self, product: CheckedProduct, seen: Sequence[tuple[AskedPicture, str, _Looked | Exception]]
    ) -> ReadyProduct:
        if not seen:
            return ReadyProduct(self._with_pictures_of_before(product.record), product.warnings)
        usable = [(picture, looked) for picture, _, looked in seen if not isinstance(looked, Exception)]
        refused = [(field, looked) for _, field, looked in seen if isinstance(looked, Exception)]
        if not usable:
            raise refused[0][1]
        warnings = [*product.warnings, *(warning for _, looked in usable for warning in looked.warnings)]
        warnings += [ServerWarning("PICTURE_UNUSABLE", field, f"left out: {error}") for field, error in refused]
        pictures = tuple(
            ProductPicture(_NO_BYTES if picture.data is None else PictureBytes(picture.data), picture.name)
            for picture, _ in usable
        )
        content = hashlib.sha256(b"".join(looked.key for _, looked in usable)).hexdigest()[:16]
        becomes = ChangedProduct(
            replace(product.record, pictures=pictures),
            np.stack([looked.vector for _, looked in usable]),
            self._encoder.info.fingerprint,
            content,
        )
        return ReadyProduct(becomes, tuple(warnings))

    def _with_pictures_of_before(self, record: Product) -> ChangedProduct:
        stored = self._reader.fetch(record.id)
        if stored is None:
            raise product_missing(record.id, f"{FIELD}.pictures")
        names = [*stored.payload.get("pictures", ()), *[""] * len(stored.vectors)][: len(stored.vectors)]
        pictures = tuple(ProductPicture(_NO_BYTES, str(name)) for name in names)
        return ChangedProduct(
            replace(record, pictures=pictures),
            stored.vectors,
            self._encoder.info.fingerprint,
            str(stored.payload.get(CONTENT_KEY, "")),
        )

    def _titled(self, found: list[ReadyProduct | Exception]) -> list[ReadyProduct | Exception]:
        if not self._has_titles:
            return found
        titles = {
            place: title
            for place, item in enumerate(found)
            if not isinstance(item, Exception) and (title := title_of(item.becomes.product))
        }
        embeddings = self._encoder.semantic_texts(list(titles.values()))
        for place, embedding in zip(titles, embeddings, strict=True):
            item = found[place]
            assert isinstance(item, ReadyProduct)
            found[place] = replace(item, becomes=replace(item.becomes, title=embedding))
        return found

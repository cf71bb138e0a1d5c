"""An encoder that asks a cache before it runs its towers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.encoder import Encoder
from embedder.inputs.pixels import PIXELS_VERSION
from indexer.caches.embedding_cache import EmbeddingCache, Vector, cache_key
from indexer.quality.picture_traits import TRAITS_BYTES, TRAITS_VERSION, PictureTraits


class CachedEncoder(Encoder):
    """The same encoder; pictures and texts that the cache knows do not go through the towers.

    What the cache is asked for depends on the model, on the precision that its towers compute in, and on the content:
    nothing else changes a picture's vector, not even which others go through the tower with it (ONNX Runtime on a CPU;
    a GPU's last digits may differ, and a text's by how long the longest one beside it is).

    Attributes:
        pictures_embedded, texts_embedded: how many went through a tower.
    """

    def __init__(self, encoder: Encoder, cache: EmbeddingCache) -> None:
        super().__init__(
            encoder.info,
            encoder._runtime,
            encoder._tokenizer,
            encoder.head,
            encoder.space,
            encoder.seen,
            encoder.attributes,
            encoder.precisions,
        )
        self._encoder = encoder
        self._cache = cache
        self.pictures_embedded = 0
        self.texts_embedded = 0

    def picture_key(self, content: bytes, max_pixels: int) -> bytes:
        """What the index vector of a picture is known by.

        Args:
            content: names the picture's bytes or pixels.
            max_pixels: that it may have: with fewer it may not be readable at all.
        """
        precision = self.precisions["image"]
        return cache_key("picture", str(PIXELS_VERSION), self.info.fingerprint, precision, str(max_pixels), content)

    def known(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """Pictures' index vectors, float32 (dim,), as far as the cache knows them."""
        return self._cache.find(keys, self.dim)

    def known_traits(self, contents: Sequence[bytes]) -> dict[bytes, PictureTraits]:
        """What pictures look like, as far as the cache knows it, by their content, as for `picture_key`."""
        keys = {self._traits_key(content): content for content in contents}
        found = {}
        for key, data in self._cache.find_bytes(list(keys), TRAITS_BYTES).items():
            traits = PictureTraits.from_bytes(data)
            if traits is not None:
                found[keys[key]] = traits
        return found

    def keep_traits(self, traits: Mapping[bytes, PictureTraits]) -> None:
        """Have the cache know what pictures look like, by their content."""
        self._cache.store_bytes({self._traits_key(content): item.to_bytes() for content, item in traits.items()})

    def _traits_key(self, content: bytes) -> bytes:
        # A large JPEG is decoded at a size that depends on the model's.
        return cache_key("traits", str(TRAITS_VERSION), str(max(self.preprocessing.size)), content)

    def embed_new(self, keys: Sequence[bytes], pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Index vectors, float32 (n, dim), of pictures that the cache does not know, n of 1 or more; it does then."""
        vectors = self._encoder.embed_pixels(pixels)
        self.pictures_embedded += len(vectors)
        self._cache.store(dict(zip(keys, vectors, strict=True)))
        return vectors

    def encode_images(self, images: Sequence[Image.Image], batch_size: int = 64) -> npt.NDArray[np.float32]:
        """As `Encoder.encode_images`."""
        content = [f"{image.mode} {image.size}".encode() + image.tobytes() for image in images]
        keys = [cache_key("image", self.info.fingerprint, self.precisions["image"], each) for each in content]

        def compute(places: list[int]) -> npt.NDArray[np.float32]:
            self.pictures_embedded += len(places)
            return self._encoder.encode_images([images[place] for place in places], batch_size)

        return self._through_cache(keys, self.dim, compute)

    def semantic_texts(self, texts: Sequence[str], batch_size: int = 64) -> npt.NDArray[np.float32]:
        """As `Encoder.semantic_texts`."""
        keys = [cache_key("text", self.info.fingerprint, self.precisions["text"], text) for text in texts]

        def compute(places: list[int]) -> npt.NDArray[np.float32]:
            self.texts_embedded += len(places)
            return self._encoder.semantic_texts([texts[place] for place in places], batch_size)

        return self._through_cache(keys, self.info.semantic_dim, compute)

    def _through_cache(
        self, keys: Sequence[bytes], length: int, compute: Callable[[list[int]], npt.NDArray[np.float32]]
    ) -> npt.NDArray[np.float32]:
        found = self._cache.find(keys, length)
        missing: dict[bytes, int] = {}
        for place, key in enumerate(keys):
            if key not in found:
                missing.setdefault(key, place)
        if missing:
            computed = dict(zip(missing, compute(list(missing.values())), strict=True))
            self._cache.store(computed)
            found |= computed
        return np.stack([found[key] for key in keys]) if keys else np.empty((0, length), dtype=np.float32)

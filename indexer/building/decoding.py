"""The stage that turns rows into preprocessed pixels, or into vectors where a cache knows the pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.catalogs.product import Product, ProductPicture, Rejection
from embedder.catalogs.siblings.perceptual_hash import DIGEST_BYTES, hash_image
from embedder.errors import PictureError
from embedder.inputs.kept_blocks import keeping_blocks
from embedder.inputs.picture import LoadedPicture, Picture, PictureBytes, content_digest, load_picture
from embedder.inputs.pixels import PixelReader, UnusablePicture, map_ahead
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.stage import Stage
from indexer.caches.thumbnail import SIDE, to_thumbnail
from indexer.caches.thumbnails import ThumbnailCache
from indexer.quality.picture_traits import PictureTraits

AHEAD = 4
"""Batches that may be decoded, or being decoded, and waiting."""

_HELD_BYTES = 4 << 20
"""Of pictures' files, as many of which a decoding thread holds before it asks the cache for them."""

_LEAST_LOOKED_AT = 2 * SIDE
"""Pixels of the shorter side that a large picture is reduced to, before it is looked at."""

Row = Product | Rejection


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBatch:
    """Some rows of the catalog, ready to be embedded.

    Attributes:
        products: n of them, each with its readable pictures only: m pictures, the first product's, then the second's,
            ...
        keys: of the m pictures, what a cache knows them by.
        traits: of the m pictures, what they look like.
        known: of those pictures that the cache knows, float32 (dim,), by their place among the m.
        decoded: places of the others, ascending, of each picture the first: one that comes again has the same key.
        pixels: of these, in order, float32 (decoded, 3, height, width).
        rejections: rows that hold no product, and pictures that cannot be read.
        rows: how many of the catalog's rows these are.
        pictures_left_out: beyond the number of pictures that a product may have.
    """

    products: Sequence[Product]
    keys: Sequence[bytes]
    traits: Sequence[PictureTraits]
    known: Mapping[int, npt.NDArray[np.float32]]
    decoded: Sequence[int]
    pixels: npt.NDArray[np.float32]
    rejections: Sequence[Rejection]
    rows: int
    pictures_left_out: int

    @property
    def counts(self) -> list[int]:
        """How many of the pictures are each product's."""
        return [len(product.pictures) for product in self.products]

    @property
    def contents(self) -> list[str]:
        """What each product's pictures are known by, all of them together, 16 hexadecimal digits."""
        found, start = [], 0
        for count in self.counts:
            digest = hashlib.sha256(b"".join(self.keys[start : start + count]))
            found.append(digest.hexdigest()[:16])
            start += count
        return found


class Decoding(Stage):
    """Reads pictures in several threads, each of which decodes one picture at a time."""

    def __init__(
        self,
        reader: PixelReader,
        encoder: CachedEncoder,
        threads: int,
        batch_size: int,
        thumbnails: ThumbnailCache | None = None,
    ) -> None:
        """Prepare.

        Args:
            reader: for the model that embeds.
            encoder: that model, which knows some pictures already.
            threads: how many pictures are decoded at once.
            batch_size: pictures in a batch; a product's pictures stay together, so a batch may have a few more.
            thumbnails: where one is kept of each picture that is decoded. A picture that is known is not decoded for
                the sake of a thumbnail: who needs one then makes it. None: none are kept.
        """
        super().__init__("decode", threads)
        self._reader = reader
        self._encoder = encoder
        self._batch_size = batch_size
        self._thumbnails = thumbnails

    def batches(self, rows: Iterable[Row]) -> Iterator[DecodedBatch]:
        """Decode the rows batch by batch, in order; no more than `AHEAD` batches wait."""
        with keeping_blocks(self.threads):
            yield from map_ahead(self._decode, _in_batches(rows, self._batch_size), self.threads, AHEAD)

    def _decode(self, rows: Sequence[Row]) -> DecodedBatch:
        with self.working():
            read = _Read()
            sources = [item.source for row in rows if isinstance(row, Product) for item in row.pictures]
            outcomes = iter(self._read_pictures(sources, read))
            products: list[Product] = []
            rejections: list[Rejection] = []
            left_out = 0
            for row in rows:
                if isinstance(row, Rejection):
                    rejections.append(row)
                    continue
                left_out += row.pictures_left_out
                whys = [(picture, next(outcomes)) for picture in row.pictures]
                unusable = [(picture, why) for picture, why in whys if why is not None]
                readable = tuple(picture for picture, why in whys if why is None)
                if readable:
                    products.append(row if not unusable else replace(row, pictures=readable))
                rejections.extend(_reject(row, unusable, whole_row=not readable))
            self._encoder.keep_traits(read.new_traits)
            if self._thumbnails is not None:
                self._thumbnails.keep(read.thumbnails)
                self._thumbnails.note_used(read.seen)
            height, width = self._reader.preprocessing.size
            pixels = np.stack(read.values) if read.values else np.empty((0, 3, height, width), dtype=np.float32)
            return DecodedBatch(
                products, read.keys, read.traits, read.known, read.decoded, pixels, rejections, len(rows), left_out
            )

    def _read_pictures(self, sources: Iterable[Picture], read: _Read) -> list[UnusablePicture | None]:
        """Append pictures to what was read; for each why it cannot be, or None.

        Their files are held until a few megabytes are together, so that the cache is asked for many of them at once.
        """
        outcomes: list[UnusablePicture | None] = []
        held: list[LoadedPicture | UnusablePicture] = []
        held_bytes = 0
        for source in sources:
            try:
                loaded = load_picture(source, self._reader.limits)
            except PictureError as error:
                held.append(UnusablePicture(error.reason, str(error)))
                continue
            held.append(loaded)
            held_bytes += len(loaded.data) if isinstance(loaded, PictureBytes) else 0
            if held_bytes >= _HELD_BYTES:
                outcomes += self._read_held(held, read)
                held_bytes = 0
        return outcomes + self._read_held(held, read)

    def _read_held(self, held: list[LoadedPicture | UnusablePicture], read: _Read) -> list[UnusablePicture | None]:
        """Append pictures whose files are at hand, and let go of these; see `_read_pictures`."""
        contents = [None if isinstance(item, UnusablePicture) else content_digest(item) for item in held]
        max_pixels = self._reader.limits.max_pixels
        keys = {each: self._encoder.picture_key(each, max_pixels) for each in contents if each is not None}
        vectors, traits = self._encoder.known(list(keys.values())), self._encoder.known_traits(list(keys))
        outcomes: list[UnusablePicture | None] = []
        held.reverse()
        for content in contents:
            item = held.pop()
            if isinstance(item, UnusablePicture):
                outcomes.append(item)
                continue
            assert content is not None
            outcomes.append(self._read_picture(item, content, keys[content], vectors, traits, read))
        return outcomes

    def _read_picture(
        self,
        loaded: LoadedPicture,
        content: bytes,
        key: bytes,
        vectors: Mapping[bytes, npt.NDArray[np.float32]],
        traits: Mapping[bytes, PictureTraits],
        read: _Read,
    ) -> UnusablePicture | None:
        """Append one picture; only its pixels or its vector stay in memory."""
        vector, seen = vectors.get(key), traits.get(content) or read.new_traits.get(content)
        if seen is None or not (vector is not None or key in read.new_keys):
            try:
                decoded = self._reader.decode(loaded)
            except PictureError as error:
                return UnusablePicture(error.reason, str(error))
            seen = self._look(decoded.image, content, read)
            read.new_traits[content] = seen
            if vector is None:
                read.decoded.append(len(read.keys))
                read.new_keys.add(key)
                read.values.append(self._reader.preprocess(decoded).values)
        elif vector is not None:
            read.seen.append(content)
        if vector is not None:
            read.known[len(read.keys)] = vector
        read.keys.append(key)
        read.traits.append(seen)
        return None

    def _look(self, image: Image.Image, content: bytes, read: _Read) -> PictureTraits:
        """What a decoded picture looks like; its thumbnail is made, too."""
        by = min(image.size) // _LEAST_LOOKED_AT
        small = image.reduce(by) if by > 1 else image
        if self._thumbnails is not None and self._thumbnails.is_open:
            read.thumbnails[content] = to_thumbnail(small)
        return PictureTraits(hash_image(content[:DIGEST_BYTES], small), *image.size)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """The readable pictures of a batch so far; see `DecodedBatch`.

    New keys are of pictures that were decoded for their pixels, new traits those that no cache knew; thumbnails are of
    pictures that were decoded, seen those that were not.
    """

    keys: list[bytes] = field(default_factory=list)
    traits: list[PictureTraits] = field(default_factory=list)
    known: dict[int, npt.NDArray[np.float32]] = field(default_factory=dict)
    decoded: list[int] = field(default_factory=list)
    values: list[npt.NDArray[np.float32]] = field(default_factory=list)
    new_keys: set[bytes] = field(default_factory=set)
    new_traits: dict[bytes, PictureTraits] = field(default_factory=dict)
    thumbnails: dict[bytes, bytes] = field(default_factory=dict)
    seen: list[bytes] = field(default_factory=list)


def _reject(
    product: Product, unusable: Sequence[tuple[ProductPicture, UnusablePicture]], whole_row: bool
) -> Iterator[Rejection]:
    """A product without any readable picture is one rejected row, with its main picture's reason; else only the
    unreadable pictures are rejected, and the product stays.
    """
    for picture, why in unusable:
        name = "" if whole_row else picture.name or f"picture {product.pictures.index(picture) + 1}"
        yield Rejection(product.line, product.id, why.reason, why.detail, name)
        if whole_row:
            return


def _in_batches(rows: Iterable[Row], batch_size: int) -> Iterator[list[Row]]:
    """Rows with about as many pictures as a batch has; a rejected row counts as one picture."""
    batch: list[Row] = []
    pictures = 0
    for row in rows:
        batch.append(row)
        pictures += len(row.pictures) if isinstance(row, Product) else 1
        if pictures >= batch_size:
            yield batch
            batch, pictures = [], 0
    if batch:
        yield batch

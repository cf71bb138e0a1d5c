"""What is kept of every product that goes into a version until the build ends: on disk, whatever the catalog's size."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.siblings.perceptual_hash import DIGEST_BYTES, HASH_BYTES, THUMBNAIL_BYTES
from indexer.quality.picture_traits import TRAITS_BYTES, PictureTraits

MOST_REJECTIONS = 1_000
"""Rejected pictures that are kept one by one; all are counted."""

_TRAITS = np.dtype(
    [
        ("content", f"V{DIGEST_BYTES}"),
        ("bits", "u1", (HASH_BYTES,)),
        ("thumbnail", "u1", (THUMBNAIL_BYTES,)),
        ("width", "<u4"),
        ("height", "<u4"),
    ]
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A product's words.

    Attributes:
        id, title: its own; a title may be empty.
        category: its path; None where it has none.
    """

    id: str
    title: str
    category: str | None


class ProductRoll:
    """Ids, titles, categories, vectors (half precision) and traits of pictures, by the order of the catalog.

    In memory are 2 bytes a product; the rest, 1.5 kB a picture and the words, lies in files that have no name and go
    with this process, however it ends. A disk that is full ends the keeping, not the build. Used as a context manager,
    by one thread.

    Attributes:
        dim: length of the vectors.
        rejected_pictures: why pictures could not be read, with how many.
        rejections: some of them.
    """

    def __init__(self, dim: int, folder: Path) -> None:
        """Take where the files may lie; nothing is written yet."""
        self.dim = dim
        self.rejected_pictures: dict[str, int] = {}
        self.rejections: list[Rejection] = []
        self._folder = folder
        self._counts = array("H")
        self._files = ExitStack()
        self._words: IO[bytes] | None = None
        self._vectors: IO[bytes] | None = None
        self._traits: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._words, self._vectors, self._traits = (self._file() for _ in range(3))
        except OSError as error:
            self._give_up(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __len__(self) -> int:
        """Products; 0 where nothing could be kept."""
        return len(self._counts)

    @property
    def counts(self) -> npt.NDArray[np.intp]:
        """How many pictures each product has, int (n,), 1 or more."""
        return np.asarray(self._counts, dtype=np.intp)

    @property
    def firsts(self) -> npt.NDArray[np.intp]:
        """Where each product's main picture is among all pictures, int (n,)."""
        return np.cumsum(self.counts) - self.counts

    def add(
        self,
        products: Sequence[Product],
        counts: Sequence[int],
        vectors: npt.NDArray[np.float32],
        traits: Sequence[PictureTraits],
    ) -> None:
        """Add products with their pictures' unit vectors, float32 (m, dim), and traits, m of them, in order."""
        if self._words is None or self._vectors is None or self._traits is None:
            return
        try:
            for product in products:
                words = [product.id, product.title.strip(), product.category]
                self._words.write(json.dumps(words).encode() + b"\n")
            self._vectors.write(vectors.astype(np.float16).tobytes())
            self._traits.write(b"".join(item.to_bytes() for item in traits))
        except OSError as error:
            self._give_up(error)
            return
        self._counts.extend(counts)

    def reject(self, rejection: Rejection) -> None:
        """Note a row or a picture that is not indexed; of interest are those whose picture is at fault."""
        if not rejection.reason.startswith("IMAGE_"):
            return
        self.rejected_pictures[rejection.reason] = self.rejected_pictures.get(rejection.reason, 0) + 1
        if len(self.rejections) < MOST_REJECTIONS:
            self.rejections.append(rejection)

    def words(self) -> Iterator[Enrolled]:
        """All products' words, in order."""
        if self._words is None:
            return
        self._words.flush()
        self._words.seek(0)
        for line in self._words:
            yield Enrolled(*json.loads(line))

    def words_at(self, places: Collection[int]) -> Mapping[int, Enrolled]:
        """The words of the products at these places."""
        wanted = set(places)
        return {place: words for place, words in enumerate(self.words()) if place in wanted} if wanted else {}

    def vectors(self) -> npt.NDArray[np.float16]:
        """All pictures' vectors, float16 (m, dim), on disk."""
        return self._mapped(self._vectors, np.dtype(np.float16), self.dim).reshape(-1, self.dim)

    def traits(self) -> npt.NDArray[np.void]:
        """All pictures' traits, (m,), on disk: content, bits, thumbnail, width, height."""
        assert _TRAITS.itemsize == TRAITS_BYTES
        return self._mapped(self._traits, _TRAITS, 1)

    def scratch(self, rows: int, columns: int) -> npt.NDArray[np.uint8]:
        """Room for bytes, uint8 (rows, columns), on disk as well; 1 or more of both.

        Raises:
            OSError: the disk is full.
        """
        file = self._file()
        # Room that is only promised would end this process once it is written to.
        os.posix_fallocate(file.fileno(), 0, rows * columns)
        return np.memmap(file, dtype=np.uint8, mode="r+", shape=(rows, columns))

    def _file(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.TemporaryFile(dir=self._folder))

    def _mapped(self, file: IO[bytes] | None, dtype: np.dtype[Any], each: int) -> npt.NDArray[Any]:
        pictures = int(self.counts.sum())
        if file is None or not pictures:
            return np.empty(0, dtype=dtype)
        file.flush()
        return np.memmap(file, dtype=dtype, mode="r", shape=(pictures * each,))

    def _give_up(self, error: OSError) -> None:
        _log.warning(
            "duplicates are not known in this version, and there is no quality report: %s cannot be written (%s); next "
            "step: make room, or name another --cache-dir",
            self._folder,
            error.strerror or error,
        )
        del self._counts[:]
        self._close()

    def _close(self) -> None:
        self._words = self._vectors = self._traits = None
        try:
            self._files.close()
        except OSError:
            # What a full disk did not take is tried again; it is known already, and of no use any more.
            return

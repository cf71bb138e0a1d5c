"""Pictures to preprocessed pixels: each is decoded and preprocessed at once, and its full size dropped.

Training, evaluation and the build read their pictures here. What is in memory at any time is one picture for each
decoding thread, and a bounded number of preprocessed ones, whatever the size of the catalog's pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.errors import PictureError
from embedder.inputs.picture import DecodedPicture, Picture, PictureLimits, Reserve, decode_picture
from embedder.inputs.preprocess import Preprocessing

Item = TypeVar("Item")
Result = TypeVar("Result")

Change = Callable[[Image.Image], Image.Image]
"""Makes another RGB picture of one."""

DRAFT_FACTOR = 3
"""A JPEG is decoded at no less than this many times the tower's input side (see `decode_picture`). Least cosine of 352
index vectors with those of decoding in full: 0.998; with 2 it is 0.995 (RESULTS.md)."""

PIXELS_VERSION = 2
"""Raise when the same file gives other pixels: vectors and features are cached under it. It is no part of a model's
fingerprint: an index and a query from either side of such a change still fit, as nearly as `DRAFT_FACTOR` says."""

MAX_AHEAD = 256
"""Most preprocessed pictures that wait to be embedded."""

MAX_AHEAD_BYTES = 64 * 1024 * 1024
"""Most bytes of preprocessed pictures that wait to be embedded."""


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """One picture as the image tower takes it.

    Attributes:
        values: float32 (3, height, width), normalized per channel.
        warnings: codes of what was done to the picture that the caller may want to know.
    """

    values: npt.NDArray[np.float32]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnusablePicture:
    """Why a picture has no pixels: a value, because a raised error would keep the half-decoded picture in memory.

    Attributes:
        reason: the error's reason, IMAGE_...
        detail: what is wrong and what would be permitted, for people.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class PixelReader:
    """Decodes and preprocesses pictures for one model. Calls from several threads are allowed.

    Attributes:
        preprocessing: the model's.
        limits: for a picture; one over them is a `PictureError`.
    """

    preprocessing: Preprocessing
    limits: PictureLimits = field(default_factory=PictureLimits)

    @property
    def ahead(self) -> int:
        """How many preprocessed pictures may wait, 1 to `MAX_AHEAD`: at most `MAX_AHEAD_BYTES` of them."""
        height, width = self.preprocessing.size
        return max(1, min(MAX_AHEAD, MAX_AHEAD_BYTES // (3 * height * width * 4)))

    def decode(self, picture: Picture, reserve: Reserve | None = None) -> DecodedPicture:
        """Decode one picture, no larger than the model needs it where that is faster.

        Args:
            picture: what to decode.
            reserve: see `decode_picture`.

        Raises:
            PictureError: see `decode_picture`.
        """
        return decode_picture(picture, self.limits, DRAFT_FACTOR * max(self.preprocessing.size), reserve)

    def read(self, picture: Picture, change: Change | None = None) -> Pixels:
        """Decode and preprocess one picture.

        Args:
            picture: what to read.
            change: what to make of the decoded picture before it is preprocessed.

        Raises:
            PictureError: see `decode_picture`.
        """
        decoded = self.decode(picture)
        if change is not None:
            decoded = DecodedPicture(change(decoded.image), decoded.warnings)
        return self.preprocess(decoded)

    def preprocess(self, decoded: DecodedPicture) -> Pixels:
        """Preprocess one picture that `decode` gave."""
        return Pixels(self.preprocessing.apply([decoded.image], [decoded.box])[0], decoded.warnings)

    def try_read(self, picture: Picture, change: Change | None = None) -> Pixels | UnusablePicture:
        """Decode and preprocess one picture, or say why that cannot be done; see `read`."""
        try:
            return self.read(picture, change)
        except PictureError as error:
            return UnusablePicture(error.reason, str(error))

    def read_each(
        self, pictures: Iterable[tuple[Item, Picture]], threads: int
    ) -> Generator[tuple[Item, Pixels | UnusablePicture], None, None]:
        """Read many pictures in several threads, in order.

        Args:
            pictures: each with whatever tells the caller which one it is; taken no further ahead than `ahead`.
            threads: how many pictures are decoded at once, 1 or more.

        Yields:
            The same keys, with the picture's pixels, or why it has none.
        """
        return map_ahead(lambda item: (item[0], self.try_read(item[1])), pictures, threads, self.ahead)


def map_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int
) -> Generator[Result, None, None]:
    """Apply a function in several threads, in order, with a bounded number of results waiting.

    Closing the generator, or an error of `function` or `items`, cancels what has not started.

    Args:
        function: called in the threads.
        items: read in the caller's thread, as results are taken.
        threads: 1 or more.
        ahead: how many items may be in the threads or waiting, besides the one that the caller has; 1 or more.
    """
    source = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        pending: deque[Future[Result]] = deque(pool.submit(function, item) for item in islice(source, ahead))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(source, 1))
            yield result
            del result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

"""The perceptual hashes of many pictures: from the cache, or from the pictures in several threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from embedder.catalogs.siblings.hash_cache import HashCache, is_kept, key_of
from embedder.catalogs.siblings.perceptual_hash import PictureHash, hash_picture
from embedder.errors import PictureError
from embedder.inputs.picture import Picture, PictureLimits
from embedder.inputs.pixels import map_ahead

CHUNK = 512


def hash_pictures(
    pictures: Sequence[Picture],
    cache_dir: Path,
    *,
    limits: PictureLimits | None = None,
    decode_threads: int = 2,
    deadline: float | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[PictureHash | None] | None:
    """Hash pictures; each file is decoded once for as long as it does not change, a picture at a URL each time.

    Args:
        pictures: files, or pictures in memory.
        cache_dir: where hashes are kept.
        limits: what a picture may weigh; None: the default limits.
        decode_threads: how many pictures are decoded at once, 1 or more.
        deadline: when to give up, in `time.monotonic`'s seconds; None: never.
        on_progress: called with the number of pictures done since the last call.

    Returns:
        A hash for each picture, None for one that cannot be read; or None for all, where the deadline has passed
        (what was hashed by then is kept in the cache).
    """
    limits = limits or PictureLimits()

    def try_hash(item: tuple[bytes, Picture]) -> tuple[bytes, PictureHash | None]:
        try:
            return item[0], hash_picture(item[1], limits)
        except PictureError:
            return item[0], None

    hashes: list[PictureHash | None] = []
    with HashCache(cache_dir) as cache:
        for start in range(0, len(pictures), CHUNK):
            chunk = pictures[start : start + CHUNK]
            keys = [key_of(picture) for picture in chunk]
            wanted = {key: picture for key, picture in zip(keys, chunk, strict=True) if key is not None}
            known = cache.find([key for key, picture in wanted.items() if is_kept(picture)])
            missing = [(key, picture) for key, picture in wanted.items() if key not in known]
            made: dict[bytes, PictureHash] = {}
            is_late = False
            with closing(map_ahead(try_hash, missing, decode_threads, 4 * decode_threads)) as outcomes:
                for key, hashed in outcomes:
                    if hashed is not None:
                        made[key] = hashed
                    is_late = deadline is not None and time.monotonic() >= deadline
                    if is_late:
                        break
            cache.store({key: hashed for key, hashed in made.items() if is_kept(wanted[key])})
            if is_late:
                return None
            known |= made
            hashes.extend(None if key is None else known.get(key) for key in keys)
            on_progress(len(chunk))
    return hashes

"""What a calibration follows from, as a digest: equal digests, equal outcomes.

A build whose products and model are those of the live version would learn the same again, to the last digit, in more
time than all the rest of it takes. So a manifest says what its fits follow from, and a later build takes them over
where nothing of that has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from embedder.encoder import Encoder
from embedder.inputs.picture import PictureLimits
from indexer.building.calibration.product_sample import ProductSample
from indexer.versions.manifest import Manifest
from indexer.words.text_index import TextIndex

FIT_VERSION = 1
"""Raise when other fits come out of the same products within one release; another release fits anew in any case."""

_COMPUTE = ("merchlens", "numpy", "pillow", "qdrant-edge-py")
"""Whose release may change a fit: ours, random draws and sums, views of pictures, titles' words."""


def digest_origin(
    encoder: Encoder,
    sample: ProductSample,
    categories: Sequence[str],
    limits: PictureLimits,
    views: int,
    texts: TextIndex | None,
) -> str:
    """A SHA-256, hexadecimal, of all that `fit_ranking` and `fit_recognition` are given.

    The sample is taken as it is, in its order: which products ask, and how their views are drawn, follows from their
    places.

    Args:
        encoder: the model; all files of its bundle count.
        sample: of the products.
        categories: of all products, sorted.
        limits: what a picture may weigh.
        views: products whose pictures are looked at as photos would show them.
        texts: what the version holds of its titles.
    """
    digest = hashlib.sha256()
    info = encoder.info
    _add(
        digest,
        [
            FIT_VERSION,
            [_release(package) for package in _COMPUTE],
            [info.fingerprint, sorted(info.files.items()), info.instance_weight, sorted(encoder.precisions.items())],
            categories,
            [limits.max_bytes, limits.max_pixels, limits.max_side, views],
            None if texts is None else [texts.title_dim, None if texts.bm25 is None else texts.to_dict()["bm25"]],
            len(sample.title_vectors),
        ],
    )
    for row in zip(sample.ids, sample.categories, sample.titles, sample.spoken, sample.contents, strict=True):
        _add(digest, row)
    for vector in (*sample.vectors, *sample.title_vectors):
        digest.update(vector.data)
    return digest.hexdigest()


def digest_fits(origin: str, manifest: Manifest) -> str:
    """A SHA-256, hexadecimal, of a manifest's fits and what they follow from, so that no damaged one is handed on."""
    data = json.loads(manifest.to_json())
    texts = data["texts"] or {}
    digest = hashlib.sha256(origin.encode())
    _add(
        digest,
        [
            *(data[name] for name in ("head_digest", "category_models", "match_models", "words")),
            *(texts.get(name) for name in ("weights", "asked", "found")),
        ],
    )
    return digest.hexdigest()


def _add(digest: Any, data: Any) -> None:
    """As JSON, whose brackets and quotes keep parts from running into each other."""
    digest.update(json.dumps(data, sort_keys=True).encode())


def _release(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

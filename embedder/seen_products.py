"""Which of a catalog's products a model was trained on, so that it is never judged by those.

A nightly build of the index meets all of the catalog. What it calibrates, it calibrates on products that the training
did not see: those held out then, and those that came since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from embedder.errors import BundleCorrupt

SEEN_FILE = "seen.safetensors"

MOST = 50_000
"""Ids that are kept: all of a catalog up to it, of a larger one those whose hash falls into a fixed share."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenProducts:
    """A sample of the products that were trained on.

    Attributes:
        modulus: an id is in the sample where its hash is a multiple of it, 1 or more.
        hashes: uint64, sorted, of the ids in the sample that were trained on.
    """

    modulus: int
    hashes: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, product_ids: Iterable[str]) -> Self:
        """Of all products that were trained on."""
        return cls._sampled(1, np.asarray([_hash(product_id) for product_id in product_ids], dtype=np.uint64))

    def and_of(self, base: SeenProducts | None) -> Self:
        """Together with those that the base was trained on, where it was."""
        if base is None:
            return self
        return self._sampled(max(self.modulus, base.modulus), np.concatenate([self.hashes, base.hashes]))

    def status(self, product_id: str) -> Literal["seen", "new", "unknown"]:
        """Whether a product was trained on; "unknown" where its id is outside of the sample."""
        value = _hash(product_id)
        if value % self.modulus:
            return "unknown"
        place = int(np.searchsorted(self.hashes, np.uint64(value)))
        return "seen" if place < len(self.hashes) and int(self.hashes[place]) == value else "new"

    @classmethod
    def _sampled(cls, modulus: int, hashes: npt.NDArray[np.uint64]) -> Self:
        found = np.unique(hashes[hashes % np.uint64(modulus) == 0])
        while len(found) > MOST:
            modulus *= 2
            found = found[found % np.uint64(modulus) == 0]
        return cls(modulus, found)


def save_seen(folder: Path, seen: SeenProducts) -> None:
    """Write a bundle's file."""
    save_file({"hashes": seen.hashes, "modulus": np.asarray([seen.modulus], dtype=np.int64)}, folder / SEEN_FILE)


def load_seen(folder: Path) -> SeenProducts | None:
    """Read a bundle's file; None where it has none: it was not trained, or by an earlier release.

    Raises:
        BundleCorrupt: a file that cannot be used.
    """
    if not (folder / SEEN_FILE).exists():
        return None
    try:
        tensors = load_file(folder / SEEN_FILE)
        return SeenProducts(int(tensors["modulus"][0]), tensors["hashes"])
    except (OSError, KeyError, IndexError, ValueError, SafetensorError) as error:
        raise BundleCorrupt(f"{SEEN_FILE} of bundle {folder}: {error!r}; next step: make the bundle again") from error


def _hash(product_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(product_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")

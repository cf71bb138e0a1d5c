"""What a version holds, counted from its products' payloads: the same however it came about."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from indexer.stores.points import UNCOMPARED_KEYS
from indexer.versions.manifest import Manifest

_MODULUS = 2**256


class Holdings:
    """Products, pictures, categories and a digest of all payloads, kept up to date as products come and go.

    What a build added to payloads by comparing products, and when they were changed, is no part of the digest.

    The digest is a sum of the payloads' SHA-256 modulo 2**256 (a multiset hash as of Bellare and Micciancio, 1997,
    which is enough against accidents, not against an attacker): products may come in any order.

    Attributes:
        products, pictures: how many there are.
        categories: path to its number of products.
    """

    def __init__(self) -> None:
        self.products = 0
        self.pictures = 0
        self.categories: Counter[str] = Counter()
        self._digest = 0

    @classmethod
    def of(cls, manifest: Manifest) -> Holdings:
        """What a finished version holds."""
        found = cls()
        found.products, found.pictures = manifest.products, manifest.pictures
        found.categories.update(manifest.categories)
        found._digest = int(manifest.catalog_hash or "0", 16)
        return found

    def add(self, payload: Mapping[str, Any]) -> None:
        """One product more."""
        self._count(payload, 1)

    def remove(self, payload: Mapping[str, Any]) -> None:
        """One product less, whose payload this was."""
        self._count(payload, -1)

    def hexdigest(self) -> str:
        """The digest, 64 hexadecimal digits."""
        return f"{self._digest:064x}"

    def noted(self, manifest: Manifest) -> Manifest:
        """The manifest, with all of this in it."""
        return replace(
            manifest,
            products=self.products,
            pictures=self.pictures,
            categories={name: count for name, count in sorted(self.categories.items()) if count > 0},
            catalog_hash=self.hexdigest(),
        )

    def _count(self, payload: Mapping[str, Any], sign: int) -> None:
        self.products += sign
        self.pictures += sign * len(payload.get("pictures") or ())
        if payload.get("category"):
            self.categories[payload["category"]] += sign
        payload = {key: value for key, value in payload.items() if key not in UNCOMPARED_KEYS}
        value = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).digest()
        self._digest = (self._digest + sign * int.from_bytes(value)) % _MODULUS

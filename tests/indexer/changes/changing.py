"""Changes to products that no model looked at."""

from __future__ import annotations

from hashlib import sha256

from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PictureBytes
from indexer.changes.change import Change, ChangedProduct
from tests.indexer.conftest import DIM, unit_rows

FINGERPRINT = "f" * 64


def becoming(product_id: str, seed: int = 0, picture: bytes = b"", **fields) -> ChangedProduct:
    """A product with one picture, whose vector is random."""
    fields = {"title": f"title {seed}", **fields}
    product = Product(id=product_id, pictures=(ProductPicture(PictureBytes(picture), "main.jpg"),), **fields)
    return ChangedProduct(product, unit_rows(1, seed, DIM), FINGERPRINT, f"{seed:016x}")


def upserting(product_id: str, request_id: str, place: int = 0, seed: int = 0, **fields) -> Change:
    """A change that writes it."""
    asked = sha256(f"{product_id} {seed} {sorted(fields.items())}".encode()).digest()
    return Change(product_id, request_id, place, asked, becoming(product_id, seed, **fields))


def deleting(product_id: str, request_id: str, place: int = 0) -> Change:
    """A change that takes it away."""
    return Change(product_id, request_id, place, sha256(product_id.encode()).digest())

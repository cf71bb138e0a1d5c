"""What a request that names an indexed product is refused with."""

from __future__ import annotations

from server.errors import InvalidRequest, ResourceMissing


def check_product_id(product_id: str, field: str) -> None:
    """Refuse an id that no product can have; `field` is its path in the request.

    Raises:
        InvalidRequest: PRODUCT_ID_EMPTY.
    """
    if not product_id:
        raise InvalidRequest("PRODUCT_ID_EMPTY", field, "product id ''; permitted: an indexed id")


def product_missing(product_id: str, field: str) -> ResourceMissing:
    """What to raise for an id that is not in the index: PRODUCT_NOT_FOUND."""
    return ResourceMissing(
        "PRODUCT_NOT_FOUND",
        field,
        "product",
        product_id,
        f"product {product_id[:80]!r} is not in the index; permitted: an indexed id",
    )

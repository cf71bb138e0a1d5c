"""Products to write, checked, to the messages that are sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import struct_pb2

from merchlens.request import build_image, checked_text, refuse
from merchlens.v1 import catalog_service_pb2, query_pb2
from merchlens.writes import ProductInput, ProductPicture

_IDS_A_MESSAGE = 1000


def build_upsert_requests(
    products: Iterable[ProductInput], *, catalog: str, request_id: str
) -> list[catalog_service_pb2.UpsertProductsRequest]:
    """Build a message for each product.

    Raises:
        InvalidArgument: a value that a message cannot carry.
        OSError: a picture's file cannot be read.
        TypeError: a value of a wrong type.
    """
    named = checked_text(catalog, "catalog")
    return [
        catalog_service_pb2.UpsertProductsRequest(
            catalog=named, request_id=request_id, product=_build_product(product, f"products[{place}]")
        )
        for place, product in enumerate(products)
    ]


def build_delete_requests(
    product_ids: Iterable[str], *, catalog: str, request_id: str
) -> list[catalog_service_pb2.DeleteProductsRequest]:
    """Build messages that name products.

    Raises:
        InvalidArgument, TypeError: see `build_upsert_requests`.
    """
    if isinstance(product_ids, str):
        raise TypeError("one product id; permitted: several of them, as in a list")
    named = checked_text(catalog, "catalog")
    ids = [checked_text(each, f"product_ids[{place}]") for place, each in enumerate(product_ids)]
    return [
        catalog_service_pb2.DeleteProductsRequest(
            catalog=named, request_id=request_id, product_ids=ids[start : start + _IDS_A_MESSAGE]
        )
        for start in range(0, max(1, len(ids)), _IDS_A_MESSAGE)
    ]


def _build_product(product: ProductInput, field: str) -> catalog_service_pb2.ProductInput:
    if isinstance(product.pictures, str | bytes):
        raise TypeError(f"{field}.pictures: one picture; permitted: several of them, as in a list")
    return catalog_service_pb2.ProductInput(
        product_id=checked_text(product.product_id, f"{field}.product_id"),
        title=checked_text(product.title, f"{field}.title"),
        description=checked_text(product.description, f"{field}.description"),
        category=checked_text(product.category, f"{field}.category"),
        price=product.price,
        in_stock=product.in_stock,
        attributes=_build_attributes(product.attributes, f"{field}.attributes"),
        pictures=[_build_picture(picture, f"{field}.pictures[{n}]") for n, picture in enumerate(product.pictures)],
    )


def _build_picture(picture: Any, field: str) -> catalog_service_pb2.ProductPicture:
    if not isinstance(picture, ProductPicture):
        picture = ProductPicture(image=picture)
    if (picture.image is None) == (picture.vector is None):
        refuse("IMAGE_EMPTY", field, "image and vector, or neither; permitted: exactly one of them")
    name = checked_text(picture.name, f"{field}.name")
    if picture.image is not None:
        image = build_image(picture.image, f"{field}.image")
        return catalog_service_pb2.ProductPicture(image=image, name=name)
    try:
        return catalog_service_pb2.ProductPicture(vector=query_pb2.Vector(values=picture.vector), name=name)
    except OverflowError:
        refuse("VECTOR_NOT_FINITE", f"{field}.vector.values", "a number too large for a float; permitted: floats")


def _build_attributes(attributes: Mapping[str, Any], field: str) -> struct_pb2.Struct | None:
    if not attributes:
        return None
    made = struct_pb2.Struct()
    for name, value in attributes.items():
        checked_text(name, field)
        values = value if isinstance(value, list | tuple) else [value]
        for each in values:
            if isinstance(each, str):
                checked_text(each, f"{field}.{name}")
            elif isinstance(value, list | tuple) or not isinstance(each, int | float):
                raise TypeError(f"{field}.{name}: {type(each).__name__}; permitted: str, float, bool, or a list of str")
        made.update({name: list(values) if isinstance(value, list | tuple) else value})
    return made

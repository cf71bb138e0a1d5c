"""Products to write, and what became of them."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from merchlens.v1 import catalog_service_pb2, meta_pb2

from server.rpc.call import Call
from server.rpc.messages.catalog import to_timestamp
from server.rpc.messages.failure import to_error
from server.rpc.messages.payload import from_struct
from server.writes.asked import AskedPicture, AskedProduct, Written

_MOST_ECHOED = 512
"""Characters of an id, more than which no product has."""


def to_asked_product(message: catalog_service_pb2.ProductInput) -> AskedProduct:
    """Read a product; nothing is checked yet."""
    return AskedProduct(
        product_id=message.product_id,
        digest=sha256(b"upsert\0" + message.SerializeToString(deterministic=True)).digest(),
        title=message.title,
        description=message.description,
        category=message.category,
        price=message.price if message.HasField("price") else None,
        in_stock=message.in_stock if message.HasField("in_stock") else None,
        attributes=from_struct(message.attributes),
        pictures=tuple(_to_picture(picture) for picture in message.pictures),
    )


def to_write_result(written: Written, call: Call) -> catalog_service_pb2.WriteResult:
    """Write what became of a product; an error is logged as that of a call of its own would be."""
    return catalog_service_pb2.WriteResult(
        product_id=written.product_id[:_MOST_ECHOED],
        error=None if written.error is None else to_error(written.error, call),
        index_time=to_timestamp(written.time),
        already_applied=written.already,
        was_there=written.was_there,
        warnings=[meta_pb2.Warning(code=item.code, field=item.field, text=item.text) for item in written.warnings],
    )


def _to_picture(message: catalog_service_pb2.ProductPicture) -> AskedPicture:
    kind = message.WhichOneof("source")
    data = message.image.data if kind == "image" and message.image.WhichOneof("source") else None
    vector = np.asarray(message.vector.values, dtype=np.float32) if kind == "vector" else None
    return AskedPicture(data, vector, message.name)

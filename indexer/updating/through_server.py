"""An update of an index that a server has open: the server makes the changes, and its next search sees them."""

from __future__ import annotations

import io
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from merchlens import Client, MerchlensError, ProductInput, ProductPicture, WriteResults

from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import CatalogReader
from embedder.errors import PictureError
from embedder.inputs.picture import LoadedPicture, PictureBytes, PictureLimits, decode_picture, load_picture
from indexer.building.rejects import RejectLog

_TOGETHER = 100
_BYTES_TOGETHER = 32 << 20
_TIMEOUT_S = 600.0
"""For one call: the server embeds its pictures."""


@dataclass(frozen=True, slots=True)
class ServerUpdate:
    """What a server was asked to change.

    Attributes:
        written, deleted: products.
        absent: that were to be taken away, and were not there.
        warnings: what the server did differently from what was asked, with how many; see the client's `ServerWarning`.
        rejects: the file with the rejected rows and pictures.
        reasons: why rows and pictures were rejected, with how many.
        elapsed_s: seconds.
    """

    written: int
    deleted: int
    absent: int
    warnings: Counter[str]
    rejects: Path
    reasons: Counter[str]
    elapsed_s: float

    def describe(self, target: str) -> str:
        """For people, in a few lines."""
        lines = [
            f"{self.written:,} products written, {self.deleted:,} taken away, {sum(self.reasons.values()):,} rejected, "
            f"{self.elapsed_s:.1f} s, by the server at {target}"
        ]
        if self.absent:
            lines.append(f"{self.absent:,} products that were to be taken away were not there")
        for title, counts in (("warnings", self.warnings), ("rejected", self.reasons)):
            if counts:
                named = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
                lines.append(f"{title}: {named}" + (f"; see {self.rejects}" if counts is self.reasons else ""))
        return "\n".join(lines)


def update_through_server(
    reader: CatalogReader | None,
    deletions: Iterable[str],
    client: Client,
    limits: PictureLimits,
    rejects_path: Path,
    *,
    on_rows: Callable[[int], None] = lambda done: None,
) -> ServerUpdate:
    """Have a server write products and take others away.

    Each call of the server is made under an id of its own, so that one that is made again does nothing twice. What
    fails half-way leaves what was written before it, and can be run again.

    Args:
        reader: products to write, each as a whole; None: none.
        deletions: ids of products to take away; those that are not there are counted.
        client: of the server.
        limits: what a picture's file may weigh.
        rejects_path: where rejected rows are written, and what the server refused.
        on_rows: called with the number of rows done since the last call.

    Raises:
        CatalogError: the catalog cannot be read.
        BuildError: the rejects cannot be written, or a line of the deletions is no id.
        MerchlensError: the server cannot be reached, or takes no changes.
    """
    started = time.monotonic()
    written = deleted = absent = 0
    warnings: Counter[str] = Counter()
    with RejectLog(rejects_path) as rejects:
        for group in _groups(_inputs(reader, limits, rejects, on_rows)):
            products = [product for _, product in group]
            results = client.upsert_products(products, timeout_s=_TIMEOUT_S, request_id=str(uuid.uuid4()))
            for (line, _), result in zip(group, results, strict=True):
                warnings.update(warning.code for warning in result.warnings)
                if result.error is None:
                    written += 1
                else:
                    rejects.add(_refused(line, result.product_id, result.error))
            on_rows(len(group))
        for ids in _by_count(deletions):
            gone = client.delete_products(ids, timeout_s=_TIMEOUT_S, request_id=str(uuid.uuid4()))
            there = _count_there(gone, rejects)
            deleted, absent = deleted + there, absent + len(ids) - there
    return ServerUpdate(written, deleted, absent, warnings, rejects.path, rejects.reasons, time.monotonic() - started)


def _inputs(
    reader: CatalogReader | None, limits: PictureLimits, rejects: RejectLog, on_rows: Callable[[int], None]
) -> Iterator[tuple[int, ProductInput]]:
    """Products with their pictures' bytes, each with its line; what cannot be read is a line of the rejects."""
    for row in () if reader is None else reader.read():
        if isinstance(row, Rejection):
            rejects.add(row)
            on_rows(0 if row.picture else 1)
            continue
        pictures = _pictures(row, limits, rejects)
        if pictures:
            yield row.line, _input(row, pictures)
        else:
            on_rows(1)


def _pictures(product: Product, limits: PictureLimits, rejects: RejectLog) -> list[ProductPicture]:
    found: list[ProductPicture] = []
    failed: list[tuple[str, PictureError]] = []
    for picture in product.pictures:
        try:
            found.append(ProductPicture(image=_file(load_picture(picture.source, limits), limits), name=picture.name))
        except PictureError as error:
            failed.append((picture.name, error))
    # A row is rejected where nothing of it is left, else single pictures are.
    for name, failure in failed if found else failed[:1]:
        rejects.add(Rejection(product.line, product.id, failure.reason, str(failure), name if found else ""))
    return found


def _file(picture: LoadedPicture, limits: PictureLimits) -> bytes:
    if isinstance(picture, PictureBytes):
        return picture.data
    # Of the known sets: they have pixels, and no file.
    buffer = io.BytesIO()
    decode_picture(picture, limits).image.save(buffer, "PNG")
    return buffer.getvalue()


def _input(product: Product, pictures: list[ProductPicture]) -> ProductInput:
    return ProductInput(
        product_id=product.id,
        title=product.title,
        description=product.description,
        category=product.category or "",
        price=product.price,
        in_stock=product.in_stock,
        attributes=product.attributes,
        pictures=pictures,
    )


def _groups(inputs: Iterable[tuple[int, ProductInput]]) -> Iterator[list[tuple[int, ProductInput]]]:
    group: list[tuple[int, ProductInput]] = []
    size = 0
    for item in inputs:
        weight = sum(
            len(picture.image)
            for picture in item[1].pictures
            if isinstance(picture, ProductPicture) and isinstance(picture.image, bytes)
        )
        if group and (len(group) == _TOGETHER or size + weight > _BYTES_TOGETHER):
            yield group
            group, size = [], 0
        group.append(item)
        size += weight
    if group:
        yield group


def _by_count(ids: Iterable[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for each in ids:
        group.append(each)
        if len(group) == 10 * _TOGETHER:
            yield group
            group = []
    if group:
        yield group


def _count_there(gone: WriteResults, rejects: RejectLog) -> int:
    there = 0
    for result in gone:
        if result.error is not None:
            rejects.add(_refused(0, result.product_id, result.error))
        there += bool(result.was_there)
    return there


def _refused(line: int, product_id: str, error: MerchlensError) -> Rejection:
    return Rejection(line, product_id, error.reason or error.code.name, error.message)

"""Opening precomputed vectors, and the catalog that they are of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from embedder.catalogs.registry import CatalogReader, open_catalog
from embedder.errors import PictureMissing
from embedder.inputs.picture import PictureLimits
from indexer.errors import TransferError
from indexer.transfer.vector_rows import NpyVectors, VectorSource

NPY = ".npy"

EMBEDDING = "embedding"
"""The field of a table's vectors, and its column unless it is mapped to another."""


class NoPictures:
    """Where pictures at URLs would be fetched: none is, they are only named."""

    def fetch(self, url: str, limits: PictureLimits) -> bytes:
        """See `PictureFetcher`."""
        raise PictureMissing(f"picture {url[:200]!r} is not fetched: vectors are loaded without pictures")


def open_vectors(
    source: str, products: str | None, columns: Mapping[str, str], dim: int
) -> tuple[CatalogReader, VectorSource]:
    """A catalog and its vectors; a product needs no picture, and none is read.

    Args:
        source: an npy file, or a catalog in tables with a column of vectors.
        products: the catalog of an npy file; None: the vectors are in the catalog's rows.
        columns: our field, `embedding` among them, to the catalog's column.
        dim: length that the vectors must have.

    Raises:
        TransferError: an npy file without a catalog, a catalog without vectors, vectors of another length or kind.
        CatalogError: no such catalog.
        MissingExtra: pyarrow is not installed.
    """
    fields = {field: column for field, column in columns.items() if field != EMBEDDING}
    is_npy = source.lower().endswith(NPY)
    if is_npy != (products is not None):
        raise TransferError(
            f"{source}: "
            + (
                "an npy file holds no products; next step: name their catalog with --products"
                if is_npy
                else f"no npy file; permitted with --products: a file ending in {NPY}; next step: leave --products out"
            )
        )
    reader = open_catalog(
        products or source, columns=fields, allow_outside_pictures=True, web=NoPictures(), needs_pictures=False
    )
    if is_npy:
        if EMBEDDING in columns:
            raise TransferError(
                f"--map {EMBEDDING}={columns[EMBEDDING]}; permitted for vectors in a table's column only"
            )
        return reader, NpyVectors(Path(source), dim)
    files = getattr(reader, "files", None)
    if files is None:
        raise TransferError(
            f"{source} is no table with a column of vectors; permitted: Parquet, Arrow, a data set on disk, or an npy "
            "file with --products"
        )
    # pyarrow comes with an extra.
    from indexer.transfer.vector_column import ColumnVectors

    return reader, ColumnVectors(files, columns.get(EMBEDDING, EMBEDDING), dim)

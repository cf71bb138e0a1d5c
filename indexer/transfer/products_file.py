"""`products.parquet`: what a version holds of each product, one row each, in the order of their ids.

Columns: `product_id`; `vectors`, a list of the pictures' vectors; `title`, its title's embedding, absent where it has
none; `payload`, a JSON object. The titles' words are in none: they are made from the payload again. Two versions that
hold the same give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedder.errors import MissingExtra
from indexer.errors import TransferError
from indexer.stores.protocol import Stored
from indexer.transfer.export import ROWS
from indexer.versions.layout import VectorLayout

try:
    import pyarrow as arrow
    import pyarrow.parquet as parquet
except ImportError as error:
    raise MissingExtra(
        f"files of products need {error.name}, which is not installed; next step: pip install 'merchlens[parquet]'"
    ) from error

KEY = b"merchlens"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Heading:
    """What a file says of itself.

    Attributes:
        model_fingerprint: of the model whose embeddings it holds.
        layout: lengths of the vectors.
        products: rows.
    """

    model_fingerprint: str
    layout: VectorLayout
    products: int


class ProductsWriter:
    """Writes a file; it appears under its name when it is whole. A context manager."""

    def __init__(self, path: Path, model_fingerprint: str, layout: VectorLayout) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.new")
        self._layout = layout
        about = {
            "format": FORMAT,
            "model_fingerprint": model_fingerprint,
            "dim": layout.dim,
            "multivector": layout.multivector,
            "title_dim": layout.title_dim,
            "has_words": layout.has_words,
        }
        self._schema = _schema(layout).with_metadata({KEY: json.dumps(about, sort_keys=True).encode()})
        self._file: Any = None

    def write(self, products: Sequence[Stored]) -> None:
        """Add products, at most some thousands at a time."""
        dim, title_dim = self._layout.dim, self._layout.title_dim
        vectors = np.concatenate([item.vectors for item in products]).astype(np.float32, copy=False)
        offsets = np.cumsum([0, *(len(item.vectors) for item in products)]).astype(np.int32)
        columns = [
            arrow.array([item.product_id for item in products], arrow.string()),
            arrow.ListArray.from_arrays(offsets, _fixed(vectors, dim)),
        ]
        if title_dim:
            absent = np.asarray([item.title is None for item in products])
            titles = np.stack([np.zeros(title_dim) if item.title is None else item.title for item in products])
            columns.append(_fixed(titles.astype(np.float32), title_dim, absent))
        payloads = [json.dumps(item.payload, sort_keys=True, ensure_ascii=False) for item in products]
        columns.append(arrow.array(payloads, arrow.string()))
        self._file.write_table(arrow.Table.from_arrays(columns, schema=self._schema), row_group_size=ROWS)

    def __enter__(self) -> ProductsWriter:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = parquet.ParquetWriter(self._temporary, self._schema, compression="zstd", use_dictionary=False)
        except OSError as error:
            raise TransferError(f"{self._path} cannot be written: {error}; next step: another --out") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            self._file.close()
            if kind is None:
                self._temporary.replace(self._path)
        except OSError as failure:
            raise TransferError(f"{self._path} cannot be written: {failure}; next step: free some space") from failure
        finally:
            self._temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise TransferError(f"{self._path} cannot be written: {error}; next step: free some space") from error


class ProductsFile:
    """A file that is read, some thousand products at a time."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            TransferError: there is none, or it is damaged or of another kind.
        """
        self._path = path
        try:
            self._file = parquet.ParquetFile(path)
            about = json.loads((self._file.schema_arrow.metadata or {})[KEY])
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']}; permitted: {FORMAT}")
            layout = VectorLayout(about["dim"], about["multivector"], about["title_dim"], about["has_words"])
            self.heading = Heading(about["model_fingerprint"], layout, self._file.metadata.num_rows)
            if not self._file.schema_arrow.equals(_schema(layout)):
                raise ValueError(f"columns {self._file.schema_arrow.names}")
        except (OSError, ValueError, KeyError, TypeError, arrow.ArrowException) as error:
            raise TransferError(
                f"{path} is no readable file of products ({type(error).__name__}: {str(error)[:200]}); permitted: what "
                "python -m indexer export writes; next step: export again"
            ) from error

    def read(self) -> Iterator[list[Stored]]:
        """The products, in the file's order.

        Raises:
            TransferError: the file is damaged.
        """
        layout = self.heading.layout
        try:
            for batch in self._file.iter_batches(ROWS):
                vectors = _values(batch.column("vectors").flatten(), layout.dim)
                offsets = batch.column("vectors").offsets.to_numpy()
                offsets = offsets - offsets[0]
                titles = None
                if layout.title_dim:
                    column = batch.column("title")
                    titles = _values(column.fill_null([0.0] * layout.title_dim), layout.title_dim)
                rows = zip(batch.column("product_id").to_pylist(), batch.column("payload").to_pylist(), strict=True)
                yield [
                    Stored(
                        product_id,
                        vectors[offsets[row] : offsets[row + 1]],
                        _payload(payload, product_id),
                        None if titles is None or not titles[row].any() else titles[row],
                    )
                    for row, (product_id, payload) in enumerate(rows)
                ]
        except (OSError, ValueError, TypeError, arrow.ArrowException) as error:
            raise TransferError(
                f"{self._path} is damaged ({str(error)[:200]}); nothing goes live; next step: export again"
            ) from error


def _schema(layout: VectorLayout) -> Any:
    fields = [
        arrow.field("product_id", arrow.string()),
        arrow.field("vectors", arrow.list_(arrow.list_(arrow.float32(), layout.dim))),
    ]
    if layout.title_dim:
        fields.append(arrow.field("title", arrow.list_(arrow.float32(), layout.title_dim)))
    return arrow.schema([*fields, arrow.field("payload", arrow.string())])


def _fixed(rows: np.ndarray[Any, Any], length: int, absent: np.ndarray[Any, Any] | None = None) -> Any:
    values = arrow.array(rows.reshape(-1), arrow.float32())
    mask = None if absent is None else arrow.array(absent)
    return arrow.FixedSizeListArray.from_arrays(values, length, mask=mask)


def _values(column: Any, length: int) -> np.ndarray[Any, Any]:
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, length)


def _payload(text: str, product_id: str) -> dict[str, Any]:
    payload = json.loads(text)
    if not isinstance(payload, dict) or payload.get("product_id") != product_id:
        raise ValueError(f"the payload of product {product_id[:80]!r} is not its own")
    return payload

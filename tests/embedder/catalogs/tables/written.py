"""Tables written as files of each format."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def png(shade: int) -> bytes:
    """A small picture; another shade gives another one."""
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (shade, 100, 200)).save(file, "PNG")
    return file.getvalue()


def as_parquet(folder: Path, table: Any, rows_a_batch: int | None = None, **options: Any) -> Path:
    path = folder / "shop.parquet"
    options = {"row_group_size": rows_a_batch} | options
    pq.write_table(table, path, write_page_checksum=True, **{key: value for key, value in options.items() if value})
    return path


def as_file(folder: Path, table: Any, rows_a_batch: int | None = None, compression: str | None = None) -> Path:
    path = folder / "shop.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, rows_a_batch)
    return path


def as_stream(folder: Path, table: Any, rows_a_batch: int | None = None, compression: str | None = None) -> Path:
    path = folder / "stream.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, rows_a_batch)
    return path


def as_feather(folder: Path, table: Any, rows_a_batch: int | None = None, compression: str | None = "lz4") -> Path:
    import pyarrow.feather as feather

    path = folder / "shop.feather"
    feather.write_feather(table, str(path), compression=compression or "uncompressed", chunksize=rows_a_batch)
    return path


FORMATS = (as_parquet, as_file, as_stream, as_feather)

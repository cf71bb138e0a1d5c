"""What a training says of its catalog before it begins."""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedder.settings import EmbedderSettings
from embedder.training.split_products import TrainRequest, load_everything
from tests.embedder.catalogs.tables.written import png


def test_what_columns_are_taken_for_is_logged_once_before_the_products_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "shop.parquet"
    pq.write_table(pa.table({"nr": ["A", "B"], "image": [png(1), png(2)], "hue": ["red", "blue"]}), path)
    request = TrainRequest(str(path), {"id": "nr"}, "auto", tmp_path / "out", None, None, None)
    with caplog.at_level(logging.INFO, "embedder"):
        everything = load_everything(request, EmbedderSettings(device="cpu"))
    assert [product.id for product in everything.products] == ["A", "B"]
    said = [record.message for record in caplog.records]
    assert said.count("columns of shop.parquet:") == 1
    assert [line.split() for line in said[1:4]] == [["id", "'nr'"], ["title", "none"], ["pictures", "'image'"]]
    assert "  attributes     'hue' (text)" in said

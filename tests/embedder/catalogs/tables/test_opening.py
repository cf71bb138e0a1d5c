"""Where pyarrow is not installed, that is what is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from embedder.catalogs.registry import open_catalog
from embedder.errors import MissingExtra
from embedder.settings import EmbedderSettings


@pytest.mark.parametrize("spec", ["shop.parquet", "shop.arrow", "hf-dataset:shop"])
def test_a_table_without_pyarrow(monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    for module in [name for name in sys.modules if name.startswith("embedder.catalogs.tables.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"needs pyarrow, which is not installed; .*'merchlens\[parquet\]'"):
        open_catalog(spec)


def test_pictures_from_the_web_without_what_speaks_http(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EmbedderSettings().web_pictures() is None
    for module in ("web_pictures", "checked_network"):
        monkeypatch.delitem(sys.modules, f"embedder.inputs.remote.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "httpcore2", None)
    with pytest.raises(MissingExtra, match=r"needs httpcore2, which is not installed; .*'merchlens\[remote\]'"):
        EmbedderSettings(picture_hosts=("cdn.test",)).web_pictures()


def test_rows_name_pictures_on_the_web_only_where_that_is_permitted(tmp_path: Path) -> None:
    from embedder.catalogs.product import Product, Rejection
    from embedder.inputs.picture import RemotePicture

    path = tmp_path / "shop.csv"
    path.write_text("id,image\nA,https://CDN.test/a.jpg\nB,https://me:pw@cdn.test/b.jpg\n")
    refused = list(open_catalog(str(path)).read())
    assert [row.reason for row in refused if isinstance(row, Rejection)] == ["IMAGE_MISSING"] * 2
    assert isinstance(refused[0], Rejection)
    assert "next step: permit its host with --picture-host HOST" in refused[0].detail
    web = EmbedderSettings(picture_hosts=("cdn.test",)).web_pictures()
    product, rejection = open_catalog(str(path), web=web).read()
    assert isinstance(product, Product)
    assert isinstance(product.pictures[0].source, RemotePicture)
    assert product.pictures[0].source.url == "https://cdn.test/a.jpg"
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "IMAGE_URL_REFUSED"

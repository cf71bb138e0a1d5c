"""Configuration of `python -m indexer`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from embedder.settings import LayeredSettings


class IndexerSettings(LayeredSettings):
    """What the indexer's commands share.

    Attributes:
        store: address of the store.
        cache_dir: exported models.
        threads: of ONNX Runtime; 0 is one for each core.
        device: "auto", "cpu", "cuda", ...
        batch_size: pictures embedded at once.
        decode_threads: how many pictures are decoded at once.
        keep_versions: ready versions kept besides the live one, for going back.
        max_reject_share: a build of which a larger share of rows is rejected does not go live.
        qdrant_api_key: of a Qdrant server.
    """

    store: str = "edge:data/index"
    cache_dir: Path = Path("data/cache")
    threads: int = Field(default=0, ge=0, le=1024)
    device: str = "auto"
    batch_size: int = Field(default=64, ge=1, le=4096)
    decode_threads: int = Field(default=2, ge=1, le=256)
    keep_versions: int = Field(default=1, ge=0, le=100)
    max_reject_share: float = Field(default=0.5, ge=0, le=1)
    qdrant_api_key: SecretStr | None = None

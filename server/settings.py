"""Configuration of `python -m server`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from embedder.settings import LayeredSettings


class ServerSettings(LayeredSettings):
    """How to serve.

    Attributes:
        model: a bundle's path, or a model's name.
        store: address of the store.
        host: address to bind to; one that others reach needs `insecure`.
        port: 0 takes a free one.
        insecure: permit plain text on an address that others reach.
        threads: of ONNX Runtime for a picture; 0 is one for each core.
        text_threads: of ONNX Runtime for a text. A second core makes a short text 5 % faster and twice as dear.
        device: "cpu", "auto", "cuda", ...; serving on the CPU imports no torch.
        workers: calls worked on at once.
        default_timeout_s: deadline of calls that bring none.
        drain_s: how long calls in flight may take after SIGTERM.
        max_message_bytes, max_image_bytes, max_image_pixels, max_text_chars, max_page_size, max_filter_chars,
        max_filter_depth: limits, enforced before work starts.
        cache_dir: exported models.
        qdrant_api_key: of a Qdrant server.
    """

    command = "server"

    model: str = "data/models/demo"
    store: str = "edge:data/index"
    host: str = "127.0.0.1"
    port: int = Field(default=50051, ge=0, le=65535)
    insecure: bool = False
    threads: int = Field(default=0, ge=0, le=1024)
    text_threads: int = Field(default=1, ge=0, le=1024)
    device: str = "cpu"
    workers: int = Field(default=8, ge=1, le=1024)
    default_timeout_s: float = Field(default=30.0, gt=0)
    drain_s: float = Field(default=20.0, ge=0)
    max_message_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    max_image_bytes: int = Field(default=10 * 1024 * 1024, ge=1)
    max_image_pixels: int = Field(default=50_000_000, ge=1)
    max_text_chars: int = Field(default=4096, ge=1)
    max_page_size: int = Field(default=1000, ge=1)
    max_filter_chars: int = Field(default=4096, ge=1)
    max_filter_depth: int = Field(default=32, ge=1, le=200)
    cache_dir: Path = Path("data/cache")
    qdrant_api_key: SecretStr | None = None

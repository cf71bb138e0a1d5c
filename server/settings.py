"""Configuration of `python -m server`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from embedder.precision import PrecisionChoice
from indexer.filters.parser import LARGEST_DEPTH
from indexer.settings import StoreSettings


class ServerSettings(StoreSettings):
    """How to serve; with `StoreSettings`.

    Attributes:
        model: a bundle's path, or a model's name; or a folder of bundles, of which the one that made the index answers:
            then a new model and its index go live as one, and go back as one.
        host: address to bind to; one that other machines can reach needs `insecure`.
        port: 0 takes a free one.
        insecure: permit unencrypted calls on an address that other machines can reach.
        allow_unauthenticated_writes: take changes on such an address too, from whoever calls.
        threads: of ONNX Runtime for a picture, and for the texts of a batch; 0 is one for each core.
        text_threads: of ONNX Runtime for a text. A second one makes a short text 5 % faster for twice the CPU time.
        device: "cpu", "auto", "cuda", ...; serving on the CPU imports no torch.
        precision: "auto", as the bundle decided for each tower when it was exported with a catalog; or "fp32", "fp16",
            "int8" for both.
        workers: calls handled at once.
        max_streams: streams of queries that are answered at once. They, and as many streams of changes as there are
            `workers`, have threads of their own.
        stream_idle_s: a stream without a deadline ends when no query comes for so long.
        default_timeout_s: deadline of calls that have none.
        drain_s: how long calls in flight may take after SIGTERM.
        max_message_bytes, max_image_bytes, max_image_pixels, max_image_side, max_text_chars, max_page_size,
        max_filter_chars, max_filter_depth, max_batch_queries, max_embed_inputs, max_query_parts,
        max_recommend_products, max_search_candidates, max_facets, max_write_products: limits of one request, enforced
        before work starts.
        max_decode_bytes: memory that pictures being decoded may take together. The largest picture permitted takes up
            to 20 bytes a pixel (WebP), usually 8.
        query_cache_mb: memory for what the last texts and pictures were encoded to, about 200 a MB; 0: none is kept.
        decode_wait_s: how long a query waits for such memory before it is refused.
        check_mb_per_s: how fast the index is read again in the background and compared with its digests; 0: never.
        cache_dir: exported models.
    """

    command = "server"

    model: str = "data/models/demo"
    host: str = "127.0.0.1"
    port: int = Field(default=50051, ge=0, le=65535)
    insecure: bool = False
    allow_unauthenticated_writes: bool = False
    threads: int = Field(default=0, ge=0, le=1024)
    text_threads: int = Field(default=1, ge=0, le=1024)
    device: str = "cpu"
    precision: PrecisionChoice = "auto"
    workers: int = Field(default=8, ge=1, le=1024)
    max_streams: int = Field(default=4, ge=0, le=1024)
    stream_idle_s: float = Field(default=60.0, gt=0)
    default_timeout_s: float = Field(default=30.0, gt=0)
    drain_s: float = Field(default=20.0, ge=0)
    max_message_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    max_image_bytes: int = Field(default=10 * 1024 * 1024, ge=1)
    max_image_pixels: int = Field(default=50_000_000, ge=1)
    max_image_side: int = Field(default=32_768, ge=1)
    max_decode_bytes: int = Field(default=1024 * 1024 * 1024, ge=1024 * 1024)
    query_cache_mb: int = Field(default=64, ge=0, le=1_000_000)
    decode_wait_s: float = Field(default=5.0, ge=0)
    max_text_chars: int = Field(default=4096, ge=1)
    max_page_size: int = Field(default=1000, ge=1)
    max_filter_chars: int = Field(default=4096, ge=1)
    max_batch_queries: int = Field(default=256, ge=1)
    max_embed_inputs: int = Field(default=256, ge=1)
    max_query_parts: int = Field(default=16, ge=1)
    max_recommend_products: int = Field(default=256, ge=1)
    max_search_candidates: int = Field(default=10_000, ge=1)
    max_facets: int = Field(default=16, ge=0, le=256)
    max_write_products: int = Field(default=1000, ge=1)
    max_filter_depth: int = Field(default=32, ge=1, le=LARGEST_DEPTH)
    check_mb_per_s: float = Field(default=8.0, ge=0, le=100_000)
    cache_dir: Path = Path("data/cache")

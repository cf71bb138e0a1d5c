"""Configuration of `python -m indexer`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from embedder.precision import PrecisionChoice
from embedder.settings import CatalogSettings, LayeredSettings
from indexer.caches.thumbnails import ThumbnailCache
from indexer.stores.address import open_store
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.protocol import Store
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.words.text_index import Language


class StoreSettings(LayeredSettings):
    """Which store, and how to use it.

    Attributes:
        store: address of the store.
        qdrant_api_key: of a Qdrant server.
        edge, qdrant: of the two engines; see there.
    """

    store: str = "edge:data/index"
    qdrant_api_key: SecretStr | None = None
    edge: EdgeArguments = EdgeArguments()
    qdrant: QdrantArguments = QdrantArguments()

    def open_store(self) -> Store:
        """The store at the configured address.

        Raises:
            StoreUrlInvalid: no such kind of store.
        """
        key = self.qdrant_api_key.get_secret_value() if self.qdrant_api_key else None
        return open_store(self.store, key, self.edge, self.qdrant)


class IndexerSettings(StoreSettings, CatalogSettings):
    """What the indexer's commands share; with `StoreSettings` and `CatalogSettings`.

    Attributes:
        cache_dir: exported models, and vectors of earlier builds.
        embedding_cache_mb: most space for vectors of pictures and texts, which are then never embedded twice by one
            model, and for what pictures look like; a picture takes about 2.6 kB. 0: none are kept.
        thumbnail_cache_mb: most space for thumbnails of the catalog's pictures, up to 15 kB each; those that were not
            used for the most builds go first. 0: none are kept.
        threads: of ONNX Runtime; 0 is one for each core.
        device: "auto", "cpu", "cuda", ...
        precision: "auto", as the bundle decided for each tower when it was exported with a catalog; or "fp32", "fp16",
            "int8" for both.
        batch_size: pictures embedded at once.
        decode_threads: how many pictures are decoded at once; each may take `max_image_pixels` x 4 bytes, and more.
        keep_versions: ready versions kept besides the live one, for rolling back.
        drop_after_s: one that stopped being live less than so many seconds ago is kept besides these: page tokens and
            servers may still ask for it.
        abandoned_after_s: an unfinished version in a Qdrant server that is older was left by a build that was killed:
            the next build, or gc, deletes it. Longer than the longest build takes.
        index_titles: whether titles are searched by what they mean: an embedding of each is held beside the pictures'.
        index_words: whether titles are searched by their words (BM25).
        language: of the titles: whose endings are taken off words (see `indexer.words.text_index.Language`).
        match_views: products whose pictures are looked at as a photo would show them, to learn how sure a picture query
            may be that it found the very product; 0: that probability is absent.
        shadow_queries: photos of products and titles, so many of each, that a build asks its version and the live one
            before it takes its place (see `indexer.shadow`); 0: it does not.
        shadow_max_loss: of recall against the live version; a build that loses more, surely, does not go live.
        shadow_min_overlap: of pictures' first ten hits with the live version's, where one model made both.
        max_delete_share: an update from a whole catalog that would take away a larger share of the products is refused.
        quality_report: whether a build looks at the catalog and writes a page about it.
        wanted_recall: of what exact search finds, a search of the graph is to find so much (recall among the first 10).
            How many candidates that takes is measured when a version is made; 0: it is not, and fixed numbers serve.
        max_reject_share: a build of which a larger share of rows is rejected does not go live.
    """

    command = "indexer"

    cache_dir: Path = Path("data/cache")
    threads: int = Field(default=0, ge=0, le=1024)
    device: str = "auto"
    precision: PrecisionChoice = "auto"
    batch_size: int = Field(default=64, ge=1, le=4096)
    decode_threads: int = Field(default=2, ge=1, le=256)
    embedding_cache_mb: int = Field(default=4096, ge=0, le=1_000_000)
    thumbnail_cache_mb: int = Field(default=1024, ge=0, le=1_000_000)
    keep_versions: int = Field(default=1, ge=0, le=100)
    drop_after_s: float = Field(default=3600.0, ge=0, le=31_536_000, allow_inf_nan=False)
    abandoned_after_s: float = Field(default=86_400.0, ge=0, le=31_536_000, allow_inf_nan=False)
    index_titles: bool = True
    index_words: bool = True
    language: Language = "english"
    match_views: int = Field(default=120, ge=0, le=400)
    shadow_queries: int = Field(default=120, ge=0, le=10_000)
    shadow_max_loss: float = Field(default=0.05, ge=0, le=1)
    shadow_min_overlap: float = Field(default=0.5, ge=0, le=1)
    max_delete_share: float = Field(default=0.2, ge=0, le=1)
    quality_report: bool = True
    wanted_recall: float = Field(default=0.99, ge=0, le=1)
    max_reject_share: float = Field(default=0.5, ge=0, le=1)

    def thumbnails(self) -> ThumbnailCache:
        """Where thumbnails are kept; not opened yet."""
        return ThumbnailCache(self.cache_dir, self.thumbnail_cache_mb * 2**20)

"""The stages of a build or an update, side by side: rows to pixels to vectors to a version."""

from __future__ import annotations

from collections.abc import Callable

from embedder.catalogs.outline import read_rows
from embedder.catalogs.registry import CatalogReader
from embedder.inputs.pixels import PixelReader
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.decoding import Decoding
from indexer.building.embedding import Embedding
from indexer.building.loading import Loading
from indexer.building.payload import to_payload
from indexer.building.plan import BuildPlan
from indexer.building.rejects import RejectLog
from indexer.building.stage import Stage, StageTime, StageWatch
from indexer.building.tally import Tally
from indexer.building.titling import Titling
from indexer.quality.roll import ProductRoll
from indexer.settings import IndexerSettings
from indexer.stores.points import CONTENT_KEY
from indexer.stores.protocol import Batch, VersionWriter
from indexer.words.text_index import TextIndex


class Pipeline:
    """The stages of one build, side by side.

    Attributes:
        stages: in the order of the flow.
    """

    def __init__(
        self, encoder: CachedEncoder, plan: BuildPlan, settings: IndexerSettings, texts: TextIndex | None
    ) -> None:
        self._plan = plan
        self._reading = Stage("read")
        self._thumbnails = settings.thumbnails()
        limits = settings.picture_limits()
        self._decoding = Decoding(
            PixelReader(encoder.preprocessing, limits),
            encoder,
            settings.decode_threads,
            settings.batch_size,
            self._thumbnails,
        )
        self._embedding = Embedding(encoder, settings.batch_size)
        self._titling = Titling(encoder, texts, settings.batch_size)
        self.stages: tuple[Stage, ...] = (self._reading, self._decoding, self._embedding, self._titling)

    @property
    def title_bytes(self) -> int:
        """What the titles take in the version."""
        return self._titling.held_bytes

    def run(
        self,
        reader: CatalogReader,
        limit: int | None,
        writer: VersionWriter,
        rejects: RejectLog,
        on_progress: Callable[[int], None],
        roll: ProductRoll | None = None,
        choose: Callable[[Batch], Batch | None] = lambda batch: batch,
        on_busiest: Callable[[StageTime], None] = lambda busiest: None,
    ) -> Tally:
        """Put the catalog's products into a version, and count them.

        Args:
            reader, limit: the products; see `build`.
            writer: of the version.
            rejects: where rejected rows go.
            on_progress: called with the number of rows done since the last call.
            roll: where products are written down, so that they can be compared later; None: nowhere.
            choose: what of each batch is written; None: nothing of it.
            on_busiest: see `build`.
        """
        tally = Tally()
        rows = self._reading.counting(read_rows(reader, limit))
        with self._thumbnails, Loading(writer) as loading:
            self.stages = (*self.stages, loading)
            watch = StageWatch(self.stages)
            for decoded in self._decoding.batches(rows):
                for rejection in decoded.rejections:
                    rejects.add(rejection)
                    if roll is not None:
                        roll.reject(rejection)
                tally.pictures_left_out += decoded.pictures_left_out
                if decoded.products:
                    vectors = self._embedding.embed(decoded)
                    payloads = [
                        {**to_payload(product, self._plan.schema), CONTENT_KEY: content}
                        for product, content in zip(decoded.products, decoded.contents, strict=True)
                    ]
                    titles = self._titling.embeddings(decoded.products)
                    tally.add(decoded.products, decoded.counts, vectors, payloads, titles)
                    if roll is not None:
                        roll.add(decoded.products, decoded.counts, vectors, decoded.traits)
                    ids = [product.id for product in decoded.products]
                    words = self._titling.words(decoded.products)
                    chosen = choose(Batch(ids, vectors, payloads, decoded.counts, titles, words))
                    if chosen is not None:
                        loading.send(chosen)
                on_busiest(watch.busiest())
                on_progress(decoded.rows)
            loading.wait()
        return tally

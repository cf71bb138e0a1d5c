"""A served catalog: the model, the index version and what answers from the two, opened and closed as one."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image

from embedder.encoder import Encoder, open_encoder
from embedder.inputs.picture import PictureLimits
from embedder.model_folder import resolve_model
from embedder.recognition.head import WEIGHTS_FILE
from indexer.changes.reembedding import Reembedder
from indexer.filters.schema import Schema
from indexer.stores.protocol import OnlineChanges, Store, VersionReader
from indexer.versions.manifest import check_precision, check_servable, fitted_with
from server.catalog.index_versions import IndexVersions
from server.catalog.products import Products
from server.errors import InvalidRequest
from server.pages.page import Pager
from server.search.attributes import AttributePredictor
from server.search.category import CategoryPredictor
from server.search.checks import RequestChecks
from server.search.classifier import Classifier
from server.search.encode import PartEncoder
from server.search.finder import Finder
from server.search.match import Matcher
from server.search.named_products import NamedProducts
from server.search.query import Origin, PictureQuery, Query, SearchCommand, TextQuery
from server.search.recognizer import Recognizer
from server.search.recommender import Recommender
from server.search.searcher import Searcher
from server.settings import ServerSettings
from server.writes.checks import ProductChecks
from server.writes.embedding import ProductEmbedder
from server.writes.product_writer import ProductWriter


@dataclass(frozen=True, slots=True, eq=False)
class ServedCatalog:
    """What servicers answer from. Calls from several threads are allowed.

    Attributes:
        encoder: the model.
        store: where the index is.
        reader: the index version; made by that model.
        settings: of the server.
        origin: what replies say about where they come from.
        checks: requests are held against them.
        parts: encodes query parts.
        categories: predicts a query's category.
        finder: searches that version.
        searcher: answers searches.
        recommender: answers with what is like some products and unlike others.
        classifier: says what queries show.
        products: gives products of that version.
        versions: knows it and all others.
        writer: changes it.
        online: takes the changes; None where its engine takes none.
    """

    encoder: Encoder
    store: Store
    reader: VersionReader
    settings: ServerSettings
    origin: Origin
    checks: RequestChecks
    parts: PartEncoder
    categories: CategoryPredictor
    finder: Finder
    searcher: Searcher
    recommender: Recommender
    classifier: Classifier
    products: Products
    versions: IndexVersions
    writer: ProductWriter
    online: OnlineChanges | None

    @classmethod
    def of(
        cls,
        encoder: Encoder,
        store: Store,
        reader: VersionReader,
        settings: ServerSettings,
        categories: CategoryPredictor | None = None,
        online: OnlineChanges | None = None,
    ) -> ServedCatalog:
        """Put together what answers from a model and a version of its own.

        Args:
            encoder, store, settings: see the attributes.
            reader: of the version as it was sealed.
            categories: None: as the version says.
            online: what takes changes of the version; then that answers.
        """
        # What was fitted, was fitted on what was sealed.
        manifest = fitted_with(reader.manifest, encoder.info.files.get(WEIGHTS_FILE, ""))
        reader = reader if online is None else online.reader
        parts = PartEncoder(encoder, reader.fetch, settings)
        categories = categories or CategoryPredictor(encoder, manifest)
        matcher = Matcher(manifest)
        recognizer = Recognizer(categories, matcher, AttributePredictor(encoder.attributes))
        finder = Finder(reader, recognizer)
        origin = Origin(encoder.info.fingerprint, manifest.version)
        checks = RequestChecks(manifest, settings)
        pager = Pager(reader, settings.max_facets)
        named = NamedProducts(reader)
        searcher = Searcher(checks, parts, finder, named, pager, recognizer, matcher, origin)
        return cls(
            encoder,
            store,
            reader,
            settings,
            origin,
            checks,
            parts,
            categories,
            finder,
            searcher,
            Recommender(checks, reader, finder, lambda stored: encoder.space.query(stored.direction)),
            Classifier(checks, parts, finder, recognizer),
            Products(checks, reader),
            IndexVersions(store, lambda: reader.manifest),
            ProductWriter(
                online,
                checks,
                ProductChecks(manifest, settings),
                ProductEmbedder(encoder, parts, reader, manifest, settings),
                settings,
            ),
            online,
        )

    @property
    def schema(self) -> Schema:
        """The fields that filters may name."""
        return self.reader.manifest.schema

    def close(self) -> None:
        """Close the index; it must not be searched afterwards."""
        (self.online or self.reader).close()
        self.store.close()


def open_served_catalog(settings: ServerSettings, owner: str) -> ServedCatalog:
    """Open a model and the live index version, check that they belong together, and answer one search of each kind.

    Args:
        settings: where they are, and the limits.
        owner: who opens it, for the messages of other processes that find the index in use.

    Raises:
        ModelError, BundleError: see `embedder.errors`.
        StoreError: see `indexer.errors`; ModelMismatch where another model made the index.
    """
    store = settings.open_store()
    reader = store.open(owner=owner)
    online = None
    try:
        made_with = reader.manifest
        encoder = open_encoder(
            resolve_model(settings.model, settings.cache_dir, made_with.model_fingerprint, made_with.head_digest),
            threads=settings.threads,
            device=settings.device,
            text_threads=settings.text_threads,
            precision=settings.precision,
        )
        check_servable(reader.manifest, encoder.info.fingerprint)
        check_precision(reader.manifest, encoder.info.precisions, encoder.precisions)
        limits = PictureLimits(settings.max_image_bytes, settings.max_image_pixels, settings.max_image_side)
        online = store.take_changes(reader, Reembedder(encoder, limits), owner)
        served = ServedCatalog.of(encoder, store, reader, settings, online=online)
        _warm_up(served.searcher, settings)
    except BaseException:
        (online or reader).close()
        store.close()
        raise
    return served


def _warm_up(searcher: Searcher, settings: ServerSettings) -> None:
    """Answer searches as callers will ask them, so that the first of those does not wait for lazy set-up.

    They go through the server's own limits: a limit that no search can be answered under shows here, not to callers.
    """
    encoded = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(encoded, "PNG")
    queries: tuple[Query, ...] = (PictureQuery(encoded.getvalue()), TextQuery("a"))
    # As deep as the limits permit.
    depth = min(settings.max_filter_depth, (settings.max_filter_chars - len("in_stock")) // 2)
    where = "(" * depth + "in_stock" + ")" * depth if depth >= 0 else ""
    for query in queries:
        # An operator's limits may refuse even these; so callers will be refused too, with the limit's name.
        with suppress(InvalidRequest):
            searcher.search(SearchCommand.of(query, where, 0))

"""The client: a method for each of the contract's calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any

import grpc

from merchlens.catalog_results import Index, IndexVersions, Product, ProductPage, ProductResult
from merchlens.connection import Connection, Method
from merchlens.errors import MerchlensError
from merchlens.queries import Accuracy, FacetQuery, ImageSource, QueryPart, Ranking, SearchQuery, Strategy
from merchlens.recognition_results import Classification, Embeddings
from merchlens.request import (
    build_batch_search_request,
    build_classify_request,
    build_embed_request,
    build_get_product_request,
    build_list_products_request,
    build_recommend_request,
    build_search_request,
    check_request_id,
    checked_text,
)
from merchlens.results import BatchSearchResult, Recommendation, SearchResult
from merchlens.streams import QueriesSent, read_stream_reply
from merchlens.v1 import (
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    recognition_service_pb2_grpc,
    search_service_pb2_grpc,
)
from merchlens.write_request import build_delete_requests, build_upsert_requests
from merchlens.writes import ProductInput, WriteResults


class Client:
    """Calls one Merchlens server, or several behind one name. Calls from several threads are allowed.

    A call waits for a connection while its deadline lasts, so that it survives a server's restart. One that fails with
    UNAVAILABLE is retried by gRPC, with exponential backoff and jitter or after the pause that the server asks for;
    all attempts share the call's deadline. Make a client after forking, not before.
    """

    def __init__(
        self,
        target: str = "localhost:50051",
        *,
        timeout_s: float = 10.0,
        max_attempts: int = 4,
        credentials: grpc.ChannelCredentials | None = None,
        api_key: str | None = None,
    ) -> None:
        """Set up; the connection is made by the first call.

        Args:
            target: HOST:PORT, or another gRPC target such as "unix:PATH" or "dns:///NAME:PORT".
            timeout_s: deadline of a call that names none, over 0, at most 86,400 seconds.
            max_attempts: attempts for a call in all, 1..5; with 1 it is neither retried nor waits for a connection.
            credentials: for TLS, as from `grpc.ssl_channel_credentials`; None sends everything unencrypted.
            api_key: printable ASCII characters, sent with each call; unencrypted unless there are credentials.

        Raises:
            InvalidArgument: a value outside its range.
        """
        self._connection = Connection(
            target, timeout_s=timeout_s, max_attempts=max_attempts, credentials=credentials, api_key=api_key
        )
        self._search = self._connection.stub(search_service_pb2_grpc.SearchServiceStub)
        self._catalog = self._connection.stub(catalog_service_pb2_grpc.CatalogServiceStub)
        self._recognition = self._connection.stub(recognition_service_pb2_grpc.RecognitionServiceStub)

    def search(
        self,
        *,
        text: str | None = None,
        image: ImageSource | None = None,
        product_id: str | None = None,
        vector: Sequence[float] | None = None,
        parts: Sequence[QueryPart] | None = None,
        top_k: int = 10,
        filter: str = "",
        catalog: str = "",
        fields: Sequence[str] = (),
        accuracy: Accuracy = "balanced",
        ranking: Ranking = "hybrid",
        parts_of_hits: bool = False,
        page_token: str = "",
        group_by: str = "",
        hits_per_group: int = 3,
        facets: Sequence[str | FacetQuery] = (),
        diversity: float = 0.0,
        min_match_probability: float = 0.0,
        count_total: bool = False,
        keep_duplicates: bool = False,
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> SearchResult:
        """Find the products nearest to exactly one of `text`, `image`, `product_id`, `vector` and `parts`.

        Args:
            text: words, 1 to 4,096 characters.
            image: a picture's path, or its bytes, at most 10 MiB; a str is always a path.
            product_id: of an indexed product, which is not among its own hits.
            vector: an embedding from the server's model, of the index's dimension; scaled to length 1 by the server.
            parts: several of these with weights, 1 to 16, which are one query: `[QueryPart(image="shoe.jpg"),
                QueryPart(text="red", weight=0.5)]`; products that are parts are not among the hits.
            top_k: how many hits, or groups, on a page at most, from 1; the server caps it at 1,000 with the warning
                PAGE_SIZE_CAPPED.
            filter: which products to consider, as in `price < 50 AND in_stock`; "" is all.
            catalog: which catalog to search; "" is the default one.
            fields: which fields of the hits' payloads are given, as in `["title", "color"]`; empty is all.
            accuracy: how thoroughly to search: "balanced", "fast", "exact", or among so many candidates (1 to 10,000).
            ranking: by what a text's hits are ranked: "hybrid", "pictures" alone, or titles' "words" alone.
            parts_of_hits: whether a text's hits say what they are ranked by (`Hit.parts`).
            page_token: `next_page_token` of the page before, with the same query; "" is the first page; see
                `walk_search`.
            group_by: a field by whose values hits are grouped; "" is not at all.
            hits_per_group: how many hits of a group are given, 1 to 100.
            facets: fields whose values are counted, as in `["color", FacetQuery("category", scope="filter")]`.
            diversity: how much hits shall differ from each other: 0 is as ranked, 1 is as different as can be.
            min_match_probability: hits of a lower match probability are left out, 0 to 1.
            count_total: whether to count what the pages hold.
            keep_duplicates: whether products that show the same are hits of their own; else the best stands for all.
            timeout_s: deadline for all attempts together, over 0, at most 86,400 seconds; None is the client's.
            request_id: to find the call in the server's log, 1..128 printable ASCII characters without white space;
                None makes a new one.

        Raises:
            MerchlensError: whichever class the failure's gRPC status has; see `merchlens.errors`.
            InvalidArgument: also without a call being made, where the client can detect it.
            OSError: the picture's file cannot be read.
            TypeError: an argument of a wrong type.
            RuntimeError: the client is closed.
        """
        request = build_search_request(
            SearchQuery(
                text=text,
                image=image,
                product_id=product_id,
                vector=vector,
                parts=parts,
                top_k=top_k,
                filter=filter,
                catalog=catalog,
                fields=fields,
                accuracy=accuracy,
                ranking=ranking,
                parts_of_hits=parts_of_hits,
                page_token=page_token,
                group_by=group_by,
                hits_per_group=hits_per_group,
                facets=facets,
                diversity=diversity,
                min_match_probability=min_match_probability,
                count_total=count_total,
                keep_duplicates=keep_duplicates,
            )
        )
        return SearchResult.from_message(self._called(self._search.Search, request, timeout_s, request_id))

    def walk_search(self, query: SearchQuery, *, timeout_s: float | None = None) -> Iterator[SearchResult]:
        """Go through the pages of a search, each of `query.top_k` hits or groups, until there are no more.

        A query's pages hold its best 1,000 products, each once, also while products change.

        Args:
            query: the search; its `page_token` says where to begin.
            timeout_s: deadline of each page; see `search`.

        Raises:
            FailedPrecondition: a page was given by an index version that is not served any more.
            MerchlensError, InvalidArgument, OSError, TypeError, RuntimeError: see `search`, for each page.
        """
        request = build_search_request(query)
        while True:
            page = SearchResult.from_message(self._called(self._search.Search, request, timeout_s, None))
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def batch_search(
        self, queries: Iterable[SearchQuery], *, timeout_s: float | None = None, request_id: str | None = None
    ) -> BatchSearchResult:
        """Answer several searches in one call: their texts are encoded together, and so are their pictures.

        Args:
            queries: 1 to 256 of them, of at most 16 MiB together.
            timeout_s: deadline for all of them together; see `search`.
            request_id: see `search`.

        Returns:
            For each query its result, or the exception that a call of its own would have raised.

        Raises:
            MerchlensError: the call as a whole failed.
            InvalidArgument, OSError, TypeError, RuntimeError: see `search`; then none of the queries was sent.
        """
        request = build_batch_search_request(queries)
        return BatchSearchResult.from_message(self._called(self._search.BatchSearch, request, timeout_s, request_id))

    def stream_search(
        self, queries: Iterable[SearchQuery], *, timeout_s: float = 3600.0, request_id: str | None = None
    ) -> Iterator[tuple[int, SearchResult | MerchlensError]]:
        """Answer any number of searches over one stream, for bulk jobs; queries are taken as fast as they are answered.

        Args:
            queries: taken by another thread, one after the other.
            timeout_s: deadline for all of them together; see `search`.
            request_id: see `search`.

        Yields:
            As they come: a query's place, from 0, and its result, or the exception that a call of its own would have
            raised. Closing the iterator ends the stream.

        Raises:
            MerchlensError: the stream as a whole failed; queries that were not answered can be asked again.
            InvalidArgument, OSError, TypeError: a query that the client cannot send; those before it are answered.
            RuntimeError: the client is closed.
        """
        sent, named = QueriesSent(queries), check_request_id(request_id)
        replies = self._connection.stream(
            self._search.StreamSearch,
            sent.messages(),
            timeout_s=self._connection.timeout(timeout_s),
            request_id=named,
        )
        with closing(replies):
            for reply in replies:
                yield read_stream_reply(reply, named)
        sent.raise_failure()

    def recommend(
        self,
        liked: Sequence[str],
        disliked: Sequence[str] = (),
        *,
        strategy: Strategy = "average",
        top_k: int = 10,
        filter: str = "",
        catalog: str = "",
        fields: Sequence[str] = (),
        keep_duplicates: bool = False,
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> Recommendation:
        """Find products that are like some products and unlike others; none of these is among the hits.

        Args:
            liked: ids of indexed products, 1 or more; with those that are disliked at most 256.
            disliked: likewise, 0 or more.
            strategy: "average": near to the mean of what is liked, away from the mean of what is disliked;
                "best_score": near to any one that is liked, and what is nearer to one that is disliked comes last.
            top_k, filter, catalog, fields, keep_duplicates, timeout_s, request_id: see `search`.

        Raises:
            NotFound: one of the products is not in the index.
            MerchlensError, InvalidArgument, TypeError, RuntimeError: see `search`.
        """
        request = build_recommend_request(
            liked,
            disliked,
            strategy=strategy,
            top_k=top_k,
            filter=filter,
            fields=fields,
            keep_duplicates=keep_duplicates,
            catalog=catalog,
        )
        return Recommendation.from_message(self._called(self._search.Recommend, request, timeout_s, request_id))

    def classify(
        self,
        *,
        text: str | None = None,
        image: ImageSource | None = None,
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> Classification:
        """Say what a picture shows, or a text names: category and attributes, as `search` does beside its hits.

        Args:
            text, image: exactly one of them; see `search`.
            catalog: whose categories; "" is the default one.
            timeout_s, request_id: see `search`.

        Raises:
            MerchlensError, InvalidArgument, OSError, TypeError, RuntimeError: see `search`.
        """
        request = build_classify_request(text, image, catalog=catalog)
        return Classification.from_message(self._called(self._recognition.Classify, request, timeout_s, request_id))

    def embed_texts(
        self,
        texts: Iterable[str],
        *,
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> Embeddings:
        """Get the embeddings of texts; see `embed_images`.

        Args:
            texts: 1 to 256 of them; see `search`.
            catalog, timeout_s, request_id: see `embed_images`.
        """
        request = build_embed_request(texts=texts, catalog=catalog)
        return Embeddings.from_message(self._called(self._recognition.Embed, request, timeout_s, request_id))

    def embed_images(
        self,
        images: Iterable[ImageSource],
        *,
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> Embeddings:
        """Get the embeddings of pictures, as `search(vector=…)` takes them.

        Args:
            images: 1 to 256 of them, at most 16 MiB together; see `search`.
            catalog: by whose model; "" is the default one.
            timeout_s: deadline for all of them together; see `search`.
            request_id: see `search`.

        Returns:
            For each its embedding, or the exception that says why there is none.

        Raises:
            MerchlensError: the call as a whole failed.
            InvalidArgument, OSError, TypeError, RuntimeError: see `search`; then nothing was sent.
        """
        request = build_embed_request(images=images, catalog=catalog)
        return Embeddings.from_message(self._called(self._recognition.Embed, request, timeout_s, request_id))

    def get_product(
        self,
        product_id: str,
        *,
        fields: Sequence[str] = (),
        vectors: bool = False,
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> ProductResult:
        """Get one product as it is in the index.

        Args:
            product_id: its id.
            fields: which fields of its payload are given; empty is all.
            vectors: whether the embeddings of its pictures are given, too.
            catalog, timeout_s, request_id: see `search`.

        Raises:
            NotFound: it is not in the index.
            MerchlensError, TypeError, RuntimeError: see `search`.
        """
        request = build_get_product_request(product_id, fields=fields, vectors=vectors, catalog=catalog)
        return ProductResult.from_message(self._called(self._catalog.GetProduct, request, timeout_s, request_id))

    def list_products(
        self,
        *,
        filter: str = "",
        page_size: int = 100,
        page_token: str = "",
        fields: Sequence[str] = (),
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> ProductPage:
        """Get one page of the products, in an order that means nothing.

        Args:
            filter: which products; "" is all.
            page_size: how many at most, from 1; the server caps it at 1,000 with the warning PAGE_SIZE_CAPPED.
            page_token: `next_page_token` of the page before; "" is the first page.
            fields: which fields of their payloads are given; empty is all.
            catalog, timeout_s, request_id: see `search`.

        Raises:
            FailedPrecondition: the token is of an index version that is not served any more.
            MerchlensError, TypeError, RuntimeError: see `search`.
        """
        request = build_list_products_request(
            filter=filter, page_size=page_size, page_token=page_token, fields=fields, catalog=catalog
        )
        return ProductPage.from_message(self._called(self._catalog.ListProducts, request, timeout_s, request_id))

    def walk_products(
        self,
        *,
        filter: str = "",
        page_size: int = 100,
        fields: Sequence[str] = (),
        catalog: str = "",
        timeout_s: float | None = None,
    ) -> Iterator[Product]:
        """Go through all products, page by page; arguments and errors are those of `list_products`, for each page."""
        token = ""
        while True:
            page = self.list_products(
                filter=filter,
                page_size=page_size,
                page_token=token,
                fields=fields,
                catalog=catalog,
                timeout_s=timeout_s,
            )
            yield from page
            token = page.next_page_token
            if not token:
                return

    def get_index(self, *, catalog: str = "", timeout_s: float | None = None, request_id: str | None = None) -> Index:
        """Describe the index version that is served, its model, and the server's limits; see `search`."""
        request = catalog_service_pb2.GetIndexRequest(catalog=checked_text(catalog, "catalog"))
        return Index.from_message(self._called(self._catalog.GetIndex, request, timeout_s, request_id))

    def list_index_versions(
        self, *, catalog: str = "", timeout_s: float | None = None, request_id: str | None = None
    ) -> IndexVersions:
        """List all versions of the index, newest first; see `search`."""
        request = catalog_service_pb2.ListIndexVersionsRequest(catalog=checked_text(catalog, "catalog"))
        return IndexVersions.from_message(self._called(self._catalog.ListIndexVersions, request, timeout_s, request_id))

    def upsert_products(
        self,
        products: Iterable[ProductInput],
        *,
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> WriteResults:
        """Write products, each as a whole; they are durable, and seen by the next search, when this returns.

        Args:
            products: 1 to 1,000 of them, which are in memory together; each with its pictures at most 16 MiB.
            catalog: "" is the default one.
            timeout_s: deadline for all of them together; see `search`.
            request_id: names the call: made again with the same products under the same id, each is written once. None
                makes a new one, under which gRPC's own retries are made; see also `search`.

        Returns:
            For each product what became of it; one that cannot be written keeps no other from being.

        Raises:
            MerchlensError: the call as a whole failed; a part of the products may be written.
            InvalidArgument, OSError, TypeError, RuntimeError: see `search`; then nothing was sent.
        """
        named = check_request_id(request_id)
        requests = build_upsert_requests(products, catalog=catalog, request_id=named)
        return WriteResults.from_message(self._called(self._catalog.UpsertProducts, requests, timeout_s, named))

    def delete_products(
        self,
        product_ids: Iterable[str],
        *,
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> WriteResults:
        """Take products away; one that is not there is no error. All else is as in `upsert_products`."""
        named = check_request_id(request_id)
        requests = build_delete_requests(product_ids, catalog=catalog, request_id=named)
        return WriteResults.from_message(self._called(self._catalog.DeleteProducts, requests, timeout_s, named))

    def _called(self, method: Method, request: Any, timeout_s: float | None, request_id: str | None) -> Any:
        return self._connection.unary(
            method, request, timeout_s=self._connection.timeout(timeout_s), request_id=check_request_id(request_id)
        )

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Wait until there is a connection; whether the server is done loading its index shows in the first call.

        Args:
            timeout_s: seconds to wait at most, over 0, at most 86,400; None is the client's deadline.

        Raises:
            Unavailable: none did in time.
            RuntimeError: the client is closed.
        """
        self._connection.wait_ready(self._connection.timeout(timeout_s))

    def close(self) -> None:
        """Close the connection; calls in progress fail with `Cancelled`. Closing twice is allowed."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""`merchlens.v1.CatalogService`: what is indexed."""

from __future__ import annotations

from collections.abc import Iterator

from merchlens.v1 import catalog_service_pb2

from server.hosting.served_catalog import ServedCatalog
from server.rpc.call import Call
from server.rpc.messages.catalog import to_index, to_index_version, to_product
from server.rpc.messages.meta import to_meta
from server.rpc.messages.writes import to_asked_product, to_write_result
from server.rpc.write_stream import WriteStream
from server.search.timings import StageTimings


class CatalogServicer:
    """Gives what is stored, and changes it. Errors leave as exceptions; the interceptor turns them into statuses."""

    def __init__(self, catalog: ServedCatalog) -> None:
        self._catalog = catalog

    def GetProduct(  # noqa: N802  (the contract's name)
        self, request: catalog_service_pb2.GetProductRequest, call: Call
    ) -> catalog_service_pb2.GetProductResponse:
        """Give one product; see the contract."""
        call.check_alive()
        timings = StageTimings()
        with timings.stage("read"):
            found = self._catalog.products.get(
                request.catalog, request.product_id, request.read_mask.paths, request.include_vectors
            )
        meta = to_meta(self._catalog.origin, call.request_id, timings.measured_us)
        return catalog_service_pb2.GetProductResponse(product=to_product(found), meta=meta)

    def ListProducts(  # noqa: N802
        self, request: catalog_service_pb2.ListProductsRequest, call: Call
    ) -> catalog_service_pb2.ListProductsResponse:
        """Give one page of products; see the contract."""
        call.check_alive()
        page = self._catalog.products.list_page(
            request.catalog, request.filter, request.page_size, request.page_token, request.read_mask.paths
        )
        return catalog_service_pb2.ListProductsResponse(
            products=[to_product(each) for each in page.products],
            next_page_token=page.next_token,
            meta=to_meta(self._catalog.origin, call.request_id, page.timings_us, page.warnings),
        )

    def GetIndex(  # noqa: N802
        self, request: catalog_service_pb2.GetIndexRequest, call: Call
    ) -> catalog_service_pb2.GetIndexResponse:
        """Describe the index version that is served; see the contract."""
        call.check_alive()
        self._catalog.checks.catalog(request.catalog)
        timings = StageTimings()
        with timings.stage("read"):
            served = self._catalog.versions.served()
        return catalog_service_pb2.GetIndexResponse(
            index=to_index(served, self._catalog.settings),
            meta=to_meta(self._catalog.origin, call.request_id, timings.measured_us),
        )

    def ListIndexVersions(  # noqa: N802
        self, request: catalog_service_pb2.ListIndexVersionsRequest, call: Call
    ) -> catalog_service_pb2.ListIndexVersionsResponse:
        """List all versions; see the contract."""
        call.check_alive()
        self._catalog.checks.catalog(request.catalog)
        timings = StageTimings()
        with timings.stage("read"):
            known = self._catalog.versions.all()
        return catalog_service_pb2.ListIndexVersionsResponse(
            versions=[to_index_version(each) for each in known],
            meta=to_meta(self._catalog.origin, call.request_id, timings.measured_us),
        )

    def UpsertProducts(  # noqa: N802
        self, requests: Iterator[catalog_service_pb2.UpsertProductsRequest], call: Call
    ) -> catalog_service_pb2.UpsertProductsResponse:
        """Write products; see the contract."""
        call.check_alive()
        stream = WriteStream(requests, call)
        asked = (to_asked_product(message.product) for message in stream)
        timings = StageTimings()
        with timings.stage("write"):
            written = self._catalog.writer.upsert(stream.request, asked, call.check_alive)
            results = [to_write_result(each, call) for some in written for each in some]
        meta = to_meta(self._catalog.origin, call.request_id, timings.measured_us)
        return catalog_service_pb2.UpsertProductsResponse(results=results, meta=meta)

    def DeleteProducts(  # noqa: N802
        self, requests: Iterator[catalog_service_pb2.DeleteProductsRequest], call: Call
    ) -> catalog_service_pb2.DeleteProductsResponse:
        """Take products away; see the contract."""
        call.check_alive()
        stream = WriteStream(requests, call)
        asked = (product_id for message in stream for product_id in message.product_ids)
        timings = StageTimings()
        with timings.stage("write"):
            written = self._catalog.writer.delete(stream.request, asked, call.check_alive)
            results = [to_write_result(each, call) for some in written for each in some]
        meta = to_meta(self._catalog.origin, call.request_id, timings.measured_us)
        return catalog_service_pb2.DeleteProductsResponse(results=results, meta=meta)

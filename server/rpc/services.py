"""The services that a server offers: the one place where a servicer is registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from merchlens.v1 import (
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    recognition_service_pb2,
    recognition_service_pb2_grpc,
    search_service_pb2,
    search_service_pb2_grpc,
)

from server.hosting.served_catalog import ServedCatalog
from server.rpc.catalog_servicer import CatalogServicer
from server.rpc.recognition_servicer import RecognitionServicer
from server.rpc.search_servicer import SearchServicer


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the contract and what answers its calls.

    Attributes:
        name: in full, as in "merchlens.v1.SearchService"; health and reflection know it by that.
        servicer: has a method for each rpc, which takes the request (or an iterator of requests) and the `Call`.
        add_to_server: the generated function that registers the servicer.
    """

    name: str
    servicer: object
    add_to_server: Callable[[Any, grpc.Server], None]

    def register(self, server: grpc.Server) -> None:
        """Have a server answer this service's calls."""
        self.add_to_server(self.servicer, server)


def list_services(catalog: ServedCatalog) -> tuple[Service, ...]:
    """Every service, answering from one catalog."""
    return (
        Service(
            search_service_pb2.DESCRIPTOR.services_by_name["SearchService"].full_name,
            SearchServicer(catalog),
            search_service_pb2_grpc.add_SearchServiceServicer_to_server,
        ),
        Service(
            catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"].full_name,
            CatalogServicer(catalog),
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server,
        ),
        Service(
            recognition_service_pb2.DESCRIPTOR.services_by_name["RecognitionService"].full_name,
            RecognitionServicer(catalog),
            recognition_service_pb2_grpc.add_RecognitionServiceServicer_to_server,
        ),
    )

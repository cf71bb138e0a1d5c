"""What can be chosen about an index in Qdrant Edge."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class EdgeArguments(BaseModel, frozen=True, extra="forbid"):
    """See the attributes; table `[edge]` of the settings file, or `MERCHLENS_EDGE__NAME` in the environment.

    Attributes:
        graph_above: up to this many products every search compares with all of them, and no graph is built: at 20,000
            that is as fast as the graph (0.5 ms for 10,000 x 384), misses nothing, and saves the build.
        graph_links: edges a node of the graph (HNSW's m).
        graph_build_candidates: candidates looked at for each new node (HNSW's ef_construct).
        search_candidates: candidates of a balanced search (HNSW's ef), never fewer than the hits asked for; None: as
            many as were measured when the version was made (see `indexer.versions.graph_effort`), else 128.
        fast_candidates: the same of a fast one; None: as measured, else 32.
        quantization: "int8" keeps a quarter-size copy of the vectors for searching, which pays with graphs of 100,000
            products and more; hits are scored anew with the whole vectors.
        quantile: of the values that int8 spans; the outliers are cut off.
        oversampling: how many times the hits asked for are scored anew; below 3 recall suffers.
    """

    graph_above: int = Field(default=20_000, ge=0)
    graph_links: int = Field(default=16, ge=2, le=256)
    graph_build_candidates: int = Field(default=100, ge=4, le=4096)
    search_candidates: int | None = Field(default=None, ge=1, le=65_536)
    fast_candidates: int | None = Field(default=None, ge=1, le=65_536)
    quantization: Literal["none", "int8"] = "none"
    quantile: float = Field(default=0.99, gt=0.5, le=1)
    oversampling: float = Field(default=3.0, ge=1, le=100)

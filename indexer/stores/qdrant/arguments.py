"""What can be chosen about an index in a Qdrant server or cluster."""

from __future__ import annotations

from pydantic import BaseModel, Field


class QdrantArguments(BaseModel, frozen=True, extra="forbid"):
    """See the attributes; table `[qdrant]` of the settings file, or `MERCHLENS_QDRANT__NAME` in the environment.

    Attributes:
        timeout_s: of one call to the server.
        plain_text_key: whether an API key may be sent to another machine without TLS, where others can read it.
        green_wait_s: how long a build waits for the graph before its version goes live; before that, searches take
            several times as long. 0: it does not wait.
        visible_wait_s: how long to look again where a cluster's node does not know yet that a version is finished.
        shards: of a new collection; None: the server's default (one a node).
        replicas: copies of each shard; None: the server's default (1).
        write_consistency: copies that must have a write before it counts; None: the server's default (1).
        search_candidates: candidates of a balanced search (HNSW's ef), never fewer than the hits asked for; None: as
            many as were measured when the version was made (see `indexer.versions.graph_effort`), else 128.
        fast_candidates: the same of a fast one; None: as measured, else 32.
    """

    timeout_s: int = Field(default=30, ge=1, le=3600)
    plain_text_key: bool = False
    green_wait_s: float = Field(default=3600.0, ge=0, le=864_000, allow_inf_nan=False)
    visible_wait_s: float = Field(default=1.0, ge=0, le=600, allow_inf_nan=False)
    shards: int | None = Field(default=None, ge=1, le=4096)
    replicas: int | None = Field(default=None, ge=1, le=64)
    write_consistency: int | None = Field(default=None, ge=1, le=64)
    search_candidates: int | None = Field(default=None, ge=1, le=65_536)
    fast_candidates: int | None = Field(default=None, ge=1, le=65_536)

"""The names of every command's settings, so that each command can tell another's setting from a misspelt one.

One settings file and one environment serve all three commands, and none may import the packages above it: so the names
are repeated here, and a test compares them with the settings' own fields.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

COMMANDS: Mapping[str, frozenset[str]] = {
    "embedder": frozenset(
        {
            "cache_dir",
            "threads",
            "device",
            "seed",
            "decode_threads",
            "max_image_pixels",
            "picture_hosts",
            "picture_timeout_s",
            "precision",
            "train",
            "tune",
            "instance",
            "attributes",
        }
    ),
    "indexer": frozenset(
        {
            "store",
            "cache_dir",
            "threads",
            "device",
            "precision",
            "batch_size",
            "decode_threads",
            "embedding_cache_mb",
            "thumbnail_cache_mb",
            "keep_versions",
            "drop_after_s",
            "abandoned_after_s",
            "index_titles",
            "index_words",
            "language",
            "match_views",
            "shadow_queries",
            "shadow_max_loss",
            "shadow_min_overlap",
            "max_delete_share",
            "quality_report",
            "wanted_recall",
            "max_reject_share",
            "max_image_pixels",
            "picture_hosts",
            "picture_timeout_s",
            "edge",
            "qdrant",
            "qdrant_api_key",
        }
    ),
    "server": frozenset(
        {
            "model",
            "store",
            "host",
            "port",
            "insecure",
            "allow_unauthenticated_writes",
            "threads",
            "text_threads",
            "device",
            "precision",
            "workers",
            "max_streams",
            "stream_idle_s",
            "default_timeout_s",
            "drain_s",
            "max_message_bytes",
            "max_image_bytes",
            "max_image_pixels",
            "max_image_side",
            "max_decode_bytes",
            "query_cache_mb",
            "decode_wait_s",
            "max_text_chars",
            "max_page_size",
            "max_filter_chars",
            "max_batch_queries",
            "max_embed_inputs",
            "max_query_parts",
            "max_recommend_products",
            "max_search_candidates",
            "max_facets",
            "max_write_products",
            "max_filter_depth",
            "cache_dir",
            "check_mb_per_s",
            "edge",
            "qdrant",
            "qdrant_api_key",
        }
    ),
}
"""Command to the names of its settings."""

SHARED: frozenset[str] = frozenset().union(*COMMANDS.values())
"""What may be outside a command's table, and in the environment."""

TABLES: frozenset[str] = frozenset({"train", "tune", "instance", "attributes", "edge", "qdrant"})
"""Settings that are tables with keys of their own."""

TEST_PREFIX = "MERCHLENS_TEST_"
"""Environment variables that are the tests' own."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like a misspelt one, and all of them, as the end of a message."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return (f"the nearest known name is {close[0]}; " if close else "") + f"permitted: {', '.join(names)}"

"""Where files beside an index go, unless a flag says otherwise."""

from __future__ import annotations

import re
from pathlib import Path

from indexer.settings import IndexerSettings


def default_rejects(settings: IndexerSettings, url: str) -> Path:
    """In the store's folder; of a server's, one file a catalog in the cache, not wherever the command was run."""
    kind, _, path = settings.store.partition(":")
    if kind == "edge":
        return Path(path).expanduser() / "rejects.jsonl"
    return settings.cache_dir / "rejects" / f"{_file_name(url)}.jsonl"


def default_quality(settings: IndexerSettings, url: str) -> Path:
    """The folder of the report on the catalog, beside the rejects."""
    kind, _, path = settings.store.partition(":")
    if kind == "edge":
        return Path(path).expanduser() / "quality"
    return settings.cache_dir / "quality" / _file_name(url)


def default_shadow(settings: IndexerSettings, url: str) -> Path:
    """The file about a build's version beside the live one."""
    kind, _, path = settings.store.partition(":")
    if kind == "edge":
        return Path(path).expanduser() / "shadow.json"
    return settings.cache_dir / "shadow" / f"{_file_name(url)}.json"


def _file_name(url: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", url.partition("://")[2])

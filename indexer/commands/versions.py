"""`python -m indexer rollback` and `gc`: which version is live, and which stay."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.commands.shared import Config, Store
from indexer.settings import IndexerSettings
from indexer.versions.retention import clear_versions
from indexer.versions.rollback import roll_back, version_before


def rollback(
    store: Store = None,
    version: Annotated[str | None, typer.Option(help="its name; default: the one that was live before")] = None,
    config: Config = None,
) -> None:
    """Make an earlier version the live one again, once its files are known to be whole.

    Exit status: 0 it is live, 2 there is none, or it is damaged; then the live one stays.
    """
    target = IndexerSettings.from_flags(config, store=store).open_store()
    before = target.live_version()
    name = version or version_before(target)
    if name == before:
        print(f"{target.url}: version {name} is the live one already")
        return
    manifest = roll_back(target, name)
    print(f"{target.url}: version {name} is live ({manifest.products:,} products), {before or 'none'} was")
    models = {item.version: item.model_fingerprint for item in target.versions()}
    if before in models and models[before] != manifest.model_fingerprint:
        print(
            f"it was made by another model, {manifest.model_base} {manifest.model_fingerprint[:16]}; next step: "
            "restart servers with that one"
        )


def gc(
    store: Store = None,
    keep: Annotated[int | None, typer.Option(min=0, help="finished versions kept besides the live one")] = None,
    drop_after_s: Annotated[
        float | None, typer.Option(min=0, help="those that stopped being live less than so many seconds ago stay too")
    ] = None,
    config: Config = None,
) -> None:
    """Delete old versions that nobody uses, and what killed builds left. Every build does that at its end, too."""
    settings = IndexerSettings.from_flags(config, store=store, keep_versions=keep, drop_after_s=drop_after_s)
    target = settings.open_store()
    dropped, unfinished = clear_versions(target, settings)
    left = len(target.versions())
    print(f"{target.url}: {len(dropped)} old and {len(unfinished)} unfinished versions deleted, {left} left")

"""`python -m indexer status` and `verify`: what there is, and whether it is whole."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from indexer.commands.shared import EXIT_DAMAGED, Config, Store
from indexer.errors import StoreNotFound, VersionIncomplete
from indexer.settings import IndexerSettings
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.versions.verify import Verification


def status(
    store: Store = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    config: Config = None,
) -> None:
    """Show a store's versions, and which one is live. Exit status 1 where none is live and whole."""
    settings = IndexerSettings.from_flags(config, store=store)
    target = settings.open_store()
    live, versions = target.live_version(), target.versions()
    usable = any(version.version == live and version.state == "ready" for version in versions)
    if as_json:
        print(
            json.dumps(
                {"store": target.url, "live": live, "versions": [json.loads(version.to_json()) for version in versions]}
            )
        )
    else:
        damaged = "" if usable or live is None else " (cannot be opened; next step: run python -m indexer build again)"
        print(f"{target.url}: {len(versions)} versions, live: {live or 'none'}{damaged}")
        for version in versions:
            print(
                f"{'*' if version.version == live else ' '} {version.version}  {version.state}  {version.created_at}\n"
                f"    {version.products:,} products, {version.rejected:,} rejected, {len(version.categories):,} "
                f"categories\n    model {version.model_base} {version.model_fingerprint[:16]}, from {version.source}"
            )
            if left_out := choose_payload_indexes(version.schema).describe():
                print(f"    {left_out}")
    if not usable:
        raise typer.Exit(1)


def verify(
    store: Store = None,
    version: Annotated[str | None, typer.Option(help="its name; default: the live one")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="also read the large files of an index over 2 GB")] = False,
    config: Config = None,
) -> None:
    """Compare a version's files with their digests. It may be open in a server.

    Of a Qdrant server's version the manifest and the number of products are checked.

    Exit status: 0 whole, 1 damaged (each damaged file is named), 2 cannot be checked.
    """
    settings = IndexerSettings.from_flags(config, store=store)
    target = settings.open_store()
    name = version or target.live_version()
    if name is None:
        raise StoreNotFound(f"no live version at {target.url}; next step: python -m indexer build, or give --version")
    try:
        found = target.verify(name, deep)
    except VersionIncomplete as error:
        found = Verification(name, "its manifest", (str(error),))
    for difference in found.differences:
        print(f"damaged: {difference}")
    print(f"{target.url}: version {name} is {'whole' if found.whole else 'DAMAGED'}; checked: {found.checked}")
    if not found.whole:
        raise typer.Exit(EXIT_DAMAGED)

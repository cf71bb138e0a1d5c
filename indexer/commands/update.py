"""`python -m indexer update`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from merchlens import Client, MerchlensError

from embedder.catalogs.guessed_columns import log_columns
from embedder.catalogs.registry import CatalogReader, open_catalog, parse_columns
from embedder.model_folder import resolve_model
from embedder.progress import ProgressReport
from indexer.commands.output import default_rejects
from indexer.commands.shared import (
    EXIT_SOME_REJECTED,
    CacheDir,
    Columns,
    Config,
    Device,
    OutsidePictures,
    PictureHosts,
    Rejects,
    Store,
    open_model,
)
from indexer.errors import BuildError, StoreLocked
from indexer.settings import IndexerSettings
from indexer.updating.deletions import read_ids
from indexer.updating.run import live_base
from indexer.updating.run import update as run_update
from indexer.updating.summary import describe
from indexer.updating.through_server import update_through_server

_PATIENCE_S = 10.0
"""For a server that is starting."""


def update(
    changes: Annotated[
        str | None, typer.Option(help="products to add or replace: a catalog of these alone, as for build")
    ] = None,
    delete: Annotated[Path | None, typer.Option(help="file with ids of products to take away, one a line")] = None,
    catalog: Annotated[
        str | None, typer.Option(help="the whole catalog, instead: what differs is changed, what is missing goes")
    ] = None,
    model: Annotated[
        str, typer.Option(help="the one that the index was built with, or a folder of bundles")
    ] = "starter",
    store: Store = None,
    server: Annotated[
        str | None, typer.Option(help="HOST:PORT of the server that has the index open: it makes the changes")
    ] = None,
    column: Columns = None,
    rejects: Rejects = None,
    max_reject_share: Annotated[float | None, typer.Option(min=0, max=1, help="with more, nothing changes")] = None,
    max_delete_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="of --catalog: if more are missing, nothing changes")
    ] = None,
    allow_outside_pictures: OutsidePictures = False,
    picture_host: PictureHosts = None,
    device: Device = None,
    cache_dir: CacheDir = None,
    config: Config = None,
) -> None:
    """Change the live version: add, replace and take away products, and embed nothing else.

    A product is left alone where neither its row nor its pictures changed. On disk a copy of the live version is
    changed, and becomes the live one; a version that a server has open is refused: with --server that server makes
    the changes, product by product. In a Qdrant server the live version itself is changed. What was calibrated when the
    index was built stays: build anew from time to time.

    Exit status: 0 done, 3 done but some rows rejected (these products stay as they were), 2 failed.
    """
    settings = IndexerSettings.from_flags(
        config,
        store=store,
        picture_hosts=picture_host,
        device=device,
        cache_dir=cache_dir,
        max_reject_share=max_reject_share,
        max_delete_share=max_delete_share,
    )
    if (catalog is None) == (changes is None and delete is None):
        raise typer.BadParameter(
            "permitted: --catalog alone, or --changes, --delete or both", param_hint="--catalog, --changes, --delete"
        )
    if catalog is not None and server is not None:
        raise typer.BadParameter(
            "a whole catalog is compared on this machine; permitted with --server: --changes, --delete or both",
            param_hint="--catalog, --server",
        )
    spec = catalog or changes
    reader = None
    if spec is not None:
        reader = open_catalog(
            spec,
            columns=parse_columns(column),
            allow_outside_pictures=allow_outside_pictures,
            web=settings.web_pictures(),
        )
        log_columns(reader, logging.getLogger("indexer"))
    if server is not None:
        _through_server(server, reader, delete, settings, rejects)
        return
    target = settings.open_store()
    live = live_base(target)
    encoder = open_model(resolve_model(model, settings.cache_dir, live.model_fingerprint, live.head_digest), settings)
    with ProgressReport(logging.getLogger("indexer")) as progress:
        step = progress.step("comparing", None)
        try:
            result = run_update(
                reader,
                read_ids(delete) if delete else (),
                encoder,
                target,
                settings,
                rejects or default_rejects(settings, target.url),
                is_whole=catalog is not None,
                on_rows=lambda total: step.update(total=total),
                on_progress=step.advance,
            )
        except StoreLocked as error:
            raise StoreLocked(f"{error}; where that is a server: --server HOST:PORT has it make the changes") from error
    print(describe(result, target.url))
    if result.reasons:
        raise typer.Exit(EXIT_SOME_REJECTED)


def _through_server(
    server: str,
    reader: CatalogReader | None,
    delete: Path | None,
    settings: IndexerSettings,
    rejects: Path | None,
) -> None:
    with Client(server) as client, ProgressReport(logging.getLogger("indexer")) as progress:
        try:
            client.wait_ready(_PATIENCE_S)
            result = update_through_server(
                reader,
                read_ids(delete) if delete else (),
                client,
                settings.picture_limits(),
                rejects or settings.cache_dir / "rejects" / "server.jsonl",
                on_rows=progress.step("writing", None).advance,
            )
        except MerchlensError as error:
            raise BuildError(f"the server at {server} did not make the changes: {error}") from error
    print(result.describe(server))
    if result.reasons:
        raise typer.Exit(EXIT_SOME_REJECTED)

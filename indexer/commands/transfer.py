"""`python -m indexer export` and `load`: products out of an index, and into one."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from embedder.progress import ProgressReport
from indexer.commands.shared import Config, Store
from indexer.settings import IndexerSettings


def export(
    out: Annotated[Path, typer.Option(help="folder for products.parquet and manifest.json")],
    store: Store = None,
    version: Annotated[str | None, typer.Option(help="its name; default: the live one")] = None,
    config: Config = None,
) -> None:
    """Write what a version holds into a folder: ids, vectors and payloads as Parquet, in the order of the ids.

    Two versions that hold the same give the same products.parquet, byte by byte.
    """
    # pyarrow comes with an extra.
    from indexer.transfer.export import export as run_export

    target = IndexerSettings.from_flags(config, store=store).open_store()
    with (
        closing(target.open(version, "indexer export")) as reader,
        ProgressReport(logging.getLogger("indexer")) as progress,
    ):
        step = progress.step("exporting", reader.manifest.products)
        products = run_export(reader, out, step.advance)
        print(f"{out}: {products:,} products of version {reader.manifest.version} at {target.url}")


def load(
    folder: Annotated[Path, typer.Argument(help="as export wrote it")],
    store: Store = None,
    config: Config = None,
) -> None:
    """Load an export as a new version and make it the live one: no picture is read, no model is needed."""
    from indexer.transfer.load import load as run_load

    settings = IndexerSettings.from_flags(config, store=store)
    target = settings.open_store()
    with ProgressReport(logging.getLogger("indexer")) as progress:
        result = run_load(folder, target, settings, progress.step("loading", None).advance)
    print(
        f"{result.manifest.products:,} products loaded, {result.elapsed_s:.1f} s; live version "
        f"{result.manifest.version} at {target.url}"
    )

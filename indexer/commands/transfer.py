"""`python -m indexer export`, `load`, `backup` and `restore`: products out of an index, and into one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from embedder.bundle import load_info
from embedder.catalogs.guessed_columns import log_columns
from embedder.catalogs.registry import parse_columns
from embedder.export.base_bundles import resolve_bundle
from embedder.progress import ProgressReport
from indexer.changes.change import cannot_embed
from indexer.changes.opening import opened_with_changes
from indexer.commands.output import default_rejects
from indexer.commands.shared import (
    EXIT_SOME_REJECTED,
    CatalogName,
    Config,
    Device,
    MaxRejectShare,
    Rejects,
    Store,
    open_model,
)
from indexer.settings import IndexerSettings
from indexer.stores.protocol import Store as OpenStore
from indexer.transfer.backup import backup as run_backup
from indexer.transfer.opening import open_vectors
from indexer.transfer.precomputed import describe, load_vectors
from indexer.transfer.restore import restore as run_restore
from indexer.versions.manifest import Manifest


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
        opened_with_changes(target, version, cannot_embed, "indexer export") as reader,
        ProgressReport(logging.getLogger("indexer")) as progress,
    ):
        step = progress.step("exporting", reader.manifest.products)
        products = run_export(reader, out, step.advance)
        print(f"{out}: {products:,} products of version {reader.manifest.version} at {target.url}")


def load(
    source: Annotated[str, typer.Argument(help="a folder that export wrote, an npy file, or a table with vectors")],
    store: Store = None,
    products: Annotated[str | None, typer.Option(help="of an npy file: the catalog, row for row")] = None,
    model: Annotated[str | None, typer.Option(help="of vectors: the bundle that made them")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", "--column", help="FIELD=COLUMN, as in id=sku or embedding=clip_vec; repeatable"),
    ] = None,
    rejects: Rejects = None,
    name: CatalogName = "default",
    max_reject_share: MaxRejectShare = None,
    device: Device = None,
    cache_dir: Annotated[Path | None, typer.Option(help="exported models, and embeddings of titles")] = None,
    config: Config = None,
) -> None:
    """Load an export, or vectors of your own, as a new version and make it the live one; no picture is read.

    An export needs nothing else. Vectors of your own need the bundle that made them (--model); they are in a column of
    a Parquet file, an Arrow file or a data set (--map embedding=COLUMN, lists of floats), or in an npy file beside a
    catalog of any kind (--products). Titles are embedded; what answers are worth is learnt from the vectors.

    Exit status: 0 all rows loaded, 3 loaded but some rows rejected (see the rejects file), 2 failed.
    """
    settings = IndexerSettings.from_flags(
        config, store=store, max_reject_share=max_reject_share, device=device, cache_dir=cache_dir
    )
    target = settings.open_store()
    if model is None:
        if products is not None or column or Path(source).is_file():
            raise typer.BadParameter("missing; permitted: the bundle that made these vectors", param_hint="--model")
        _load_export(Path(source), target, settings)
        return
    bundle = resolve_bundle(model, settings.cache_dir)
    reader, vectors = open_vectors(source, products, parse_columns(column), load_info(bundle).dim)
    log_columns(reader, logging.getLogger("indexer"))
    encoder = open_model(bundle, settings)
    with ProgressReport(logging.getLogger("indexer")) as progress:
        step = progress.step("loading", None)
        done = load_vectors(
            reader,
            vectors,
            encoder,
            target,
            settings,
            rejects or default_rejects(settings, target.url),
            source=Path(source).name,
            in_rows=products is None,
            catalog=name,
            on_rows=lambda total: step.update(total=total),
            on_progress=step.advance,
        )
    print(describe(done, target.url))
    if done.reasons:
        raise typer.Exit(EXIT_SOME_REJECTED)


def _load_export(folder: Path, target: OpenStore, settings: IndexerSettings) -> None:
    # pyarrow comes with an extra.
    from indexer.transfer.load import load as run_load

    with ProgressReport(logging.getLogger("indexer")) as progress:
        result = run_load(folder, target, settings, progress.step("loading", None).advance)
    print(
        f"{result.manifest.products:,} products loaded, {result.elapsed_s:.1f} s; live version "
        f"{result.manifest.version} at {target.url}"
    )


def backup(
    out: Annotated[Path, typer.Option(help="the file, which must not be there yet")],
    store: Store = None,
    version: Annotated[str | None, typer.Option(help="its name; default: the live one")] = None,
    config: Config = None,
) -> None:
    """Put a version into one file that can be kept elsewhere; `restore` makes it again.

    Of an index on disk these are its files, also while a server has it open, so that it answers as before to the last
    digit; of a Qdrant server the products, as `export` writes them. The file appears when it is whole. The model is not
    in it: keep the folder of the bundle, too.
    """
    target = IndexerSettings.from_flags(config, store=store).open_store()
    with ProgressReport(logging.getLogger("indexer")) as progress:
        done = run_backup(target, version, out, lambda label, total: progress.step(label, total).advance)
    manifest = done.manifest
    print(
        f"{out}: {manifest.products:,} products of version {manifest.version} at {target.url}, {done.size / 1e6:,.1f} "
        f"MB, form {done.form!r}\nmade by model {_model(manifest)}, which is not in it; next step: copy that bundle's "
        "folder, too"
    )


def restore(
    path: Annotated[Path, typer.Argument(help="as backup wrote it")],
    store: Store = None,
    activate: Annotated[bool, typer.Option("--activate/--no-activate", help="make it the live version")] = True,
    config: Config = None,
) -> None:
    """Make a new version of a backup and, once it is verified, the live one.

    The store may be of the other kind: then the products are loaded, and the graph is built again. On any failure the
    live version stays as it was.
    """
    settings = IndexerSettings.from_flags(config, store=store)
    target = settings.open_store()
    before = target.live_version()
    with ProgressReport(logging.getLogger("indexer")) as progress:
        done = run_restore(path, target, settings, activate, lambda label, total: progress.step(label, total).advance)
    manifest, live = done.manifest, "live version" if activate else "version, not live,"
    print(
        f"{manifest.products:,} products restored as of {done.made_at}, {done.elapsed_s:.1f} s; {live} "
        f"{manifest.version} at {target.url}, {before or 'none'} was live before\nmade by model {_model(manifest)}; "
        "next step: "
        + (
            "start servers with that one"
            if activate
            else f"python -m indexer rollback --version {manifest.version}, and servers with that one"
        )
    )


def _model(manifest: Manifest) -> str:
    return f"{manifest.model_base} {manifest.model_fingerprint[:16]}"

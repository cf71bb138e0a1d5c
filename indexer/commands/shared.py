"""What the indexer's commands share: exit statuses, options, the model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embedder.encoder import Encoder, open_encoder
from indexer.settings import IndexerSettings

EXIT_DAMAGED = 1
EXIT_FAILED = 2
EXIT_SOME_REJECTED = 3
EXIT_REFUSED = 4

Store = Annotated[str | None, typer.Option(help="edge:PATH or qdrant://HOST:6334/CATALOG")]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file of settings")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", "--column", help="FIELD=COLUMN, as in id=sku or image=img_path; repeatable"),
]
Rejects = Annotated[Path | None, typer.Option(help="default: rejects.jsonl in the edge store, else cache_dir/rejects")]
OutsidePictures = Annotated[
    bool, typer.Option("--allow-outside-pictures", help="pictures may lie outside the catalog's folder")
]
PictureHosts = Annotated[
    list[str] | None, typer.Option("--picture-host", help="pictures may be fetched from there by https; repeatable")
]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1")]
CacheDir = Annotated[Path | None, typer.Option(help="exported models, and vectors of earlier builds")]
CatalogName = Annotated[str, typer.Option(help="the catalog's name for callers")]
MaxRejectShare = Annotated[float | None, typer.Option(min=0, max=1, help="with more, nothing goes live")]


def open_model(bundle: Path, settings: IndexerSettings) -> Encoder:
    """A bundle's encoder, as the settings say."""
    return open_encoder(
        bundle,
        threads=settings.threads,
        device=settings.device,
        precision=settings.precision,
    )

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


def open_model(bundle: Path, settings: IndexerSettings) -> Encoder:
    """A bundle's encoder, as the settings say."""
    return open_encoder(
        bundle,
        threads=settings.threads,
        device=settings.device,
        precision=settings.precision,
    )

"""`python -m server`: answer queries."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from embedder.errors import EmbedderError
from embedder.settings import describe_invalid
from indexer.errors import IndexerError
from server.errors import ServerError
from server.hosting.allocator import give_back_large_blocks
from server.hosting.host import Host
from server.hosting.pillow_log import log_pillow_as_info
from server.hosting.stop_signal import StopSignals
from server.settings import ServerSettings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="Answer queries over gRPC.")


@app.command()
def serve(
    model: Annotated[str | None, typer.Option(help="a bundle's path, or a model's name")] = None,
    store: Annotated[str | None, typer.Option(help="edge:PATH or qdrant://HOST:6334/CATALOG")] = None,
    host: Annotated[str | None, typer.Option(help="address to bind to")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes a free one", min=0, max=65535)] = None,
    insecure: Annotated[bool | None, typer.Option("--insecure", help="permit a non-loopback address")] = None,
    allow_unauthenticated_writes: Annotated[
        bool | None, typer.Option("--allow-unauthenticated-writes", help="permit changes on a non-loopback address")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=0, help="of ONNX Runtime; 0: one for each core")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, auto, cuda, cuda:1")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="calls handled at once")] = None,
    drain_s: Annotated[float | None, typer.Option(min=0, help="for calls in flight after SIGTERM")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="exported models")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="TOML file of settings")] = None,
) -> None:
    """Serve the live index version until SIGTERM or Ctrl-C, then drain and exit with status 0."""
    settings: ServerSettings = ServerSettings.from_flags(
        config,
        model=model,
        store=store,
        host=host,
        port=port,
        insecure=insecure,
        allow_unauthenticated_writes=allow_unauthenticated_writes,
        threads=threads,
        device=device,
        workers=workers,
        drain_s=drain_s,
        cache_dir=cache_dir,
    )
    logging.getLogger(__name__).info("settings %s", settings.model_dump(mode="json"))
    running = Host(settings)
    # Before the address is printed: its reader may send the signal at once.
    stop_signals = StopSignals()
    running.start()
    # On standard output, for a caller that passed port 0.
    print(f"listening on {running.target}", flush=True)
    stop_signals.wait()
    running.stop()


def main() -> None:
    """Run the command line; our own errors are one line and exit status 2."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    give_back_large_blocks()
    log_pillow_as_info()
    try:
        app()
    except ValidationError as error:
        print(f"error: {describe_invalid(error)}", file=sys.stderr)
        sys.exit(2)
    except (EmbedderError, IndexerError, ServerError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

"""`python -m indexer`: build, change and inspect index versions."""

from __future__ import annotations

import logging
import sys

import typer
from pydantic import ValidationError

from embedder.errors import EmbedderError
from embedder.settings import describe_invalid
from indexer.commands import build, inspection, transfer, update, versions
from indexer.commands.shared import EXIT_FAILED, EXIT_REFUSED
from indexer.errors import IndexerError, VersionRefused

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Build and inspect indexes."
)

for command in (
    build.build,
    update.update,
    transfer.export,
    transfer.load,
    transfer.backup,
    transfer.restore,
    inspection.status,
    inspection.verify,
    versions.rollback,
    versions.gc,
):
    app.command()(command)


def main() -> None:
    """Run the command line; our own errors are one line and exit status 2."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("indexer").setLevel(logging.INFO)
    try:
        app()
    except ValidationError as error:
        print(f"error: {describe_invalid(error)}", file=sys.stderr)
        sys.exit(EXIT_FAILED)
    except VersionRefused as error:
        print(f"refused: {error}", file=sys.stderr)
        sys.exit(EXIT_REFUSED)
    except (EmbedderError, IndexerError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()

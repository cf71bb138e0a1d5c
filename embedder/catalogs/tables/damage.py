"""What a damaged table makes pyarrow raise, as one error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from embedder.catalogs.catalog_file import CatalogFile
from embedder.errors import CatalogError, EmbedderError


@contextmanager
def reading(file: CatalogFile, format_name: str, after_rows: int = 0) -> Iterator[None]:
    """Turn what reading a table raises into `CatalogError`.

    Args:
        file: what is read.
        format_name: for people.
        after_rows: how many of its rows were read before.
    """
    try:
        yield
    except EmbedderError:
        raise
    # Damaged bytes make pyarrow raise nearly anything (ArrowInvalid, OSError, ArrowMemoryError for a length that no
    # file has, KeyError, ...): whatever it is, the file is what is wrong.
    except Exception as error:
        raise damaged(file, format_name, str(error) or type(error).__name__, after_rows) from error


def damaged(file: CatalogFile, format_name: str, reason: str, after_rows: int = 0) -> CatalogError:
    """The error for a file that is not, or not as a whole, what it should be."""
    where = f" after row {after_rows:,}" if after_rows else ""
    return CatalogError(
        f"catalog {file.location!r} is no {format_name} file, is damaged or was cut short: it cannot be read{where}: "
        f"{' '.join(reason.split())[:300]}; next step: compare its size with the original's and copy it again, or "
        "export it again"
    )

"""Files that name products to take away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.errors import BuildError

_LONGEST = 512
"""Characters of a product's id."""


def read_ids(path: Path) -> Iterator[str]:
    """The ids in a text file, one a line, UTF-8; empty lines mean nothing.

    Raises:
        BuildError: the file cannot be read, or a line is no id.
    """
    try:
        with path.open(encoding="utf-8-sig", newline=None) as file:
            for number, line in enumerate(file, start=1):
                found = line.rstrip("\n")
                if len(found) > _LONGEST:
                    raise BuildError(
                        f"line {number} of {path} has {len(found):,} characters; permitted: an id a line, of at most "
                        f"{_LONGEST}"
                    )
                if found:
                    yield found
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(
            f"{path} cannot be read ({error}); permitted: a text file with one product id a line, UTF-8"
        ) from error

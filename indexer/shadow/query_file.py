"""An operator's own queries: JSON lines, since real customers' queries are never written down here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from embedder.inputs.picture import PictureFile
from embedder.settings import describe_invalid
from indexer.errors import BuildError
from indexer.shadow.queries import ShadowQuery

MOST = 10_000
"""Queries in a file."""

_LONGEST = 4096


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    text: str | None = None
    image: str | None = None
    expected: Annotated[list[str], BeforeValidator(_as_list)] = []


def read_queries(path: Path) -> list[ShadowQuery]:
    """Read a file whose lines are objects with `text` or `image`, and `expected` where somebody knows what is right.

    `image` is a picture's path, from the file's folder; `expected` a product's id, or a list of ids.

    Raises:
        BuildError: the file cannot be read, holds no query or too many, or has a line that is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"queries {path} cannot be read: {error}; next step: a readable UTF-8 file") from error
    queries = [_query(line, f"{path}, line {number}", path) for number, line in enumerate(lines, 1) if line.strip()]
    if not 1 <= len(queries) <= MOST:
        raise BuildError(f"queries {path} has {len(queries):,} queries; permitted: 1 to {MOST:,}; next step: mend it")
    return queries


def _query(line: str, where: str, path: Path) -> ShadowQuery:
    try:
        read = _Line.model_validate_json(line)
    except ValidationError as error:
        raise BuildError(f"{where}: {describe_invalid(error)}; permitted: text or image, expected") from error
    text = None if read.text is None else read.text.strip()
    if (text is None) == (read.image is None) or text == "" or len(text or "") > _LONGEST:
        raise BuildError(f"{where}: permitted: either a text of 1 to {_LONGEST:,} characters or an image")
    if read.image is None:
        return ShadowQuery(text=text, expected=frozenset(read.expected))
    picture = path.parent / read.image
    if not picture.is_file():
        raise BuildError(f"{where}: there is no picture {picture}; permitted: a path from the file's folder")
    return ShadowQuery(picture=PictureFile(picture), expected=frozenset(read.expected))

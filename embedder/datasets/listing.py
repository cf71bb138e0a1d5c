"""The known sets of pictures: what they are, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.registry import BUILT_IN
from embedder.datasets import fashion_mnist_files, tuxpaint_files
from embedder.errors import CatalogError


@dataclass(frozen=True, slots=True)
class FetchedFiles:
    """How a set's files are had.

    Attributes:
        find: where they are; None: not here yet.
        find_or_fetch: where they are, after fetching them if need be; raises CatalogError where that fails.
    """

    find: Callable[[], Path | None]
    find_or_fetch: Callable[[], Path]


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A set that is a catalog by its name.

    Attributes:
        name: as in `--catalog`.
        description: what it is, in a few words.
        products: how many there are.
        files: how it is had; None: there are none, it is drawn when it is read.
    """

    name: str
    description: str
    products: str
    files: FetchedFiles | None = None

    @property
    def usage(self) -> str:
        """How to name it as `--catalog`."""
        return BUILT_IN[self.name].usage

    def where(self) -> str:
        """Where it is, for people; nothing is fetched."""
        if self.files is None:
            return "drawn when it is read"
        found = self.files.find()
        return "not here yet" if found is None else str(found)

    def prepare(self) -> str:
        """Fetch it where it is not here yet.

        Returns:
            Where it is, for people.

        Raises:
            CatalogError: it could not be fetched; the message says why and what to do.
        """
        return self.where() if self.files is None else str(self.files.find_or_fetch())


KNOWN_SETS = (
    KnownSet(
        "fashion-mnist",
        "Zalando's product pictures, 28 x 28 grey, 10 categories; a published benchmark",
        "70,000",
        FetchedFiles(fashion_mnist_files.find, fashion_mnist_files.find_or_fetch),
    ),
    KnownSet(
        "tuxpaint-stamps",
        "Tux Paint's cut-outs in colour, with captions and a category tree",
        "about 800",
        FetchedFiles(tuxpaint_files.find, tuxpaint_files.find_or_fetch),
    ),
    KnownSet(
        "studio",
        "products in colour, drawn from a seed, with variants, other hands' views and street views",
        "1 to 1,000,000",
    ),
)
"""In the order in which they are listed."""


def known_set(name: str) -> KnownSet:
    """The set of that name; one that is drawn may have its options behind it, as in `studio:seed=1`.

    Raises:
        CatalogError: there is none.
    """
    for found in KNOWN_SETS:
        if found.name == (name if found.files else name.partition(":")[0]):
            return found
    raise CatalogError(f"dataset {name!r}; permitted: {', '.join(found.name for found in KNOWN_SETS)}")

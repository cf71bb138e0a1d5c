"""What a report's page says, before it is HTML: plain values, in the order in which they are read.

Every text may come from a catalog, and is escaped when the page is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingKind = Literal["good", "bad", "todo"]

_DATA_URI = "data:image/"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence for the person who has to act on a report.

    Attributes:
        kind: what is good, what is bad, or what to do.
        text: the sentence, with the figure that it was derived from.
    """

    kind: FindingKind
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: what it shows.
        shade: how dark its ground is, 0 (none) to 1.
    """

    text: str
    shade: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.shade <= 1.0:
            raise ValueError(f"shade {self.shade}; permitted: 0 to 1")


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of each row is its heading.

    Attributes:
        caption: what it shows, in one sentence.
        headings: of the columns, 1 or more.
        rows: as many cells each as there are headings; a text is a cell without a shade.
        note: what a reader must know to read it; may be empty.
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        wrong = next((row for row in self.rows if len(row) != len(self.headings)), None)
        if not self.headings or wrong is not None:
            raise ValueError(
                f"table {self.caption!r}: {len(self.headings)} headings, and a row of "
                f"{len(wrong) if wrong is not None else 0} cells; permitted: 1 or more headings, and as many cells"
            )

    def cells(self) -> list[list[Cell]]:
        """The rows, every cell with its shade."""
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot, and the numbers in it for those who cannot see it.

    Attributes:
        title: what it shows.
        alt: the same for a screen reader, with what is to be seen in it.
        image: a data URI; "" where this machine cannot draw, and the table stands in its place.
        table: the numbers.
    """

    title: str
    alt: str
    image: str
    table: Table

    def __post_init__(self) -> None:
        _check_image(self.image)


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture with what is to be said of it.

    Attributes:
        image: a data URI; "" where it cannot be read, then the alternative text is shown.
        alt: what it is, for a screen reader; not empty.
        lines: below it.
        framed: whether it stands out, as a query among what it found.
    """

    image: str
    alt: str
    lines: tuple[str, ...] = ()
    framed: bool = False

    def __post_init__(self) -> None:
        _check_image(self.image)
        if not self.alt:
            raise ValueError("a picture without an alternative text; permitted: a text that says what it is")


@dataclass(frozen=True, slots=True)
class PictureRow:
    """Pictures that belong together, such as a query and what it found, with a sentence above them."""

    caption: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page: sentences, plots, tables, rows of pictures, in this order."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    tables: tuple[Table, ...] = ()
    picture_rows: tuple[PictureRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A page.

    Attributes:
        title: its heading.
        summary: what it is about, in a sentence or two.
        facts: names and values that say where the figures come from: model, catalog, counts.
        findings: what is good, what is bad and what to do; the most important first within each kind.
        sections: the figures in full.
    """

    title: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    sections: tuple[Section, ...] = ()

    def findings_of(self, kind: FindingKind) -> tuple[Finding, ...]:
        """Those of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)


def _check_image(image: str) -> None:
    if image and not image.startswith(_DATA_URI):
        raise ValueError(f"image {image[:40]!r}; permitted: a data URI of a picture, for pages load nothing")

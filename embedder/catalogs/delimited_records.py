"""The rows of a delimited file: quoting, line ends, and what breaks their rules."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

MAX_FIELD_CHARACTERS = 1024 * 1024
MAX_LINE_CHARACTERS = 16 * MAX_FIELD_CHARACTERS

_LINE_ENDS = ("\n", "\r")


@dataclass(frozen=True, slots=True)
class Record:
    """One row as it is in the file: its cells, or the problem with it, and its first and last physical line."""

    first_line: int
    last_line: int
    cells: tuple[str, ...] = ()
    problem: str = ""

    @property
    def place(self) -> str:
        """For messages: a row of many lines mostly means a quote that was never closed."""
        if self.first_line == self.last_line:
            return f"line {self.first_line}"
        return f"lines {self.first_line} to {self.last_line} (a quoted cell spans them; is a closing quote missing?)"


class _Lines:
    """A file's lines, of which those last given out can be taken back; one that is too long is a csv.Error."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        # None stands for a line that was too long.
        self._waiting: list[str | None] = []
        self._given: list[str | None] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.pop() if self._waiting else self._next_line()
        self._given.append(line)
        self.number += 1
        if line is None:
            raise csv.Error(f"a line of more than {MAX_LINE_CHARACTERS:,} characters")
        return line

    def _next_line(self) -> str | None:
        line = self._file.readline(MAX_LINE_CHARACTERS + 1)
        if not line:
            raise StopIteration
        if len(line) <= MAX_LINE_CHARACTERS or line.endswith(_LINE_ENDS):
            return line
        # A file without line ends, however large it is, must not be held in memory as one line.
        while (rest := self._file.readline(MAX_LINE_CHARACTERS)) and not rest.endswith(_LINE_ENDS):
            pass
        return None

    def forget(self) -> None:
        """Begin a record: what was given out before stays given out."""
        self._given.clear()

    def take_back_all_but_first(self) -> None:
        """Give out again, from the second, the lines since the record began."""
        self.number -= len(self._given) - 1
        self._waiting.extend(reversed(self._given[1:]))
        self._given.clear()


def read_records(file: TextIO, delimiter: str) -> Iterator[Record]:
    """Yield the rows that are not blank; the first is the header.

    Where a row breaks the rules of quoting, reading goes on with the line behind the one where it began, so that a
    quote that was never closed costs one row, not all that follow.
    """
    lines = _Lines(file)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.forget()
        first_line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            record = Record(first_line, lines.number, problem=str(error))
            lines.take_back_all_but_first()
            yield record
            continue
        if any(cell.strip() for cell in cells):
            yield Record(first_line, lines.number, tuple(cells))

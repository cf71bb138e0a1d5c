"""Searches that are sent to a server at a steady rate, however long the answers take, while something else happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self

from merchlens import Client

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one search.

    Attributes:
        during: what happened meanwhile, as `SteadySearches.during` said when it was sent.
        text: what was searched for.
        seconds: from the moment when it was due.
        version: of the index; "" where the search failed.
        hits: ids of the products found.
        error: what it failed with; "" where it did not.
    """

    during: str
    text: str
    seconds: float
    version: str
    hits: tuple[str, ...]
    error: str


class SteadySearches:
    """Used as a context manager: leaving it sends no more, and waits for the answers that are due.

    Attributes:
        during: what happens; the one who makes it happen says so.
        answers: so far.
    """

    def __init__(self, target: str, texts: Sequence[str], per_s: float, timeout_s: float = 10.0) -> None:
        """Take the server's address, what to search for, in turn, and how many searches to send in a second."""
        self.during = ""
        self.answers: list[Answer] = []
        # One attempt each: what fails must not be hidden by the next.
        self._client = Client(target, timeout_s=timeout_s, max_attempts=1)
        self._texts = texts
        self._every_s = 1 / per_s
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._sending = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        self._client.wait_ready(30)
        self._sending.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._sending.join()
        self._pool.shutdown(wait=True)
        self._client.close()

    def failed(self) -> list[str]:
        """What searches failed with."""
        return [answer.error for answer in self.answers if answer.error]

    def versions(self) -> set[str]:
        """Of the index, that answered."""
        return {answer.version for answer in self.answers if not answer.error}

    def changed(self) -> list[str]:
        """What was searched for and not always found the same."""
        found: dict[str, set[tuple[str, ...]]] = {}
        for answer in self.answers:
            if not answer.error:
                found.setdefault(answer.text, set()).add(answer.hits)
        return [text for text, hits in found.items() if len(hits) > 1]

    def _send(self) -> None:
        started = time.perf_counter()
        for number in count():
            due = started + number * self._every_s
            if self._ended.wait(max(0.0, due - time.perf_counter())):
                return
            self._pool.submit(self._ask, self._texts[number % len(self._texts)], due, self.during)

    def _ask(self, text: str, due: float, during: str) -> None:
        version, hits, told = "", (), ""
        try:
            found = self._client.search(text=text)
            version, hits = found.index_version, tuple(hit.product_id for hit in found.hits)
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
        self.answers.append(Answer(during, text, time.perf_counter() - due, version, hits, told))

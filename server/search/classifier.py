"""What pictures show and texts name, without hits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.search.checks import RequestChecks
from server.search.decode_memory import CheckAlive
from server.search.encode import PartEncoder
from server.search.finder import Finder
from server.search.query import PictureQuery, ServerWarning, TextQuery
from server.search.recognizer import Recognized, Recognizer
from server.search.timings import StageTimings


@dataclass(frozen=True, slots=True)
class Classified:
    """What a picture shows, or a text names.

    Attributes:
        seen: category and attributes.
        timings_us: stage to microseconds, in order.
        warnings: what was done differently from what was asked.
    """

    seen: Recognized
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]


class Classifier:
    """Judges as a search does. Calls from several threads are allowed."""

    def __init__(self, checks: RequestChecks, parts: PartEncoder, finder: Finder, recognizer: Recognizer) -> None:
        self._checks = checks
        self._parts = parts
        self._finder = finder
        self._recognizer = recognizer

    def classify(
        self, catalog: str, query: TextQuery | PictureQuery, check_alive: CheckAlive = lambda: None
    ) -> Classified:
        """Judge one picture or text, which is the request itself: fields are named from there.

        Raises:
            InvalidRequest: it cannot be used.
            ResourceMissing: no such catalog.
            DeadlineExpired: from `check_alive`, before each costly stage.
            DecodeMemoryFull: other pictures being decoded leave no memory for this one.
        """
        self._checks.catalog(catalog)
        part = self._parts.encode(query, "", check_alive)
        check_alive()
        timings = StageTimings()
        timings.add(part.timings_us)
        with timings.stage("search"):
            found = self._finder.find(part, 0)
        with timings.stage("rank"):
            field = "text" if isinstance(query, TextQuery) else "image"
            seen = self._recognizer.recognize(part, found.best, found.near, field)
        return Classified(seen, timings.measured_us, (*part.warnings, *seen.warnings))

"""What a process wrote, synced and said, in order, as `strace` saw it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink"

_LINE = re.compile(r"(?P<pid>\d+) +(?P<call>\w+)\((?P<rest>.*)")
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)")
_FILE = re.compile(r"\d+<(?P<path>[^>]*)>")
_WRITTEN = re.compile(r", (?P<length>\d+), (?P<offset>\d+)\)? *=? *")
_SAID = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Event:
    """One system call.

    Attributes:
        call: its name.
        path: of the file; "" where it has none.
        start, end: of what was written, bytes; 0 where nothing was.
        text: what was said, of `write`.
        done: whether it had ended.
    """

    call: str
    path: str
    start: int = 0
    end: int = 0
    text: str = ""
    done: bool = True


def command(log: Path, *arguments: str) -> list[str]:
    """Run something under strace, which writes into a file."""
    return ["strace", "-f", "-y", "-s", "200", "-e", f"trace={CALLS}", "-o", str(log), *arguments]


def events(log: Path) -> Iterator[Event]:
    """The calls, in the order in which they ended; those that had not ended come last, or where they began, if writes."""
    pending: dict[str, Event] = {}
    for line in log.read_text(errors="replace").splitlines():
        resumed = _RESUMED.match(line)
        if resumed is not None:
            begun = pending.pop(resumed["pid"], None)
            if begun is not None and begun.call not in ("pwrite64", "ftruncate"):
                yield Event(begun.call, begun.path, text=begun.text, done="= -1" not in resumed["rest"])
            continue
        found = _LINE.match(line)
        if found is None:
            continue
        event = _event(found["call"], found["rest"])
        if "<unfinished" in found["rest"]:
            pending[found["pid"]] = event
            # It may have been written from here on.
            if event.call in ("pwrite64", "ftruncate"):
                yield event
        else:
            yield event


def _event(call: str, rest: str) -> Event:
    file = _FILE.match(rest)
    path = "" if file is None else file["path"]
    if call == "pwrite64":
        written = _WRITTEN.findall(rest)
        length, offset = (int(number) for number in written[-1]) if written else (0, 0)
        return Event(call, path, offset, offset + length, _text(rest))
    if call == "ftruncate":
        size = re.search(r"\}?, (\d+)", rest)
        return Event(call, path, int(size[1]) if size else 0)
    return Event(call, path, text=_text(rest))


def _text(rest: str) -> str:
    said = _SAID.search(rest)
    return "" if said is None else said["text"].encode().decode("unicode_escape", "replace")


@dataclass
class Unsynced:
    """What of files was written and not synced.

    Attributes:
        ranges: by path: bytes from, to.
    """

    ranges: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, event: Event) -> None:
        """Take the next event."""
        if event.call == "pwrite64":
            self.ranges[event.path].append((event.start, event.end))
        elif event.call in ("fdatasync", "fsync") and event.done:
            self.ranges.pop(event.path, None)

"""Whether an index version is still what was sealed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found when a version was checked.

    Attributes:
        version: its name.
        checked: what was looked at, for people.
        differences: what is wrong, a sentence each, files by their path below the version's folder; () where it is
            whole.
    """

    version: str
    checked: str
    differences: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.differences

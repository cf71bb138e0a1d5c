"""`requirements.lock` is in step with what the two distributions ask for, and holds nothing of the machine that made it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
OURS = {"merchlens", "merchlens-client"}
ENVIRONMENT = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux",
               "platform_system": "Linux", "platform_machine": "x86_64"}  # fmt: skip


def asked() -> list[Requirement]:
    """What `make setup` installs has to satisfy: both distributions, with the extras `train`, `starters` and `dev`."""
    ours, client = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for folder in (".", "clients/python")
    )
    lines = [*ours["dependencies"], *client["dependencies"]]
    lines += [line for extra in ("train", "starters", "dev") for line in ours["optional-dependencies"][extra]]
    return [found for found in map(Requirement, lines) if found.name not in OURS]


def entries() -> list[str]:
    """The lock's entries: a pin with its marker, and its hashes."""
    lines = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines))


def pins() -> list[Requirement]:
    return [Requirement(entry.partition("\\")[0]) for entry in entries()]


@pytest.mark.parametrize("requirement", asked(), ids=lambda requirement: requirement.name)
def test_each_requirement_is_pinned_to_a_version_that_it_permits(requirement: Requirement) -> None:
    pinned = [pin for pin in pins() if canonicalize_name(pin.name) == canonicalize_name(requirement.name)]
    assert pinned, f"{requirement} is not in {LOCK.name}; next step: make lock"
    for pin in pinned:
        (version,) = pin.specifier
        assert version.operator == "=="
        assert requirement.specifier.contains(version.version), f"{pin}, asked: {requirement}; next step: make lock"


def test_each_name_has_one_version_on_one_machine() -> None:
    names = [canonicalize_name(pin.name) for pin in pins() if pin.marker is None or pin.marker.evaluate(ENVIRONMENT)]
    assert len(names) == len(set(names))
    assert OURS.isdisjoint(names)


def test_each_pin_has_hashes_and_none_says_where_it_is_from() -> None:
    for entry in entries():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
        assert not re.search(r"://|^-|@ ", entry), entry


def test_what_installs_the_lock_is_in_it() -> None:
    names = {pin.name for pin in pins()}
    # uv installs the rest; setuptools builds our own two, without fetching anything.
    assert {"uv", "setuptools"} <= names

"""Files of a Debian package: where it installs them, or unpacked from Debian's archive without root."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


class FetchError(Exception):
    """One way of getting a dataset's files did not work; the next one may."""


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """A package that brings a folder of data.

    Attributes:
        name: as apt knows it.
        folder: where it puts the data, relative to the root of the file system.
    """

    name: str
    folder: str

    @property
    def installed_folder(self) -> Path:
        """Where the data is once the package is installed."""
        return Path("/") / self.folder

    def unpack(self, scratch: Path, timeout_s: float) -> Path:
        """Download the package and unpack it, into a folder that exists.

        Args:
            scratch: an empty folder.
            timeout_s: for the download, and again for unpacking.

        Returns:
            The data's folder, below `scratch`.

        Raises:
            FetchError: apt-get or dpkg-deb is not there or fails, or the package holds no such folder.
        """
        _run(["apt-get", "--quiet", "download", self.name], scratch, timeout_s)
        packages = sorted(scratch.glob(f"{self.name}_*.deb"))
        if not packages:
            raise FetchError("apt-get download left no package")
        _run(["dpkg-deb", "-x", packages[-1].name, "unpacked"], scratch, timeout_s)
        folder = scratch / "unpacked" / self.folder
        if not folder.is_dir():
            raise FetchError(f"the package lacks {self.folder}")
        return folder


def _run(command: list[str], folder: Path, timeout_s: float) -> None:
    try:
        subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=True,
        )
    except FileNotFoundError as error:
        raise FetchError(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise FetchError(f"{command[0]} ended with status {error.returncode}: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"{command[0]} took longer than {timeout_s:.0f} s") from error

"""Web servers as an operator permits them, to what fetches pictures from them."""

from __future__ import annotations

from collections.abc import Sequence

from embedder.errors import MissingExtra
from embedder.inputs.picture import PictureFetcher
from embedder.inputs.remote.hosts import PictureHosts


def open_web_pictures(hosts: Sequence[str], timeout_s: float) -> PictureFetcher | None:
    """What fetches pictures from some hosts; None where there are none.

    Args:
        hosts: see `HostRule.parse`.
        timeout_s: for one picture.

    Raises:
        MissingExtra: what speaks HTTP is not installed.
        ValueError: an entry that is no host.
    """
    if not hosts:
        return None
    try:
        from embedder.inputs.remote.web_pictures import WebPictures
    except ImportError as error:
        raise MissingExtra(
            f"fetching pictures needs {error.name}, which is not installed; next step: pip install 'merchlens[remote]'"
        ) from error
    return WebPictures(PictureHosts.parse(hosts), timeout_s=timeout_s)

"""A folder of bundles: of a shop's models the one that an index was made with."""

from __future__ import annotations

from pathlib import Path

from embedder import bundle
from embedder.errors import BundleError, BundleNotFound
from embedder.export.base_bundles import resolve_bundle
from embedder.recognition.head import WEIGHTS_FILE


def bundles_in(folder: Path) -> list[Path]:
    """The bundles that lie directly in a folder, by name; [] where it is no folder, or a bundle itself."""
    if bundle.is_bundle(folder) or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if bundle.is_bundle(path))


def find_bundle(folder: Path, fingerprint: str, head_digest: str = "") -> Path | None:
    """The bundle of a folder that gives these embeddings; None where there is none.

    Args:
        folder: of bundles, or a bundle.
        fingerprint: of the model.
        head_digest: of its category head: of several bundles of one model the one with that head, else the last.
    """
    found = None
    for path in [folder] if bundle.is_bundle(folder) else bundles_in(folder):
        try:
            info = bundle.load_info(path)
        except BundleError:
            # Another's damage is no reason not to take the one that is asked for.
            continue
        if info.fingerprint == fingerprint:
            found = path
            if info.files.get(WEIGHTS_FILE, "") == head_digest:
                return path
    return found


def resolve_model(model: str, cache_dir: Path, fingerprint: str, head_digest: str = "") -> Path:
    """The bundle to answer with from an index: of a folder of bundles the index's own, else the one that is named.

    Args:
        model: a folder of bundles, or as for `resolve_bundle`.
        cache_dir: where exported models are kept.
        fingerprint, head_digest: as the index names them.

    Raises:
        BundleNotFound: it is a folder of other bundles.
        ModelError, MissingExtra: see `resolve_bundle`.
    """
    folder = Path(model)
    there = bundles_in(folder)
    if not there:
        return resolve_bundle(model, cache_dir)
    found = find_bundle(folder, fingerprint, head_digest)
    if found is None:
        raise BundleNotFound(
            f"model {model!r} holds {', '.join(path.name for path in there[:10])}; permitted: a bundle of the model "
            f"{fingerprint[:16]}…, which made the index; next step: put it there, or build the index with one of these"
        )
    return found

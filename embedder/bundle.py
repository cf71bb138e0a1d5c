"""The model bundle: one folder that holds everything a model needs, and nothing that has to be trusted.

Layout (open_clip's `local-dir`, so open_clip alone can load it, plus what serving needs):
`open_clip_config.json`, `open_clip_model.safetensors`, tokenizer files, `onnx/image.onnx`, `onnx/text.onnx`, and where
the model was fine-tuned `heads.safetensors`, `labels.json`, `instance.safetensors`, `report/`. `bundle.json` describes
and seals it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from embedder.errors import BundleCorrupt, BundleNotFound
from embedder.inputs.preprocess import Preprocessing
from embedder.inputs.text import TextSettings
from embedder.instance_map import INSTANCE_FILE
from embedder.precision import TOWERS, Tower, TowerPrecision

FORMAT_VERSION = 2
READABLE_VERSIONS = (1, 2)
"""1 is of bundles without an instance part, which later releases go on opening."""

BUNDLE_FILE = "bundle.json"
CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
IMAGE_ONNX = "onnx/image.onnx"
TEXT_ONNX = "onnx/text.onnx"
REPORT_FOLDER = "report"

_NEXT_STEP = "next step: make the bundle again, or copy it again from where it is whole"


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What `bundle.json` says.

    Attributes:
        fingerprint: SHA-256 (hex) over weights, tokenizer and preprocessing: equal fingerprints, equal embeddings.
        base: the model that this one was made from, by name.
        dim: length of an index vector: of the semantic part alone, or of both parts.
        preprocessing, text: what turns pictures and texts into the towers' inputs.
        training: settings of the fine-tuning; empty where there was none.
        data_hash: SHA-256 over the products trained on; "" where there was no training.
        metrics: figures measured at the end of training, on held-out products.
        files: relative path to SHA-256 of every other file that the model is made of.
        semantic_dim: length of the model's semantic embeddings, those that open_clip computes.
        level_widths: length of each level of the image tower that the graph gives; empty in bundles of format 1.
        instance_weight: of the instance part in a picture query, 0..1 (see `IndexSpace`). It is no part of the
            fingerprint: indexed vectors do not depend on it.
        precisions: by tower, which graphs there are beside those of fp32, and which one is served; empty where these
            are all. No part of the fingerprint either.
    """

    fingerprint: str
    base: str
    dim: int
    preprocessing: Preprocessing
    text: TextSettings
    training: Mapping[str, Any] = field(default_factory=dict)
    data_hash: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    semantic_dim: int = 0
    level_widths: tuple[int, ...] = ()
    instance_weight: float = 0.0
    precisions: Mapping[Tower, TowerPrecision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.semantic_dim == 0:
            object.__setattr__(self, "semantic_dim", self.dim)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, with the format version."""
        return {
            "format_version": FORMAT_VERSION,
            **{name: value for name, value in asdict(self).items() if name != "preprocessing"},
            "preprocessing": self.preprocessing.to_open_clip(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BundleInfo:
        """Inverse of `to_dict`; raises KeyError, TypeError or ValueError on anything else."""
        return cls(
            fingerprint=str(data["fingerprint"]),
            base=str(data["base"]),
            dim=int(data["dim"]),
            preprocessing=Preprocessing.from_open_clip(data["preprocessing"]),
            text=TextSettings(**data["text"]),
            training=dict(data["training"]),
            data_hash=str(data["data_hash"]),
            metrics=dict(data["metrics"]),
            files={str(name): str(digest) for name, digest in data["files"].items()},
            semantic_dim=int(data.get("semantic_dim", data["dim"])),
            level_widths=tuple(int(width) for width in data.get("level_widths", ())),
            instance_weight=float(data.get("instance_weight", 0.0)),
            precisions={
                tower: TowerPrecision.from_dict(data["precisions"][tower])
                for tower in TOWERS
                if tower in data.get("precisions", {})
            },
        )


def is_bundle(path: Path) -> bool:
    """Whether a folder claims to be a bundle; does not check it."""
    return (path / BUNDLE_FILE).is_file()


def load_info(folder: Path) -> BundleInfo:
    """Read `bundle.json` without touching the other files (see `verify_files`).

    Raises:
        BundleNotFound: no such folder, or not a bundle.
        BundleCorrupt: not readable, or of another format version.
    """
    if not is_bundle(folder):
        raise BundleNotFound(
            f"no model bundle at {folder} ({BUNDLE_FILE} is missing); next step: python -m embedder train"
        )
    try:
        data = json.loads((folder / BUNDLE_FILE).read_text(encoding="utf-8"))
        version = data["format_version"]
        if version not in READABLE_VERSIONS:
            raise BundleCorrupt(
                f"bundle {folder} has format version {version!r}; permitted: {', '.join(map(str, READABLE_VERSIONS))}; "
                "next step: use the release that made it, or make it again"
            )
        return BundleInfo.from_dict(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleCorrupt(f"bundle {folder}: {BUNDLE_FILE} cannot be used ({error!r}); {_NEXT_STEP}") from error


def verify_files(folder: Path, info: BundleInfo) -> None:
    """Check every sealed file against its digest, and the fingerprint against the files.

    Raises:
        BundleCorrupt: names the first file that is missing or changed.
    """
    for name, expected in info.files.items():
        path = folder / name
        if not path.is_file():
            raise BundleCorrupt(f"bundle {folder}: {name} is missing; {_NEXT_STEP}")
        actual = _digest(path)
        if actual != expected:
            raise BundleCorrupt(
                f"bundle {folder}: {name} has SHA-256 {actual[:12]}…, expected {expected[:12]}…; {_NEXT_STEP}"
            )
    for name in (WEIGHTS_FILE, TOKENIZER_FILE, IMAGE_ONNX, TEXT_ONNX):
        if name not in info.files:
            raise BundleCorrupt(f"bundle {folder}: {name} is not among its sealed files; {_NEXT_STEP}")
    if info.fingerprint != fingerprint(folder, info.preprocessing, info.text):
        raise BundleCorrupt(f"bundle {folder}: its fingerprint does not match its files; {_NEXT_STEP}")


def fingerprint(folder: Path, preprocessing: Preprocessing, text: TextSettings) -> str:
    """SHA-256 (hex) over the weights, the instance map, the tokenizer and the preprocessing in `folder`."""
    digest = hashlib.sha256()
    for name in (WEIGHTS_FILE, TOKENIZER_FILE):
        digest.update(_digest(folder / name).encode())
    if (folder / INSTANCE_FILE).exists():
        digest.update(_digest(folder / INSTANCE_FILE).encode())
    settings = {"preprocessing": preprocessing.to_open_clip(), "text": text.to_dict()}
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()


def seal(folder: Path, **described: Any) -> BundleInfo:
    """Write `bundle.json` over the files now in `folder`.

    Args:
        folder: the folder with all other files in place.
        described: the fields of `BundleInfo` but `fingerprint` and `files`.
    """
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in (BUNDLE_FILE, REPORT_FOLDER)
    )
    info = BundleInfo(
        fingerprint=fingerprint(folder, described["preprocessing"], described["text"]),
        files={name: _digest(folder / name) for name in names},
        **described,
    )
    text = json.dumps(info.to_dict(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / BUNDLE_FILE).write_text(text, encoding="utf-8")
    return info


@contextmanager
def replace_folder(target: Path) -> Iterator[Path]:
    """Fill a temporary folder, then put it in `target`'s place; on an error `target` stays as it was."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
            target.replace(old)
            temporary.replace(target)
            shutil.rmtree(old)
        else:
            temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

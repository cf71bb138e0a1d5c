"""`python -m tests.releases.make VERSION`: keep a small bundle and a small index of this release for all later ones.

The model is as small as they come (random weights, thirty words), so that both archives stay below 200 kB. A release
that is out is never made again: the archives show what it wrote.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import open_clip
import torch
from open_clip.model import CustomTextCLIP
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, PreTrainedTokenizerFast

from embedder.catalogs.registry import open_catalog
from embedder.encoder import open_encoder
from embedder.export.onnx import write_bundle
from embedder.towers.dual_encoder import DualEncoder, from_open_clip
from indexer.building.run import build
from indexer.settings import IndexerSettings
from indexer.stores.edge.store import EdgeStore
from tests.conftest import draw_product

FOLDER = Path(__file__).parent
WORDS = [
    "red",
    "blue",
    "green",
    "black",
    "ball",
    "box",
    "tall",
    "triangle",
    "a",
    "photo",
    "of",
    "the",
    "small",
    "large",
    "bag",
    "boot",
    "shoe",
    "dress",
    "coat",
    "hat",
]
SIDE, DIM = 32, 16
SHOP = (
    ("p-0", "red ball", "toys/ball", ("ellipse", "red"), ("ellipse", "blue")),
    ("p-1", "blue box", "boxes/box", ("rectangle", "blue")),
    ("p-2", "tall black box", "boxes/tall box", ("tall", "black")),
    ("p-3", "green triangle", "signs/triangle", ("triangle", "green")),
)


def tiny_model(folder: Path) -> DualEncoder:
    """A dual encoder with a vision transformer of one layer and a BERT of one layer; `folder` takes its tokenizer."""
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]")
    tokens.save_pretrained(folder)
    BertConfig(
        vocab_size=len(vocabulary), hidden_size=DIM, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32,
    ).save_pretrained(folder)  # fmt: skip
    vision = {"image_size": SIDE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
    text = {
        "hf_model_name": str(folder), "hf_tokenizer_name": str(folder), "hf_model_pretrained": False,
        "hf_proj_type": "linear", "hf_pooler_type": "mean_pooler", "context_length": 16,
    }  # fmt: skip
    torch.manual_seed(0)
    model = CustomTextCLIP(embed_dim=DIM, vision_cfg=vision, text_cfg=text).eval()
    half = (0.5, 0.5, 0.5)
    open_clip.model.set_model_preprocess_cfg(
        model,
        {"size": (SIDE, SIDE), "mode": "RGB", "mean": half, "std": half, "interpolation": "bicubic",
         "resize_mode": "squash", "fill_color": 0},
    )  # fmt: skip
    tokenizer = open_clip.tokenizer.HFTokenizer(str(folder), context_length=16)
    return from_open_clip(model, {"embed_dim": DIM, "vision_cfg": vision, "text_cfg": text}, tokenizer, "tiny")


def write_shop(folder: Path) -> Path:
    """A JSON Lines catalog of four products, one of them with two pictures."""
    import json

    lines = []
    for number, (name, title, category, *drawn) in enumerate(SHOP):
        names = [f"{name}-{place}.png" for place in range(len(drawn))]
        for picture, (shape, color) in zip(names, drawn, strict=True):
            draw_product(shape, color, number, side=48).save(folder / picture)
        row = {"id": name, "title": title, "category": category, "price": 5.0 + number, "images": names}
        lines.append(json.dumps({**row, "color": drawn[0][1]}))
    path = folder / "shop.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pack(folder: Path, archive: Path) -> None:
    """A folder's contents as `.tar.xz`, in the order of their names and without owners or times."""

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(archive, "w:xz") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=anonymous)
    print(f"{archive}: {archive.stat().st_size:,} bytes")


def main() -> None:
    """Make both archives; one that is there already is left alone."""
    (release,) = sys.argv[1:]
    target = FOLDER / release
    if target.exists():
        sys.exit(f"error: {target} is there already; permitted: a release that is not kept yet")
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        for name in ("text", "shop"):
            (root / name).mkdir()
        write_bundle(tiny_model(root / "text"), root / "bundle")
        encoder = open_encoder(root / "bundle", device="cpu")
        reader = open_catalog(str(write_shop(root / "shop")))
        build(reader, encoder, EdgeStore(root / "index"), IndexerSettings(embedding_cache_mb=0), root / "rejects.jsonl")
        target.mkdir(parents=True)
        try:
            pack(root / "bundle", target / "bundle.tar.xz")
            pack(root / "index", target / "index.tar.xz")
        except BaseException:
            shutil.rmtree(target)
            raise


if __name__ == "__main__":
    main()

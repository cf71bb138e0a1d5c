"""Pictures and texts to unit vectors: every model behind one interface.

Opening a bundle on a CPU imports neither torch nor open_clip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder import bundle
from embedder.errors import MissingExtra
from embedder.index_space import IndexQuery, IndexSpace
from embedder.inputs.picture import Picture, PictureLimits, Reserve
from embedder.inputs.pixels import PixelReader
from embedder.inputs.preprocess import Preprocessing
from embedder.inputs.product_colors import product_colors
from embedder.inputs.text import TextTokenizer, TokenBatch
from embedder.instance_map import load_instance, load_space
from embedder.precision import Precision, PrecisionChoice, Tower, choose_precisions
from embedder.recognition.attribute_file import load_attributes
from embedder.recognition.attribute_model import Attributes
from embedder.recognition.head import CategoryHead, load_head
from embedder.runtimes.onnx import OnnxRuntime
from embedder.runtimes.protocol import Embedded, Runtime
from embedder.seen_products import SeenProducts, load_seen

RuntimeName = Literal["auto", "onnx", "torch"]


class Encoder:
    """A model that embeds. Calls from several threads are allowed.

    Attributes:
        info: the bundle's description: fingerprint, dim, preprocessing, metrics.
        head: the category head, on semantic embeddings; None where the model was not fine-tuned.
        space: how index vectors are made of the parts, and queries compared with them.
        seen: products that the model was trained on; None where it was not trained, or by an earlier release.
        attributes: how attributes are judged; None where the model knows of none.
        precisions: of each tower; fp32 where nothing is said.
    """

    def __init__(
        self,
        info: bundle.BundleInfo,
        runtime: Runtime,
        tokenizer: TextTokenizer,
        head: CategoryHead | None,
        space: IndexSpace | None = None,
        seen: SeenProducts | None = None,
        attributes: Attributes | None = None,
        precisions: Mapping[Tower, Precision] | None = None,
    ) -> None:
        self.info = info
        self.head = head
        self.space = IndexSpace(info.dim) if space is None else space
        self.seen = seen
        self.attributes = attributes
        self.precisions: dict[Tower, Precision] = {"image": "fp32", "text": "fp32", **(precisions or {})}
        self._runtime = runtime
        self._tokenizer = tokenizer

    @property
    def dim(self) -> int:
        """Length of an index vector."""
        return self.space.dim

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures become pixels."""
        return self.info.preprocessing

    def decode(
        self, picture: Picture, limits: PictureLimits | None = None, reserve: Reserve | None = None
    ) -> tuple[Image.Image, tuple[str, ...]]:
        """Decode a picture for this model: (RGB image, warning codes); see `decode_picture`."""
        decoded = self.pixel_reader(limits).decode(picture, reserve)
        return decoded.image, decoded.warnings

    def pixel_reader(self, limits: PictureLimits | None = None) -> PixelReader:
        """Decodes and preprocesses pictures for this model, the catalog's and queries alike."""
        return PixelReader(self.preprocessing, limits or PictureLimits())

    def preprocess(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """RGB pictures to float32 (n, 3, height, width)."""
        return self.preprocessing.apply(images)

    def run_pixels(self, pixels: npt.NDArray[np.float32]) -> Embedded:
        """Preprocessed pixels (n, 3, height, width), n of 1 or more, to all that the image tower gives, in one run."""
        return self._runtime.embed_pixels(pixels)

    def embed_pixels(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Preprocessed pixels (n, 3, height, width) to index vectors, float32 (n, dim), unit length."""
        return self.index_vectors(self.run_pixels(pixels))

    def product_colors(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Colours of the products on preprocessed pixels (n, 3, height, width), float32 (n, palette and ground)."""
        return np.stack([product_colors(picture) for picture in self.preprocessing.to_bytes(pixels)])

    def pixel_features(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Preprocessed pixels to the features before the image projection, float32 (n, width)."""
        return self.run_pixels(pixels).features

    def index_vectors(self, pictures: Embedded) -> npt.NDArray[np.float32]:
        """What the index holds of pictures that went through the image tower, float32 (n, dim), unit length."""
        return self.space.picture_vectors(pictures.embeddings, pictures.instance)

    def encode_images(self, images: Sequence[Image.Image], batch_size: int = 64) -> npt.NDArray[np.float32]:
        """RGB pictures to index vectors, float32 (n, dim), unit length; n may be 0."""
        starts = range(0, len(images), batch_size)
        parts = [self.embed_pixels(self.preprocess(images[start : start + batch_size])) for start in starts]
        return np.concatenate(parts) if parts else np.empty((0, self.dim), dtype=np.float32)

    def tokenize(self, texts: Sequence[str]) -> TokenBatch:
        """Texts to tokens, saying which were cut."""
        return self._tokenizer.tokenize(texts)

    def run_tokens(self, batch: TokenBatch) -> Embedded:
        """Tokens of n texts, 1 or more, to all that the text tower gives: semantic embeddings and features."""
        return self._runtime.embed_tokens(batch.ids)

    def embed_tokens(self, batch: TokenBatch) -> npt.NDArray[np.float32]:
        """Tokens of n texts to index vectors without an instance part, float32 (n, dim), unit length."""
        return self.space.text_vectors(self.run_tokens(batch).embeddings)

    def semantic_texts(self, texts: Sequence[str], batch_size: int = 64) -> npt.NDArray[np.float32]:
        """Texts to semantic embeddings, float32 (n, semantic dim), unit length; n may be 0. What is too long is cut."""
        starts = range(0, len(texts), batch_size)
        parts = [self.run_tokens(self.tokenize(texts[s : s + batch_size])).embeddings for s in starts]
        return np.concatenate(parts) if parts else np.empty((0, self.info.semantic_dim), dtype=np.float32)

    def text_queries(self, texts: Sequence[str], batch_size: int = 64) -> list[IndexQuery]:
        """What to search an index with for texts; n may be 0. What is longer than the context is cut."""
        return self.space.text_queries(self.semantic_texts(texts, batch_size))

    def text_features(self, texts: Sequence[str], batch_size: int = 64) -> npt.NDArray[np.float32]:
        """Texts (1 or more) to the features before the text projection, float32 (n, width)."""
        starts = range(0, len(texts), batch_size)
        return np.concatenate([self.run_tokens(self.tokenize(texts[s : s + batch_size])).features for s in starts])

    def encode_texts(self, texts: Sequence[str], batch_size: int = 64) -> npt.NDArray[np.float32]:
        """Texts to index vectors without an instance part, float32 (n, dim), unit length; n may be 0.

        What is longer than the context is cut.
        """
        starts = range(0, len(texts), batch_size)
        parts = [self.embed_tokens(self.tokenize(texts[start : start + batch_size])) for start in starts]
        return np.concatenate(parts) if parts else np.empty((0, self.dim), dtype=np.float32)


def open_encoder(
    folder: Path,
    runtime: RuntimeName = "auto",
    threads: int = 0,
    device: str = "auto",
    text_threads: int | None = None,
    precision: PrecisionChoice = "fp32",
) -> Encoder:
    """Open a bundle, after checking every file of it.

    Args:
        folder: the bundle (`python -m embedder export` makes one of any other model).
        runtime: "onnx", "torch", or "auto": torch where it is installed with a CUDA device and `device` permits it,
            else ONNX Runtime.
        threads: of ONNX Runtime; 0 is one for each core.
        device: of torch.
        text_threads: of ONNX Runtime for texts; None: as many as `threads`.
        precision: of ONNX Runtime's graphs; "auto": as the bundle decided when it was exported. torch computes in fp32
            on a CPU and in fp16 on a GPU, whatever is asked.

    Raises:
        ModelError: the bundle has no graphs of that precision.
        BundleNotFound: no bundle there.
        BundleCorrupt: a file is missing or changed.
        MissingExtra: "torch" was asked for and is not installed.
    """
    info = bundle.load_info(folder)
    if runtime == "auto":
        runtime = "torch" if device != "cpu" and _has_cuda() else "onnx"
    precisions: dict[Tower, Precision] = {}
    if runtime == "onnx":
        precisions = choose_precisions(info.precisions, precision, str(folder))
    elif device != "cpu" and _has_cuda():
        precisions = {"image": "fp16", "text": "fp16"}
    tokenizer_path = folder / bundle.TOKENIZER_FILE
    # Hashing releases the GIL, so it costs nothing beside the loading.
    with ThreadPoolExecutor(1) as pool:
        verified = pool.submit(bundle.verify_files, folder, info)
        try:
            loaded: Runtime = (
                OnnxRuntime(folder, threads, text_threads, precisions)
                if runtime == "onnx"
                else _torch_runtime(folder, device)
            )
            tokenizer = TextTokenizer(tokenizer_path, info.text)
        except Exception:
            # "This file was changed" is a better message than the failure to load it.
            verified.result()
            raise
        verified.result()
    return Encoder(
        info,
        loaded,
        tokenizer,
        load_head(folder),
        load_space(folder, info.semantic_dim, info.instance_weight),
        load_seen(folder),
        load_attributes(folder),
        precisions,
    )


def _has_cuda() -> bool:
    """Whether torch sees a CUDA device, without importing it where there cannot be one."""
    if not Path("/dev/nvidiactl").exists():
        return False
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def _torch_runtime(folder: Path, device: str) -> Runtime:
    try:
        from embedder.runtimes.torch import TorchRuntime
        from embedder.towers.dual_encoder import load_folder
    except ImportError as error:
        raise MissingExtra(
            f"the torch runtime needs {error.name}, which is not installed; next step: pip install 'merchlens[train]', "
            "or choose the device cpu, which runs on ONNX Runtime"
        ) from error
    return TorchRuntime(load_folder(folder), device, load_instance(folder))

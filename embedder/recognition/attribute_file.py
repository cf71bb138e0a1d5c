"""A bundle's attributes on disk: one file, weights and description together, so that neither is without the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from embedder.errors import BundleCorrupt
from embedder.recognition.attribute_model import AttributeModel, Attributes, NameWeights, PictureClassifier
from embedder.recognition.value_names import ValueNames

ATTRIBUTES_FILE = "attributes.safetensors"

Arrays = Mapping[str, npt.NDArray[np.float32]]


def save_attributes(folder: Path, attributes: Attributes) -> None:
    """Write them into a bundle folder."""
    arrays: dict[str, npt.NDArray[np.float32]] = {"levels.center": attributes.center}
    described = []
    for number, model in enumerate(attributes.models):
        arrays |= {f"{number}.{name}": values for name, values in _arrays(model).items()}
        described.append(_described(model))
    text = json.dumps({"widths": list(attributes.widths), "attributes": described}, ensure_ascii=False)
    contiguous = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in arrays.items()}
    save_file(contiguous, folder / ATTRIBUTES_FILE, metadata={"attributes": text})


def load_attributes(folder: Path) -> Attributes | None:
    """Read a bundle's attributes; None where it has none.

    Raises:
        BundleCorrupt: a file that cannot be used.
    """
    path = folder / ATTRIBUTES_FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            described = json.loads((file.metadata() or {})["attributes"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        models = [_model(item, number, arrays) for number, item in enumerate(described["attributes"])]
        return Attributes(tuple(models), tuple(int(width) for width in described["widths"]), arrays["levels.center"])
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BundleCorrupt(
            f"{ATTRIBUTES_FILE} of bundle {folder}: {error!r}; next step: make the bundle again"
        ) from error


def _arrays(model: AttributeModel) -> dict[str, npt.NDArray[np.float32]]:
    found = {"names": model.names.embeddings, "shares": model.names.shares}
    match model.pictures:
        case PictureClassifier(weight, bias):
            found |= {"weight": weight, "bias": bias}
        case NameWeights(center):
            found |= {"center": center}
        case None:
            pass
    return found


def _described(model: AttributeModel) -> dict[str, Any]:
    scale = {"scale": model.pictures.scale} if isinstance(model.pictures, NameWeights) else {}
    return {
        "name": model.name,
        "method": model.method,
        "least_sure": model.least_sure,
        "is_calibrated": model.is_calibrated,
        **scale,
        **model.names.to_dict(),
    }


def _model(item: Mapping[str, Any], number: int, arrays: Arrays) -> AttributeModel:
    def array(name: str) -> npt.NDArray[np.float32]:
        return arrays[f"{number}.{name}"]

    names = ValueNames(
        tuple(str(value) for value in item["values"]),
        array("names"),
        array("shares"),
        tuple(float(value) for value in item["text_weights"]),
        int(item["text_fitted_on"]),
    )
    pictures: PictureClassifier | NameWeights | None = None
    match item["method"]:
        case "head":
            pictures = PictureClassifier(array("weight"), array("bias"))
        case "names":
            pictures = NameWeights(array("center"), float(item["scale"]))
        case "pixels":
            pass
        case other:
            raise ValueError(f"attribute {item['name']!r} judged by {other!r}; permitted: head, names, pixels")
    return AttributeModel(
        str(item["name"]),
        names,
        pictures,
        {"image": float(item["least_sure"]["image"]), "text": float(item["least_sure"]["text"])},
        bool(item["is_calibrated"]),
    )

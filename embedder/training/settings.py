"""How a model is trained: the one place that holds the defaults and their ranges."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from embedder.index_space import MAX_DIM

Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class FineTuneSettings:
    """How to train; each field can be set in a settings file's table `[embedder.train]`, or as `MERCHLENS_TRAIN__...`.

    A field that ends in `_weight` is the factor of the loss term of that name (see `heads.loop.terms`).

    Attributes:
        epochs: passes over the training products.
        batch_size: products a step.
        learning_rate: peak of the one-cycle schedule (Smith and Topin, 2018).
        weight_decay: of the head; decoupled (Loshchilov and Hutter, 2019).
        dropout: share of image features dropped in a step.
        wording_cosine: how near another wording for the same thing is supposed to be, as a cosine of text features;
            captions are moved that far, at random, in calibrating the text side and in training. Where a catalog has
            100 distinct titles or more, training moves them half as far (see `Wordings.cosine`).
        label_smoothing: of the cross-entropy.
        image_category_weight, text_category_weight: of the cross-entropy of pictures and of captions. Where captions
            are pulled to their categories as strongly as to their pictures, a product's own words count for little.
        contrastive_weight: of the loss between pictures and captions.
        image_anchor_weight, text_anchor_weight: of the relative squared distance to the initial projections. The text
            side is held tighter: a catalog has few texts, and words that it lacks must keep their meaning.

    Raises:
        pydantic.ValidationError: a value outside its range, with the range.
    """

    epochs: int = Field(default=15, ge=1, le=1000)
    batch_size: int = Field(default=256, ge=2, le=65_536)
    learning_rate: float = Field(default=2e-3, gt=0, le=1, allow_inf_nan=False)
    weight_decay: float = Field(default=1e-2, ge=0, le=1, allow_inf_nan=False)
    dropout: Share = 0.1
    wording_cosine: float = Field(default=0.6, ge=0, le=1, allow_inf_nan=False)
    label_smoothing: Share = 0.02
    image_category_weight: Weight = 1.0
    text_category_weight: Weight = 0.3
    contrastive_weight: Weight = 2.0
    image_anchor_weight: Weight = 0.2
    text_anchor_weight: Weight = 1.0

    def __post_init__(self) -> None:
        weights = [name for name in self.__dataclass_fields__ if name.endswith("_weight")]
        if not any(getattr(self, name) for name in weights if not name.endswith("_anchor_weight")):
            raise ValueError(
                "all weights but the anchors' are 0; permitted: at least one above 0, or nothing is learnt"
            )

    def weight(self, term: str) -> float:
        """Factor of a loss term."""
        return float(getattr(self, f"{term}_weight"))

    def to_dict(self) -> dict[str, float]:
        """JSON-able."""
        plain: dict[str, float] = TypeAdapter(FineTuneSettings).dump_python(self)
        return plain


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class InstanceSettings:
    """How the instance part is fitted; table `[embedder.instance]`, or `MERCHLENS_INSTANCE__...`.

    Attributes:
        dim: length of the instance part; 0: none is made, vectors are the semantic part alone. Of a tower with fewer
            values in its levels it is as many as these.
        semantic_dim: how much of the semantic part the index keeps; all of a shorter one.
        products: most training products that it is fitted on.
        views: most views of their pictures, all products together; each product has 2 to 6.
        pictures: most further pictures of one product, besides the main one.
        ridge: see `embedder.training.instance.whitening.RIDGE`.
    """

    dim: int = Field(default=192, ge=0, le=MAX_DIM)
    semantic_dim: int = Field(default=320, ge=1, le=MAX_DIM)
    products: int = Field(default=20_000, ge=2, le=200_000)
    views: int = Field(default=3_000, ge=0, le=1_000_000)
    pictures: int = Field(default=3, ge=0, le=15)
    ridge: float = Field(default=1.0, gt=0, le=1e6, allow_inf_nan=False)

    def __post_init__(self) -> None:
        if self.dim + self.semantic_dim > MAX_DIM:
            raise ValueError(
                f"dim {self.dim} and semantic_dim {self.semantic_dim} are {self.dim + self.semantic_dim} values "
                f"together; permitted: {MAX_DIM} or fewer"
            )

    def to_dict(self) -> dict[str, float]:
        """JSON-able."""
        plain: dict[str, float] = TypeAdapter(InstanceSettings).dump_python(self)
        return plain

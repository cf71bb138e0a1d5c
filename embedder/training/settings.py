"""How a model is trained: the one place that holds the defaults and their ranges."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from embedder.index_space import MAX_DIM
from embedder.recognition.attribute_model import MAX_VALUES

Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]

What = Literal["auto", "heads", "projection", "lora", "full"]
"""What is tuned. `heads`: the category head alone, towers and projections stay as they are. `projection`: the last
linear map of each tower too, on features computed once. `lora`: low-rank additions to the image tower, merged into it
at the end. `full`: all of the image tower. `auto`: `full` where the budget is enough for it, else `projection`."""


Scored = Literal["photo", "title", "category"]

ALL_SCORED: tuple[Scored, ...] = ("photo", "title", "category")


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
        rehearsal: most pictures of other kinds on which training holds on to the base (see `pictures.rehearsal`), fewer
            where a budget has no time for them; 0: none.
        rehearsal_weight: of how far from the base's their embeddings are.
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
    rehearsal: int = Field(default=2_000, ge=0, le=10_000)
    rehearsal_weight: Weight = 2.0
    image_anchor_weight: Weight = 0.2
    text_anchor_weight: Weight = 1.0

    def __post_init__(self) -> None:
        weights = [name for name in self.__dataclass_fields__ if name.endswith("_weight")]
        if self.rehearsal == 1:
            raise ValueError("rehearsal 1: how pictures differ is measured on them; permitted: 0, or 2 or more")
        holding = ("_anchor_weight", "rehearsal_weight")
        if not any(getattr(self, name) for name in weights if not name.endswith(holding)):
            raise ValueError(
                "all weights but the anchors' and the rehearsal's are 0; permitted: at least one above 0, or nothing "
                "is learnt"
            )

    def weight(self, term: str) -> float:
        """Factor of a loss term."""
        return float(getattr(self, f"{term}_weight"))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        plain: dict[str, Any] = TypeAdapter(FineTuneSettings).dump_python(self)
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


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class AttributeSettings:
    """Which attributes are recognised; table `[embedder.attributes]`, or `MERCHLENS_ATTRIBUTES__...`.

    Attributes:
        leave_out: columns of the catalog that are not learnt.
        words: attributes that no column tells of, by name, each with the values that are told apart by what they mean;
            2 to `MAX_VALUES` of them, no two alike. One that has the name of a column is taken in its place.
    """

    leave_out: tuple[str, ...] = ()
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, values in self.words.items():
            if not name.strip():
                raise ValueError("words: an attribute without a name; permitted: 1 character or more")
            distinct = {value.strip().casefold() for value in values} - {""}
            if not 2 <= len(values) <= MAX_VALUES or len(distinct) < len(values):
                raise ValueError(
                    f"words of {name!r}: {len(values)} values, {len(distinct)} of them distinct and not empty; "
                    f"permitted: 2 to {MAX_VALUES}, no two alike"
                )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"leave_out": list(self.leave_out), "words": {name: list(words) for name, words in self.words.items()}}


_PASSES, _PASSES_IN_A_BUDGET = 12, 40


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class TuneSettings:
    """How the towers are tuned; table `[embedder.tune]`, or `MERCHLENS_TUNE__...`.

    A field that ends in `_weight` is the factor of the loss term of that name (see `tuning.objective`); one that ends
    in `_share` is how many of the pictures, or steps, an augmentation is applied to.

    Attributes:
        what: see `What`.
        passes: most passes over the training products; fewer where a budget ends before. None: 12, or with a budget as
            many as it has time for, up to 40.
        products, pictures: products in a batch, pictures of each.
        chunk: how many pictures go through the tower at once; 0: the whole batch. Less memory, the same gradients (the
            batch is computed twice: Gao et al., 2021).
        learning_rate: peak, of the layers nearest to the output.
        ends_rate: factor of the learning rate of projections, instance map and head.
        layer_decay: of the learning rate, from one layer to the one before it; in timm's towers, others have none.
        weight_decay: L2, decoupled. head_l1: L1 of the category head's weights.
        warm_up: share of the steps over which the learning rate rises; it falls to 0 over the others.
        unfreeze_after: share of the steps in which only the ends are trained, not the tower.
        text_tower: tune it too (full and lora); costs as much again for long texts. Captions are not moved then as
            another wording would: that is done to features.
        lora_rank: of the additions.
        batch_norm: "folded" and "frozen" keep the statistics that the base came with, which makes accumulation and
            several processes exact; "folded" trains scale and convolution as one (see `tuning.folding`). "estimated"
            normalizes by the batch and estimates the statistics anew at the end.
        dropout, drop_path: shares of features, and of residual branches, that are dropped in a step.
        average_decay: of the moving average of the weights, which is what is kept.
        temperature: of the instance loss.
        instance_weight, metric_weight: of the losses between pictures. metric: which one of pytorch-metric-learning;
            mine: whether it looks at hard pairs only.
        contrastive_weight, sigmoid_weight: of the losses between pictures and titles, by softmax and by sigmoid.
        category_weight, text_category_weight: of the cross-entropy of pictures and of captions. label_smoothing: of it.
        attribute_weight: of the cross-entropy of the catalog's attributes, such as colour and pattern, from the levels
            of the image tower.
        distillation_weight: of the divergence from the base in what it says of the clean picture.
        rehearsed: pictures of other kinds in a step (see `FineTuneSettings.rehearsal`). rehearsal_weight: of how far
            from the base's their semantic embeddings are, and which words these are near to.
        image_anchor_weight, text_anchor_weight: of the relative squared distance of the projections to where they
            started. They were trained before, on frozen towers and with all that is rehearsed: that they hardly move
            here loses little of the score and most of what is forgotten otherwise.
        variants: which variants are one thing to the instance loss: those of one title, all ("alike"), or none
            ("apart"). Titles follow: what is one thing shares its captions.
        related: every second pass puts variants into one batch, which are told apart the harder for it.
        view_share: pictures shown as a photo would, or by another picture of the product where it has one.
        views: how many different photo-like ones each picture has.
        flip_share, color_share, erase_share, jpeg_share, blur_share: see `tuning.augmentation`.
        crop: least share of a picture's area that a random crop keeps; 1: none is cropped.
        mixup_share, cutmix_share: steps in which pictures are mixed; such a step learns categories only.
        rand_augment: strength of RandAugment (Cubuk et al., 2020), 0 to 30; 0: none.
        smaller_first: share of the time at smaller pictures.
        pixel_cache_mb: most memory for decoded pictures and views.
        checkpoint_s: seconds between two checkpoints.
        tolerance: most points, of 1, that the retention suite may lose; 1: no guard.
        scored: by what the guard chooses among the mixtures that may be kept: how many of the held-out products' photos
            and titles find them, and how many of their categories are right. What the shop's customers ask for.

    Raises:
        pydantic.ValidationError: a value outside its range, with the range.
    """

    what: What = "auto"
    passes: int | None = Field(default=None, ge=1, le=10_000)
    products: int = Field(default=64, ge=2, le=65_536)
    pictures: int = Field(default=2, ge=1, le=16)
    chunk: int = Field(default=0, ge=0, le=65_536)
    learning_rate: float = Field(default=6e-4, gt=0, le=1, allow_inf_nan=False)
    ends_rate: float = Field(default=1.0, gt=0, le=1000, allow_inf_nan=False)
    layer_decay: float = Field(default=0.97, gt=0, le=1, allow_inf_nan=False)
    weight_decay: float = Field(default=0.02, ge=0, le=1, allow_inf_nan=False)
    head_l1: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    warm_up: Share = 0.1
    unfreeze_after: Share = 0.0
    text_tower: bool = False
    lora_rank: int = Field(default=16, ge=1, le=1024)
    batch_norm: Literal["folded", "frozen", "estimated"] = "folded"
    dropout: Share = 0.1
    drop_path: Share = 0.0
    average_decay: float = Field(default=0.99, ge=0, lt=1)
    temperature: float = Field(default=0.07, gt=0, le=10, allow_inf_nan=False)
    instance_weight: Weight = 1.0
    metric_weight: Weight = 0.0
    metric: Literal["multi_similarity", "circle", "triplet"] = "multi_similarity"
    mine: bool = True
    contrastive_weight: Weight = 1.0
    sigmoid_weight: Weight = 0.0
    category_weight: Weight = 0.5
    text_category_weight: Weight = 0.1
    label_smoothing: Share = 0.05
    attribute_weight: Weight = 0.5
    distillation_weight: Weight = 0.5
    rehearsed: int = Field(default=16, ge=0, le=65_536)
    rehearsal_weight: Weight = 4.0
    image_anchor_weight: Weight = 300.0
    text_anchor_weight: Weight = 300.0
    variants: Literal["by_title", "alike", "apart"] = "by_title"
    related: bool = True
    view_share: Probability = 0.9
    views: int = Field(default=8, ge=1, le=1000)
    flip_share: Probability = 0.0
    color_share: Probability = 0.3
    erase_share: Probability = 0.1
    jpeg_share: Probability = 0.1
    blur_share: Probability = 0.1
    crop: float = Field(default=0.8, gt=0, le=1)
    mixup_share: Probability = 0.0
    cutmix_share: Probability = 0.0
    rand_augment: int = Field(default=0, ge=0, le=30)
    smaller_first: Share = 0.3
    pixel_cache_mb: int = Field(default=1024, ge=0, le=1_000_000)
    checkpoint_s: float = Field(default=60.0, gt=0, le=86_400)
    tolerance: Probability = 0.02
    scored: tuple[Scored, ...] = Field(default=ALL_SCORED, min_length=1)

    def __post_init__(self) -> None:
        learning = ("instance", "metric", "contrastive", "sigmoid", "category")
        if not any(self.weight(name) for name in learning):
            raise ValueError(
                f"{', '.join(f'{name}_weight' for name in learning)} are all 0; permitted: at least one above 0, or "
                "nothing is learnt"
            )
        if (self.mixup_share or self.cutmix_share) and not self.category_weight:
            raise ValueError(
                "mixup_share or cutmix_share without category_weight: mixed pictures are learnt from by their "
                "categories alone; permitted: a category_weight above 0, or both shares 0"
            )
        if self.mixup_share + self.cutmix_share > 1:
            raise ValueError(
                f"mixup_share {self.mixup_share} and cutmix_share {self.cutmix_share} are more than all steps; "
                "permitted: 1 or less together"
            )

    def weight(self, term: str) -> float:
        """Factor of a loss term."""
        return float(getattr(self, f"{term}_weight"))

    def most_passes(self, with_budget: bool) -> int:
        """Passes over the training products that are never exceeded, 1 or more."""
        if self.passes is not None:
            return self.passes
        return _PASSES_IN_A_BUDGET if with_budget else _PASSES

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        plain: dict[str, Any] = TypeAdapter(TuneSettings).dump_python(self, mode="json")
        return plain

"""What the suite tells of a model, and how much less it tells of another."""

from __future__ import annotations

from dataclasses import dataclass, fields

from embedder.errors import TrainingError


@dataclass(frozen=True, slots=True)
class RetentionFigures:
    """Shares of queries that find what they look for, 0 to 1.

    Attributes:
        text_recall_at_1, text_recall_at_10: titles whose pictures are the nearest, or among those of the ten nearest
            titles.
        wording_recall_at_1: other words for a name that are nearest to it.
        image_recall_at_1: views that are nearest to their own picture, by the semantic embedding.
        level_recall_at_1: the same by the image tower's levels, each centred on the suite's mean and scaled to length
            1; None where the model gives none.
    """

    text_recall_at_1: float
    text_recall_at_10: float
    wording_recall_at_1: float
    image_recall_at_1: float
    level_recall_at_1: float | None

    def __post_init__(self) -> None:
        for name, value in self.to_dict().items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} {value}; permitted: 0 to 1")

    @property
    def text(self) -> float:
        """Mean of the figures that the text tower has a part in."""
        return (self.text_recall_at_1 + self.text_recall_at_10 + self.wording_recall_at_1) / 3

    @property
    def image(self) -> float:
        """Mean of the figures that pictures alone make."""
        if self.level_recall_at_1 is None:
            return self.image_recall_at_1
        return (self.image_recall_at_1 + self.level_recall_at_1) / 2

    def to_dict(self) -> dict[str, float]:
        """JSON-able; a figure that there is not is left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class RetentionLoss:
    """How far the figures fell, -1 to 1; below 0 where they rose. 0.02 are two points.

    Single queries tip over at any change: noise of a hundredth in the starter's image tower (96 px) moved the text
    figures of a suite of 240 by 0.8 points (root mean square of six draws), the image figures by 3.6, all upwards; of
    480 by 1.0 and 1.7. A tenth of noise costs 12 and 5 points.

    Attributes:
        text, image: of the mean of the text figures, and of the image figures.
    """

    text: float
    image: float

    @property
    def largest(self) -> float:
        """The worse of both, which a tolerance is for: a gain on one side makes up for no loss on the other."""
        return max(self.text, self.image)


def retention_loss(before: RetentionFigures, after: RetentionFigures) -> RetentionLoss:
    """What a model has lost of another, both measured by one suite.

    Raises:
        TrainingError: one was measured with levels and the other without.
    """
    if (before.level_recall_at_1 is None) != (after.level_recall_at_1 is None):
        raise TrainingError("retention: one model gives levels, the other none; permitted: both the same")
    return RetentionLoss(before.text - after.text, before.image - after.image)

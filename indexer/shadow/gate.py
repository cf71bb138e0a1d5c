"""What a new version may lose against the live one before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.shadow.evaluation import DEPTH, ShadowEvaluation


@dataclass(frozen=True, slots=True)
class ShadowGate:
    """The least that lets a version go live.

    Attributes:
        max_loss: of recall, 0..1: a greater loss refuses it, where it is too great for chance (a paired bootstrap's 95
            % interval, see `embedder.evaluation.bootstrap`).
        min_overlap: of pictures' first ten hits with the live version's, 0..1, where one model made both: then nearly
            all are the same, unless vectors or settings went wrong. Another model's answers may differ; so may those to
            texts, where many titles say the same and which of them come first is open.
    """

    max_loss: float
    min_overlap: float

    def refusals(self, evaluation: ShadowEvaluation) -> list[str]:
        """Why a version is refused, a phrase each; [] where it may go live."""
        found = []
        for kind, compared in evaluation.kinds.items():
            asked = "pictures" if kind == "image" else "texts"
            if kind == "image" and evaluation.same_model and compared.overlap < self.min_overlap:
                found.append(
                    f"{asked}: {compared.overlap:.3f} of the first {DEPTH} hits are the live version's, with the same "
                    f"model; permitted: shadow_min_overlap = {self.min_overlap} or more"
                )
            found += [
                f"{asked}: recall@{depth} falls from {item.first:.3f} to {item.second:.3f}; permitted: a loss of "
                f"shadow_max_loss = {self.max_loss} at most"
                for depth, item in compared.recall.items()
                if item.verdict == "worse" and item.difference < -self.max_loss
            ]
        return found

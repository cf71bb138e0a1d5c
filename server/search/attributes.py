"""Which attributes a query shows or names, and how sure each of them is."""

from __future__ import annotations

import numpy as np

from embedder.recognition.attribute_model import Attributes
from server.search.encoded_part import EncodedPart
from server.search.query import AttributeValue, PredictedAttribute

CANDIDATES = 5


class AttributePredictor:
    """Predicts all attributes that a model knows. Calls from several threads are allowed."""

    def __init__(self, attributes: Attributes | None) -> None:
        """Take a model's attributes; None: it knows of none."""
        self._attributes = attributes

    def predict(self, part: EncodedPart) -> tuple[PredictedAttribute, ...]:
        """One for each attribute; none for a part that is neither a picture nor a text."""
        if self._attributes is None:
            return ()
        if part.seen is not None:
            judged, modality = self._attributes.judge_pictures(part.seen), part.modality
        elif part.text is not None:
            judged, modality = self._attributes.judge_texts([part.text], part.semantic[None, :]), part.modality
        else:
            return ()
        found = []
        for model in self._attributes.models:
            probabilities = judged[model.name][0]
            order = np.argsort(-probabilities, kind="stable")[:CANDIDATES]
            candidates = tuple(AttributeValue(model.values[place], float(probabilities[place])) for place in order)
            of_text = modality == "text"
            found.append(
                PredictedAttribute(
                    model.name,
                    candidates,
                    candidates[0].probability >= model.least_sure[modality],
                    "words" if of_text else model.method,
                    model.names.fitted_on > 0 if of_text else model.is_calibrated,
                )
            )
        return tuple(found)

"""The text side by itself: names of things, and other words for each.

Names and glosses are those of ImageNet's 1,000 classes (glosses: WordNet), which open_clip and timm bring along. A name
in a shopper's sentence is nearly always found by any sound text tower; its gloss, which shares no word with it as a
rule, is found where the tower knows what the words mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import open_clip
from timm.data import ImageNetInfo

from embedder.catalogs.captions import other_number

SENTENCE = "two second-hand {} in good condition"
"""A name's plural is put in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rephrasings:
    """Texts that look for a name.

    Attributes:
        names: n of them, no two alike, 2 or more.
        queries: the texts, 2 for each name.
        owners: int (2 n,), the name that each looks for, its place in `names`.
    """

    names: tuple[str, ...]
    queries: tuple[str, ...]
    owners: npt.NDArray[np.intp]

    def __post_init__(self) -> None:
        if len(self.names) < 2 or len(set(self.names)) < len(self.names):
            raise ValueError(f"{len(self.names)} names; permitted: 2 or more, no two alike")


def rephrase_names(size: int) -> Rephrasings:
    """Evenly spaced names of all classes.

    Args:
        size: how many, 2 or more; all of them where there are fewer (998, as two names stand for two classes each).
    """
    place_of: dict[str, int] = {}
    for place, name in enumerate(open_clip.IMAGENET_CLASSNAMES):
        place_of.setdefault(name, place)
    everything = list(place_of)
    size = min(size, len(everything))
    names = tuple(everything[index * len(everything) // size] for index in range(size))
    info = ImageNetInfo()
    queries = [SENTENCE.format(other_number(name)) for name in names]
    # The description is all names of the class, ": ", and the gloss.
    queries += [str(info.index_to_description(place_of[name], detailed=True)).rpartition(": ")[2] for name in names]
    return Rephrasings(names, tuple(queries), np.tile(np.arange(size, dtype=np.intp), 2))

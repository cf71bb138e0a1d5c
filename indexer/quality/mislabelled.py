"""Products whose category looks wrong.

Where a product has a title, picture and title must both speak against its category, and for the same other one; where
it has none, its picture must be very sure. The limits were chosen on validation catalogs of the studio (seeds 101 and
102, with the untuned starter and with trained bundles): 97 to 100 of 100 that are named are wrong, and 97 of 100 wrong
ones are named; by pictures alone, with trained bundles, 84 to 95 of 100, and 53 to 70. A threshold for each category as
in confident learning (Northcutt et al. 2021, section 3.1) named ten times too many: most have a handful of products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.quality.opinions import Opinions
from indexer.quality.title_words import TitleOpinions

LEAST_BY_TITLE, MOST_OWN_BY_TITLE = 0.6, 0.1
"""Least probability of the other category by the title, most of its own."""

MOST_OWN_BY_PICTURE = 0.02
"""Most probability of its own category by the picture, where the title says the same."""

LEAST_BY_PICTURE, MOST_OWN_ALONE = 0.9, 0.01
"""Least of the other category, and most of its own, by the picture alone."""

LEAST_HELD, LEAST_HELD_ALONE = 2, 3
"""Products of its own category, itself among them: of what nobody knows another, nobody can say how it looks."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A product whose category looks wrong.

    Attributes:
        place: in the order of the products judged.
        suggested: number of the category that it is taken for.
        by_picture: its probability by the picture.
        own_by_picture: that of the catalog's own.
        by_title: its probability by the title; None where there is no title.
        like: place of a product of that category, for people to compare with; None where there is none.
    """

    place: int
    suggested: int
    by_picture: float
    own_by_picture: float
    by_title: float | None
    like: int | None = None


def find_mislabelled(labels: npt.NDArray[np.intp], pictures: Opinions, titles: TitleOpinions) -> tuple[Suspect, ...]:
    """Name them, the surest first.

    Args:
        labels: the catalog's categories, int (n,); -1: none.
        pictures: what pictures say; asked about `titles.top`.
        titles: what titles say.
    """
    held = np.bincount(labels[labels >= 0], minlength=int(max(pictures.top.max(initial=0), labels.max(initial=0))) + 1)
    of_own = np.where(labels >= 0, held[labels], 0)
    other = (titles.top >= 0) & (titles.top != labels) & (titles.top_probability >= LEAST_BY_TITLE)
    other &= (np.nan_to_num(titles.own) <= MOST_OWN_BY_TITLE) & (pictures.own <= MOST_OWN_BY_PICTURE)
    both = other & (pictures.suggested > pictures.own) & (of_own >= LEAST_HELD)
    alone = (titles.top < 0) & (pictures.top != labels) & (pictures.top_probability >= LEAST_BY_PICTURE)
    alone &= (pictures.own <= MOST_OWN_ALONE) & (np.minimum(of_own, held[pictures.top]) >= LEAST_HELD_ALONE)
    found = [
        Suspect(
            place,
            int(titles.top[place] if both[place] else pictures.top[place]),
            float(pictures.suggested[place] if both[place] else pictures.top_probability[place]),
            float(pictures.own[place]),
            float(titles.top_probability[place]) if both[place] else None,
            _typical(labels, pictures, int(titles.top[place] if both[place] else pictures.top[place])),
        )
        for place in np.flatnonzero((labels >= 0) & (both | alone)).tolist()
    ]
    return tuple(sorted(found, key=lambda item: (-(item.by_picture + (item.by_title or 0.0)), item.place)))


def _typical(labels: npt.NDArray[np.intp], pictures: Opinions, category: int) -> int | None:
    """Of the products of a category the one whose picture says so most."""
    says = np.where((labels == category) & (pictures.top == category), pictures.top_probability, -1.0)
    return int(says.argmax()) if says.max(initial=-1.0) >= 0 else None

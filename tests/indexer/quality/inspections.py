"""An inspection in which everything was found, and one in which nothing was."""

from __future__ import annotations

from embedder.catalogs.product import Rejection
from indexer.quality.duplicates import Duplicates, DuplicateSet
from indexer.quality.inspection import Inspection
from indexer.quality.look_alikes import LookAlikes
from indexer.quality.mislabelled import Suspect
from indexer.quality.roll import Enrolled
from indexer.quality.small_pictures import TinyPicture, TinyPictures
from indexer.quality.unfound import Search, Unfound

CATEGORIES = ("bags", "boots", "<b>hats</b>")


def everything() -> Inspection:
    words = {
        place: Enrolled(f"p-{place}", "" if place == 4 else f"title {place}", (*CATEGORIES, None)[place % 4])
        for place in range(70)
    }
    return Inspection(
        products=70,
        pictures=71,
        duplicates=Duplicates(
            (DuplicateSet((0, 4), identical=True), DuplicateSet((1, 2, 3), identical=False)), (tuple(range(5, 60)),)
        ),
        rejected_pictures={"IMAGE_MISSING": 2},
        rejections=[
            Rejection(7, "", "IMAGE_MISSING", "not there"),
            Rejection(8, "x", "IMAGE_MISSING", "gone", "b.png"),
        ],
        tiny=TinyPictures(1, (TinyPicture(61, 1, 20, 30),)),
        judged=66,
        suspects=[Suspect(62, 1, 0.75, 0.001, 0.8, 69), Suspect(4, 1, 0.95, 0.002, None)],
        look_alikes=[LookAlikes(0, 2, 4, 3, 10, 9, (64, 66))],
        search=Search(50, 10, (Unfound(65, 40, 30), Unfound(4, 39, None))),
        categories=CATEGORIES,
        words=words,
    )


def nothing() -> Inspection:
    return Inspection(70, 70, Duplicates(), {}, [], TinyPictures(0, ()), 70, [], [], Search(50, 10, ()), CATEGORIES, {})


def unlabelled() -> Inspection:
    """Of a catalog without categories, of which nothing was asked."""
    return Inspection(5, 5, Duplicates(), {}, [], TinyPictures(0, ()), 0, [], [], Search(0, 10, ()), (), {})
